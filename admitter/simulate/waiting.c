/* waiting.c - the part of world.h that says why workloads wait. */
#include <string.h>

#include "admitter/simulate/simulate_private.h"
#include "admitter/simulate/status.h"

bool simulate_has_reservation(const struct simulate_workload *workload)
{
    return status_is_true(&workload->facts, "QuotaReserved") &&
           workload->facts.admission.cluster_queue;
}

bool simulate_is_reserving(const struct simulate_workload *workload)
{
    return simulate_has_reservation(workload) && workload->facts.active;
}

const char *simulate_cluster_queue(const struct simulate_world *world,
                                   const struct workload *workload, struct arena *arena)
{
    const char *queue = workload->queue_name ? workload->queue_name : "";
    const char *found = map_get(world->cluster_queues,
                                str_of(arena_format(arena, "%s/%s", workload->namespace, queue)));

    return found ? found : "";
}

/* The words of the controller; what the scheduler last wrote; or that nobody has looked yet. */
static void waiting_reason(struct simulate_world *world, const struct workload *workload,
                           struct arena *arena, struct simulate_waiting *waiting)
{
    const struct condition *written = status_condition(workload, "QuotaReserved");
    struct wait_reason why = { "", "", "" };

    if (engine_wait_reason(world->engine, workload->namespace, workload->name, arena, &why) &&
        *why.reason) {
        waiting->reason = why.reason;
        waiting->message = why.message;
    } else if (written && written->reason && *written->reason) {
        waiting->reason = written->reason;
        waiting->message = written->message ? written->message : "";
    } else {
        waiting->reason = "PendingEvaluation";
        waiting->message = "Workload is pending evaluation in the scheduling queue";
    }
}

struct simulate_waiting *simulate_world_waiting(struct simulate_world *world, struct arena *arena,
                                                size_t *count)
{
    struct simulate_waiting *list = ARENA_ARRAY(arena, world->count + 1, struct simulate_waiting);

    *count = 0;
    for (size_t i = 0; i < world->count; i++) {
        struct simulate_workload *workload = &world->workloads[i];

        if (workload->finished || simulate_is_reserving(workload))
            continue;
        list[*count].key = workload->key;
        list[*count].cluster_queue = simulate_cluster_queue(world, &workload->facts, arena);
        waiting_reason(world, &workload->facts, arena, &list[(*count)++]);
    }
    return list;
}
