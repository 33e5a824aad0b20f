/* Records of queues, cohorts, flavors, checks and topologies, and which LocalQueues aim at what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admitter/loop/loop_private.h"
#include "admitter/loop/report.h"
#include "quota/base/mem.h"

static void wake_object(struct loop *loop, struct look *look)
{
    mark_object(loop,
                (struct object_record *)((char *)look - offsetof(struct object_record, look)));
}

struct object_record *object_find(struct loop *loop, enum object_kind kind, const char *namespace,
                                  const char *name)
{
    char key[600];

    snprintf(key, sizeof(key), "%s/%s", namespace, name);
    return map_get(loop->objects[kind], str_of(key));
}

struct object_record *object_get(struct loop *loop, enum object_kind kind, const char *namespace,
                                 const char *name)
{
    struct object_record *record = object_find(loop, kind, namespace, name);

    if (record)
        return record;
    record = mem_alloc(sizeof(*record));
    record->kind = kind;
    record->key = mem_format("%s/%s", namespace, name);
    record->namespace = mem_dup(namespace);
    record->name = mem_dup(name);
    record->uid = mem_dup("");
    status_pace_init(&record->pace);
    look_init(&record->look, wake_object);
    look_init(&record->walk, report_walk);
    map_put(loop->objects[kind], str_of(record->key), record);
    return record;
}

/* ---- which LocalQueues name a ClusterQueue ---- */

struct object_record *local_queues_of(struct loop *loop, const char *cluster_queue)
{
    struct target_entry *entry = map_get(loop->targets, str_of(cluster_queue));

    return entry ? entry->queues : NULL;
}

static struct target_entry *target_get(struct loop *loop, const char *cluster_queue)
{
    struct target_entry *entry = map_get(loop->targets, str_of(cluster_queue));

    if (entry)
        return entry;
    entry = mem_alloc(sizeof(*entry));
    entry->name = mem_dup(cluster_queue);
    map_put(loop->targets, str_of(entry->name), entry);
    return entry;
}

static void target_leave(struct loop *loop, struct object_record *record)
{
    struct target_entry *entry;

    if (!record->cluster_queue)
        return;
    *record->target_at = record->target_next;
    if (record->target_next)
        record->target_next->target_at = record->target_at;
    entry = map_get(loop->targets, str_of(record->cluster_queue));
    if (entry && !entry->queues) {
        map_remove(loop->targets, str_of(entry->name));
        free(entry->name);
        free(entry);
    }
    free(record->cluster_queue);
    record->cluster_queue = NULL;
}

void local_queue_aim(struct loop *loop, struct object_record *record, const char *cluster_queue)
{
    struct target_entry *entry;

    if (record->cluster_queue && strcmp(record->cluster_queue, cluster_queue) == 0)
        return;
    target_leave(loop, record);
    entry = target_get(loop, cluster_queue);
    record->cluster_queue = mem_dup(cluster_queue);
    record->target_next = entry->queues;
    record->target_at = &entry->queues;
    if (entry->queues)
        entry->queues->target_at = &record->target_next;
    entry->queues = record;
}

/* ---- the end ---- */

static void object_free(struct object_record *record)
{
    for (size_t i = 0; record->flavors && record->flavors[i]; i++)
        free(record->flavors[i]);
    for (size_t i = 0; record->checks && record->checks[i]; i++)
        free(record->checks[i]);
    free(record->flavors);
    free(record->checks);
    free(record->topology);
    free(record->cluster_queue);
    free(record->text);
    free(record->finalizers);
    free(record->uid);
    free(record->name);
    free(record->namespace);
    free(record->key);
    free(record);
}

void object_forget(struct loop *loop, struct object_record *record)
{
    map_remove(loop->objects[record->kind], str_of(record->key));
    target_leave(loop, record);
    look_at(loop, &record->look, TIME_NONE);
    look_at(loop, &record->walk, TIME_NONE);
    dirty_remove(&record->dirty);
    object_free(record);
}

static bool end_object(struct str key, void *value, void *context)
{
    (void)key, (void)context;
    object_free(value);
    return true;
}

static bool end_target(struct str key, void *value, void *context)
{
    (void)key, (void)context;
    free(((struct target_entry *)value)->name);
    free(value);
    return true;
}

void objects_destroy(struct loop *loop)
{
    for (size_t i = 0; i < OBJECT_KINDS; i++) {
        map_remove_if(loop->objects[i], end_object, NULL);
        map_destroy(loop->objects[i]);
    }
    map_remove_if(loop->targets, end_target, NULL);
    map_destroy(loop->targets);
}
