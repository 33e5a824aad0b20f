/* entry.h - what waits on the ledger's queue: a record, or a question. */
#pragma once

#include "quota/base/queue.h"
#include "quota/ledger/ledger.h"

enum entry_kind { ENTRY_RECORD, ENTRY_ASK, ENTRY_COPY, ENTRY_WAKE };

struct entry {
    struct message message; /* first */
    enum entry_kind kind;
    struct ledger_record record; /* its texts and lists lie behind the entry, in the same piece */
    struct ledger_query query;
    char *path;
    ledger_done_fn *done;
    ledger_text_fn *text;
    void *context;
    struct err *error; /* why the record was not written; NULL: it was. Heap. */
};

struct entry *entry_of_record(const struct ledger_record *record, ledger_done_fn *done,
                              void *context);
struct entry *entry_create(enum entry_kind kind, void *context);
void entry_destroy(struct entry *entry);
