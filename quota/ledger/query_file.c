#include "quota/ledger/ledger.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "quota/ledger/history.h"
#include "quota/ledger/store.h"

static int copy_into(struct store *s, const char *copy, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->db, "VACUUM INTO ?1", -1, &statement, NULL);

    if (code == SQLITE_OK) {
        bind_text(statement, 1, copy);
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_DONE)
        err_set(e, ERR_IO, "export to %s: %s", copy, sqlite3_errmsg(s->db));
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

int ledger_file_export(const char *path, const char *copy, struct err *e)
{
    struct store s;
    int result;

    if (access(copy, F_OK) == 0)
        return err_set(e, ERR_EXISTS, "export to %s: the file exists already", copy);
    if (store_open_for_reading(&s, path, e) < 0)
        return -1;
    result = copy_into(&s, copy, e);
    if (result < 0)
        unlink(copy);
    store_close(&s, false);
    return result;
}

static int write_out(const struct strbuf *piece, FILE *out, struct err *e)
{
    if (piece->length == 0 || fwrite(piece->text, 1, piece->length, out) == piece->length)
        return 0;
    return err_set(e, ERR_IO, "history: %s", strerror(errno));
}

int ledger_file_history(const char *path, const struct ledger_query *query, FILE *out,
                        struct err *e)
{
    AUTO_STRBUF struct strbuf piece = STRBUF_INIT;
    struct history *h;
    struct store s;
    bool end = false;
    int result = 0;

    if (store_open_for_reading(&s, path, e) < 0)
        return -1;
    h = history_create(query);
    while (result == 0 && !end) {
        strbuf_reset(&piece);
        result = history_step(h, &s, &piece, &end, e);
        if (result == 0)
            result = write_out(&piece, out, e);
    }
    history_destroy(h);
    store_close(&s, false);
    return result;
}
