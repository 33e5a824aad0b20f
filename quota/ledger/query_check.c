#include "quota/ledger/ledger.h"

#include <string.h>

#include "quota/base/quantity.h"
#include "quota/ledger/store.h"

enum { FINDINGS_MAX = 100 };

struct check {
    struct store *store;
    FILE *out;
    unsigned findings;
};

/* Each row that a query gives is a finding; its columns are the values of the sentence. */
static const struct {
    const char *sql;
} rules[] = {
    { "SELECT 'intent ' || i.id || ' of ' || i.namespace || '/' || i.name || ' has ' || "
      "count(p.intent)"
      " || ' of ' || i.pod_sets || ' pod sets' FROM intents i LEFT JOIN intent_pod_sets p"
      " ON p.intent = i.id GROUP BY i.id HAVING count(p.intent) <> i.pod_sets" },
    { "SELECT 'intent ' || i.id || ' of ' || i.namespace || '/' || i.name || ' has ' || "
      "count(a.intent)"
      " || ' of ' || i.amounts || ' amounts' FROM intents i LEFT JOIN intent_amounts a"
      " ON a.intent = i.id GROUP BY i.id HAVING count(a.intent) <> i.amounts" },
    { "SELECT 'usage of ' || namespace || '/' || name || ': intervals of ' || flavor || ' ' || "
      "resource"
      " || ' overlap' FROM (SELECT *, lag(ifnull(to_time, 9223372036854775807)) OVER (PARTITION BY"
      " uid, flavor, resource ORDER BY from_time, id) AS before FROM usage) WHERE before > "
      "from_time" },
    { "SELECT 'usage of ' || namespace || '/' || name || ' ends before it begins' FROM usage"
      " WHERE to_time < from_time" },
    { "SELECT 'workload ' || uid || ' is held in two ClusterQueues at once' FROM usage"
      " WHERE to_time IS NULL GROUP BY uid HAVING count(DISTINCT cluster_queue) > 1" },
};

static void finding(struct check *c, const char *text)
{
    if (c->findings++ < FINDINGS_MAX)
        fprintf(c->out, "%s\n", text);
}

/* 'good' is the answer that is no finding; NULL: every row is one. */
static int rows_report(struct check *c, const char *sql, const char *good, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(c->store->db, sql, -1, &statement, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW && (!good || strcmp(column_text(statement, 0), good) != 0))
            finding(c, column_text(statement, 0));
    }
    if (code != SQLITE_DONE)
        store_error(c->store, NULL, e);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

struct sum {
    int64_t id, stored, counted;
};

static void sum_report(struct check *c, const struct sum *sum)
{
    char text[160];

    if (sum->stored == sum->counted)
        return;
    snprintf(text, sizeof(text), "intent %lld: its amounts sum to %lld, it was written with %lld",
             (long long)sum->id, (long long)sum->counted, (long long)sum->stored);
    finding(c, text);
}

/* Rows come by intent; a new one closes the sum of the one before. */
static void sum_row(struct check *c, struct sum *sum, sqlite3_stmt *row)
{
    int64_t id = sqlite3_column_int64(row, 0);

    if (id != sum->id) {
        sum_report(c, sum);
        *sum = (struct sum){ id, sqlite3_column_int64(row, 1), 0 };
    }
    sum->counted = amount_add(sum->counted, sqlite3_column_int64(row, 2));
}

/* SQL sums fail on overflow; ours saturate as they did when the intent was written. */
static int sums_report(struct check *c, struct err *e)
{
    static const char sql[] = "SELECT i.id, i.total, ifnull(a.amount, 0) FROM intents i"
                              " LEFT JOIN intent_amounts a ON a.intent = i.id ORDER BY i.id,"
                              " a.position";
    sqlite3_stmt *statement = NULL;
    struct sum sum = { -1, 0, 0 };
    int code = sqlite3_prepare_v2(c->store->db, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        while ((code = sqlite3_step(statement)) == SQLITE_ROW)
            sum_row(c, &sum, statement);
    sum_report(c, &sum);
    if (code != SQLITE_DONE)
        store_error(c->store, NULL, e);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static int check_all(struct check *c, struct err *e)
{
    if (rows_report(c, "PRAGMA integrity_check(100)", "ok", e) < 0)
        return -1;
    if (rows_report(c,
                    "SELECT 'a row of ' || \"table\" || ' refers to a missing row of ' || parent"
                    " FROM pragma_foreign_key_check",
                    NULL, e) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rows_report(c, rules[i].sql, NULL, e) < 0)
            return -1;
    return sums_report(c, e);
}

static void counts_report(struct check *c)
{
    struct store *s = c->store;

    fprintf(c->out,
            "%s: %u findings; %lld decisions, %lld intents (%lld open), %lld intervals (%lld open),"
            " %lld workloads, %lld object changes\n",
            s->path, c->findings, (long long)store_number(s, "SELECT count(*) FROM decisions", 0),
            (long long)store_number(s, "SELECT count(*) FROM intents", 0),
            (long long)store_number(s, "SELECT count(*) FROM intents WHERE state = 'open'", 0),
            (long long)store_number(s, "SELECT count(*) FROM usage", 0),
            (long long)store_number(s, "SELECT count(*) FROM usage WHERE to_time IS NULL", 0),
            (long long)store_number(s, "SELECT count(*) FROM workloads", 0),
            (long long)store_number(s, "SELECT count(*) FROM objects", 0));
}

int ledger_file_check(const char *path, FILE *out, struct err *e)
{
    struct store s;
    struct check c = { &s, out, 0 };
    int result;

    if (store_open_for_reading(&s, path, e) < 0)
        return -1;
    result = check_all(&c, e);
    if (result == 0)
        counts_report(&c);
    if (result == 0 && c.findings > 0)
        result = err_set(e, ERR_INVALID, "ledger %s: %u findings", path, c.findings);
    store_close(&s, false);
    return result;
}
