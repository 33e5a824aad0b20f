/* requeue.c - when a workload that was held back queues again: what the Workload reconciler does
 * with Requeued=False (spec/admission-checks.md 5 step 4, spec/lifecycle.md 6). */
#include <string.h>

#include "admitter/simulate/simulate_private.h"
#include "admitter/simulate/status.h"
#include "quota/base/mem.h"

typedef bool is_over_fn(const struct simulate_world *world,
                        const struct simulate_workload *workload);

static bool at_once(const struct simulate_world *world, const struct simulate_workload *workload)
{
    (void)world;
    (void)workload;
    return true;
}

static bool is_active(const struct simulate_world *world, const struct simulate_workload *workload)
{
    (void)world;
    return workload->facts.active;
}

static const struct local_queue *local_queue_of(const struct simulate_world *world,
                                                const struct workload *workload)
{
    for (size_t i = 0; i < world->facts->local_queues.count; i++) {
        const struct local_queue *queue = &world->facts->local_queues.items[i];

        if (strcmp(queue->namespace, workload->namespace) == 0 &&
            strcmp(queue->name, workload->queue_name) == 0)
            return queue;
    }
    return NULL;
}

static bool local_queue_is_open(const struct simulate_world *world,
                                const struct simulate_workload *workload)
{
    const struct local_queue *queue = local_queue_of(world, &workload->facts);

    return queue && queue->stop_policy == STOP_NONE;
}

static bool cluster_queue_is_open(const struct simulate_world *world,
                                  const struct simulate_workload *workload)
{
    const struct local_queue *queue = local_queue_of(world, &workload->facts);

    for (size_t i = 0; queue && i < world->facts->cluster_queues.count; i++)
        if (strcmp(world->facts->cluster_queues.items[i].name, queue->cluster_queue) == 0)
            return world->facts->cluster_queues.items[i].stop_policy == STOP_NONE;
    return false;
}

static const struct requeue_end {
    const char *held_by; /* the beginning of the reason of Requeued=False */
    is_over_fn *is_over; /* apart from requeueAt */
    const char *reason, *message;
} ends[] = {
    { "PodsReadyTimeout", at_once, "BackoffFinished", "The workload backoff was finished" },
    { "AdmissionCheck", at_once, "BackoffFinished", "The workload backoff was finished" },
    { "LocalQueueStopped", local_queue_is_open, "LocalQueueRestarted",
      "The LocalQueue was restarted after being stopped" },
    { "ClusterQueueStopped", cluster_queue_is_open, "ClusterQueueRestarted",
      "The ClusterQueue was restarted after being stopped" },
    { "Deactivated", is_active, "Reactivated", "The workload was reactivated" },
};

static const struct requeue_end *end_of(const struct simulate_world *world,
                                        const struct simulate_workload *workload)
{
    const struct condition *requeued = status_condition(&workload->facts, "Requeued");

    if (!requeued || requeued->status != CONDITION_FALSE)
        return NULL;
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
        if (strncmp(requeued->reason, ends[i].held_by, strlen(ends[i].held_by)) == 0)
            return ends[i].is_over(world, workload) ? &ends[i] : NULL;
    return NULL;
}

int64_t simulate_requeue_due(const struct simulate_world *world,
                             const struct simulate_workload *workload)
{
    if (workload->facts.requeue_at != TIME_NONE)
        return workload->facts.requeue_at;
    return end_of(world, workload) ? world->now : TIME_NONE;
}

void simulate_requeue(const struct simulate_world *world, struct simulate_workload *workload)
{
    const struct requeue_end *end = end_of(world, workload);

    workload->facts.requeue_at = TIME_NONE;
    if (end)
        status_set(workload, "Requeued", CONDITION_TRUE, end->reason, end->message, world->now);
}
