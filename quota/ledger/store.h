/* store.h - the one SQLite connection: opening, settings, prepared statements, transactions.
 *
 * One thread at a time. Settings and their reasons: libraries.md 4. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_SAVE,
    STATEMENT_RELEASE,
    STATEMENT_BACK,
    STATEMENT_SYNC_FULL,
    STATEMENT_SYNC_NORMAL,
    STATEMENT_TOUCH,
    STATEMENT_INTENT,
    STATEMENT_POD_SET,
    STATEMENT_AMOUNT,
    STATEMENT_RESOLVE,
    STATEMENT_USAGE_HELD,
    STATEMENT_USAGE_CLOSE,
    STATEMENT_USAGE_OPEN,
    STATEMENT_DECISION,
    STATEMENT_OBJECT,
    STATEMENT_WORKLOAD,
    STATEMENT_SHARE,
    STATEMENT_SHARE_FORGET,
    STATEMENT_COUNT
};

struct store {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int wal_pages; /* of the write-ahead log after the last commit */
    bool full;     /* synchronous=FULL is set */
};

/* Open for writing: settings, lock, quick check, migrations, test write. ERR_INVALID with
 * *damaged = true means that the file is damaged; the store is closed then, as on every error. */
MUST_USE int store_open(struct store *s, const char *path, const char *vfs, bool *damaged,
                        struct err *e);
/* Open a file that exists, for questions only. */
MUST_USE int store_open_for_reading(struct store *s, const char *path, struct err *e);
void store_close(struct store *s, bool checkpoint);

/* Fill *e from what SQLite says about the last failure; always -1. 'doing' may be NULL. */
int store_error(const struct store *s, const char *doing, struct err *e);
/* The failure was the record's own fault (a constraint, a too large text); others may go on. */
bool store_refused(const struct store *s);
/* The last failure means that the file is damaged. */
bool store_damage_seen(const struct store *s);

/* A prepared statement, ready to bind. Prepared on first use and kept. NULL when it cannot be. */
sqlite3_stmt *store_statement(struct store *s, enum statement which);
/* Step a statement that gives no rows, and reset it. 0 or -1 (see store_error). */
MUST_USE int store_run(sqlite3_stmt *statement);
MUST_USE int store_run_plain(struct store *s, enum statement which);
MUST_USE int store_execute(struct store *s, const char *sql);
/* First column of the first row of 'sql' as a number, or 'otherwise'. */
int64_t store_number(struct store *s, const char *sql, int64_t otherwise);

MUST_USE int store_begin(struct store *s, bool synced);
MUST_USE int store_commit(struct store *s);
void store_roll_back(struct store *s);
/* One small synced write: the disk is there and has room. */
MUST_USE int store_test_write(struct store *s);
void store_checkpoint(struct store *s, bool truncate);
/* First row of quick_check when it is not "ok"; false: all is well. */
bool store_is_damaged(struct store *s, char *finding, size_t size);

void bind_text(sqlite3_stmt *statement, int index,
               const char *text); /* NULL: SQL NULL; not copied */
void bind_number(sqlite3_stmt *statement, int index, int64_t number);
const char *column_text(sqlite3_stmt *statement, int index); /* never NULL */
