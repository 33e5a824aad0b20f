#include "quota/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"

/* All rows of a statement go through 'row'. */
static int each_row(struct ledger *ledger, const char *sql,
                    void (*row)(struct ledger *ledger, sqlite3_stmt *statement), struct err *e)
{
    struct store *s = &ledger->store;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            row(ledger, statement);
    }
    if (code != SQLITE_DONE)
        store_error(s, NULL, e);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static const char *keep_text(struct ledger *ledger, sqlite3_stmt *statement, int index)
{
    return arena_strdup(&ledger->found_texts, column_text(statement, index));
}

/* An array in the arena that grows by doubling when its count is a power of two. */
static void *list_grow(struct arena *a, const void *items, size_t count, size_t size)
{
    void *larger;

    if (count > 0 && (count & (count - 1)) != 0)
        return (void *)(uintptr_t)items;
    larger = arena_array(a, count ? count * 2 : 1, size);
    if (count > 0)
        memcpy(larger, items, count * size);
    return larger;
}

/* intent: id, time, cycle, uid, namespace, name, cluster_queue */
static void intent_row(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_found *f = &ledger->found;
    struct ledger_open_intent *list =
        list_grow(&ledger->found_texts, f->intents, f->intent_count, sizeof(*list));
    struct ledger_open_intent *to = &list[f->intent_count++];

    f->intents = list;
    memset(to, 0, sizeof(*to));
    to->intent.id = (uint64_t)sqlite3_column_int64(row, 0);
    to->time = sqlite3_column_int64(row, 1);
    to->intent.cycle = sqlite3_column_int64(row, 2);
    to->intent.uid = keep_text(ledger, row, 3);
    to->intent.namespace = keep_text(ledger, row, 4);
    to->intent.name = keep_text(ledger, row, 5);
    to->intent.cluster_queue = keep_text(ledger, row, 6);
}

static struct ledger_intent *intent_find(struct ledger *ledger, uint64_t id)
{
    for (size_t i = ledger->found.intent_count; i-- > 0;)
        if (ledger->found.intents[i].intent.id == id)
            return (struct ledger_intent *)(uintptr_t)&ledger->found.intents[i].intent;
    return NULL;
}

static void amount_add_to(struct ledger *ledger, const struct ledger_amount **amounts,
                          size_t *count, sqlite3_stmt *row, int column)
{
    struct ledger_amount *list = list_grow(&ledger->found_texts, *amounts, *count, sizeof(*list));

    *amounts = list;
    list[(*count)++] =
        (struct ledger_amount){ keep_text(ledger, row, column), keep_text(ledger, row, column + 1),
                                sqlite3_column_int64(row, column + 2) };
}

/* pod set: intent, position, name, count, flavor, resource, amount (NULL: a pod set without any) */
static void pod_set_row(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_intent *intent = intent_find(ledger, (uint64_t)sqlite3_column_int64(row, 0));
    size_t position = (size_t)sqlite3_column_int64(row, 1);
    struct ledger_pod_set *list;

    if (!intent)
        return;
    list = (struct ledger_pod_set *)(uintptr_t)intent->pod_sets;
    if (position >= intent->pod_set_count) {
        list = list_grow(&ledger->found_texts, list, intent->pod_set_count, sizeof(*list));
        intent->pod_sets = list;
        position = intent->pod_set_count++;
        memset(&list[position], 0, sizeof(*list));
        list[position].name = keep_text(ledger, row, 2);
        list[position].count = sqlite3_column_int64(row, 3);
    }
    if (sqlite3_column_type(row, 6) != SQLITE_NULL)
        amount_add_to(ledger, &list[position].amounts, &list[position].amount_count, row, 4);
}

/* usage: uid, namespace, name, cluster_queue, flavor, resource, amount, from_time */
static void usage_row(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_found *f = &ledger->found;
    struct ledger_open_usage *list = (struct ledger_open_usage *)(uintptr_t)f->usage, *last;
    int64_t from = sqlite3_column_int64(row, 7);

    if (f->usage_count == 0 ||
        strcmp(list[f->usage_count - 1].usage.uid, column_text(row, 0)) != 0) {
        list = list_grow(&ledger->found_texts, list, f->usage_count, sizeof(*list));
        f->usage = list;
        last = &list[f->usage_count++];
        memset(last, 0, sizeof(*last));
        last->since = from;
        last->usage.uid = keep_text(ledger, row, 0);
        last->usage.namespace = keep_text(ledger, row, 1);
        last->usage.name = keep_text(ledger, row, 2);
        last->usage.cluster_queue = keep_text(ledger, row, 3);
    }
    last = &list[f->usage_count - 1];
    if (from < last->since)
        last->since = from;
    amount_add_to(ledger, &last->usage.amounts, &last->usage.amount_count, row, 4);
}

static void share_row(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_found *f = &ledger->found;
    struct ledger_share *list =
        list_grow(&ledger->found_texts, f->shares, f->share_count, sizeof(*list));

    f->shares = list;
    list[f->share_count++] =
        (struct ledger_share){ keep_text(ledger, row, 0), keep_text(ledger, row, 1),
                               sqlite3_column_int64(row, 2) };
}

int found_read(struct ledger *ledger, struct err *e)
{
    static const char intents[] = "SELECT id, time, cycle, uid, namespace, name, cluster_queue"
                                  " FROM intents WHERE state = 'open' ORDER BY id";
    static const char pod_sets[] =
        "SELECT p.intent, p.position, p.name, p.count, a.flavor, a.resource, a.amount"
        " FROM intents i JOIN intent_pod_sets p ON p.intent = i.id"
        " LEFT JOIN intent_amounts a ON a.intent = p.intent AND a.position = p.position"
        " WHERE i.state = 'open' ORDER BY p.intent, p.position, a.resource, a.flavor";
    static const char usage[] =
        "SELECT uid, namespace, name, cluster_queue, flavor, resource, amount, from_time"
        " FROM usage WHERE to_time IS NULL ORDER BY uid, flavor, resource";
    static const char shares[] = "SELECT queue, consumed, updated FROM shares ORDER BY queue";

    if (each_row(ledger, intents, intent_row, e) < 0 ||
        each_row(ledger, pod_sets, pod_set_row, e) < 0 ||
        each_row(ledger, usage, usage_row, e) < 0 || each_row(ledger, shares, share_row, e) < 0)
        return -1;
    return 0;
}
