/* Random worlds under random events, watched by a slow oracle.
 *
 * The oracle knows only what the test itself declared and what the engine answered. It recomputes
 * capacity and usage by the recursive formulas of spec/scheduling.md 2.2 and 2.3 for every question,
 * and checks: no admission above what is available, usage equals the sum of the reserving
 * workloads, nobody is lost, victims are never admitted in the cycle that chose them, and the same
 * seed gives the same decisions. SEED and STEPS in the environment replace the defaults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_world.h"

enum { COHORTS = 6, QUEUES = 8, WORKLOADS = 60, FLAVORS = 2, ABSENT = -1 };

struct limits {
    int nominal, borrowing, lending; /* ABSENT */
};
struct model_node {
    int parent; /* cohort index or ABSENT */
    struct limits limits[FLAVORS];
    bool exists, declared, stopped;
};
struct model_workload {
    bool exists, holds, evicted, told;
    bool other;                         /* waits in the queue's second LocalQueue */
    int queue, cores, priority, flavor; /* flavor: of the reservation */
    int64_t created, reserved;
};
struct model {
    struct world world;
    uint64_t random;
    struct model_node cohorts[COHORTS], queues[QUEUES];
    struct model_workload workloads[WORKLOADS];
    bool usage_based;    /* admission fair sharing everywhere */
    bool flavor_missing; /* f1, which every queue refers to */
    uint64_t digest;
};

static uint32_t draw(struct model *m, uint32_t below)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (uint32_t)(m->random >> 33) % below;
}

/* ---- the oracle ---- */

static int min(int a, int b)
{
    return a < b ? a : b;
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

static int queue_usage(const struct model *m, int queue, int flavor)
{
    int sum = 0;

    for (int i = 0; i < WORKLOADS; i++)
        if (m->workloads[i].exists && m->workloads[i].holds && m->workloads[i].queue == queue &&
            m->workloads[i].flavor == flavor)
            sum += m->workloads[i].cores;
    return sum;
}

static int subtree_of(const struct model *m, bool is_queue, int index, int flavor);

static int local_of(const struct model *m, bool is_queue, int index, int flavor)
{
    const struct model_node *node = is_queue ? &m->queues[index] : &m->cohorts[index];
    int lending = node->limits[flavor].lending;

    return lending == ABSENT ? 0 : max(0, subtree_of(m, is_queue, index, flavor) - lending);
}

static int subtree_of(const struct model *m, bool is_queue, int index, int flavor)
{
    int sum = is_queue ? m->queues[index].limits[flavor].nominal
                       : m->cohorts[index].limits[flavor].nominal;

    if (is_queue)
        return sum;
    for (int c = 0; c < COHORTS; c++)
        if (m->cohorts[c].exists && m->cohorts[c].parent == index)
            sum += subtree_of(m, false, c, flavor) - local_of(m, false, c, flavor);
    for (int q = 0; q < QUEUES; q++)
        if (m->queues[q].exists && m->queues[q].parent == index)
            sum += subtree_of(m, true, q, flavor) - local_of(m, true, q, flavor);
    return sum;
}

static int usage_of(const struct model *m, bool is_queue, int index, int flavor)
{
    int sum = 0;

    if (is_queue)
        return queue_usage(m, index, flavor);
    for (int c = 0; c < COHORTS; c++)
        if (m->cohorts[c].exists && m->cohorts[c].parent == index)
            sum += max(0, usage_of(m, false, c, flavor) - local_of(m, false, c, flavor));
    for (int q = 0; q < QUEUES; q++)
        if (m->queues[q].exists && m->queues[q].parent == index)
            sum += max(0, usage_of(m, true, q, flavor) - local_of(m, true, q, flavor));
    return sum;
}

static int available_of(const struct model *m, bool is_queue, int index, int flavor)
{
    const struct model_node *node = is_queue ? &m->queues[index] : &m->cohorts[index];
    int subtree = subtree_of(m, is_queue, index, flavor);
    int usage = usage_of(m, is_queue, index, flavor), local, above;

    if (node->parent == ABSENT)
        return subtree - usage;
    local = local_of(m, is_queue, index, flavor);
    above = available_of(m, false, node->parent, flavor);
    if (node->limits[flavor].borrowing != ABSENT)
        above =
            min(above, subtree - local - max(0, usage - local) + node->limits[flavor].borrowing);
    return max(0, local - usage) + above;
}

/* ---- telling the engine ---- */

static const char *text(struct model *m, const char *format, int number)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return arena_format(&m->world.facts, format, number);
#pragma GCC diagnostic pop
}

static const char *limit_text(struct model *m, int limit)
{
    return limit == ABSENT ? "-" : text(m, "%d", limit);
}

static const char *quota_text(struct model *m, const struct model_node *node)
{
    return arena_format(&m->world.facts, "f0/cpu=%d,%s,%s f1/cpu=%d,%s,%s", node->limits[0].nominal,
                        limit_text(m, node->limits[0].borrowing),
                        limit_text(m, node->limits[0].lending), node->limits[1].nominal,
                        limit_text(m, node->limits[1].borrowing),
                        limit_text(m, node->limits[1].lending));
}

static void limits_draw(struct model *m, struct model_node *node, bool is_root)
{
    for (int f = 0; f < FLAVORS; f++) {
        node->limits[f].nominal = (int)draw(m, 9);
        node->limits[f].borrowing = is_root || draw(m, 2) ? ABSENT : (int)draw(m, 6);
        node->limits[f].lending = is_root || draw(m, 2) ? ABSENT : (int)draw(m, 6);
    }
}

static void cohort_change(struct model *m)
{
    int index = (int)draw(m, COHORTS);
    struct model_node *node = &m->cohorts[index];

    /* Parents have smaller numbers, so there is no cycle here. */
    node->parent = index == 0 || draw(m, 3) == 0 ? ABSENT : (int)draw(m, (uint32_t)index);
    if (node->parent != ABSENT && !m->cohorts[node->parent].declared)
        node->parent = ABSENT;
    node->exists = node->declared = true;
    limits_draw(m, node, node->parent == ABSENT);
    world_cohort(&m->world, text(m, "c%d", index),
                 node->parent == ABSENT ? "" : text(m, "c%d", node->parent), quota_text(m, node));
}

/* What is below stays together as a tree of its own. */
static void cohort_delete(struct model *m)
{
    int index = (int)draw(m, COHORTS);
    struct model_node *node = &m->cohorts[index];

    if (!node->declared)
        return;
    node->declared = false;
    node->parent = ABSENT;
    for (int f = 0; f < FLAVORS; f++)
        node->limits[f] = (struct limits){ 0, ABSENT, ABSENT };
    engine_cohort_remove(m->world.engine, text(m, "c%d", index), m->world.now);
}

/* Two cohorts below each other for a moment: everything freezes, nothing may break. */
static void cohort_cycle(struct model *m)
{
    struct world *w = &m->world;
    struct model_node *node = &m->cohorts[0];

    if (!node->declared || !m->cohorts[1].declared || m->cohorts[1].parent != 0)
        return;
    world_cohort(w, "c0", "c1", quota_text(m, node));
    world_cycle(w);
    for (size_t i = 0; i < w->cycle.count; i++) {
        const struct decision *d = &w->cycle.decisions[i];
        int parent = m->queues[d->cluster_queue[1] - '0'].parent;

        if (parent == 0 || parent == 1)
            assert_int_equal(d->outcome, OUTCOME_PENDING);
        if (d->outcome == OUTCOME_ADMITTED)
            engine_admission_failed(w->engine, "ns", d->name, false, w->now);
        for (size_t v = 0; v < d->victim_count; v++)
            engine_eviction_failed(w->engine, "ns", d->victims[v].name, w->now);
    }
    world_cohort(w, "c0", "", quota_text(m, node));
}

static void flavor_toggle(struct model *m)
{
    m->flavor_missing = !m->flavor_missing;
    if (m->flavor_missing)
        engine_flavor_remove(m->world.engine, "f1", m->world.now);
    else
        world_flavor(&m->world, "f1", NULL, NULL);
}

static const char *rules_draw(struct model *m)
{
    static const char *const within[] = { "", "within=LowerPriority",
                                          "within=LowerOrNewerEqualPriority" };
    static const char *const reclaim[] = { "", "reclaim=LowerPriority", "reclaim=Any" };
    static const char *const borrow[] = { "", "", "borrow=LowerPriority",
                                          "borrow=LowerPriority:0" };
    static const char *const more[] = { "",
                                        "strict",
                                        "canpreempt=MayStop",
                                        "canborrow=TryNext",
                                        "canborrow=TryNext prefer=preempt",
                                        "weight=2",
                                        "weight=0" };
    uint32_t r = draw(m, 3);

    return arena_format(&m->world.facts, "%s %s %s %s", within[draw(m, 3)], reclaim[r],
                        r > 0 ? borrow[draw(m, 4)] : "", more[draw(m, 7)]);
}

static void queue_change(struct model *m)
{
    int index = (int)draw(m, QUEUES);
    struct model_node *node = &m->queues[index];

    node->parent = draw(m, 4) == 0 ? ABSENT : (int)draw(m, COHORTS);
    if (node->parent != ABSENT && !m->cohorts[node->parent].declared)
        node->parent = ABSENT;
    node->exists = true;
    node->stopped = draw(m, 12) == 0;
    limits_draw(m, node, node->parent == ABSENT);
    world_queue(&m->world, text(m, "q%d", index),
                node->parent == ABSENT ? "" : text(m, "c%d", node->parent), quota_text(m, node),
                arena_format(&m->world.facts, "%s %s %s", rules_draw(m),
                             m->usage_based ? "afs" : "", node->stopped ? "stopped" : ""));
}

/* A second LocalQueue with a weight of its own, so that usage has something to order. */
static void local_queue_change(struct model *m)
{
    int index = (int)draw(m, QUEUES);
    struct local_queue local = { .namespace = "ns",
                                 .name = text(m, "x%d", index),
                                 .cluster_queue = text(m, "q%d", index),
                                 .has_weight = true };

    local.weight = quantity_of((int64_t)draw(m, 4), QUANTITY_DECIMAL);
    local.stop_policy = draw(m, 6) == 0 ? STOP_HOLD : STOP_NONE;
    if (draw(m, 8) == 0)
        engine_local_queue_remove(m->world.engine, "ns", local.name, m->world.now);
    else
        engine_local_queue_put(m->world.engine, &local, m->world.now);
}

static void queue_delete(struct model *m)
{
    int index = (int)draw(m, QUEUES);

    m->queues[index].exists = false;
    engine_cluster_queue_remove(m->world.engine, text(m, "q%d", index), m->world.now);
}

static void workload_tell(struct model *m, int index)
{
    const struct model_workload *own = &m->workloads[index];
    struct world *w = &m->world;
    const char *queue = text(m, "q%d", own->queue);
    struct workload *workload = world_workload(
        w, own->other ? text(m, "x%d", own->queue) : queue, text(m, "w%02d", index), own->priority,
        arena_format(&w->facts, "cpu@f%d=%d", own->flavor, own->cores));

    workload->created = own->created;
    if (own->holds) {
        workload->admission.cluster_queue = queue;
        world_condition(w, workload, "QuotaReserved", true, "QuotaReserved", own->reserved);
        world_condition(w, workload, "Admitted", true, "Admitted", own->reserved);
        if (own->evicted)
            world_condition(w, workload, "Evicted", true, "Preempted", w->now);
    }
    engine_workload_put(w->engine, workload, w->now);
}

static void workload_create(struct model *m)
{
    int index = (int)draw(m, WORKLOADS);
    struct model_workload *own = &m->workloads[index];

    if (own->exists)
        return;
    *own = (struct model_workload){ .exists = true,
                                    .queue = (int)draw(m, QUEUES),
                                    .other = draw(m, 2) == 0,
                                    .cores = 1 + (int)draw(m, 6),
                                    .priority = (int)draw(m, 5) - 2,
                                    .created = m->world.now };
    workload_tell(m, index);
}

static void workload_delete(struct model *m)
{
    int index = (int)draw(m, WORKLOADS);

    if (!m->workloads[index].exists)
        return;
    m->workloads[index].exists = false;
    engine_workload_remove(m->world.engine, "ns", text(m, "w%02d", index), m->world.now);
}

/* Somebody on the way out has stopped: quota is free, the workload waits again. */
static void eviction_complete(struct model *m)
{
    for (int i = 0; i < WORKLOADS; i++)
        if (m->workloads[i].exists && m->workloads[i].evicted && draw(m, 2)) {
            m->workloads[i].holds = m->workloads[i].evicted = false;
            workload_tell(m, i);
        }
}

/* ---- watching the engine ---- */

static int index_of(const char *name)
{
    return (int)strtol(name + 1, NULL, 10);
}

static void note(struct model *m, const char *what)
{
    for (; *what; what++)
        m->digest = (m->digest ^ (uint64_t)(unsigned char)*what) * UINT64_C(0x100000001b3);
}

static void admission_check(struct model *m, const struct decision *decision)
{
    struct model_workload *own = &m->workloads[index_of(decision->name)];
    int flavor = decision->admission.pod_sets[0].uses[0].flavor[1] - '0';
    int available;

    assert_true(own->exists && !own->holds);
    assert_true(m->queues[own->queue].exists && !m->queues[own->queue].stopped);
    assert_false(m->flavor_missing);
    available = available_of(m, true, own->queue, flavor);
    if (available < own->cores)
        fail_msg("%s: %d cores of f%d admitted to q%d where %d are available", decision->name,
                 own->cores, flavor, own->queue, available);
    own->holds = true;
    own->told = false;
    own->flavor = flavor;
    own->reserved = m->world.now;
}

static void cycle_run(struct model *m)
{
    struct world *w = &m->world;
    bool victims[WORKLOADS] = { false };

    note(m, world_cycle(w));
    for (size_t i = 0; i < w->cycle.count; i++) {
        const struct decision *d = &w->cycle.decisions[i];

        note(m, d->message);
        for (size_t v = 0; v < d->victim_count; v++) {
            int index = index_of(d->victims[v].name);

            assert_true(m->workloads[index].holds);
            assert_false(victims[index]);
            victims[index] = true;
        }
        if (d->outcome == OUTCOME_ADMITTED)
            admission_check(m, d);
        if (d->outcome == OUTCOME_ADMITTED)
            assert_false(victims[index_of(d->name)]);
    }
    for (int i = 0; i < WORKLOADS; i++)
        if (victims[i] && !m->workloads[i].evicted) {
            m->workloads[i].evicted = true;
            workload_tell(m, i);
        }
}

/* The answers to writes of admissions arrive, sooner or later. */
static void writes_answer(struct model *m)
{
    for (int i = 0; i < WORKLOADS; i++)
        if (m->workloads[i].exists && m->workloads[i].holds && !m->workloads[i].told &&
            draw(m, 2)) {
            m->workloads[i].told = true;
            workload_tell(m, i);
        }
}

static void usage_compare(struct model *m)
{
    struct queue_status status;

    for (int q = 0; q < QUEUES; q++) {
        if (!m->queues[q].exists)
            continue;
        assert_true(engine_cluster_queue_status(m->world.engine, text(m, "q%d", q),
                                                &m->world.answer, &status));
        for (size_t i = 0; i < status.usage_count; i++)
            assert_int_equal(status.usage[i].total,
                             1000 * queue_usage(m, q, status.usage[i].flavor[1] - '0'));
    }
}

static void cohorts_compare(struct model *m)
{
    struct queue_status status;

    for (int c = 0; c < COHORTS; c++) {
        if (!m->cohorts[c].declared)
            continue;
        assert_true(
            engine_cohort_status(m->world.engine, text(m, "c%d", c), &m->world.answer, &status));
        for (size_t i = 0; i < status.usage_count; i++) {
            int flavor = status.usage[i].flavor[1] - '0';

            assert_int_equal(status.usage[i].total, 1000 * usage_of(m, false, c, flavor));
            assert_int_equal(status.usage[i].nominal, 1000 * subtree_of(m, false, c, flavor));
        }
    }
}

static void rarely(struct model *m)
{
    switch (draw(m, 5)) {
    case 0:
        cohort_delete(m);
        break;
    case 1:
        queue_delete(m);
        break;
    case 2:
        cohort_cycle(m);
        break;
    default:
        if (m->flavor_missing || draw(m, 3) == 0)
            flavor_toggle(m);
    }
}

static void step(struct model *m)
{
    uint32_t what = draw(m, 100);

    if (what < 40)
        workload_create(m);
    else if (what < 50)
        workload_delete(m);
    else if (what < 54)
        cohort_change(m);
    else if (what < 58)
        queue_change(m);
    else if (what == 58)
        rarely(m);
    else if (what == 59)
        local_queue_change(m);
    else if (what < 66)
        eviction_complete(m);
    else if (what < 70)
        writes_answer(m);
    else if (what < 78)
        world_pass(&m->world, 1 + draw(m, 2));
    else
        cycle_run(m);
}

enum kind { CLASSICAL, FAIR, USAGE_BASED };

static uint64_t run(uint64_t seed, int steps, enum kind kind)
{
    struct model *m = calloc(1, sizeof(*m));
    struct err e;
    uint64_t digest;

    assert_non_null(m);
    m->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world_options(&m->world);
    m->world.options.fair_sharing = kind == FAIR;
    m->usage_based = m->world.options.admission_fair_sharing = kind == USAGE_BASED;
    m->world.options.usage_half_life = 60 * NANOSECONDS_PER_SECOND;
    m->world.options.usage_sampling_interval = 5 * NANOSECONDS_PER_SECOND;
    world_begin(&m->world);
    world_flavor(&m->world, "f0", NULL, NULL);
    world_flavor(&m->world, "f1", NULL, NULL);
    for (int i = 0; i < 2 * COHORTS; i++)
        cohort_change(m);
    for (int i = 0; i < 2 * QUEUES; i++)
        queue_change(m);
    for (int i = 0; i < QUEUES; i++)
        local_queue_change(m);
    for (int i = 0; i < steps; i++) {
        step(m);
        if (engine_verify(m->world.engine, &e) < 0)
            fail_msg("seed %llu step %d: %s", (unsigned long long)seed, i, e.text);
        if (i % 16 == 0) {
            usage_compare(m);
            cohorts_compare(m);
        }
        if (i % 64 == 0)
            arena_reset(&m->world.facts);
    }
    digest = m->digest;
    world_end(&m->world);
    free(m);
    return digest;
}

static int number_from(const char *name, int otherwise)
{
    const char *value = getenv(name);

    return value ? (int)strtol(value, NULL, 10) : otherwise;
}

static void many_seeds(enum kind kind)
{
    int first = number_from("SEED", 1), count = number_from("SEEDS", 60);
    int steps = number_from("STEPS", 400);

    for (int seed = first; seed < first + count; seed++)
        run((uint64_t)seed, steps, kind);
}

static void classical_worlds_keep_their_promises(void **state)
{
    (void)state;
    many_seeds(CLASSICAL);
}

static void fair_worlds_keep_their_promises(void **state)
{
    (void)state;
    many_seeds(FAIR);
}

static void usage_based_worlds_keep_their_promises(void **state)
{
    (void)state;
    many_seeds(USAGE_BASED);
}

static void the_same_seed_gives_the_same_decisions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        assert_true(run(seed, 300, CLASSICAL) == run(seed, 300, CLASSICAL));
        assert_true(run(seed, 300, FAIR) == run(seed, 300, FAIR));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classical_worlds_keep_their_promises),
        cmocka_unit_test(fair_worlds_keep_their_promises),
        cmocka_unit_test(usage_based_worlds_keep_their_promises),
        cmocka_unit_test(the_same_seed_gives_the_same_decisions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
