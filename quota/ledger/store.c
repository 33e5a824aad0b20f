#include "quota/ledger/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quota/base/mem.h"
#include "quota/ledger/schema.h"

int store_error(const struct store *s, const char *doing, struct err *e)
{
    int code = s->db ? sqlite3_extended_errcode(s->db) : SQLITE_NOMEM;
    int number = s->db ? sqlite3_system_errno(s->db) : 0;
    const char *after = doing ? doing : "", *colon = doing ? ": " : "";
    const char *system = number ? strerror(number) : sqlite3_errstr(code);

    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(e, ERR_CONFLICT, "ledger %s: %s%sanother process has it open", s->path,
                       after, colon);
    case SQLITE_CANTOPEN:
        return err_set(
            e, ERR_IO,
            "ledger %s: %s%scannot be opened (%s): the folder must exist and be writable", s->path,
            after, colon, system);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return err_set(e, ERR_IO, "ledger %s: %s%sthe file and its folder must be writable",
                       s->path, after, colon);
    case SQLITE_FULL:
        return err_set(e, ERR_IO, "ledger %s: %s%sthe disk is full", s->path, after, colon);
    case SQLITE_IOERR:
        return err_set(e, ERR_IO, "ledger %s: %s%sinput/output error %d (%s)", s->path, after,
                       colon, code, system);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(e, ERR_INVALID, "ledger %s: %s%sthe file is damaged (%s)", s->path, after,
                       colon, sqlite3_errmsg(s->db));
    default:
        return err_set(e, ERR_IO, "ledger %s: %s%s%s (%d)", s->path, after, colon,
                       s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code), code);
    }
}

bool store_refused(const struct store *s)
{
    int code = sqlite3_errcode(s->db) & 0xff;

    return code == SQLITE_CONSTRAINT || code == SQLITE_TOOBIG || code == SQLITE_MISMATCH;
}

bool store_damage_seen(const struct store *s)
{
    int code = s->db ? sqlite3_errcode(s->db) & 0xff : 0;

    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

int store_execute(struct store *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

int64_t store_number(struct store *s, const char *sql, int64_t otherwise)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = otherwise;

    if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

sqlite3_stmt *store_statement(struct store *s, enum statement which)
{
    sqlite3_stmt **statement = &s->statements[which];

    if (!*statement && sqlite3_prepare_v3(s->db, schema_statement(which), -1,
                                          SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        return NULL;
    return *statement;
}

int store_run(sqlite3_stmt *statement)
{
    int code;

    if (!statement)
        return -1;
    do
        code = sqlite3_step(statement);
    while (code == SQLITE_ROW); /* pragmas may answer */
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

int store_run_plain(struct store *s, enum statement which)
{
    return store_run(store_statement(s, which));
}

void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, index);
}

void bind_number(sqlite3_stmt *statement, int index, int64_t number)
{
    sqlite3_bind_int64(statement, index, number);
}

const char *column_text(sqlite3_stmt *statement, int index)
{
    const char *text = (const char *)sqlite3_column_text(statement, index);

    return text ? text : "";
}

/* ---- transactions ---- */

static int sync_set(struct store *s, bool full)
{
    if (s->full == full)
        return 0;
    if (store_run_plain(s, full ? STATEMENT_SYNC_FULL : STATEMENT_SYNC_NORMAL) < 0)
        return -1;
    s->full = full;
    return 0;
}

int store_begin(struct store *s, bool synced)
{
    return sync_set(s, synced) < 0 ? -1 : store_run_plain(s, STATEMENT_BEGIN);
}

int store_commit(struct store *s)
{
    return store_run_plain(s, STATEMENT_COMMIT);
}

void store_roll_back(struct store *s)
{
    /* Some errors have rolled back already: then there is nothing left to do. */
    if (!sqlite3_get_autocommit(s->db) && store_run_plain(s, STATEMENT_ROLLBACK) < 0)
        return;
}

int store_test_write(struct store *s)
{
    sqlite3_stmt *touch = store_statement(s, STATEMENT_TOUCH);

    if (!touch || store_begin(s, true) < 0)
        return -1;
    bind_number(touch, 1, 1);
    if (store_run(touch) == 0 && store_commit(s) == 0)
        return 0;
    store_roll_back(s);
    return -1;
}

void store_checkpoint(struct store *s, bool truncate)
{
    int frames = 0, done = 0;
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;

    if (sqlite3_wal_checkpoint_v2(s->db, NULL, mode, &frames, &done) == SQLITE_OK && frames == done)
        s->wal_pages = 0;
}

bool store_is_damaged(struct store *s, char *finding, size_t size)
{
    sqlite3_stmt *check = NULL;
    bool damaged;
    int code = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &check, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(check);
    if (code == SQLITE_ROW)
        snprintf(finding, size, "%s", column_text(check, 0));
    else
        snprintf(finding, size, "%s", sqlite3_errmsg(s->db));
    /* An I/O error is no damage: the file stays where it is. */
    damaged = code == SQLITE_ROW ? strcmp(finding, "ok") != 0 : store_damage_seen(s);
    sqlite3_finalize(check);
    return damaged;
}

/* ---- opening ---- */

static int note_wal(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct store *)context)->wal_pages = pages;
    return SQLITE_OK;
}

static int store_connect(struct store *s, const char *path, int flags, const char *vfs,
                         struct err *e)
{
    memset(s, 0, sizeof(*s));
    s->path = mem_dup(path);
    if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs) !=
        SQLITE_OK)
        return store_error(s, NULL, e);
    /* The lock mode comes first: the index of the write-ahead log then lives in our heap, and a
     * second process is refused. No mmap: it turns an I/O error into a signal. */
    if (store_execute(s, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA mmap_size=0;"
                         "PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;"
                         "PRAGMA cache_size=-8192; PRAGMA foreign_keys=ON;"
                         "PRAGMA secure_delete=OFF") < 0)
        return store_error(s, NULL, e);
    return 0;
}

static int journal_to_wal(struct store *s, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    bool fine = false;
    int code = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode=WAL", -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        fine = strcmp(column_text(statement, 0), "wal") == 0 ||
               strcmp(column_text(statement, 0), "memory") == 0;
    if (code != SQLITE_ROW)
        store_error(s, NULL, e);
    else if (!fine)
        err_set(e, ERR_IO, "ledger %s: the file system cannot hold a write-ahead log", s->path);
    sqlite3_finalize(statement);
    return fine ? 0 : -1;
}

static int store_prepare(struct store *s, bool *damaged, struct err *e)
{
    char finding[256];

    if (journal_to_wal(s, e) < 0)
        return -1;
    if (store_is_damaged(s, finding, sizeof(finding))) {
        *damaged = true;
        return err_set(e, ERR_INVALID, "ledger %s: the file is damaged (%s)", s->path, finding);
    }
    if (store_execute(s, "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=16777216;"
                         "PRAGMA synchronous=FULL") < 0)
        return store_error(s, NULL, e);
    s->full = true;
    sqlite3_wal_hook(s->db, note_wal, s); /* after wal_autocheckpoint, which uses the same hook */
    if (schema_migrate(s, e) < 0)
        return -1;
    return store_test_write(s) < 0 ? store_error(s, "test write", e) : 0;
}

int store_open(struct store *s, const char *path, const char *vfs, bool *damaged, struct err *e)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

    *damaged = false;
    if (store_connect(s, path, flags, vfs, e) == 0 && store_prepare(s, damaged, e) == 0)
        return 0;
    *damaged = *damaged || store_damage_seen(s);
    store_close(s, false);
    return -1;
}

/* "file:<path>?immutable=1", with what a URI reserves escaped. Heap. */
static char *immutable_uri(const char *path)
{
    struct strbuf uri = STRBUF_INIT;

    strbuf_puts(&uri, "file:");
    for (; *path; path++) {
        if (strchr("%?#", *path))
            strbuf_printf(&uri, "%%%02X", (unsigned)*path);
        else
            strbuf_putc(&uri, *path);
    }
    strbuf_puts(&uri, "?immutable=1");
    return strbuf_take(&uri);
}

/* Reading needs a log beside the file, even an empty one; where none can be made and none is, the
 * file alone is the whole truth. */
static bool may_read_alone(const struct store *s)
{
    int code = s->db ? sqlite3_errcode(s->db) & 0xff : 0;
    AUTO_FREE char *log = mem_format("%s-wal", s->path);

    return (code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_IOERR) &&
           access(log, F_OK) < 0 && errno == ENOENT;
}

static int store_open_alone(struct store *s, const char *path, struct err *e)
{
    AUTO_FREE char *uri = immutable_uri(path);

    store_close(s, false);
    if (store_connect(s, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL, e) < 0)
        return -1;
    free(s->path);
    s->path = mem_dup(path);
    return schema_expect(s, e);
}

int store_open_for_reading(struct store *s, const char *path, struct err *e)
{
    if (access(path, F_OK) < 0)
        return err_set(e, ERR_NOT_FOUND, "ledger %s: %s", path, strerror(errno));
    if (store_connect(s, path, SQLITE_OPEN_READWRITE, NULL, e) == 0 && schema_expect(s, e) == 0) {
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return 0;
    }
    if (may_read_alone(s) && store_open_alone(s, path, e) == 0)
        return 0;
    store_close(s, false);
    return -1;
}

void store_close(struct store *s, bool checkpoint)
{
    if (s->db && checkpoint)
        store_checkpoint(s, true);
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    free(s->path);
    memset(s, 0, sizeof(*s));
}
