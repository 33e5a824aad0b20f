#include "tests/bench/town.h"

#include <stdio.h>

#include "quota/base/mem.h"

enum { NAME = 64 };

static const char *name_of(char text[NAME], const char *prefix, uint64_t number)
{
    snprintf(text, NAME, "%s-%06llu", prefix, (unsigned long long)number);
    return text;
}

void town_queue(struct town *town, unsigned queue, int64_t cores)
{
    static const char *resources[] = { "cpu", "memory" };
    struct resource_quota quotas[] = {
        { .resource = "cpu", .nominal = quantity_of(cores, QUANTITY_DECIMAL) },
        { .resource = "memory", .nominal = quantity_of(INT64_C(1) << 50, QUANTITY_BINARY) },
    };
    struct flavor_quotas flavor = { .flavor = "default", .resources = quotas, .resource_count = 2 };
    struct resource_group group = { resources, 2, &flavor, 1 };
    char name[NAME], cohort[NAME];
    struct cluster_queue facts = { .name = name_of(name, "queue", queue),
                                   .cohort = name_of(cohort, "cohort", queue % TOWN_COHORTS),
                                   .groups = &group,
                                   .group_count = 1,
                                   .namespace_selector = { .present = true },
                                   .within_cluster_queue = PREEMPT_LOWER_PRIORITY,
                                   .reclaim_within_cohort = PREEMPT_ANY,
                                   .when_can_preempt = FUNGIBILITY_TRY_NEXT_FLAVOR };

    engine_cluster_queue_put(town->engine, &facts, town->now);
}

void town_open(struct town *town, int64_t cores)
{
    struct engine_options options;
    struct namespace_labels namespace = { .name = "default" };
    struct resource_flavor flavor = { .name = "default" };

    *town = (struct town){ .now = INT64_C(1700000000) * NANOSECONDS_PER_SECOND };
    engine_options_default(&options);
    town->engine = engine_create(&options);
    engine_namespace_put(town->engine, &namespace, town->now);
    engine_flavor_put(town->engine, &flavor, town->now);
    for (unsigned i = 0; i < TOWN_QUEUES; i++) {
        char name[NAME];
        struct local_queue local = { .namespace = "default" };

        town_queue(town, i, cores);
        local.name = local.cluster_queue = name_of(name, "queue", i);
        engine_local_queue_put(town->engine, &local, town->now);
    }
    town_settle(town);
}

void town_close(struct town *town)
{
    engine_destroy(town->engine);
    arena_finish(&town->answer);
}

/* ---- workloads ---- */

static void reservation_show(struct workload *workload, struct condition conditions[2],
                             int64_t since)
{
    static const char *const types[] = { "QuotaReserved", "Admitted" };

    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        conditions[i] = (struct condition){ .type = types[i],
                                            .status = CONDITION_TRUE,
                                            .reason = types[i],
                                            .message = "",
                                            .transition = since };
    workload->conditions = conditions;
    workload->condition_count = 2;
}

void town_put(struct town *town, const struct town_workload *about)
{
    char queue[NAME], name[NAME], uid[NAME];
    struct quantity cpu = quantity_milli(about->milli_cpu);
    struct resource_quantity requests[] = {
        { "cpu", cpu },
        { "memory", quantity_of(INT64_C(1) << 30, QUANTITY_BINARY) },
    };
    struct container container = { .name = "main", .requests = { requests, 2 } };
    struct pod_set pod_set = { .name = "main",
                               .count = 1,
                               .min_count = -1,
                               .pod = { .containers = &container, .container_count = 1 } };
    struct resource_flavor_use uses[] = {
        { "cpu", "default", true, cpu },
        { "memory", "default", true, requests[1].quantity },
    };
    struct pod_set_assignment assigned = {
        .pod_set = "main", .uses = uses, .use_count = 2, .count = 1
    };
    struct condition conditions[2];
    struct workload workload = { .namespace = "default",
                                 .name = name_of(name, "job-training-run", about->number),
                                 .uid = uid,
                                 .generation = 1,
                                 .created = town->now + (int64_t)about->number,
                                 .queue_name = name_of(queue, "queue", about->queue),
                                 .has_priority = true,
                                 .priority = about->priority,
                                 .active = true,
                                 .pod_sets = &pod_set,
                                 .pod_set_count = 1,
                                 .requeue_at = TIME_NONE };

    snprintf(uid, sizeof(uid), "7d1b6c1e-4f3a-4c59-9f0e-%012llu",
             (unsigned long long)about->number);
    if (about->holds) {
        workload.admission = (struct admission){ queue, &assigned, 1 };
        reservation_show(&workload, conditions, town->now);
    }
    engine_workload_put(town->engine, &workload, town->now);
}

void town_create(struct town *town, unsigned queue, int64_t milli_cpu)
{
    town_put(town, &(struct town_workload){
                       .queue = queue, .number = town->created++, .milli_cpu = milli_cpu });
}

void town_remove(struct town *town, uint64_t number)
{
    char name[NAME];

    engine_workload_remove(town->engine, "default", name_of(name, "job-training-run", number),
                           town->now);
}

/* ---- time ---- */

void town_cycle(struct town *town)
{
    arena_reset(&town->answer);
    engine_cycle(town->engine, town->now, &town->answer, &town->cycle);
}

void town_settle(struct town *town)
{
    town->now += 2 * NANOSECONDS_PER_SECOND;
    engine_advance(town->engine, town->now);
}
