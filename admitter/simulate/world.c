#include "admitter/simulate/simulate_private.h"

#include <stdlib.h>

#include "admitter/simulate/status.h"
#include "quota/base/hash.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

/* ---- making ---- */

static bool due_before(const void *a, const void *b, void *context)
{
    const struct simulate_workload *left = a, *right = b;

    (void)context;
    return left->due != right->due ? left->due < right->due : strcmp(left->key, right->key) < 0;
}

static void due_set(struct simulate_world *world, struct simulate_workload *workload, int64_t due)
{
    uint64_t number = hash_number((uint64_t)(workload - world->workloads));

    if (workload->due != TIME_NONE) {
        world->due_numbers -= number;
        world->due_moments -= number * (uint64_t)workload->due;
    }
    heap_remove(&world->due, workload);
    workload->due = due;
    if (due == TIME_NONE)
        return;
    heap_push(&world->due, workload);
    world->due_numbers += number;
    world->due_moments += number * (uint64_t)due;
}

/* When a job that starts at 'from' ends; one that outlasts the calendar never does. */
static int64_t end_of_run(const struct simulate_workload *workload, int64_t from)
{
    const int64_t calendar_end = INT64_MAX - 3600 * NANOSECONDS_PER_SECOND;
    int64_t end;

    if (workload->duration < 0 || __builtin_add_overflow(from, workload->duration, &end) ||
        end > calendar_end)
        return TIME_NONE;
    return end;
}

static int64_t condition_time(const struct simulate_workload *workload, const char *type)
{
    const struct condition *condition = status_condition(&workload->facts, type);

    return condition ? condition->transition : TIME_NONE;
}

/* What the stored state says about the future. */
static void due_from_status(struct simulate_world *world, struct simulate_workload *workload)
{
    int64_t admitted = condition_time(workload, "Admitted");

    if (simulate_is_reserving(workload)) {
        if (status_is_true(&workload->facts, "Admitted") && admitted != TIME_NONE)
            due_set(world, workload, end_of_run(workload, admitted));
    } else {
        due_set(world, workload, simulate_requeue_due(world, workload));
    }
}

static void evicting_add(struct simulate_world *world, struct simulate_workload *workload)
{
    if (workload->evicting)
        return;
    workload->evicting = true;
    world->evicting = mem_grow(world->evicting, world->evicting_count, &world->evicting_capacity,
                               sizeof(struct simulate_workload *));
    world->evicting[world->evicting_count++] = workload;
}

static void workload_init(struct simulate_world *world, struct simulate_workload *workload,
                          const struct simulate_workload_fact *fact)
{
    workload->facts = fact->workload;
    workload->key =
        arena_format(&world->arena, "%s/%s", fact->workload.namespace, fact->workload.name);
    workload->duration = fact->duration;
    workload->due = TIME_NONE;
    workload->place = HEAP_ABSENT;
    status_own_conditions(workload);
}

static int key_order(const void *a, const void *b)
{
    const struct simulate_workload *left = a, *right = b;

    return strcmp(left->key, right->key);
}

static void workloads_make(struct simulate_world *world)
{
    const struct simulate_facts *facts = world->facts;

    world->workloads = mem_array(facts->workloads.count + 1, sizeof(*world->workloads));
    for (size_t i = 0; i < facts->workloads.count; i++)
        if (!status_is_true(&facts->workloads.items[i].workload, "Finished"))
            workload_init(world, &world->workloads[world->count++], &facts->workloads.items[i]);
    qsort(world->workloads, world->count, sizeof(*world->workloads), key_order);
    for (size_t i = 0; i < world->count; i++) {
        struct simulate_workload *workload = &world->workloads[i];

        map_put(world->by_key, str_of(workload->key), workload);
        due_from_status(world, workload);
        if (simulate_has_reservation(workload) && status_is_true(&workload->facts, "Evicted"))
            evicting_add(world, workload);
    }
}

/* Reserving ones first, in the order in which they reserved; then by creation. */
static int arrival_order(const void *a, const void *b)
{
    const struct simulate_workload *left = *(struct simulate_workload *const *)a;
    const struct simulate_workload *right = *(struct simulate_workload *const *)b;
    bool left_holds = simulate_is_reserving(left), right_holds = simulate_is_reserving(right);
    int64_t left_time = left_holds ? condition_time(left, "QuotaReserved") : left->facts.created;
    int64_t right_time =
        right_holds ? condition_time(right, "QuotaReserved") : right->facts.created;

    if (left_holds != right_holds)
        return left_holds ? -1 : 1;
    if (left_time != right_time)
        return left_time < right_time ? -1 : 1;
    return strcmp(left->key, right->key);
}

static void workloads_put(struct simulate_world *world)
{
    struct simulate_workload **order =
        mem_array(world->count + 1, sizeof(struct simulate_workload *));

    for (size_t i = 0; i < world->count; i++)
        order[i] = &world->workloads[i];
    qsort(order, world->count, sizeof(struct simulate_workload *), arrival_order);
    for (size_t i = 0; i < world->count; i++)
        engine_workload_put(world->engine, &order[i]->facts, world->now);
    free(order);
}

static void queues_put(struct simulate_world *world)
{
    const struct simulate_facts *facts = world->facts;

    for (size_t i = 0; i < facts->cohorts.count; i++)
        engine_cohort_put(world->engine, &facts->cohorts.items[i], world->now);
    for (size_t i = 0; i < facts->cluster_queues.count; i++)
        engine_cluster_queue_put(world->engine, &facts->cluster_queues.items[i], world->now);
    for (size_t i = 0; i < facts->local_queues.count; i++) {
        struct local_queue queue = facts->local_queues.items[i];
        const char *key = arena_format(&world->arena, "%s/%s", queue.namespace, queue.name);

        map_put(world->cluster_queues, str_of(key), (void *)queue.cluster_queue);
        if (!queue.has_consumed)
            queue.consumed_updated = facts->start; /* its history begins with the clock */
        queue.has_consumed = true;
        engine_local_queue_put(world->engine, &queue, world->now);
    }
}

static void facts_put(struct simulate_world *world)
{
    const struct simulate_facts *facts = world->facts;

    for (size_t i = 0; i < facts->topologies.count; i++)
        engine_topology_put(world->engine, &facts->topologies.items[i], world->now);
    for (size_t i = 0; i < facts->flavors.count; i++)
        engine_flavor_put(world->engine, &facts->flavors.items[i], world->now);
    for (size_t i = 0; i < facts->checks.count; i++)
        engine_check_put(world->engine, &facts->checks.items[i], world->now);
    for (size_t i = 0; i < facts->namespaces.count; i++)
        engine_namespace_put(world->engine, &facts->namespaces.items[i], world->now);
    for (size_t i = 0; i < facts->limit_ranges.count; i++)
        engine_limit_range_put(world->engine, &facts->limit_ranges.items[i], world->now);
    for (size_t i = 0; i < facts->runtime_classes.count; i++)
        engine_runtime_class_put(world->engine, &facts->runtime_classes.items[i], world->now);
    for (size_t i = 0; i < facts->device_classes.count; i++)
        engine_device_class_put(world->engine, &facts->device_classes.items[i], world->now);
    for (size_t i = 0; i < facts->claim_templates.count; i++)
        engine_claim_template_put(world->engine, &facts->claim_templates.items[i], world->now);
    for (size_t i = 0; i < facts->device_slices.count; i++)
        engine_device_slice_put(world->engine, &facts->device_slices.items[i], world->now);
    queues_put(world);
    workloads_put(world);
}

struct simulate_world *simulate_world_create(const struct simulate_facts *facts,
                                             const struct loop_settings *settings, bool steps)
{
    struct simulate_world *world = mem_alloc(sizeof(*world));
    struct engine_options options = settings->engine;

    options.hold_batches = steps;
    world->facts = facts;
    world->settings = settings;
    world->steps = steps;
    /* What is here was here before the clock starts: what its arrival set off has happened. */
    world->now =
        steps ? facts->start : facts->start - options.requeue_batch - NANOSECONDS_PER_SECOND;
    world->by_key = map_create();
    world->cluster_queues = map_create();
    heap_init(&world->due, HEAP_PLACE(struct simulate_workload, place), due_before, NULL);
    world->engine = engine_create(&options);
    workloads_make(world);
    facts_put(world);
    engine_advance(world->engine, facts->start);
    world->now = facts->start;
    return world;
}

void simulate_world_destroy(struct simulate_world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->count; i++)
        status_finish(&world->workloads[i]);
    engine_destroy(world->engine);
    heap_finish(&world->due);
    map_destroy(world->by_key);
    map_destroy(world->cluster_queues);
    free(world->workloads);
    free(world->evicting);
    arena_finish(&world->arena);
    free(world);
}

struct engine *simulate_world_engine(struct simulate_world *world)
{
    return world->engine;
}

int64_t simulate_world_now(const struct simulate_world *world)
{
    return world->now;
}

/* ---- carrying out decisions ---- */

static struct simulate_workload *find(struct simulate_world *world, const char *namespace,
                                      const char *name, struct arena *arena)
{
    return map_get(world->by_key, str_of(arena_format(arena, "%s/%s", namespace, name)));
}

static void event_add(struct simulate_events *events, const char *object, bool warning,
                      const char *reason)
{
    events->items =
        mem_grow(events->items, events->count, &events->capacity, sizeof(*events->items));
    events->items[events->count++] = (struct simulate_event){ object, reason, warning };
}

static void put(struct simulate_world *world, struct simulate_workload *workload)
{
    engine_workload_put(world->engine, &workload->facts, world->now);
}

void simulate_world_observe(struct simulate_world *world, simulate_happening_fn *happened,
                            void *context)
{
    world->happened = happened;
    world->happened_context = context;
}

static void tell(const struct simulate_world *world, const struct simulate_workload *workload,
                 const char *what)
{
    if (world->happened)
        world->happened(world->happened_context, workload->key, what, world->now);
}

static void finish(struct simulate_world *world, struct simulate_workload *workload,
                   const char *reason, const char *message)
{
    due_set(world, workload, TIME_NONE);
    workload->finished = true;
    status_set(workload, "Finished", CONDITION_TRUE, reason, message, world->now);
    put(world, workload);
    tell(world, workload, "Finished");
}

/* An admitted elastic slice takes the place of an older one (spec/scheduling.md 4.11). */
static void slice_replace(struct simulate_world *world, const struct simulate_workload *workload,
                          const struct decision *decision, struct arena *arena)
{
    struct simulate_workload *old =
        decision->replaces ? map_get(world->by_key, str_of(decision->replaces)) : NULL;

    if (!old || old->finished)
        return;
    finish(world, old, "WorkloadSliceReplaced",
           replaced_message(workload->facts.uid, workload->facts.job_uid, arena));
}

static bool topology_is_pending(const struct workload *workload)
{
    for (size_t i = 0; i < workload->admission.pod_set_count; i++)
        if (workload->admission.pod_sets[i].delayed_topology)
            return true;
    return false;
}

static void start(struct simulate_world *world, struct simulate_workload *workload)
{
    status_admit(workload, world->now);
    if (world->settings->wait_for_pods_ready && !world->steps)
        status_set(workload, "PodsReady", CONDITION_TRUE, "Started",
                   "All pods reached readiness and the workload is running", world->now);
    due_set(world, workload, end_of_run(workload, world->now));
}

/* What the cycle reserved the controller admits, when checks that the chosen flavors do not require
 * have left the list and the others are Ready. */
static void apply_reservation(struct simulate_world *world, struct simulate_workload *workload,
                              const struct decision *decision, struct arena *arena,
                              struct simulate_events *events)
{
    bool admitted = decision->outcome == OUTCOME_ADMITTED;

    if (!decision->second_pass)
        event_add(events, workload->key, false, "QuotaReserved");
    status_reserve(workload, decision, world->now);
    status_checks_sync(&workload->facts, decision->required_checks, decision->required_check_count,
                       world->now, &world->arena);
    due_set(world, workload, TIME_NONE);
    if (admitted)
        event_add(events, workload->key, false, "Admitted");
    if (admitted ||
        (status_checks_ready(&workload->facts) && !topology_is_pending(&workload->facts)))
        start(world, workload);
    put(world, workload);
    slice_replace(world, workload, decision, arena);
}

static void apply_victim(struct simulate_world *world, const char *preemptor,
                         const struct victim *victim, struct arena *arena,
                         struct simulate_events *events)
{
    struct simulate_workload *workload = find(world, victim->namespace, victim->name, arena);

    if (!workload || victim->already_evicted)
        return;
    status_preempt(workload, victim->reason, victim->message, world->now);
    event_add(events, workload->key, false, "EvictedDueToPreempted");
    event_add(events, workload->key, false, "Preempted");
    event_add(events, preemptor, false, "PreemptedWorkload");
    evicting_add(world, workload);
    put(world, workload);
}

static void apply_wait(struct simulate_world *world, struct simulate_workload *workload,
                       const struct decision *decision, struct simulate_events *events)
{
    if (!decision->write_status)
        return;
    status_wait(workload, decision, world->now);
    if (!decision->waits_for_pods_ready)
        event_add(events, workload->key, true, decision->reason);
    put(world, workload);
}

static bool apply_one(struct simulate_world *world, const struct decision *decision,
                      struct arena *arena, struct simulate_events *events)
{
    struct simulate_workload *workload = find(world, decision->namespace, decision->name, arena);
    bool changed = false;

    if (!workload)
        return false;
    if (decision->outcome == OUTCOME_ADMITTED || decision->outcome == OUTCOME_RESERVED) {
        apply_reservation(world, workload, decision, arena, events);
        return true;
    }
    for (size_t i = 0; i < decision->victim_count; i++) {
        apply_victim(world, workload->key, &decision->victims[i], arena, events);
        changed |= !decision->victims[i].already_evicted;
    }
    apply_wait(world, workload, decision, events);
    return changed;
}

bool simulate_world_apply(struct simulate_world *world, const struct cycle_result *result,
                          struct arena *arena, struct simulate_events *events)
{
    bool changed = false;

    for (size_t i = 0; i < result->count; i++)
        changed |= apply_one(world, &result->decisions[i], arena, events);
    return changed;
}

/* Checks of the flavors that are given back are forgotten; those of the whole queue stay. */
static void checks_without_flavors(struct simulate_world *world, struct simulate_workload *workload)
{
    struct workload *facts = &workload->facts;
    struct admission nothing = { 0 };
    const char **required;
    size_t count;

    if (facts->check_count == 0)
        return;
    nothing.cluster_queue = simulate_cluster_queue(world, facts, &world->arena);
    required = engine_required_checks(world->engine, &nothing, &world->arena, &count);
    status_checks_sync(facts, required, count, world->now, &world->arena);
}

bool simulate_world_release(struct simulate_world *world)
{
    size_t count = world->evicting_count;
    bool released = false;

    world->evicting_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct simulate_workload *workload = world->evicting[i];

        workload->evicting = false;
        if (workload->finished)
            continue;
        status_release(workload, world->settings->unadmitted_observability, world->now);
        checks_without_flavors(world, workload);
        due_set(world, workload, simulate_requeue_due(world, workload));
        put(world, workload);
        tell(world, workload, "Stopped");
        released = true;
    }
    return released;
}

/* ---- time ---- */

int64_t simulate_world_next(const struct simulate_world *world)
{
    const struct simulate_workload *first = heap_peek(&world->due);
    int64_t engine = engine_next_requeue(world->engine);

    if (!first)
        return engine;
    return engine != TIME_NONE && engine < first->due ? engine : first->due;
}

uint64_t simulate_world_outlook(const struct simulate_world *world)
{
    int64_t engine = engine_next_requeue(world->engine);
    uint64_t now = (uint64_t)world->now;

    return hash_number(engine == TIME_NONE ? 0 : (uint64_t)engine - now + 1) + world->due_moments -
           world->due_numbers * now;
}

static void requeue(struct simulate_world *world, struct simulate_workload *workload)
{
    due_set(world, workload, TIME_NONE);
    simulate_requeue(world, workload);
    put(world, workload);
    tell(world, workload, "Requeued");
}

bool simulate_world_advance(struct simulate_world *world, int64_t now)
{
    int64_t engine = engine_next_due(world->engine);
    bool happened = engine != TIME_NONE && engine <= now;
    struct simulate_workload *workload;

    if (now > world->now)
        world->now = now;
    while ((workload = heap_peek(&world->due)) && workload->due <= world->now) {
        happened = true;
        if (simulate_is_reserving(workload))
            finish(world, workload, "Succeeded", "Job finished successfully");
        else
            requeue(world, workload);
    }
    engine_advance(world->engine, world->now);
    return happened;
}
