#include "quota/ledger/ledger_private.h"

#include "quota/base/clock.h"

/* ?1 is the cutoff, ?2 the largest number of rows. What still holds is never deleted: open intents,
 * open intervals, the present state of every object, workloads that are not gone. */
static const char *const deletions[] = {
    "DELETE FROM decisions WHERE id IN"
    " (SELECT id FROM decisions WHERE time < ?1 ORDER BY time LIMIT ?2)",
    "DELETE FROM intents WHERE id IN"
    " (SELECT id FROM intents WHERE time < ?1 AND state <> 'open' ORDER BY time LIMIT ?2)",
    "DELETE FROM usage WHERE id IN"
    " (SELECT id FROM usage WHERE from_time < ?1 AND to_time < ?1 ORDER BY from_time LIMIT ?2)",
    "DELETE FROM objects WHERE id IN"
    " (SELECT id FROM objects o WHERE time < ?1 AND (spec IS NULL OR EXISTS (SELECT 1 FROM objects "
    "n"
    " WHERE n.kind = o.kind AND n.name = o.name AND n.id > o.id AND n.time < ?1))"
    " ORDER BY time LIMIT ?2)",
    "DELETE FROM workloads WHERE uid IN"
    " (SELECT uid FROM workloads w WHERE gone < ?1 AND NOT EXISTS"
    " (SELECT 1 FROM usage u WHERE u.uid = w.uid) ORDER BY gone LIMIT ?2)",
};

/* The time before which history goes; TIME_NONE: none goes. */
static int64_t cutoff_of(struct store *s, const struct ledger_options *options)
{
    int64_t newest, cutoff = TIME_NONE, most;
    char sql[160];

    newest = store_number(s,
                          "SELECT max(ifnull((SELECT max(time) FROM decisions), 0),"
                          " ifnull((SELECT max(time) FROM intents), 0),"
                          " ifnull((SELECT max(from_time) FROM usage), 0))",
                          0);
    if (options->keep_ns > 0)
        cutoff = newest - options->keep_ns;
    if (options->max_rows <= 0)
        return cutoff;
    sqlite3_snprintf(sizeof(sql), sql,
                     "SELECT time + 1 FROM decisions WHERE id ="
                     " (SELECT max(id) FROM decisions) - %lld",
                     (long long)options->max_rows);
    most = store_number(s, sql, TIME_NONE);
    return most > cutoff ? most : cutoff;
}

static int delete_run(struct store *s, const char *sql, int64_t cutoff, int slice)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;

    if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) == SQLITE_OK) {
        bind_number(statement, 1, cutoff);
        bind_number(statement, 2, slice);
        result = store_run(statement) < 0 ? -1 : sqlite3_changes(s->db);
    }
    sqlite3_finalize(statement);
    return result;
}

int retention_slice(struct store *s, const struct ledger_options *options, int slice)
{
    int64_t cutoff = cutoff_of(s, options);
    int deleted = 0;

    if (cutoff == TIME_NONE)
        return 0;
    if (store_begin(s, false) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(deletions) / sizeof(deletions[0]); i++) {
        int count = delete_run(s, deletions[i], cutoff, slice);

        if (count < 0) {
            store_roll_back(s);
            return -1;
        }
        deleted += count;
    }
    if (store_commit(s) == 0)
        return deleted;
    store_roll_back(s);
    return -1;
}
