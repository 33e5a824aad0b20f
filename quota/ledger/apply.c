#include "quota/ledger/apply.h"

#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/base/quantity.h"

static void bind_identity(sqlite3_stmt *statement, int index, const char *uid,
                          const char *namespace, const char *name, const char *cluster_queue)
{
    bind_text(statement, index, uid);
    bind_text(statement, index + 1, namespace);
    bind_text(statement, index + 2, name);
    bind_text(statement, index + 3, cluster_queue);
}

static int apply_amounts(struct store *s, uint64_t intent, size_t position,
                         const struct ledger_pod_set *pod_set)
{
    sqlite3_stmt *put = store_statement(s, STATEMENT_AMOUNT);

    if (!put)
        return -1;
    for (size_t i = 0; i < pod_set->amount_count; i++) {
        const struct ledger_amount *amount = &pod_set->amounts[i];

        bind_number(put, 1, (int64_t)intent);
        bind_number(put, 2, (int64_t)position);
        bind_text(put, 3, amount->resource);
        bind_text(put, 4, amount->flavor);
        bind_number(put, 5, amount->amount);
        if (store_run(put) < 0)
            return -1;
    }
    return 0;
}

static int apply_pod_sets(struct store *s, const struct ledger_intent *intent)
{
    sqlite3_stmt *put = store_statement(s, STATEMENT_POD_SET);

    if (!put)
        return -1;
    for (size_t i = 0; i < intent->pod_set_count; i++) {
        bind_number(put, 1, (int64_t)intent->id);
        bind_number(put, 2, (int64_t)i);
        bind_text(put, 3, intent->pod_sets[i].name);
        bind_number(put, 4, intent->pod_sets[i].count);
        if (store_run(put) < 0 || apply_amounts(s, intent->id, i, &intent->pod_sets[i]) < 0)
            return -1;
    }
    return 0;
}

static int apply_intent(struct store *s, int64_t time, const struct ledger_intent *intent)
{
    sqlite3_stmt *put = store_statement(s, STATEMENT_INTENT);
    int64_t amounts = 0, total = 0;

    if (!put)
        return -1;
    for (size_t i = 0; i < intent->pod_set_count; i++) {
        amounts += (int64_t)intent->pod_sets[i].amount_count;
        for (size_t k = 0; k < intent->pod_sets[i].amount_count; k++)
            total = amount_add(total, intent->pod_sets[i].amounts[k].amount);
    }
    bind_number(put, 1, (int64_t)intent->id);
    bind_number(put, 2, time);
    bind_number(put, 3, intent->cycle);
    bind_identity(put, 4, intent->uid, intent->namespace, intent->name, intent->cluster_queue);
    bind_number(put, 8, (int64_t)intent->pod_set_count);
    bind_number(put, 9, amounts);
    bind_number(put, 10, total);
    return store_run(put) < 0 ? -1 : apply_pod_sets(s, intent);
}

static int apply_resolution(struct store *s, int64_t time, const struct ledger_resolution *r)
{
    sqlite3_stmt *put = store_statement(s, STATEMENT_RESOLVE);

    if (!put)
        return -1;
    bind_number(put, 1, (int64_t)r->id);
    bind_text(put, 2, r->state == LEDGER_INTENT_CONFIRMED ? "confirmed" : "undone");
    bind_number(put, 3, time);
    bind_text(put, 4, r->reason);
    return store_run(put);
}

/* ---- usage ---- */

struct held {       /* intervals of one workload that have no end */
    int64_t *ended; /* ids of those that end now */
    size_t ended_count, capacity;
    bool *goes_on; /* by amount of the record: it is held already */
};

static bool same_amount(sqlite3_stmt *held, const struct ledger_usage *usage,
                        const struct ledger_amount *amount)
{
    return sqlite3_column_int64(held, 3) == amount->amount &&
           strcmp(column_text(held, 1), amount->flavor) == 0 &&
           strcmp(column_text(held, 2), amount->resource) == 0 &&
           strcmp(column_text(held, 4), usage->cluster_queue) == 0;
}

static void held_sort(struct held *h, sqlite3_stmt *held, const struct ledger_usage *usage)
{
    for (size_t i = 0; i < usage->amount_count; i++) {
        if (h->goes_on[i] || !same_amount(held, usage, &usage->amounts[i]))
            continue;
        h->goes_on[i] = true;
        return;
    }
    h->ended = mem_grow(h->ended, h->ended_count, &h->capacity, sizeof(*h->ended));
    h->ended[h->ended_count++] = sqlite3_column_int64(held, 0);
}

static int held_read(struct store *s, const struct ledger_usage *usage, struct held *h)
{
    sqlite3_stmt *held = store_statement(s, STATEMENT_USAGE_HELD);
    int code;

    if (!held)
        return -1;
    bind_text(held, 1, usage->uid);
    while ((code = sqlite3_step(held)) == SQLITE_ROW)
        held_sort(h, held, usage);
    sqlite3_reset(held);
    return code == SQLITE_DONE ? 0 : -1;
}

static int held_close(struct store *s, int64_t time, const struct held *h)
{
    sqlite3_stmt *close = store_statement(s, STATEMENT_USAGE_CLOSE);

    if (!close)
        return -1;
    for (size_t i = 0; i < h->ended_count; i++) {
        bind_number(close, 1, h->ended[i]);
        bind_number(close, 2, time);
        if (store_run(close) < 0)
            return -1;
    }
    return 0;
}

static int held_open(struct store *s, int64_t time, const struct ledger_usage *usage,
                     const struct held *h)
{
    sqlite3_stmt *open = store_statement(s, STATEMENT_USAGE_OPEN);

    if (!open)
        return -1;
    bind_identity(open, 1, usage->uid, usage->namespace, usage->name, usage->cluster_queue);
    for (size_t i = 0; i < usage->amount_count; i++) {
        if (h->goes_on[i])
            continue;
        bind_text(open, 5, usage->amounts[i].flavor);
        bind_text(open, 6, usage->amounts[i].resource);
        bind_number(open, 7, usage->amounts[i].amount);
        bind_number(open, 8, time);
        if (store_run(open) < 0)
            return -1;
    }
    return 0;
}

static int apply_usage(struct store *s, int64_t time, const struct ledger_usage *usage)
{
    struct held h = { NULL, 0, 0, mem_array(usage->amount_count, sizeof(bool)) };
    int result = 0;

    if (held_read(s, usage, &h) < 0 || held_close(s, time, &h) < 0 ||
        held_open(s, time, usage, &h) < 0)
        result = -1;
    free(h.ended);
    free(h.goes_on);
    return result;
}

/* ---- the others ---- */

static int apply_decision(struct store *s, int64_t time, const struct ledger_decision *decision)
{
    sqlite3_stmt *put = store_statement(s, STATEMENT_DECISION);

    if (!put)
        return -1;
    bind_number(put, 1, time);
    bind_number(put, 2, decision->cycle);
    bind_identity(put, 3, decision->uid, decision->namespace, decision->name,
                  decision->cluster_queue);
    bind_text(put, 7, decision->outcome);
    bind_text(put, 8, decision->reason);
    bind_text(put, 9, decision->message);
    bind_text(put, 10, decision->inputs);
    return store_run(put);
}

static int apply_object(struct store *s, int64_t time, const struct ledger_object *object)
{
    sqlite3_stmt *put = store_statement(s, STATEMENT_OBJECT);

    if (!put)
        return -1;
    bind_number(put, 1, time);
    bind_text(put, 2, object->kind);
    bind_text(put, 3, object->name);
    bind_text(put, 4, object->spec);
    return store_run(put);
}

static int apply_workload(struct store *s, int64_t time, const struct ledger_workload *workload)
{
    sqlite3_stmt *put = store_statement(s, STATEMENT_WORKLOAD);

    if (!put)
        return -1;
    bind_text(put, 1, workload->uid);
    bind_text(put, 2, workload->namespace);
    bind_text(put, 3, workload->name);
    bind_text(put, 4, workload->queue);
    bind_text(put, 5, workload->cluster_queue);
    bind_number(put, 6, workload->priority);
    bind_number(put, 7, workload->created);
    if (workload->gone)
        bind_number(put, 8, time);
    else
        bind_text(put, 8, NULL);
    return store_run(put);
}

static int apply_share(struct store *s, int64_t time, const struct ledger_share *share)
{
    sqlite3_stmt *put =
        store_statement(s, share->consumed ? STATEMENT_SHARE : STATEMENT_SHARE_FORGET);

    if (!put)
        return -1;
    bind_text(put, 1, share->queue);
    if (share->consumed) {
        bind_text(put, 2, share->consumed);
        bind_number(put, 3, time);
    }
    return store_run(put);
}

static int apply_kind(struct store *s, const struct ledger_record *record)
{
    switch (record->kind) {
    case LEDGER_INTENT:
        return apply_intent(s, record->time, &record->intent);
    case LEDGER_RESOLUTION:
        return apply_resolution(s, record->time, &record->resolution);
    case LEDGER_USAGE:
        return apply_usage(s, record->time, &record->usage);
    case LEDGER_DECISION:
        return apply_decision(s, record->time, &record->decision);
    case LEDGER_OBJECT:
        return apply_object(s, record->time, &record->object);
    case LEDGER_WORKLOAD:
        return apply_workload(s, record->time, &record->workload);
    case LEDGER_SHARE:
        return apply_share(s, record->time, &record->share);
    }
    return 0;
}

int apply_record(struct store *s, const struct ledger_record *record, bool *refused, struct err *e)
{
    *refused = false;
    if (store_run_plain(s, STATEMENT_SAVE) < 0)
        return store_error(s, NULL, e);
    if (apply_kind(s, record) == 0)
        return store_run_plain(s, STATEMENT_RELEASE) == 0 ? 0 : store_error(s, NULL, e);
    *refused = store_refused(s) && !sqlite3_get_autocommit(s->db);
    store_error(s, "record", e);
    if (*refused) {
        e->code = ERR_INVALID;
        if (store_run_plain(s, STATEMENT_BACK) < 0 || store_run_plain(s, STATEMENT_RELEASE) < 0)
            *refused = false;
    }
    return -1;
}
