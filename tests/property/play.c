/* The operations, one function per kind, and the making of a world. */
#include "tests/property/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/property/cycle.h"
#include "tests/property/tell.h"
#include "tests/property/watch.h"

static uint32_t draw(struct play *play, uint32_t below)
{
    return draw_below(&play->draw, below);
}

static bool one_in(struct play *play, uint32_t n)
{
    return draw(play, n) == 0;
}

void play_trace(struct play *play, const char *fmt, ...)
{
    va_list args;

    if (!play->trace)
        return;
    va_start(args, fmt);
    fputs("    ", play->trace);
    vfprintf(play->trace, fmt, args);
    fputc('\n', play->trace);
    va_end(args);
}

void play_broken(struct play *play, const char *fmt, ...)
{
    char what[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    play_trace(play, "broken: %s", what);
    fflush(play->trace);
    play->broken(play->context, what);
    abort();
}

/* ---- workloads ---- */

static int workload_draw(struct play *play)
{
    int index = (int)draw(play, WORKLOADS);

    return play->model.workloads[index].exists ? index : ABSENT;
}

static void pod_set_draw(struct play *play, struct model_pod_set *set)
{
    *set = (struct model_pod_set){ .count = 1 + (one_in(play, 3) ? (int)draw(play, 3) : 0),
                                   .least = ABSENT,
                                   .amounts = { 1 + (int)draw(play, 5) } };
    set->amounts[1] = one_in(play, 3) ? (int)draw(play, 3) : 0;
    if (set->count > 1 && one_in(play, 3))
        set->least = 1;
}

static void create(struct play *play)
{
    int index = (int)draw(play, WORKLOADS);
    struct model_workload *own = &play->model.workloads[index];

    if (own->exists)
        return;
    *own = (struct model_workload){ .exists = true,
                                    .namespace = (int)draw(play, NAMESPACES),
                                    .queue = (int)draw(play, QUEUES),
                                    .priority = (int)draw(play, 5) - 2,
                                    .created = play->model.now,
                                    .generation = 1,
                                    .pod_set_count = one_in(play, 4) ? POD_SETS : 1,
                                    .requeue = TIME_NONE };
    for (int s = 0; s < own->pod_set_count; s++)
        pod_set_draw(play, &own->pod_sets[s]);
    play_trace(play, "w%02d in n%d/l%d, priority %d, %d pod set(s), %d cpu and %d gpu in all",
               index, own->namespace, own->queue, own->priority, own->pod_set_count,
               model_request(own, 0), model_request(own, 1));
    tell_workload(play, index, false);
}

static void delete (struct play *play)
{
    int index = workload_draw(play);

    if (index == ABSENT)
        return;
    play_trace(play, "w%02d is gone", index);
    play->model.workloads[index].exists = false;
    engine_workload_remove(play->engine,
                           tell_name(play, 'n', play->model.workloads[index].namespace),
                           arena_format(&play->facts, "w%02d", index), play->model.now);
}

static void activity_change(struct model_workload *own)
{
    own->inactive = !own->inactive;
    own->holds = own->evicting = own->admitted = false;
}

static void change(struct play *play)
{
    int index = workload_draw(play);
    struct model_workload *own = &play->model.workloads[index == ABSENT ? 0 : index];

    if (index == ABSENT || (own->holds && !own->told))
        return;
    own->generation++;
    if (one_in(play, 3))
        activity_change(own);
    else if (!own->holds && one_in(play, 3))
        own->queue = (int)draw(play, QUEUES);
    else
        own->priority = (int)draw(play, 5) - 2;
    own->may_be_sticky = true; /* what its queue remembers of it is not modelled */
    play_trace(play, "w%02d: %s, queue l%d, priority %d", index,
               own->inactive ? "inactive" : "active", own->queue, own->priority);
    tell_workload(play, index, false);
}

static void reclaim(struct play *play)
{
    int index = workload_draw(play);
    struct model_workload *own = &play->model.workloads[index == ABSENT ? 0 : index];
    struct model_pod_set *set = &own->pod_sets[draw(play, (uint32_t)own->pod_set_count)];

    if (index == ABSENT || (own->holds && !own->told) || set->reclaimed + 1 >= set->count)
        return;
    set->reclaimed++;
    play_trace(play, "w%02d: %d pod(s) are done", index, set->reclaimed);
    tell_workload(play, index, false);
}

static void evict(struct play *play)
{
    int index = workload_draw(play);
    struct model_workload *own = &play->model.workloads[index == ABSENT ? 0 : index];

    if (index == ABSENT || !own->holds || !own->told || own->evicting)
        return;
    own->eviction = one_in(play, 2) ? EVICTION_PODS_READY : EVICTION_CHECK;
    own->evicting = true;
    own->evicted = play->model.now;
    own->requeue = play->model.now + (1 + draw(play, 10)) * NANOSECONDS_PER_SECOND;
    play_trace(play, "w%02d is evicted and backs off", index);
    tell_workload(play, index, false);
}

static void evictions_end(struct play *play)
{
    for (int w = 0; w < WORKLOADS; w++) {
        struct model_workload *own = &play->model.workloads[w];

        if (own->exists && own->holds && own->evicting && one_in(play, 2))
            cycle_eviction_end(play, w);
    }
}

static void writes_answer(struct play *play)
{
    for (int w = 0; w < WORKLOADS; w++) {
        const struct model_workload *own = &play->model.workloads[w];

        if (own->exists && own->holds && (!own->told || !own->admitted) && one_in(play, 2))
            cycle_write_answer(play, w);
    }
}

/* The watch delivers the object as it was before the reservation. */
static void old_news(struct play *play)
{
    for (int w = 0; w < WORKLOADS; w++) {
        const struct model_workload *own = &play->model.workloads[w];

        if (!own->exists || !own->holds || own->told || one_in(play, 2))
            continue;
        play_trace(play, "w%02d is shown as it was", w);
        tell_workload(play, w, true);
    }
}

/* ---- structure ---- */

static void limits_draw(struct play *play, struct model_node *node)
{
    bool is_root = node->parent == ABSENT;

    for (int cell = 0; cell < CELLS; cell++)
        node->limits[cell] = (struct limits){
            (int)draw(play, cell % RESOURCES ? 4 : 9),
            is_root || one_in(play, 2) ? ABSENT : (int)draw(play, 6),
            is_root || one_in(play, 2) ? ABSENT : (int)draw(play, 6),
        };
}

static void node_trace(struct play *play, char letter, int index, const struct model_node *node)
{
    play_trace(play, "%c%d below c%d: nominal, borrowing, lending of cpu %d,%d,%d and %d,%d,%d",
               letter, index, node->parent, node->limits[0].nominal, node->limits[0].borrowing,
               node->limits[0].lending, node->limits[RESOURCES].nominal,
               node->limits[RESOURCES].borrowing, node->limits[RESOURCES].lending);
}

static void cohort_put(struct play *play)
{
    int index = (int)draw(play, COHORTS);
    struct model_node *node = &play->model.cohorts[index];

    /* Mostly trees; now and then a cycle. */
    node->parent = ABSENT;
    if (one_in(play, 40))
        node->parent = (int)draw(play, COHORTS);
    else if (index > 0 && !one_in(play, 3))
        node->parent = (int)draw(play, (uint32_t)index);
    node->exists = true;
    limits_draw(play, node);
    node_trace(play, 'c', index, node);
    tell_cohort(play, index);
}

static void cohort_remove(struct play *play)
{
    int index = (int)draw(play, COHORTS);

    play->model.cohorts[index] = (struct model_node){ .parent = ABSENT };
    for (int cell = 0; cell < CELLS; cell++)
        play->model.cohorts[index].limits[cell] = (struct limits){ 0, ABSENT, ABSENT };
    play_trace(play, "c%d is not declared any more", index);
    tell_cohort(play, index);
}

static void rules_draw(struct play *play, struct model_queue *queue)
{
    queue->strict = one_in(play, 6);
    queue->checked = one_in(play, 8);
    queue->selective = one_in(play, 6);
    queue->stopped = one_in(play, 12);
    queue->usage_based = play->model.usage_based;
    queue->within = draw(play, 3);
    queue->reclaim = draw(play, 3);
    queue->borrow_lower = queue->reclaim != RECLAIM_NEVER && one_in(play, 3);
    queue->borrow_threshold = queue->borrow_lower && one_in(play, 2) ? 0 : ABSENT;
    queue->prefer_next_when_preempting = !one_in(play, 3);
    queue->prefer_next_when_borrowing = one_in(play, 3);
    queue->weight = one_in(play, 3) ? (int)draw(play, 3) : ABSENT;
}

static void queue_put(struct play *play)
{
    int index = (int)draw(play, QUEUES);
    struct model_queue *queue = &play->model.queues[index];

    queue->node.exists = true;
    queue->node.parent = one_in(play, 4) ? ABSENT : (int)draw(play, COHORTS);
    limits_draw(play, &queue->node);
    rules_draw(play, queue);
    node_trace(play, 'q', index, &queue->node);
    play_trace(play,
               "  %s%s%s%swithin %d, reclaim %d, borrow %d:%d, next when preempting %d, when "
               "borrowing %d, weight %d",
               queue->strict ? "strict, " : "", queue->stopped ? "stopped, " : "",
               queue->checked ? "checked, " : "", queue->selective ? "selective, " : "",
               queue->within, queue->reclaim, queue->borrow_lower, queue->borrow_threshold,
               queue->prefer_next_when_preempting, queue->prefer_next_when_borrowing,
               queue->weight);
    tell_queue(play, index);
}

static void queue_remove(struct play *play)
{
    int index = (int)draw(play, QUEUES);

    play->model.queues[index].node.exists = false;
    play_trace(play, "q%d is gone", index);
    tell_queue(play, index);
}

static void local_put(struct play *play)
{
    int namespace = (int)draw(play, NAMESPACES), queue = (int)draw(play, QUEUES);

    play->model.locals[namespace][queue] =
        (struct model_local){ true, one_in(play, 5), (int)draw(play, 4) };
    play_trace(play, "n%d/l%d%s", namespace, queue,
               play->model.locals[namespace][queue].stopped ? " stopped" : "");
    tell_local(play, namespace, queue);
}

static void local_remove(struct play *play)
{
    int namespace = (int)draw(play, NAMESPACES), queue = (int)draw(play, QUEUES);

    play->model.locals[namespace][queue].exists = false;
    play_trace(play, "n%d/l%d is gone", namespace, queue);
    tell_local(play, namespace, queue);
}

/* ---- surroundings ---- */

/* Mostly back to what lets things happen. */
static void flavor(struct play *play)
{
    int index = (int)draw(play, FLAVORS);

    play->model.flavors[index] = !play->model.flavors[index] || !one_in(play, 3);
    play_trace(play, "f%d %s", index, play->model.flavors[index] ? "exists" : "is gone");
    tell_flavor(play, index);
}

static void check(struct play *play)
{
    play->model.check_exists = !play->model.check_exists || !one_in(play, 2);
    play_trace(play, "the check %s", play->model.check_exists ? "exists" : "is gone");
    tell_check(play);
}

static void namespace(struct play *play)
{
    int index = (int)draw(play, NAMESPACES);

    play->model.namespaces[index].exists = !one_in(play, 4);
    play->model.namespaces[index].chosen = !one_in(play, 3);
    play_trace(play, "n%d%s%s", index, play->model.namespaces[index].exists ? "" : " is gone",
               play->model.namespaces[index].chosen ? ", chosen" : "");
    tell_namespace(play, index);
}

static void limit_range(struct play *play)
{
    int index = (int)draw(play, NAMESPACES);

    play->model.namespaces[index].most_cores = one_in(play, 2) ? 1 + (int)draw(play, 4) : ABSENT;
    play_trace(play, "n%d: at most %d cores", index, play->model.namespaces[index].most_cores);
    tell_limit_range(play, index);
}

static void pass(struct play *play)
{
    cycle_pass(play, 1 + draw(play, 3));
}

/* ---- the world ---- */

static void options_draw(struct play *play, struct engine_options *options)
{
    uint32_t kind = draw(play, 3);

    engine_options_default(options);
    play->model.fair = options->fair_sharing = kind == 1;
    play->model.usage_based = options->admission_fair_sharing = kind == 2;
    options->usage_half_life = 60 * NANOSECONDS_PER_SECOND;
    options->usage_sampling_interval = 5 * NANOSECONDS_PER_SECOND;
    options->fair_strategy_count = draw(play, 3);
    options->fair_strategies[0] = FAIR_FINAL_SHARE;
    options->fair_strategies[1] = FAIR_INITIAL_SHARE;
    options->gates.preserve_scan_progress = !one_in(play, 4);
    options->gates.equivalence_hashing = !one_in(play, 4);
    options->gates.prioritize_preemptor_workloads = one_in(play, 4);
    play->model.comes_to_rest = kind == 0 && options->gates.prioritize_preemptor_workloads;
    options->gates.partial_admission = !one_in(play, 4);
    play_trace(play, "%s", kind == 1 ? "fair sharing" : kind == 2 ? "usage-based" : "classical");
}

static void surroundings_begin(struct play *play)
{
    play->model.check_exists = true;
    tell_check(play);
    for (int f = 0; f < FLAVORS; f++) {
        play->model.flavors[f] = true;
        tell_flavor(play, f);
    }
    for (int n = 0; n < NAMESPACES; n++) {
        play->model.namespaces[n] = (struct model_namespace){ true, true, ABSENT };
        tell_namespace(play, n);
        for (int q = 0; q < QUEUES; q++) {
            play->model.locals[n][q] = (struct model_local){ true, false, 1 };
            tell_local(play, n, q);
        }
    }
}

void play_begin(struct play *play, uint32_t salt, play_broken_fn *broken, void *context)
{
    struct engine_options options;

    *play = (struct play){ .trace = play->trace, .broken = broken, .context = context };
    draw_begin(&play->draw, salt);
    options_draw(play, &options);
    play->engine = engine_create(&options);
    play->model.now = INT64_C(1700000000) * NANOSECONDS_PER_SECOND;
    for (int c = 0; c < COHORTS; c++)
        play->model.cohorts[c].parent = ABSENT;
    surroundings_begin(play);
    for (int i = 0; i < COHORTS; i++)
        cohort_put(play);
    for (int i = 0; i < 2 * QUEUES; i++)
        queue_put(play);
}

void play_end(struct play *play)
{
    engine_destroy(play->engine);
    arena_finish(&play->facts);
    arena_finish(&play->answer);
}

typedef void operation_fn(struct play *play);

static operation_fn *const operations[OPERATION_KINDS] = {
    [OPERATION_CREATE] = create,
    [OPERATION_DELETE] = delete,
    [OPERATION_CHANGE] = change,
    [OPERATION_RECLAIM] = reclaim,
    [OPERATION_EVICT] = evict,
    [OPERATION_COHORT_PUT] = cohort_put,
    [OPERATION_COHORT_REMOVE] = cohort_remove,
    [OPERATION_QUEUE_PUT] = queue_put,
    [OPERATION_QUEUE_REMOVE] = queue_remove,
    [OPERATION_LOCAL_PUT] = local_put,
    [OPERATION_LOCAL_REMOVE] = local_remove,
    [OPERATION_FLAVOR] = flavor,
    [OPERATION_CHECK] = check,
    [OPERATION_NAMESPACE] = namespace,
    [OPERATION_LIMIT_RANGE] = limit_range,
    [OPERATION_EVICTIONS_END] = evictions_end,
    [OPERATION_WRITES_ANSWER] = writes_answer,
    [OPERATION_OLD_NEWS] = old_news,
    [OPERATION_PASS] = pass,
    [OPERATION_CYCLE] = cycle_run,
    [OPERATION_CYCLE_FAILS] = cycle_fail,
    [OPERATION_SETTLE] = cycle_settle,
};

void play_operation(struct play *play, struct operation operation)
{
    draw_begin(&play->draw, operation.salt);
    arena_reset(&play->facts);
    if (play->trace)
        fprintf(play->trace, "%s %u\n", operation_name(operation.kind), operation.salt);
    operations[operation.kind](play);
    watch_state(play);
}
