#include "tests/unit/quota/ledger/support.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place place_make(void)
{
    struct place p = { "/tmp/sluice-ledger-XXXXXX", NULL };

    assert_non_null(mkdtemp(p.folder));
    p.path = mem_format("%s/ledger.db", p.folder);
    return p;
}

void place_remove(struct place *p)
{
    DIR *folder = opendir(p->folder);

    for (struct dirent *d; folder && (d = readdir(folder));) {
        AUTO_FREE char *path = mem_format("%s/%s", p->folder, d->d_name);

        if (d->d_name[0] != '.')
            unlink(path);
    }
    closedir(folder);
    rmdir(p->folder);
    free(p->path);
}

void answers_note(void *context, const struct err *error)
{
    struct answers *a = context;

    if (error->code != ERR_NONE) {
        a->last = *error;
        __atomic_add_fetch(&a->failed, 1, __ATOMIC_RELEASE);
    }
    __atomic_add_fetch(&a->count, 1, __ATOMIC_RELEASE);
}

void answers_wait(const struct answers *a, unsigned count)
{
    for (int i = 0; i < 100000; i++) {
        if (__atomic_load_n(&a->count, __ATOMIC_ACQUIRE) >= count)
            return;
        usleep(1000);
    }
    fail_msg("only %u of %u answers came", a->count, count);
}

struct ledger_record gang(struct ledger *l, int64_t time, const char *uid, int64_t workers)
{
    static const struct ledger_amount first[] = { { "on-demand", "cpu", 1500 },
                                                  { "on-demand", "memory", 1 << 20 } };
    static const struct ledger_amount second[] = { { "h100", "nvidia.com/gpu", 8 } };
    static _Thread_local struct ledger_pod_set pod_sets[2];

    pod_sets[0] = (struct ledger_pod_set){ "main", 1, first, 2 };
    pod_sets[1] = (struct ledger_pod_set){ "workers", workers, second, 1 };
    return (struct ledger_record){ .kind = LEDGER_INTENT,
                                   .time = time,
                                   .intent = { .id = ledger_intent_id(l),
                                               .cycle = time,
                                               .uid = uid,
                                               .namespace = "team-a",
                                               .name = uid,
                                               .cluster_queue = "research",
                                               .pod_sets = pod_sets,
                                               .pod_set_count = 2 } };
}

struct ledger_record resolution(int64_t time, uint64_t id, bool confirmed, const char *reason)
{
    return (struct ledger_record){
        .kind = LEDGER_RESOLUTION,
        .time = time,
        .resolution = { id, confirmed ? LEDGER_INTENT_CONFIRMED : LEDGER_INTENT_UNDONE, reason }
    };
}

struct ledger_record usage(int64_t time, const char *uid, const struct ledger_amount *amounts,
                           size_t count)
{
    return (struct ledger_record){ .kind = LEDGER_USAGE,
                                   .time = time,
                                   .usage = { uid, "team-a", uid, "research", amounts, count } };
}

struct ledger_record decision(int64_t time, const char *name, const char *outcome)
{
    return (struct ledger_record){ .kind = LEDGER_DECISION,
                                   .time = time,
                                   .decision = { .cycle = 7,
                                                 .uid = name,
                                                 .namespace = "team-a",
                                                 .name = name,
                                                 .cluster_queue = "research",
                                                 .outcome = outcome,
                                                 .reason = "Pending",
                                                 .message = "couldn't assign flavors" } };
}

static sqlite3 *database_open(const char *path)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return db;
}

char *sql_text(const char *path, const char *sql)
{
    sqlite3 *db = database_open(path);
    sqlite3_stmt *statement = NULL;
    char *text = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
        text = mem_dup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return text ? text : mem_dup("(nothing)");
}

long long sql_number(const char *path, const char *sql)
{
    AUTO_FREE char *text = sql_text(path, sql);

    return atoll(text);
}

void sql_run(const char *path, const char *sql)
{
    sqlite3 *db = database_open(path);

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

void expect_sound(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct err e = { ERR_NONE, "" };
    int result = ledger_file_check(path, out, &e);

    fclose(out);
    if (result < 0)
        fail_msg("%s\n%s", e.text, text);
    free(text);
}
