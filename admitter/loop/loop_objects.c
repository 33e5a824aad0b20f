/* Queues, cohorts, flavors, checks, topologies, namespaces and classes: what their events mean. */
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/loop/object_status.h"
#include "admitter/loop/report.h"
#include "admitter/loop/workload_writes.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "quota/engine/selector.h"

void mark_object(struct loop *loop, struct object_record *record)
{
    dirty_push(&loop->dirty_objects, &record->dirty);
}

static const enum object_kind object_kinds[EVENT_OBJECT_KINDS] = {
    [EVENT_CLUSTER_QUEUE] = OBJECT_CLUSTER_QUEUE,
    [EVENT_LOCAL_QUEUE] = OBJECT_LOCAL_QUEUE,
    [EVENT_COHORT] = OBJECT_COHORT,
    [EVENT_FLAVOR] = OBJECT_FLAVOR,
    [EVENT_CHECK] = OBJECT_CHECK,
    [EVENT_TOPOLOGY] = OBJECT_TOPOLOGY,
};

/* ---- what depends on what ---- */

void mark_cluster_queue_workloads(struct loop *loop, const char *name)
{
    for (struct object_record *q = local_queues_of(loop, name); q; q = q->target_next) {
        mark_object(loop, q);
        mark_queue_workloads(loop, q->key);
    }
}

/* Something that a ClusterQueue used may be free now. */
static void mark_deleting(struct loop *loop, enum object_kind kind)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(loop->objects[kind], &at, &entry);)
        if (((struct object_record *)entry.value)->deleting)
            mark_object(loop, entry.value);
}

/* ---- learning ---- */

static void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static void learn_cluster_queue(struct loop *loop, struct object_record *record,
                                struct cluster_queue *queue)
{
    size_t flavors = 0, count = 0;

    for (size_t g = 0; g < queue->group_count; g++)
        flavors += queue->groups[g].flavor_count;
    list_free(record->flavors);
    list_free(record->checks);
    record->flavors = mem_array(flavors + 1, sizeof(char *));
    record->checks = mem_array(queue->check_count + 1, sizeof(char *));
    for (size_t g = 0; g < queue->group_count; g++)
        for (size_t i = 0; i < queue->groups[g].flavor_count; i++)
            record->flavors[count++] = mem_dup(queue->groups[g].flavors[i].flavor);
    for (size_t i = 0; i < queue->check_count; i++)
        record->checks[i] = mem_dup(queue->checks[i].name);
    queue->ignore_undeclared = loop->settings->ignore_undeclared;
    record->stop_policy = queue->stop_policy;
    record->has_cohort = queue->cohort && *queue->cohort;
    engine_cluster_queue_put(loop->engine, queue, loop_now());
    mark_cluster_queue_workloads(loop, record->name);
    mark_deleting(loop, OBJECT_FLAVOR);
    mark_deleting(loop, OBJECT_CHECK);
    snapshot_cluster_queue_put(loop->parts.snapshot, queue);
}

static void learn_local_queue(struct loop *loop, struct object_record *record,
                              const struct local_queue *queue)
{
    local_queue_aim(loop, record, queue->cluster_queue ? queue->cluster_queue : "");
    record->stop_policy = queue->stop_policy;
    engine_local_queue_put(loop->engine, queue, loop_now());
    mark_queue_workloads(loop, record->key);
    report_queue_workloads(loop, record->key);
    snapshot_local_queue_put(loop->parts.snapshot, queue->namespace, queue->name,
                             record->cluster_queue);
}

static void learn_details(struct loop *loop, struct object_record *record,
                          const struct loop_event *event)
{
    switch (event->kind) {
    case EVENT_CLUSTER_QUEUE:
        learn_cluster_queue(loop, record, event->cluster_queue);
        break;
    case EVENT_LOCAL_QUEUE:
        learn_local_queue(loop, record, event->local_queue);
        break;
    case EVENT_COHORT:
        engine_cohort_put(loop->engine, event->cohort, loop_now());
        break;
    case EVENT_FLAVOR:
        free(record->topology);
        record->topology = event->flavor->topology ? mem_dup(event->flavor->topology) : NULL;
        engine_flavor_put(loop->engine, event->flavor, loop_now());
        mark_deleting(loop, OBJECT_TOPOLOGY);
        break;
    case EVENT_CHECK:
        engine_check_put(loop->engine, event->check, loop_now());
        snapshot_check_put(loop->parts.snapshot, event->check->name, event->check->controller);
        break;
    case EVENT_TOPOLOGY:
        engine_topology_put(loop->engine, event->topology, loop_now());
        break;
    default:
        break;
    }
}

/* Only our own status write came back: nothing that the engine knows has changed. */
static bool is_status_echo(const struct object_record *record, const struct loop_event *event)
{
    return record->resource_version != 0 && strcmp(record->uid, event->uid) == 0 &&
           record->generation == event->generation && record->deleting == event->deleting &&
           record->has_finalizer == event->has_finalizer &&
           (record->kind == OBJECT_CLUSTER_QUEUE || record->kind == OBJECT_LOCAL_QUEUE ||
            record->kind == OBJECT_COHORT);
}

static void object_take(struct loop *loop, enum object_kind kind, struct loop_event *event)
{
    struct object_record *record = object_get(loop, kind, event->namespace, event->name);
    bool echo = is_status_echo(record, event);

    if (event->resource_version < record->resource_version && strcmp(record->uid, event->uid) == 0)
        return;
    if (strcmp(record->uid, event->uid) !=
        0) { /* made again: answers to the old one's writes do not count */
        record->is_writing = false;
        status_pace_init(&record->pace);
        look_at(loop, &record->look, TIME_NONE);
    }
    free(record->uid);
    free(record->text);
    record->uid = mem_dup(event->uid);
    free(record->finalizers);
    record->text = event->text ? mem_dup(event->text) : NULL;
    record->finalizers = event->finalizers ? mem_dup(event->finalizers) : NULL;
    record->resource_version = event->resource_version;
    record->generation = event->generation;
    record->deleting = event->deleting;
    record->has_finalizer = event->has_finalizer;
    record->failures = 0;
    report_labels(loop, record, &event->meta);
    if (!echo)
        learn_details(loop, record, event);
    mark_object(loop, record);
}

static void object_gone(struct loop *loop, struct object_record *record)
{
    AUTO_FREE char *namespace = mem_dup(record->namespace), *name = mem_dup(record->name);
    enum object_kind kind = record->kind;
    int64_t now = loop_now();

    switch (record->kind) {
    case OBJECT_CLUSTER_QUEUE:
        engine_cluster_queue_remove(loop->engine, record->name, now);
        snapshot_cluster_queue_remove(loop->parts.snapshot, record->name);
        mark_cluster_queue_workloads(loop, record->name);
        mark_deleting(loop, OBJECT_FLAVOR);
        mark_deleting(loop, OBJECT_CHECK);
        break;
    case OBJECT_LOCAL_QUEUE:
        engine_local_queue_remove(loop->engine, record->namespace, record->name, now);
        snapshot_local_queue_remove(loop->parts.snapshot, record->namespace, record->name);
        mark_queue_workloads(loop, record->key);
        break;
    case OBJECT_COHORT:
        engine_cohort_remove(loop->engine, record->name, now);
        break;
    case OBJECT_FLAVOR:
        engine_flavor_remove(loop->engine, record->name, now);
        mark_deleting(loop, OBJECT_TOPOLOGY);
        break;
    case OBJECT_CHECK:
        engine_check_remove(loop->engine, record->name, now);
        snapshot_check_remove(loop->parts.snapshot, record->name);
        break;
    default:
        engine_topology_remove(loop->engine, record->name, now);
        break;
    }
    object_forget(loop, record);
    refresh_statuses(loop); /* before the series of the object go: what is left of it comes back */
    report_object_gone(loop, kind, namespace, name);
}

/* ---- kinds without a record of their own ---- */

static void mark_all_jobs(struct loop *loop)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(loop->jobs, &at, &entry);) {
        struct job_record *record = entry.value;

        record->failures = 0;
        look_at(loop, &record->look, TIME_NONE);
        mark_job(loop, record);
    }
}

/* Workloads without quota of one namespace (NULL: of all): why they wait may have changed. */
static void mark_waiting(struct loop *loop, const char *namespace)
{
    struct map_entry entry;

    if (!atomic_load(&loop->is_synced))
        return; /* everything is looked at then */
    for (size_t at = 0; map_next(loop->workloads, &at, &entry);) {
        struct workload_record *record = entry.value;

        if (!record->is_reserved && !record->is_finished &&
            (!namespace || strcmp(record->namespace, namespace) == 0))
            mark_workload(loop, record);
    }
}

static void mark_namespace(struct loop *loop, const char *namespace)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(loop->jobs, &at, &entry);) {
        struct job_record *record = entry.value;

        if (record->job && strcmp(record->job->namespace, namespace) == 0)
            mark_job(loop, record);
    }
    mark_waiting(loop, namespace);
}

static void handle_namespace(struct loop *loop, const struct loop_event *event)
{
    struct namespace_record *record = map_get(loop->namespaces, str_of(event->name));
    const struct label_selector *selector = &loop->settings->managed_namespaces;
    bool is_new = !record;

    if (event->deleted) {
        free(map_remove(loop->namespaces, str_of(event->name)));
        engine_namespace_remove(loop->engine, event->name, loop_now());
        snapshot_namespace_remove(loop->parts.snapshot, event->name);
        mark_waiting(loop, event->name);
        return;
    }
    if (is_new) {
        record = mem_alloc(sizeof(*record));
        map_put(loop->namespaces, str_of(event->name), record);
    }
    record->is_managed = !selector->present || selector_matches(selector, event->labels->labels,
                                                                event->labels->label_count);
    engine_namespace_put(loop->engine, event->labels, loop_now());
    snapshot_namespace_put(loop->parts.snapshot, event->name, record->is_managed);
    if (atomic_load(&loop->is_synced))
        mark_namespace(loop, event->name);
}

static void mark_class(struct loop *loop, const char *name)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(loop->workloads, &at, &entry);) {
        struct workload_record *record = entry.value;

        if (!record->class_name || strcmp(record->class_name, name) != 0)
            continue;
        record->is_class_news = true;
        mark_workload(loop, record);
    }
}

static void handle_class(struct loop *loop, const struct loop_event *event)
{
    bool ours = event->kind == EVENT_WORKLOAD_PRIORITY_CLASS;
    struct map *classes = ours ? loop->workload_priority_classes : loop->priority_classes;
    struct priority_record *record = map_get(classes, str_of(event->name));
    bool is_new = !record, is_news = is_new || record->value != event->priority_value;

    if (event->deleted) {
        free(map_remove(classes, str_of(event->name)));
        if (ours)
            snapshot_priority_class_remove(loop->parts.snapshot, event->name);
        return;
    }
    if (is_new) {
        record = mem_alloc(sizeof(*record));
        map_put(classes, str_of(event->name), record);
    }
    record->value = event->priority_value;
    record->global_default = event->global_default;
    if (ours)
        snapshot_priority_class_put(loop->parts.snapshot, event->name);
    if (!atomic_load(&loop->is_synced))
        return;
    if (ours && is_news)
        mark_class(loop, event->name);
    mark_all_jobs(loop);
}

static void handle_limits(struct loop *loop, const struct loop_event *event)
{
    if (event->deleted)
        engine_limit_range_remove(loop->engine, event->namespace, event->name, loop_now());
    else
        engine_limit_range_put(loop->engine, event->limits, loop_now());
    mark_waiting(loop, event->namespace);
}

static void handle_runtime_class(struct loop *loop, const struct loop_event *event)
{
    if (event->deleted)
        engine_runtime_class_remove(loop->engine, event->name, loop_now());
    else
        engine_runtime_class_put(loop->engine, event->runtime_class, loop_now());
    mark_waiting(loop, NULL);
}

static void handle_device_class(struct loop *loop, const struct loop_event *event)
{
    if (event->deleted)
        engine_device_class_remove(loop->engine, event->name, loop_now());
    else
        engine_device_class_put(loop->engine, event->device_class, loop_now());
    mark_waiting(loop, NULL);
}

static void handle_claim_template(struct loop *loop, const struct loop_event *event)
{
    if (event->deleted)
        engine_claim_template_remove(loop->engine, event->namespace, event->name, loop_now());
    else
        engine_claim_template_put(loop->engine, event->claim_template, loop_now());
    mark_waiting(loop, event->namespace);
}

void devices_wake(struct loop *loop, struct look *look)
{
    (void)look;
    engine_devices_changed(loop->engine, loop_now());
    mark_waiting(loop, NULL);
}

void devices_settle(struct loop *loop)
{
    if (loop->devices.at == TIME_NONE)
        return;
    look_at(loop, &loop->devices, TIME_NONE);
    devices_wake(loop, &loop->devices);
}

/* Drivers publish a slice per node: what follows from them is worked out once for all of a batch.
 */
static void handle_device_slice(struct loop *loop, const struct loop_event *event)
{
    int64_t now = loop_now();

    if (event->deleted)
        engine_device_slice_remove(loop->engine, event->name, now);
    else
        engine_device_slice_put(loop->engine, event->device_slice, now);
    if (loop->devices.at == TIME_NONE)
        look_at(loop, &loop->devices, now + loop->settings->engine.requeue_batch);
}

void handle_object(struct loop *loop, struct loop_event *event)
{
    struct object_record *record;

    switch (event->kind) {
    case EVENT_NAMESPACE:
        handle_namespace(loop, event);
        break;
    case EVENT_LIMIT_RANGE:
        handle_limits(loop, event);
        break;
    case EVENT_RUNTIME_CLASS:
        handle_runtime_class(loop, event);
        break;
    case EVENT_DEVICE_CLASS:
        handle_device_class(loop, event);
        break;
    case EVENT_CLAIM_TEMPLATE:
        handle_claim_template(loop, event);
        break;
    case EVENT_DEVICE_SLICE:
        handle_device_slice(loop, event);
        break;
    case EVENT_PRIORITY_CLASS:
    case EVENT_WORKLOAD_PRIORITY_CLASS:
        handle_class(loop, event);
        break;
    default:
        record = object_find(loop, object_kinds[event->kind], event->namespace, event->name);
        if (!event->deleted)
            object_take(loop, object_kinds[event->kind], event);
        else if (record)
            object_gone(loop, record);
        break;
    }
    event_destroy(event);
}
