#include "admitter/loop/intents.h"

#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/decision_write.h"
#include "admitter/loop/workload_writes.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "quota/ledger/ledger.h"

#define RECENT (5 * NANOSECONDS_PER_SECOND) /* a write's deadline and the seconds' rounding */
#define QUIET_TIME (1 * NANOSECONDS_PER_SECOND)

/* ---- a reservation on its way ---- */

static struct ledger_amount *amounts_of(const struct pod_set_assignment *assignment,
                                        struct arena *arena, size_t *count)
{
    struct ledger_amount *amounts =
        ARENA_ARRAY(arena, assignment->use_count + 1, struct ledger_amount);

    *count = 0;
    for (size_t i = 0; i < assignment->use_count; i++) {
        const struct resource_flavor_use *use = &assignment->uses[i];

        if (use->flavor && use->has_usage)
            amounts[(*count)++] =
                (struct ledger_amount){ use->flavor, use->resource,
                                        amount_of_request(str_of(use->resource), use->usage) };
    }
    return amounts;
}

void intent_prepare(struct write_op *op, const struct workload_record *record,
                    const struct decision *decision, int64_t now)
{
    struct arena *arena = &op->event.arena;
    const struct admission *admission = &decision->admission;
    struct ledger_pod_set *pod_sets;
    struct ledger_record *r;

    if (!op->loop->ledger)
        return;
    r = ARENA_NEW(arena, struct ledger_record);
    pod_sets = ARENA_ARRAY(arena, admission->pod_set_count + 1, struct ledger_pod_set);
    for (size_t i = 0; i < admission->pod_set_count; i++) {
        pod_sets[i].name = arena_strdup(arena, admission->pod_sets[i].pod_set);
        pod_sets[i].count = admission->pod_sets[i].count;
        pod_sets[i].amounts =
            amounts_of(&admission->pod_sets[i], &op->loop->arena, &pod_sets[i].amount_count);
    }
    op->intent = ledger_intent_id(op->loop->ledger);
    r->kind = LEDGER_INTENT;
    r->time = now;
    r->intent = (struct ledger_intent){ .id = op->intent,
                                        .cycle = op->loop->cycle,
                                        .uid = record->uid,
                                        .namespace = record->namespace,
                                        .name = record->name,
                                        .cluster_queue = decision->cluster_queue,
                                        .pod_sets = pod_sets,
                                        .pod_set_count = admission->pod_set_count };
    op->intent_record = r;
}

/* Ledger thread. */
static void committed(void *context, const struct err *error)
{
    struct write_op *op = context;

    op->error = *error;
    op->event.kind = EVENT_LEDGER_DONE;
    loop_push(op->loop, &op->event);
}

bool intent_submit(struct write_op *op)
{
    if (!op->intent_record)
        return false;
    ledger_submit(op->loop->ledger, op->intent_record, committed, op);
    op->intent_record = NULL;
    return true;
}

static void resolve(struct loop *loop, uint64_t id, bool confirmed, const char *reason)
{
    struct ledger_record r = { .kind = LEDGER_RESOLUTION, .time = loop_now() };

    if (!loop->ledger || id == 0)
        return;
    r.resolution =
        (struct ledger_resolution){ id, confirmed ? LEDGER_INTENT_CONFIRMED : LEDGER_INTENT_UNDONE,
                                    reason };
    ledger_submit(loop->ledger, &r, NULL, NULL);
}

void intent_committed(struct loop *loop, struct write_op *op)
{
    struct workload_record *record = map_get(loop->workloads, str_of(op->key));

    if (op->error.code == ERR_NONE && record && strcmp(record->uid, op->uid) == 0) {
        record->intent = op->intent;
        write_op_push(op);
        return;
    }
    /* Never sent: what was counted is given back at once. */
    if (record && strcmp(record->uid, op->uid) == 0) {
        LOG(LOG_ERROR, "a reservation could not be recorded and is not made",
            KS("workload", op->key), KS("error", op->error.text));
        record->is_admitting = record->is_writing = false;
        loop->admissions--;
        engine_admission_failed(loop->engine, record->namespace, record->name, false, loop_now());
        mark_workload(loop, record);
        mark_owner(loop, record);
        workload_unstash(loop, record);
    }
    if (op->error.code == ERR_NONE)
        resolve(loop, op->intent, false, "the workload was gone before it was written");
    write_op_destroy(op);
}

void intent_resolved(struct loop *loop, struct workload_record *record, bool confirmed)
{
    resolve(loop, record->intent, confirmed, confirmed ? "" : "the reservation was not written");
    record->intent = 0;
}

/* ---- history ---- */

/* Enough to replay: who was asked for, and what was taken from whom. */
static char *inputs_of(const struct decision *decision)
{
    json_t *victims = json_array(), *inputs;
    char *text;

    for (size_t i = 0; i < decision->victim_count; i++)
        json_array_append_new(victims, json_sprintf("%s/%s", decision->victims[i].namespace,
                                                    decision->victims[i].name));
    inputs = json_pack("{s:I, s:o}", "borrowing", (json_int_t)decision->borrowing_level, "victims",
                       victims);
    if (decision->admission.cluster_queue)
        json_object_set_new(inputs, "admission", admission_json(&decision->admission));
    text = json_dumps(inputs, JSON_COMPACT);
    json_decref(inputs);
    return text;
}

void intents_decision(struct loop *loop, const struct decision *decision, int64_t now)
{
    struct ledger_record r = { .kind = LEDGER_DECISION, .time = now };
    struct workload_record *record = workload_find(loop, decision->namespace, decision->name);
    AUTO_FREE char *inputs = NULL;
    uint64_t digest;

    if (!loop->ledger)
        return;
    /* The same answer again is no news. */
    digest = hash_text(hash_text(hash_text(0, outcome_name(decision->outcome)), decision->reason),
                       decision->message);
    if (record && record->last_decision == digest)
        return;
    if (record)
        record->last_decision = digest;
    inputs = inputs_of(decision);
    r.decision = (struct ledger_decision){ .cycle = loop->cycle,
                                           .uid = decision->uid,
                                           .namespace = decision->namespace,
                                           .name = decision->name,
                                           .cluster_queue = decision->cluster_queue,
                                           .outcome = outcome_name(decision->outcome),
                                           .reason = decision->reason,
                                           .message = decision->message,
                                           .inputs = inputs };
    ledger_submit(loop->ledger, &r, NULL, NULL);
}

static size_t usage_of(const json_t *admission, struct arena *arena, struct ledger_amount **amounts)
{
    json_t *list = json_object_get(admission, "podSetAssignments"), *entry, *flavor;
    size_t count = 0, total = 0, i;
    const char *resource;

    json_array_foreach(list, i, entry)
        total += json_object_size(json_object_get(entry, "flavors"));
    *amounts = ARENA_ARRAY(arena, total + 1, struct ledger_amount);
    json_array_foreach(list, i, entry) {
        json_object_foreach(json_object_get(entry, "flavors"), resource, flavor) {
            const char *text = json_string_at(json_object_get(entry, "resourceUsage"), resource);
            struct quantity q;
            size_t at = 0;

            if (!json_is_string(flavor) || quantity_parse(str_of(text), &q, NULL) < 0)
                continue;
            while (at < count && (strcmp((*amounts)[at].resource, resource) != 0 ||
                                  strcmp((*amounts)[at].flavor, json_string_value(flavor)) != 0))
                at++;
            if (at == count)
                (*amounts)[count++] =
                    (struct ledger_amount){ json_string_value(flavor), resource, 0 };
            (*amounts)[at].amount =
                amount_add((*amounts)[at].amount, amount_of_request(str_of(resource), q));
        }
    }
    return count;
}

static void record_usage(struct loop *loop, const struct workload_record *record,
                         const json_t *tree)
{
    struct ledger_record r = { .kind = LEDGER_USAGE, .time = loop_now() };
    struct ledger_amount *amounts = NULL;
    bool holds = tree && record->is_reserved && !record->is_finished;
    const json_t *admission = holds ? json_at(tree, "status", "admission", NULL) : NULL;

    r.usage = (struct ledger_usage){ .uid = record->uid,
                                     .namespace = record->namespace,
                                     .name = record->name,
                                     .cluster_queue = json_string_at(admission, "clusterQueue") };
    r.usage.amount_count = admission ? usage_of(admission, &loop->arena, &amounts) : 0;
    r.usage.amounts = amounts;
    ledger_submit(loop->ledger, &r, NULL, NULL);
}

static void record_workload(struct loop *loop, const struct workload_record *record,
                            const json_t *tree, bool gone)
{
    struct ledger_record r = { .kind = LEDGER_WORKLOAD, .time = loop_now() };
    const json_t *spec = json_object_get(tree, "spec");

    r.workload = (struct ledger_workload){ .uid = record->uid,
                                           .namespace = record->namespace,
                                           .name = record->name,
                                           .queue = json_string_at(spec, "queueName"),
                                           .cluster_queue = workload_cluster_queue(tree),
                                           .priority = json_integer_at(spec, "priority", 0),
                                           .created = record->created,
                                           .gone = gone };
    ledger_submit(loop->ledger, &r, NULL, NULL);
}

void intents_workload_seen(struct loop *loop, struct workload_record *record)
{
    json_t *tree;
    uint64_t digest;

    if (!loop->ledger)
        return;
    tree = workload_tree(record);
    digest = hash_text(record->is_reserved ? 1 : 2, record->is_finished ? "finished" : "");
    digest = hash_text(digest, workload_cluster_queue(tree));
    if (record->last_seen != digest) {
        record->last_seen = digest;
        record_workload(loop, record, tree, record->is_finished);
        record_usage(loop, record, tree);
    }
    json_decref(tree);
}

void intents_workload_gone(struct loop *loop, struct workload_record *record)
{
    json_t *tree;

    if (!loop->ledger)
        return;
    resolve(loop, record->intent, false, "the workload is gone");
    record->intent = 0;
    tree = workload_tree(record);
    record_workload(loop, record, tree, true);
    record_usage(loop, record, NULL);
    json_decref(tree);
}

/* ---- after a restart ---- */

static struct workload_record *same_workload(struct loop *loop, const char *namespace,
                                             const char *name, const char *uid)
{
    struct workload_record *record = workload_find(loop, namespace, name);

    return record && strcmp(record->uid, uid) == 0 ? record : NULL;
}

/* True when it had not been written. Its write may still be on its way in the API server, so the
 * Workload is fenced before anything else is decided. */
static bool recover_intent(struct loop *loop, const struct ledger_intent *intent)
{
    struct workload_record *record =
        same_workload(loop, intent->namespace, intent->name, intent->uid);

    if (record && !record->is_reserved && !record->is_finished && !record->is_resolving) {
        workload_recover(loop, record, intent->id);
        return true;
    }
    resolve(loop, intent->id, record && record->is_reserved,
            record && record->is_reserved ? "" : "the process ended before it was written");
    return !(record && record->is_reserved);
}

/* Without a ledger of the last process nobody knows which reservations it had sent when it ended.
 * The API server drops the requests of a connection that is gone; if there are signs of a process
 * that was at work just now, leave it the time to do so. */
static void keep_quiet(struct loop *loop)
{
    struct map_entry entry;
    int64_t last = TIME_NONE, now = loop_now();

    for (size_t at = 0; map_next(loop->workloads, &at, &entry);) {
        json_t *tree = workload_tree(entry.value);
        int64_t reserved = condition_transition(tree, "QuotaReserved");

        if (reserved > last && reserved <= now)
            last = reserved;
        json_decref(tree);
    }
    if (last != TIME_NONE && last + RECENT > now)
        loop->quiet_until = now + QUIET_TIME;
}

void intents_recover(struct loop *loop)
{
    const struct ledger_found *found;
    struct map_entry entry;
    size_t undone = 0;

    if (!loop->ledger)
        return;
    if (loop->ledger_is_new)
        keep_quiet(loop);
    found = ledger_found(loop->ledger);
    for (size_t at = 0; map_next(loop->workloads, &at, &entry);)
        intents_workload_seen(loop, entry.value);
    for (size_t i = 0; i < found->intent_count; i++)
        undone += recover_intent(loop, &found->intents[i].intent);
    for (size_t i = 0; i < found->usage_count; i++) {
        const struct ledger_usage *usage = &found->usage[i].usage;
        const struct workload_record *record =
            same_workload(loop, usage->namespace, usage->name, usage->uid);
        struct ledger_record r = { .kind = LEDGER_USAGE, .time = loop_now(), .usage = *usage };

        if (record && record->is_reserved && !record->is_finished)
            continue;
        r.usage.amounts = NULL;
        r.usage.amount_count = 0;
        ledger_submit(loop->ledger, &r, NULL, NULL);
    }
    if (found->intent_count > 0)
        LOG(LOG_INFO, "open intents of the last run are settled",
            KI("confirmed", found->intent_count - undone), KI("undone", undone));
}
