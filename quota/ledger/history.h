/* history.h - decisions, reservations, usage and changed limits in the order of time, as text.
 *
 * A slice reads at most HISTORY_SLICE rows and leaves no statement open, so records can be written
 * in between. Rows that arrive meanwhile with an older time than the last one shown are not
 * shown. */
#pragma once

#include "quota/ledger/ledger.h"
#include "quota/ledger/store.h"

#define HISTORY_SLICE 256

struct history;
struct history *history_create(const struct ledger_query *query); /* the query must stay */
void history_destroy(struct history *h);                          /* NULL is fine */
/* Append the next slice to 'out'; *end when it was the last. */
MUST_USE int history_step(struct history *h, struct store *s, struct strbuf *out, bool *end,
                          struct err *e);
