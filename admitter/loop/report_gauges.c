/* Gauges from the state of the engine. */
#include <math.h>
#include <string.h>
#include "admitter/loop/report.h"
#include "admitter/loop/tally.h"
#include "admitter/objects/object_meta.h"
#include "admitter/objects/queue_status.h"
#include "quota/base/mem.h"
#include "quota/engine/figures.h"

/* A walk over more waiting workloads than this is made once per interval, not at every change. */
#define WALK_AT_ONCE 200
#define WALK_INTERVAL NANOSECONDS_PER_SECOND

bool report_is_wanted(const struct loop *loop)
{
    return loop->settings->components & COMPONENT_CORE;
}

/* ---- ClusterQueues ---- */

static void cluster_queue_resources(struct loop *loop, const char *name)
{
    size_t count;
    double share;
    const struct quota_limits *limits =
        engine_cluster_queue_limits(loop->engine, name, &loop->scratch, &count);

    for (size_t i = 0; i < count; i++)
        metrics_cluster_queue_limits(name, limits[i].flavor, limits[i].resource,
                                     limits[i].borrowing, limits[i].lending);
    if (engine_cluster_queue_share(loop->engine, name, &share))
        metrics_cluster_queue_share(name, share);
}

/* Series of resources that nobody asks for any more must go. */
static void demand_report(struct loop *loop, struct object_record *record)
{
    size_t count;
    const struct pending_demand *demand =
        engine_pending_demand(loop->engine, record->name, &loop->scratch, &count);
    uint64_t print = 1;

    for (size_t i = 0; i < count; i++)
        print = hash_text(print, demand[i].resource);
    if (record->demand_print != print)
        metrics_cluster_queue_demand_forget(record->name);
    record->demand_print = print;
    for (size_t i = 0; i < count; i++)
        metrics_cluster_queue_pending_resource(record->name, demand[i].resource, demand[i].amount);
}

static void pending_walk(struct loop *loop, struct object_record *record, bool active)
{
    record->walked = loop_now();
    if (metrics_wants_demand())
        demand_report(loop, record);
    if (metrics_wants_hashes()) {
        struct pending_kinds kinds = engine_pending_kinds(loop->engine, record->name);
        int64_t hidden = active ? 0 : kinds.active;

        metrics_cluster_queue_hashes(record->name, kinds.active - hidden,
                                     kinds.inadmissible + hidden);
    }
}

static void report_cluster_queue(struct loop *loop, const char *name)
{
    struct object_record *record = object_find(loop, OBJECT_CLUSTER_QUEUE, "", name);
    struct queue_status status;
    struct tree_place place;

    arena_reset(&loop->scratch);
    if (!record || !engine_cluster_queue_status(loop->engine, name, &loop->scratch, &status) ||
        !engine_cluster_queue_place(loop->engine, name, &place))
        return;
    status.usage_count -= status.removed_count;
    metrics_cluster_queue_place(name, place.parent, place.root);
    metrics_cluster_queue_status(name, &status);
    if (metrics_label_workloads())
        report_cluster_queue_groups(loop, name, status.activity.active);
    cluster_queue_resources(loop, name);
    if (status.pending > WALK_AT_ONCE && loop_now() - record->walked < WALK_INTERVAL)
        look_at(loop, &record->walk, record->walked + WALK_INTERVAL);
    else
        pending_walk(loop, record, status.activity.active);
}

void report_walk(struct loop *loop, struct look *look)
{
    struct object_record *record =
        (struct object_record *)((char *)look - offsetof(struct object_record, walk));

    record->walked = 0;
    report_cluster_queue(loop, record->name);
}

/* ---- LocalQueues ---- */

static void report_local_queue(struct loop *loop, const char *key)
{
    struct object_record *record = map_get(loop->objects[OBJECT_LOCAL_QUEUE], str_of(key));
    struct queue_status status, cluster;
    struct local_queue_facts facts = { 0 };
    double usage;

    arena_reset(&loop->scratch);
    if (!record || !engine_local_queue_status(loop->engine, record->namespace, record->name,
                                              &loop->scratch, &status))
        return;
    facts.stopped = record->stop_policy != STOP_NONE;
    facts.cluster_queue_exists =
        engine_cluster_queue_status(loop->engine, record->cluster_queue, &loop->scratch, &cluster);
    facts.cluster_queue_active = facts.cluster_queue_exists && cluster.activity.active;
    if (!facts.cluster_queue_active)
        status.pending_active = 0;
    status.usage_count -= status.removed_count;
    metrics_local_queue_status(record->namespace, record->name, &status,
                               facts.cluster_queue_exists);
    if (metrics_label_workloads())
        report_local_queue_groups(loop, record);
    metrics_local_queue_active(record->namespace, record->name,
                               local_queue_is_active(&facts) ? "True" : "False");
    if (engine_local_queue_fair_usage(loop->engine, record->namespace, record->name, &usage))
        metrics_local_queue_fair_usage(record->namespace, record->name, record->cluster_queue,
                                       usage);
}

/* ---- Cohorts ---- */

static void report_cohort(struct loop *loop, const char *name)
{
    struct queue_status status;
    struct tree_place place;
    double share;

    arena_reset(&loop->scratch);
    if (!engine_cohort_status(loop->engine, name, &loop->scratch, &status) ||
        !engine_cohort_place(loop->engine, name, &place))
        return;
    if (place.is_cyclic)
        metrics_cohort_unplace(name);
    else
        metrics_cohort_place(name, place.parent, place.root);
    status.admitted = engine_cohort_admitted(loop->engine, name);
    metrics_cohort_status(name, &status);
    if (engine_cohort_share(loop->engine, name, &share))
        metrics_cohort_share(name, share);
}

static bool cohort_exists(void *context, const char *name)
{
    struct loop *loop = context;
    struct tree_place place;

    return engine_cohort_place(loop->engine, name, &place);
}

static void report_cohorts(struct loop *loop)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    size_t count;
    const char **names = engine_cohort_names(loop->engine, &arena, &count);

    for (size_t i = 0; i < count; i++)
        report_cohort(loop, names[i]);
}

static void report_cluster_queues(struct loop *loop)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    size_t count;
    const char **names = engine_cluster_queue_names(loop->engine, &arena, &count);

    for (size_t i = 0; i < count; i++)
        report_cluster_queue(loop, names[i]);
}

/* ---- what changed ---- */

void report_changed(struct loop *loop, const struct changed_names *changed)
{
    if (!report_is_wanted(loop))
        return;
    for (size_t i = 0; i < changed->cluster_queue_count; i++)
        report_cluster_queue(loop, changed->cluster_queues[i]);
    for (size_t i = 0; i < changed->local_queue_count; i++)
        report_local_queue(loop, changed->local_queues[i]);
    for (size_t i = 0; i < changed->cohort_count; i++)
        report_cohort(loop, changed->cohorts[i]);
    if (!metrics_take_moved())
        return;
    /* Something hangs elsewhere in the tree: the roots of what is below it are others now, and an
     * implicit cohort may have lost its last child. */
    report_cohorts(loop);
    report_cluster_queues(loop);
    metrics_cohorts_keep(cohort_exists, loop);
    metrics_take_moved(); /* what these two moved is told by now */
}

void report_everything(struct loop *loop)
{
    struct map_entry entry;

    if (!report_is_wanted(loop))
        return;
    report_cluster_queues(loop);
    report_cohorts(loop);
    for (size_t at = 0; map_next(loop->objects[OBJECT_LOCAL_QUEUE], &at, &entry);)
        report_local_queue(loop, entry.key.text);
    tallies_show(loop, NULL, NULL);
}

/* ---- objects ---- */

static struct metrics_object labels_of(const struct object_meta *meta)
{
    return (struct metrics_object){ meta->labels, meta->annotations, meta->label_count,
                                    meta->annotation_count };
}

void report_labels(struct loop *loop, const struct object_record *record,
                   const struct object_meta *meta)
{
    const struct metrics_object object = labels_of(meta);

    if (!report_is_wanted(loop))
        return;
    if (record->kind == OBJECT_CLUSTER_QUEUE &&
        metrics_cluster_queue_labels(record->name, &object)) {
        report_cluster_queue(loop, record->name);
        tallies_show(loop, record->name, NULL);
    }
    if (record->kind == OBJECT_COHORT && metrics_cohort_labels(record->name, &object))
        report_cohort(loop, record->name);
    if (record->kind == OBJECT_LOCAL_QUEUE &&
        metrics_local_queue_labels(record->namespace, record->name, &object)) {
        report_local_queue(loop, record->key);
        tallies_show(loop, NULL, record->key);
    }
}

void report_object_gone(struct loop *loop, enum object_kind kind, const char *namespace,
                        const char *name)
{
    AUTO_FREE char *key = mem_format("%s/%s", namespace, name);

    if (!report_is_wanted(loop))
        return;
    if (kind == OBJECT_CLUSTER_QUEUE) {
        metrics_cluster_queue_clear(name);
    } else if (kind == OBJECT_LOCAL_QUEUE) {
        report_queue_workloads(loop, key);
        metrics_local_queue_clear(namespace, name);
    } else if (kind == OBJECT_COHORT) {
        metrics_cohort_clear(name);
    }
    if (kind == OBJECT_CLUSTER_QUEUE || kind == OBJECT_COHORT)
        metrics_cohorts_keep(cohort_exists, loop);
}
