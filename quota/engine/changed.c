/* Which queues look different since the caller last asked. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

void queue_changed(struct engine *engine, struct cluster_queue_record *queue)
{
    if (queue->is_changed)
        return;
    queue->is_changed = true;
    queue->changed_next = engine->changed_cluster_queues;
    engine->changed_cluster_queues = queue;
}

void local_queue_changed(struct engine *engine, struct local_queue_record *queue)
{
    if (queue->is_changed)
        return;
    queue->is_changed = true;
    queue->changed_next = engine->changed_local_queues;
    engine->changed_local_queues = queue;
}

void cohort_changed(struct engine *engine, struct cohort_record *cohort)
{
    if (cohort->is_changed)
        return;
    cohort->is_changed = true;
    cohort->changed_next = engine->changed_cohorts;
    engine->changed_cohorts = cohort;
}

void workload_changed(struct engine *engine, const struct item *item)
{
    engine->changed_workloads =
        mem_grow(engine->changed_workloads, engine->changed_workload_count,
                 &engine->changed_workload_capacity, sizeof(*engine->changed_workloads));
    engine->changed_workloads[engine->changed_workload_count++] = mem_dup(item->key);
}

void changed_finish(struct engine *engine)
{
    for (size_t i = 0; i < engine->changed_workload_count; i++)
        free(engine->changed_workloads[i]);
    free(engine->changed_workloads);
    engine->changed_workloads = NULL;
    engine->changed_workload_count = engine->changed_workload_capacity = 0;
}

void changed_forget_queue(struct engine *engine, struct cluster_queue_record *queue)
{
    struct cluster_queue_record **at = &engine->changed_cluster_queues;

    while (*at && *at != queue)
        at = &(*at)->changed_next;
    if (*at)
        *at = queue->changed_next;
}

void changed_forget_local_queue(struct engine *engine, struct local_queue_record *queue)
{
    struct local_queue_record **at = &engine->changed_local_queues;

    while (*at && *at != queue)
        at = &(*at)->changed_next;
    if (*at)
        *at = queue->changed_next;
}

void changed_forget_cohort(struct engine *engine, struct cohort_record *cohort)
{
    struct cohort_record **at = &engine->changed_cohorts;

    while (*at && *at != cohort)
        at = &(*at)->changed_next;
    if (*at)
        *at = cohort->changed_next;
}

static void take_cluster_queues(struct engine *engine, struct arena *a,
                                struct changed_names *changed)
{
    struct cluster_queue_record *next;
    size_t count = 0;

    for (struct cluster_queue_record *q = engine->changed_cluster_queues; q; q = q->changed_next)
        count++;
    changed->cluster_queues = ARENA_ARRAY(a, count + 1, const char *);
    for (struct cluster_queue_record *q = engine->changed_cluster_queues; q; q = next) {
        next = q->changed_next;
        q->is_changed = false;
        q->changed_next = NULL;
        changed->cluster_queues[changed->cluster_queue_count++] = arena_strdup(a, q->name);
    }
    engine->changed_cluster_queues = NULL;
}

static void take_local_queues(struct engine *engine, struct arena *a, struct changed_names *changed)
{
    struct local_queue_record *next;
    size_t count = 0;

    for (struct local_queue_record *q = engine->changed_local_queues; q; q = q->changed_next)
        count++;
    changed->local_queues = ARENA_ARRAY(a, count + 1, const char *);
    for (struct local_queue_record *q = engine->changed_local_queues; q; q = next) {
        next = q->changed_next;
        q->is_changed = false;
        q->changed_next = NULL;
        changed->local_queues[changed->local_queue_count++] = arena_strdup(a, q->key);
    }
    engine->changed_local_queues = NULL;
}

static void take_cohorts(struct engine *engine, struct arena *a, struct changed_names *changed)
{
    struct cohort_record *next;
    size_t count = 0;

    for (struct cohort_record *c = engine->changed_cohorts; c; c = c->changed_next)
        count++;
    changed->cohorts = ARENA_ARRAY(a, count + 1, const char *);
    for (struct cohort_record *c = engine->changed_cohorts; c; c = next) {
        next = c->changed_next;
        c->is_changed = c->is_wholly_changed = false;
        c->changed_next = NULL;
        changed->cohorts[changed->cohort_count++] = arena_strdup(a, c->name);
    }
    engine->changed_cohorts = NULL;
}

static void take_workloads(struct engine *engine, struct arena *a, struct changed_names *changed)
{
    changed->workloads = ARENA_ARRAY(a, engine->changed_workload_count + 1, const char *);
    for (size_t i = 0; i < engine->changed_workload_count; i++)
        changed->workloads[changed->workload_count++] =
            arena_strdup(a, engine->changed_workloads[i]);
    changed_finish(engine);
}

void engine_take_changed(struct engine *engine, struct arena *arena, struct changed_names *changed)
{
    *changed = (struct changed_names){ 0 };
    take_cluster_queues(engine, arena, changed);
    take_local_queues(engine, arena, changed);
    take_cohorts(engine, arena, changed);
    take_workloads(engine, arena, changed);
}
