/* Counters and histograms of Workloads. */
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/loop/report.h"
#include "admitter/loop/tally.h"
#include "admitter/loop/workload_writes.h"
#include "quota/base/mem.h"
#include "quota/engine/figures.h"

enum { NEWS_RESERVED = 1, NEWS_ADMITTED = 2, NEWS_EVICTED = 4, NEWS_READY = 8 };

/* ---- whom it is about ---- */

static struct label *label_list(const json_t *map, struct arena *arena, size_t *count)
{
    struct label *labels = ARENA_ARRAY(arena, json_object_size(map) + 1, struct label);
    const char *key;
    json_t *value;

    *count = 0;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
        if (json_is_string(value))
            labels[(*count)++] = (struct label){ key, json_string_value(value) };
    return labels;
}

static struct metrics_workload describe(const struct workload_record *record, const json_t *tree,
                                        struct arena *arena)
{
    const json_t *metadata = json_object_get(tree, "metadata");
    struct metrics_object object = { 0 };
    struct metrics_workload workload = {
        .cluster_queue = workload_cluster_queue(tree),
        .namespace = record->namespace,
        .local_queue = json_string_at(json_object_get(tree, "spec"), "queueName"),
        .priority_class = json_string_at(json_at(tree, "spec", "priorityClassRef", NULL), "name"),
    };

    object.labels = label_list(json_object_get(metadata, "labels"), arena, &object.label_count);
    object.annotations =
        label_list(json_object_get(metadata, "annotations"), arena, &object.annotation_count);
    metrics_workload_labels(&workload, &object);
    return workload;
}

/* When its wait began: the last requeueing, or its creation. */
static int64_t wait_start(const struct workload_record *record, const json_t *tree)
{
    int64_t requeued = condition_transition(tree, "Requeued");

    return requeued != TIME_NONE ? requeued : record->created;
}

static int64_t since(int64_t then, int64_t now)
{
    return then == TIME_NONE || now < then ? 0 : now - then;
}

/* ---- states that are seen ---- */

static int64_t executed(const json_t *tree)
{
    int64_t past =
        json_integer_at(json_object_get(tree, "status"), "accumulatedPastExecutionTimeSeconds", 0);

    if (!condition_true(tree, "Admitted"))
        return -1;
    return past * NANOSECONDS_PER_SECOND +
           since(condition_transition(tree, "Admitted"), condition_transition(tree, "Finished"));
}

static void see_end(const struct workload_record *record, const json_t *tree)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct metrics_workload workload = describe(record, tree, &arena);

    metrics_workload_finished(&workload, executed(tree));
}

/* An evicted Workload has given its quota back. */
static void see_release(const char *queue, const json_t *tree)
{
    if (condition_true(tree, "Evicted"))
        metrics_eviction_done(queue, condition_reason(tree, "Evicted"),
                              since(condition_transition(tree, "Evicted"), loop_now()));
}

static void follow_group(struct loop *loop, struct workload_record *record, const json_t *tree)
{
    const struct object_record *local =
        record->queue_key ? map_get(loop->objects[OBJECT_LOCAL_QUEUE], str_of(record->queue_key))
                          : NULL;
    const char *held_in = workload_cluster_queue(tree);
    struct tally_group group = { .is_finished = record->is_finished,
                                 .queue_key = local ? record->queue_key : NULL };

    group.cluster_queue = *held_in                        ? held_in
                          : local && local->cluster_queue ? local->cluster_queue
                                                          : "";
    if (!record->is_finished) {
        if (record->is_admitted || record->is_deleting) {
            tally_move(loop, record, NULL);
            return;
        }
        group.reason =
            condition_find(tree, "Admitted") ? condition_reason(tree, "Admitted") : "NoReservation";
        group.cause = !condition_find(tree, "QuotaReserved") ? "PendingEvaluation"
                      : record->is_reserved                  ? ""
                                            : condition_reason(tree, "QuotaReserved");
    }
    tally_move(loop, record, &group);
}

/* Their values one below the other, as struct metrics_group has them. */
static void remember_labels(struct workload_record *record, const json_t *tree)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_STRBUF struct strbuf values = STRBUF_INIT;
    struct metrics_workload workload;

    if (!metrics_label_workloads())
        return;
    workload = describe(record, tree, &arena);
    for (size_t i = 0; i < METRICS_CUSTOM_MAX && workload.custom[i]; i++)
        strbuf_printf(&values, "%s%s", i > 0 ? "\n" : "", workload.custom[i]);
    free(record->label_values);
    record->label_values = strbuf_take(&values);
}

/* NULL: nothing is held. "": the admission is gone, the condition Admitted not yet. */
static void remember_holding(struct workload_record *record, const char *queue)
{
    if (queue && !*queue)
        return;
    free(record->held_in);
    record->held_in = queue ? mem_dup(queue) : NULL;
}

void report_workload(struct loop *loop, struct workload_record *record, const json_t *tree)
{
    bool holds = (record->is_reserved || record->is_admitted) && !record->is_finished;

    if (!report_is_wanted(loop))
        return;
    if (record->is_known && record->is_finished && !record->was_finished)
        see_end(record, tree);
    if (record->held_in && !holds && !record->is_finished)
        see_release(record->held_in, tree);
    remember_holding(record, holds ? workload_cluster_queue(tree) : NULL);
    record->was_finished = record->is_finished;
    record->is_known = true;
    remember_labels(record, tree);
    follow_group(loop, record, tree);
}

void report_workload_gone(struct loop *loop, struct workload_record *record)
{
    tally_move(loop, record, NULL);
}

void report_queue_workloads(struct loop *loop, const char *queue_key)
{
    struct queue_entry *entry = map_get(loop->queues, str_of(queue_key));

    if (!report_is_wanted(loop))
        return;
    for (struct workload_record *r = entry ? entry->workloads : NULL; r; r = r->queue_next) {
        json_t *tree = workload_tree(r);

        follow_group(loop, r, tree);
        json_decref(tree);
    }
}

/* ---- writes ---- */

static bool becomes_true(const json_t *before, const json_t *after, const char *type)
{
    return condition_true(after, type) && !condition_true(before, type);
}

unsigned report_news(const json_t *before, const json_t *after)
{
    unsigned news = 0;

    if (becomes_true(before, after, "QuotaReserved"))
        news |= NEWS_RESERVED;
    if (becomes_true(before, after, "Admitted"))
        news |= NEWS_ADMITTED;
    if (becomes_true(before, after, "Evicted") && *workload_cluster_queue(before))
        news |= NEWS_EVICTED;
    if (becomes_true(before, after, "PodsReady") &&
        strcmp(condition_reason(after, "PodsReady"), "Started") == 0)
        news |= NEWS_READY;
    return news;
}

static void count_cohorts(struct loop *loop, const struct metrics_workload *workload)
{
    struct tree_place place;

    if (!engine_cluster_queue_place(loop->engine, workload->cluster_queue, &place) ||
        place.is_cyclic)
        return;
    for (const char *cohort = place.parent; *cohort; cohort = place.parent) {
        metrics_cohort_admitted(cohort, workload->priority_class);
        if (!engine_cohort_place(loop->engine, cohort, &place))
            return;
    }
}

static void write_admitted(const struct write_op *op, const struct metrics_workload *workload,
                           int64_t waited, int64_t now)
{
    int64_t checks_waited = since(condition_transition(op->tree, "QuotaReserved"), now);

    if (op->purpose == WRITE_RESERVATION)
        checks_waited =
            json_array_size(json_at(op->tree, "status", "admissionChecks", NULL)) > 0 ? 0 : -1;
    metrics_workload_admitted(workload, waited, checks_waited);
    count_cohorts(op->loop, workload);
}

/* The entry of schedulingStats that the eviction has just added to says reason, cause and how
 * often. */
static bool is_first_eviction(const json_t *tree, const char *reason, const char *cause)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_at(tree, "status", "schedulingStats", "evictions", NULL), i, entry) {
        if (strcmp(json_string_at(entry, "reason"), reason) == 0 &&
            strcmp(json_string_at(entry, "underlyingCause"), cause) == 0)
            return json_integer_at(entry, "count", 0) <= 1;
    }
    return true;
}

static void write_evicted(const struct write_op *op, const struct metrics_workload *workload)
{
    struct metrics_eviction eviction = { .reason = op->eviction_reason,
                                         .cause = op->eviction_cause,
                                         .was_ready = -1 };

    eviction.is_first = is_first_eviction(op->tree, eviction.reason, eviction.cause);
    if (condition_true(op->tree, "PodsReady"))
        eviction.was_ready = since(condition_transition(op->tree, "PodsReady"),
                                   condition_transition(op->tree, "Evicted"));
    metrics_workload_evicted(workload, &eviction);
}

void report_write(struct loop *loop, const struct workload_record *record,
                  const struct write_op *op)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct metrics_workload workload;
    int64_t now = loop_now(), waited;

    (void)loop;
    if (op->preempting_queue)
        metrics_preempted(op->preempting_queue, op->preemption_reason);
    if (!op->news || !op->tree)
        return;
    workload = describe(record, op->tree, &arena);
    waited = since(wait_start(record, op->tree), now);
    if (op->news & NEWS_RESERVED)
        metrics_workload_reserved(&workload, waited);
    if (op->news & NEWS_ADMITTED)
        write_admitted(op, &workload, waited, now);
    if ((op->news & NEWS_EVICTED) && op->eviction_reason)
        write_evicted(op, &workload);
    if (op->news & NEWS_READY)
        metrics_workload_ready(&workload, waited,
                               since(condition_transition(op->tree, "Admitted"), now));
}

void report_ungating(struct write_op *op, const json_t *workload)
{
    const char *queue = workload_cluster_queue(workload);

    if (!condition_true(workload, "Admitted") || !*queue)
        return;
    op->ungated_in = arena_strdup(&op->event.arena, queue);
    op->ungated_since = condition_transition(workload, "Admitted");
}

void report_ungated(const struct write_op *op, const char *gate)
{
    if (op->ungated_in)
        metrics_gate_removed(gate, op->ungated_in, false, since(op->ungated_since, loop_now()));
}

void report_created(const struct job *job)
{
    const struct metrics_workload workload = { .namespace = job->namespace,
                                               .local_queue = job->queue_name };
    int64_t now = loop_now() / NANOSECONDS_PER_SECOND * NANOSECONDS_PER_SECOND;

    if (job->generation <= 1) /* a changed job may have got its queue late */
        metrics_workload_created(&workload, job->kind->kind, since(job->created, now));
}

/* ---- cycles ---- */

/* Decisions come in no order of queues; there are few of them with something to say. */
static int64_t skips_of(const struct cycle_result *result, const char *queue)
{
    int64_t count = 0;

    for (size_t i = 0; i < result->count; i++)
        count += result->decisions[i].preemption_skipped &&
                 strcmp(result->decisions[i].cluster_queue, queue) == 0;
    return count;
}

void report_cycle(const struct cycle_result *result, int64_t duration)
{
    bool success = false;

    for (size_t i = 0; i < result->count; i++) {
        const struct decision *decision = &result->decisions[i];

        success = success || decision->outcome <= OUTCOME_RESERVED;
        if (decision->preemption_skipped)
            metrics_preemption_skips(decision->cluster_queue,
                                     skips_of(result, decision->cluster_queue));
        if (decision->recomputation)
            metrics_recomputation(decision->cluster_queue, decision->recomputation);
    }
    metrics_cycle(result->count, success, duration);
}
