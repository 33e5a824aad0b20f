#include "quota/ledger/history.h"

#include <stdlib.h>

#include "quota/base/clock.h"
#include "quota/base/json.h"
#include "quota/base/mem.h"
#include "quota/base/quantity.h"

enum rank { RANK_OBJECT, RANK_DECISION, RANK_RESERVATION, RANK_USAGE };

enum column {
    COLUMN_TIME,
    COLUMN_RANK,
    COLUMN_ID,
    COLUMN_NAMESPACE,
    COLUMN_NAME,
    COLUMN_CLUSTER_QUEUE,
    COLUMN_QUEUE, /* LocalQueue, by name */
    COLUMN_NUMBER,
    COLUMN_A,
    COLUMN_B,
    COLUMN_C,
    COLUMN_D
};

/* Each branch comes in the order of (time, rank, id) from an index, so that a slice costs what it
 * shows. ?1 ?2 ?3: the place reached; ?4: end of time; ?5 ?6: workload, by the second form. */
#define AFTER(time, rank)                                                                          \
    time " >= ?1 AND " time " < ?4 AND (" time " > ?1 OR " rank " > ?2 OR (" rank                  \
         " = ?2 AND t.id > ?3))"

#define OBJECTS                                                                                    \
    "SELECT t.time, 0, t.id, '', t.kind || '/' || t.name,"                                         \
    " CASE t.kind WHEN 'ClusterQueue' THEN t.name ELSE '' END,"                                    \
    " CASE t.kind WHEN 'LocalQueue' THEN t.name ELSE '' END, 0, t.spec, '', '', ''"                \
    " FROM objects t WHERE " AFTER("t.time", "0")
#define DECISIONS                                                                                  \
    "SELECT t.time, 1, t.id, t.namespace, t.name, t.cluster_queue, w.queue, t.cycle, t.outcome,"   \
    " t.reason, t.message, t.inputs FROM decisions t LEFT JOIN workloads w ON w.uid = t.uid"       \
    " WHERE " AFTER("t.time", "1")
#define RESERVATIONS                                                                               \
    "SELECT t.time, 2, t.id, t.namespace, t.name, t.cluster_queue, w.queue, t.cycle, t.state,"     \
    " t.reason, t.closed, (SELECT json_group_array(json_object('name', p.name, 'count', p.count,"  \
    " 'amounts', (SELECT json_group_array(json_object('flavor', a.flavor, 'resource', a.resource," \
    " 'amount', a.amount)) FROM intent_amounts a WHERE a.intent = p.intent AND"                    \
    " a.position = p.position))) FROM intent_pod_sets p WHERE p.intent = t.id)"                    \
    " FROM intents t LEFT JOIN workloads w ON w.uid = t.uid WHERE " AFTER("t.time", "2")
#define USAGE                                                                                      \
    "SELECT t.from_time, 3, t.id, t.namespace, t.name, t.cluster_queue, w.queue, t.amount,"        \
    " t.flavor, t.resource, t.to_time, '' FROM usage t LEFT JOIN workloads w ON w.uid = t.uid"     \
    " WHERE " AFTER("t.from_time", "3")
#define OF_WORKLOAD " AND t.namespace = ?5 AND t.name = ?6"
#define IN_ORDER " ORDER BY 1, 2, 3 LIMIT ?7"

static const char all_sql[] =
    OBJECTS " UNION ALL " DECISIONS " UNION ALL " RESERVATIONS " UNION ALL " USAGE IN_ORDER;
static const char workload_sql[] = DECISIONS OF_WORKLOAD " UNION ALL " RESERVATIONS OF_WORKLOAD
                                                         " UNION ALL " USAGE OF_WORKLOAD IN_ORDER;

struct history {
    const struct ledger_query *query;
    struct str workload_namespace, workload_name;
    struct str queue_namespace, queue_name; /* queue_namespace.text NULL: a ClusterQueue */
    int64_t time, rank, id;                 /* the last row read */
    uint64_t shown;
    bool began;
};

struct history *history_create(const struct ledger_query *query)
{
    struct history *h = mem_alloc(sizeof(*h));

    h->query = query;
    h->time = query->since == TIME_NONE ? INT64_MIN : query->since;
    h->rank = -1;
    if (query->workload &&
        !str_cut(str_of(query->workload), '/', &h->workload_namespace, &h->workload_name)) {
        h->workload_name = h->workload_namespace;
        h->workload_namespace = STR("default");
    }
    if (query->queue && !str_cut(str_of(query->queue), '/', &h->queue_namespace, &h->queue_name)) {
        h->queue_name = h->queue_namespace;
        h->queue_namespace = (struct str){ NULL, 0 };
    }
    return h;
}

void history_destroy(struct history *h)
{
    free(h);
}

/* ---- one row ---- */

static void member(struct strbuf *out, const char *name, const char *text)
{
    strbuf_printf(out, ",\"%s\":", name);
    strbuf_json(out, str_of(text));
}

static void member_number(struct strbuf *out, const char *name, int64_t number)
{
    strbuf_printf(out, ",\"%s\":%lld", name, (long long)number);
}

static void member_time(struct strbuf *out, const char *name, sqlite3_stmt *row, int column)
{
    char text[TIME_TEXT];

    if (sqlite3_column_type(row, column) != SQLITE_NULL)
        member(out, name, time_print_nano(sqlite3_column_int64(row, column), text));
}

/* JSON that was stored goes out as it is; anything else as a string. */
static void member_stored(struct strbuf *out, const char *name, const char *text)
{
    struct json_reader r;

    json_open(&r, str_of(text));
    json_skip(&r);
    if (json_end(&r))
        strbuf_printf(out, ",\"%s\":%s", name, text);
    else
        member(out, name, text);
}

static void json_decision(struct strbuf *out, sqlite3_stmt *row)
{
    member_number(out, "cycle", sqlite3_column_int64(row, COLUMN_NUMBER));
    member(out, "outcome", column_text(row, COLUMN_A));
    member(out, "reason", column_text(row, COLUMN_B));
    member(out, "message", column_text(row, COLUMN_C));
    if (column_text(row, COLUMN_D)[0])
        member_stored(out, "inputs", column_text(row, COLUMN_D));
}

static void json_reservation(struct strbuf *out, sqlite3_stmt *row)
{
    member_number(out, "id", sqlite3_column_int64(row, COLUMN_ID));
    member_number(out, "cycle", sqlite3_column_int64(row, COLUMN_NUMBER));
    member(out, "state", column_text(row, COLUMN_A));
    member(out, "reason", column_text(row, COLUMN_B));
    member_time(out, "closed", row, COLUMN_C);
    member_stored(out, "podSets", column_text(row, COLUMN_D));
}

static void json_usage(struct strbuf *out, sqlite3_stmt *row)
{
    member(out, "flavor", column_text(row, COLUMN_A));
    member(out, "resource", column_text(row, COLUMN_B));
    member_number(out, "amount", sqlite3_column_int64(row, COLUMN_NUMBER));
    member_time(out, "until", row, COLUMN_C);
}

static void json_row(struct strbuf *out, sqlite3_stmt *row)
{
    static const char *const kinds[] = { "object", "decision", "reservation", "usage" };
    int rank = sqlite3_column_int(row, COLUMN_RANK);
    char time[TIME_TEXT];

    strbuf_printf(out, "{\"time\":\"%s\",\"kind\":\"%s\"",
                  time_print_nano(sqlite3_column_int64(row, COLUMN_TIME), time), kinds[rank]);
    if (rank == RANK_OBJECT) {
        member(out, "object", column_text(row, COLUMN_NAME));
        if (sqlite3_column_type(row, COLUMN_A) == SQLITE_NULL)
            strbuf_puts(out, ",\"spec\":null");
        else
            member_stored(out, "spec", column_text(row, COLUMN_A));
    } else {
        AUTO_FREE char *workload =
            mem_format("%s/%s", column_text(row, COLUMN_NAMESPACE), column_text(row, COLUMN_NAME));

        member(out, "workload", workload);
        member(out, "clusterQueue", column_text(row, COLUMN_CLUSTER_QUEUE));
    }
    if (rank == RANK_DECISION)
        json_decision(out, row);
    else if (rank == RANK_RESERVATION)
        json_reservation(out, row);
    else if (rank == RANK_USAGE)
        json_usage(out, row);
    strbuf_putc(out, '}');
}

static void table_usage(struct strbuf *out, sqlite3_stmt *row)
{
    struct str resource = str_of(column_text(row, COLUMN_B));
    char amount[QUANTITY_TEXT], time[TIME_TEXT];

    amount_print(resource, sqlite3_column_int64(row, COLUMN_NUMBER), true, amount);
    strbuf_printf(out, "holds %s %s of %s", amount, resource.text, column_text(row, COLUMN_A));
    if (sqlite3_column_type(row, COLUMN_C) == SQLITE_NULL)
        strbuf_puts(out, " until now");
    else
        strbuf_printf(out, " until %s", time_print(sqlite3_column_int64(row, COLUMN_C), time));
}

static void table_what(struct strbuf *out, sqlite3_stmt *row, int rank)
{
    const char *a = column_text(row, COLUMN_A), *b = column_text(row, COLUMN_B);

    if (rank == RANK_OBJECT)
        strbuf_puts(out, a[0] ? a : "deleted");
    else if (rank == RANK_USAGE)
        table_usage(out, row);
    else if (rank == RANK_RESERVATION)
        strbuf_printf(out, "reservation %s%s%s", a, b[0] ? ": " : "", b);
    else
        strbuf_printf(out, "%s%s%s%s%s%s", a, b[0] ? " (" : "", b, b[0] ? ")" : "",
                      column_text(row, COLUMN_C)[0] ? ": " : "", column_text(row, COLUMN_C));
}

static void table_row(struct strbuf *out, sqlite3_stmt *row)
{
    int rank = sqlite3_column_int(row, COLUMN_RANK);
    const char *namespace = column_text(row, COLUMN_NAMESPACE);
    AUTO_FREE char *subject =
        mem_format("%s%s%s", namespace, namespace[0] ? "/" : "", column_text(row, COLUMN_NAME));
    size_t start;
    char time[TIME_TEXT];

    strbuf_printf(out, "%-27s  %-32s  %-20s  ",
                  time_print_micro(sqlite3_column_int64(row, COLUMN_TIME), time), subject,
                  column_text(row, COLUMN_CLUSTER_QUEUE));
    start = out->length;
    table_what(out, row, rank);
    for (size_t i = start; i < out->length; i++) /* one row, one line */
        if ((unsigned char)out->text[i] < 0x20)
            out->text[i] = ' ';
    strbuf_putc(out, '\n');
}

/* ---- slices ---- */

static bool row_is_wanted(const struct history *h, sqlite3_stmt *row)
{
    int rank = sqlite3_column_int(row, COLUMN_RANK);

    if (!h->query->queue)
        return true;
    if (!h->queue_namespace.text)
        return str_is(h->queue_name, column_text(row, COLUMN_CLUSTER_QUEUE));
    if (rank == RANK_OBJECT)
        return str_is(str_of(h->query->queue), column_text(row, COLUMN_QUEUE));
    return str_is(h->queue_namespace, column_text(row, COLUMN_NAMESPACE)) &&
           str_is(h->queue_name, column_text(row, COLUMN_QUEUE));
}

static void row_show(struct history *h, struct strbuf *out, sqlite3_stmt *row)
{
    if (!row_is_wanted(h, row))
        return;
    if (h->query->json) {
        strbuf_puts(out, h->shown > 0 ? ",\n" : "\n");
        json_row(out, row);
    } else {
        table_row(out, row);
    }
    h->shown++;
}

static bool limit_reached(const struct history *h)
{
    return h->query->limit > 0 && h->shown >= h->query->limit;
}

static void slice_bind(const struct history *h, sqlite3_stmt *statement)
{
    bind_number(statement, 1, h->time);
    bind_number(statement, 2, h->rank);
    bind_number(statement, 3, h->id);
    bind_number(statement, 4, h->query->until == TIME_NONE ? INT64_MAX : h->query->until);
    if (h->query->workload) {
        sqlite3_bind_text(statement, 5, h->workload_namespace.text,
                          (int)h->workload_namespace.length, SQLITE_STATIC);
        sqlite3_bind_text(statement, 6, h->workload_name.text, (int)h->workload_name.length,
                          SQLITE_STATIC);
    }
    bind_number(statement, 7, HISTORY_SLICE);
}

/* *rows gets the number of rows read. SQLITE_DONE, or what went wrong. */
static int slice_read(struct history *h, sqlite3_stmt *statement, struct strbuf *out,
                      unsigned *rows)
{
    int code = SQLITE_DONE;

    *rows = 0;
    slice_bind(h, statement);
    while (!limit_reached(h) && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        ++*rows;
        h->time = sqlite3_column_int64(statement, COLUMN_TIME);
        h->rank = sqlite3_column_int64(statement, COLUMN_RANK);
        h->id = sqlite3_column_int64(statement, COLUMN_ID);
        row_show(h, out, statement);
    }
    return limit_reached(h) ? SQLITE_DONE : code;
}

static void head_show(struct history *h, struct strbuf *out)
{
    if (h->began)
        return;
    h->began = true;
    if (h->query->json)
        strbuf_putc(out, '[');
    else
        strbuf_printf(out, "%-27s  %-32s  %-20s  %s\n", "TIME", "SUBJECT", "CLUSTERQUEUE", "WHAT");
}

int history_step(struct history *h, struct store *s, struct strbuf *out, bool *end, struct err *e)
{
    const char *sql = h->query->workload ? workload_sql : all_sql;
    sqlite3_stmt *statement = NULL;
    unsigned rows = 0;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);

    head_show(h, out);
    if (code == SQLITE_OK)
        code = slice_read(h, statement, out, &rows);
    if (code != SQLITE_DONE)
        store_error(s, "history", e);
    sqlite3_finalize(statement);
    *end = rows < HISTORY_SLICE || limit_reached(h);
    if (*end && h->query->json)
        strbuf_puts(out, "\n]\n");
    return code == SQLITE_DONE ? 0 : -1;
}
