#include <stdio.h>
#include <string.h>
#include "admitter/jobs/job_copy.h"
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/loop/elastic.h"
#include "admitter/rules/job_slices.h"
#include "admitter/loop/owners.h"
#include "admitter/loop/report.h"
#include "admitter/loop/tally.h"
#include "admitter/rules/workload_rules.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

static void wake_workload(struct loop *loop, struct look *look)
{
    struct workload_record *record =
        (struct workload_record *)((char *)look - offsetof(struct workload_record, look));

    mark_workload(loop, record);
    mark_owner(loop, record); /* its job may have been waiting for a write that failed */
}

static void wake_job(struct loop *loop, struct look *look)
{
    mark_job(loop, (struct job_record *)((char *)look - offsetof(struct job_record, look)));
}

static const char *key_of(char *buffer, size_t size, const char *namespace, const char *name)
{
    snprintf(buffer, size, "%s/%s", namespace, name);
    return buffer;
}

/* ---- Workloads ---- */

struct workload_record *workload_find(struct loop *loop, const char *namespace, const char *name)
{
    char key[600];

    return map_get(loop->workloads, str_of(key_of(key, sizeof(key), namespace, name)));
}

struct workload_record *workload_get(struct loop *loop, const struct loop_event *event)
{
    struct workload_record *record = workload_find(loop, event->namespace, event->name);

    if (record)
        return record;
    record = mem_alloc(sizeof(*record));
    record->key = mem_format("%s/%s", event->namespace, event->name);
    record->namespace = mem_dup(event->namespace);
    record->name = mem_dup(event->name);
    record->uid = mem_dup(event->uid);
    record->text = mem_dup("{}");
    look_init(&record->look, wake_workload);
    map_put(loop->workloads, str_of(record->key), record);
    return record;
}

static struct queue_entry *queue_entry_get(struct loop *loop, const char *key)
{
    struct queue_entry *entry = map_get(loop->queues, str_of(key));

    if (entry)
        return entry;
    entry = mem_alloc(sizeof(*entry));
    entry->key = mem_dup(key);
    map_put(loop->queues, str_of(key), entry);
    return entry;
}

static void queue_leave(struct loop *loop, struct workload_record *record)
{
    struct queue_entry *entry;

    if (!record->queue_key)
        return;
    *record->queue_at = record->queue_next;
    if (record->queue_next)
        record->queue_next->queue_at = record->queue_at;
    entry = map_get(loop->queues, str_of(record->queue_key));
    if (entry && !entry->workloads) {
        map_remove(loop->queues, str_of(entry->key));
        free(entry->key);
        free(entry);
    }
    free(record->queue_key);
    record->queue_key = NULL;
}

static void queue_join(struct loop *loop, struct workload_record *record, const char *queue)
{
    AUTO_FREE char *key = mem_format("%s/%s", record->namespace, queue);
    struct queue_entry *entry;

    if (record->queue_key && strcmp(record->queue_key, key) == 0)
        return;
    queue_leave(loop, record);
    entry = queue_entry_get(loop, key);
    record->queue_key = mem_dup(key);
    record->queue_next = entry->workloads;
    record->queue_at = &entry->workloads;
    if (entry->workloads)
        entry->workloads->queue_at = &record->queue_next;
    entry->workloads = record;
}

static void owner_leave(struct loop *loop, struct workload_record *record)
{
    struct job_record *owner =
        record->owner_key ? map_get(loop->jobs, str_of(record->owner_key)) : NULL;

    if (owner) {
        struct workload_record **at = &owner->workloads;

        while (*at && *at != record)
            at = &(*at)->owner_next;
        if (*at)
            *at = record->owner_next;
        job_forget_if_unused(loop, owner);
    }
    free(record->owner_key);
    record->owner_key = NULL;
    record->owner_next = NULL;
}

static void owner_join(struct loop *loop, struct workload_record *record,
                       const struct loop_event *event)
{
    int kind = *event->owner_kind ? owner_kinds_find(&loop->settings->owners,
                                                     event->owner_api_version, event->owner_kind)
                                  : -1;
    AUTO_FREE char *key = NULL;
    struct job_record *owner;

    if (kind >= 0)
        key = mem_format("%d/%s/%s", kind, event->namespace, event->owner_name);
    if ((!key && !record->owner_key) ||
        (key && record->owner_key && strcmp(key, record->owner_key) == 0))
        return;
    owner_leave(loop, record);
    if (!key)
        return;
    owner = job_get(loop, (unsigned)kind, event->namespace, event->owner_name);
    record->owner_key = mem_dup(key);
    record->owner_next = owner->workloads;
    owner->workloads = record;
}

static struct workload_pod_set *pod_sets_copy(const struct workload_pod_set *from, size_t count)
{
    size_t size = count * sizeof(*from), at;
    struct workload_pod_set *copy;
    char *text;

    for (size_t i = 0; i < count; i++)
        size += strlen(from[i].name) + strlen(from[i].injected) + 2;
    copy = mem_alloc(size ? size : 1);
    text = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = from[i];
        at = strlen(from[i].name) + 1;
        copy[i].name = memcpy(text, from[i].name, at);
        text += at;
        at = strlen(from[i].injected) + 1;
        copy[i].injected = memcpy(text, from[i].injected, at);
        text += at;
    }
    return copy;
}

static void read_flags(struct workload_record *record, const json_t *tree)
{
    record->is_finished = condition_true(tree, "Finished");
    record->is_reserved = condition_true(tree, "QuotaReserved");
    record->is_admitted = condition_true(tree, "Admitted");
    record->is_deleting = json_at(tree, "metadata", "deletionTimestamp", NULL) != NULL;
    record->is_active = workload_is_active(tree);
}

static void read_class(struct workload_record *record, const json_t *tree)
{
    const json_t *reference = json_at(tree, "spec", "priorityClassRef", NULL);

    free(record->class_name);
    record->class_name = strcmp(json_string_at(reference, "group"), PRIORITY_GROUP_WORKLOAD) == 0
                             ? mem_dup(json_string_at(reference, "name"))
                             : NULL;
}

static void read_chain(struct workload_record *record, const json_t *tree)
{
    free(record->chain);
    record->chain = job_object_is_elastic(tree) ? mem_dup(slice_chain(tree)) : NULL;
}

void workload_learn(struct loop *loop, struct workload_record *record,
                    const struct loop_event *event)
{
    json_t *tree = json_loads(event->text, 0, NULL);

    free(record->uid);
    free(record->text);
    free(record->pod_sets);
    record->uid = mem_dup(event->uid);
    record->text = mem_dup(event->text);
    record->pod_sets = pod_sets_copy(event->pod_sets, event->pod_set_count);
    record->pod_set_count = event->pod_set_count;
    record->resource_version = record->taken_version = event->resource_version;
    record->awaited_version = 0;
    record->generation = event->generation;
    record->created = event->workload->created;
    read_class(record, tree);
    read_chain(record, tree);
    read_flags(record, tree);
    queue_join(loop, record, event->workload->queue_name ? event->workload->queue_name : "");
    owner_join(loop, record, event);
    report_workload(loop, record, tree);
    json_decref(tree);
}

void workload_replace(struct loop *loop, struct workload_record *record, json_t *tree,
                      int64_t resource_version)
{
    json_t *metadata = json_object_get(tree, "metadata");

    json_object_set_new(metadata, "resourceVersion",
                        json_sprintf("%lld", (long long)resource_version));
    free(record->text);
    record->text = json_dumps(tree, JSON_COMPACT);
    record->resource_version = resource_version;
    read_flags(record, tree);
    report_workload(loop, record, tree);
}

json_t *workload_tree(const struct workload_record *record)
{
    json_t *tree = json_loads(record->text, 0, NULL);

    return tree ? tree : json_object();
}

void workload_facts(const struct workload_record *record, json_t *tree,
                    struct workload_facts *facts)
{
    *facts = (struct workload_facts){ .name = record->name,
                                      .uid = record->uid,
                                      .created = record->created,
                                      .object = tree,
                                      .pod_sets = record->pod_sets,
                                      .pod_set_count = record->pod_set_count };
}

static void workload_free(struct workload_record *record)
{
    event_destroy(record->stash);
    json_decref(record->owed);
    free(record->key);
    free(record->namespace);
    free(record->name);
    free(record->uid);
    free(record->text);
    free(record->pod_sets);
    free(record->queue_key);
    free(record->owner_key);
    free(record->class_name);
    free(record->chain);
    free(record->held_in);
    free(record->label_values);
    free(record);
}

void workload_forget(struct loop *loop, struct workload_record *record)
{
    map_remove(loop->workloads, str_of(record->key));
    report_workload_gone(loop, record);
    queue_leave(loop, record);
    owner_leave(loop, record);
    look_at(loop, &record->look, TIME_NONE);
    dirty_remove(&record->dirty);
    workload_free(record);
}

/* ---- jobs ---- */

struct job_record *job_find(struct loop *loop, unsigned kind, const char *namespace,
                            const char *name)
{
    char key[640];

    snprintf(key, sizeof(key), "%u/%s/%s", kind, namespace, name);
    return map_get(loop->jobs, str_of(key));
}

struct job_record *job_get(struct loop *loop, unsigned kind, const char *namespace,
                           const char *name)
{
    struct job_record *record = job_find(loop, kind, namespace, name);

    if (record)
        return record;
    record = mem_alloc(sizeof(*record));
    record->key = mem_format("%u/%s/%s", kind, namespace, name);
    record->kind = kind;
    look_init(&record->look, wake_job);
    map_put(loop->jobs, str_of(record->key), record);
    return record;
}

void job_forget_if_unused(struct loop *loop, struct job_record *record)
{
    if (record->job || record->workloads || record->is_writing || record->is_fetching)
        return;
    child_leave(loop, record);
    map_remove(loop->jobs, str_of(record->key));
    look_at(loop, &record->look, TIME_NONE);
    dirty_remove(&record->dirty);
    free(record->key);
    free(record);
}

/* ---- the end ---- */

static bool end_workload(struct str key, void *value, void *context)
{
    (void)key, (void)context;
    workload_free(value);
    return true;
}

static bool end_job(struct str key, void *value, void *context)
{
    struct job_record *record = value;

    (void)key;
    child_leave(context, record);
    free(record->job);
    free(record->key);
    free(record);
    return true;
}

static bool end_queue(struct str key, void *value, void *context)
{
    (void)key, (void)context;
    free(((struct queue_entry *)value)->key);
    free(value);
    return true;
}

static bool end_plain(struct str key, void *value, void *context)
{
    (void)key, (void)context;
    free(value);
    return true;
}

static void map_end(struct map *m, bool (*end)(struct str key, void *value, void *context),
                    void *context)
{
    map_remove_if(m, end, context);
    map_destroy(m);
}

void records_destroy(struct loop *loop)
{
    map_end(loop->workloads, end_workload, NULL);
    map_end(loop->jobs, end_job, loop);
    map_end(loop->queues, end_queue, NULL);
    objects_destroy(loop);
    tallies_destroy(loop->tallies);
    chains_destroy(loop);
    map_destroy(loop->children);
    map_end(loop->wanted_workloads, end_plain, NULL);
    map_end(loop->namespaces, end_plain, NULL);
    map_end(loop->priority_classes, end_plain, NULL);
    map_end(loop->workload_priority_classes, end_plain, NULL);
}
