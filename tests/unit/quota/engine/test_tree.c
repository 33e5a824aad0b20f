/* The quota tree: the worked examples Q1 - Q7 of spec/scheduling.md 9.2, in whole cores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "quota/engine/engine_private.h"
#include "support_world.h"

static uint32_t cpu(struct world *w)
{
    return catalog_fr(w->engine, catalog_flavor(w->engine, "f"),
                      catalog_resource(w->engine, "cpu"));
}

static struct node *queue_node(struct world *w, const char *name)
{
    trees_settle(w->engine);
    return &cluster_queue_find(w->engine, name)->node;
}

static struct node *cohort_node(struct world *w, const char *name)
{
    trees_settle(w->engine);
    return &cohort_find(w->engine, name)->node;
}

static int64_t available(struct world *w, const char *queue)
{
    return node_available(queue_node(w, queue), cpu(w)) / 1000;
}

static int64_t potential(struct world *w, const char *queue)
{
    return node_potential(queue_node(w, queue), cpu(w)) / 1000;
}

static int64_t subtree(struct world *w, const char *cohort)
{
    return node_cell(cohort_node(w, cohort), cpu(w))->subtree / 1000;
}

static int64_t used(struct world *w, const char *cohort)
{
    return node_cell(cohort_node(w, cohort), cpu(w))->usage / 1000;
}

static void level_is(struct world *w, const char *queue, int64_t cores, int32_t level, bool below)
{
    bool smaller;

    assert_int_equal(node_level(queue_node(w, queue), cpu(w), cores * 1000, &smaller), level);
    assert_int_equal(smaller, below);
}

static void q1_a_lending_limit_keeps_a_guaranteed_part(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "root", "10,-,4", "");
    world_queue(w, "B", "root", "6,-,-", "");
    assert_int_equal(node_cell(queue_node(w, "A"), cpu(w))->local, 6000);
    assert_int_equal(subtree(w, "root"), 10);
    assert_int_equal(available(w, "A"), 16);
    assert_int_equal(available(w, "B"), 10);
    assert_int_equal(potential(w, "A"), 16);
    assert_int_equal(potential(w, "B"), 10);
    world_holds(w, "A", "a", 0, "cpu=7", 1);
    assert_int_equal(used(w, "root"), 1);
    assert_int_equal(available(w, "A"), 9);
    assert_int_equal(available(w, "B"), 9);
    world_holds(w, "B", "b", 0, "cpu=8", 2);
    assert_int_equal(used(w, "root"), 9);
    assert_int_equal(available(w, "A"), 1);
    assert_int_equal(available(w, "B"), 1);
}

static void q2_a_borrowing_limit_counts_from_nominal(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "root", "10,3,4", "");
    world_queue(w, "B", "root", "20,-,-", "");
    assert_int_equal(potential(w, "A"), 13);
    assert_int_equal(available(w, "A"), 13);
    world_holds(w, "A", "a", 0, "cpu=8", 1);
    assert_int_equal(available(w, "A"), 5);
    world_holds(w, "A", "a2", 0, "cpu=5", 2);
    assert_int_equal(available(w, "A"), 0);
    assert_int_equal(used(w, "root"), 7);
    assert_int_equal(available(w, "B"), 17);
}

static void q3_three_levels(void **state)
{
    struct world *w = *state;

    world_cohort(w, "root", "", "5,-,-");
    world_cohort(w, "left", "root", "2,4,3");
    world_cohort(w, "right", "root", "0,-,-");
    world_queue(w, "A", "left", "4,-,-", "");
    world_queue(w, "B", "left", "4,0,-", "");
    world_queue(w, "C", "right", "6,-,2", "");
    assert_int_equal(subtree(w, "left"), 10);
    assert_int_equal(subtree(w, "right"), 2);
    assert_int_equal(subtree(w, "root"), 10);
    assert_int_equal(available(w, "A"), 14);
    assert_int_equal(available(w, "B"), 4);
    assert_int_equal(available(w, "C"), 14);
    level_is(w, "A", 4, 0, true);
    level_is(w, "A", 5, 1, true);
    level_is(w, "A", 10, 1, true);
    level_is(w, "A", 11, 2, false);
    level_is(w, "A", 14, 2, false);
    world_holds(w, "A", "a", 0, "cpu=12", 1);
    assert_int_equal(used(w, "left"), 12);
    assert_int_equal(used(w, "root"), 5);
    assert_int_equal(available(w, "A"), 2);
    assert_int_equal(available(w, "B"), 2);
    assert_int_equal(available(w, "C"), 9);
    level_is(w, "B", 4, 0, true);
}

static void q4_usage_above_the_quota(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "root", "4,-,-", "");
    world_queue(w, "B", "root", "4,-,-", "");
    world_holds(w, "A", "a", 0, "cpu=9", 1);
    assert_int_equal(available(w, "A"), -1);
    assert_int_equal(available(w, "B"), -1);
    assert_int_equal(node_available_clamped(queue_node(w, "B"), cpu(w)), 0);
}

static void q5_a_stopped_queue_keeps_lending(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "root", "2,-,-", "reclaim=Any");
    world_queue(w, "S", "root", "6,-,-", "stopped");
    world_holds(w, "S", "s", 0, "cpu=1", 1);
    assert_int_equal(potential(w, "A"), 8);
    assert_int_equal(available(w, "A"), 7);
    world_waits(w, "A", "p", 9, "cpu=8", 100);
    assert_string_equal(world_cycle(w), "p Pending");
}

static void q6_heights_ignore_inactive_queues(void **state)
{
    struct world *w = *state;

    world_cohort(w, "root", "", "");
    world_cohort(w, "mid", "root", "");
    world_queue(w, "A", "root", "1,-,-", "");
    world_queue(w, "M", "mid", "1,-,-", "stopped");
    assert_int_equal(cohort_node(w, "mid")->height, 0);
    assert_int_equal(cohort_node(w, "root")->height, 1);
    world_queue(w, "M", "mid", "1,-,-", "");
    assert_int_equal(cohort_node(w, "mid")->height, 1);
    assert_int_equal(cohort_node(w, "root")->height, 2);
}

static void q7_a_cycle_freezes_and_thaws(void **state)
{
    struct world *w = *state;

    world_cohort(w, "x", "y", "");
    world_cohort(w, "y", "x", "");
    world_queue(w, "A", "x", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_decision(w, "p")->message, "ClusterQueue A is inactive");
    assert_string_equal(world_decision(w, "p")->reason, "Suspended");
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    world_pass(w, 5);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    world_cohort(w, "y", "", "");
    world_pass(w, 2);
    assert_string_equal(world_cycle(w), "p Admitted");
    assert_int_equal(used(w, "y"), 1);
}

/* Each cohort is put below one that exists in name only: looking over all of them each time would
 * take hours here. */
static void a_long_chain_of_cohorts_is_put_together_quickly(void **state)
{
    enum { LENGTH = 2000 };
    struct world *w = *state;
    char name[16], parent[16];

    for (int i = 0; i < LENGTH; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        snprintf(parent, sizeof(parent), "c%d", i + 1);
        world_cohort(w, name, parent, "");
    }
    assert_false(cohort_node(w, "c0")->is_cyclic);
    snprintf(parent, sizeof(parent), "c%d", LENGTH);
    world_cohort(w, parent, "c0", "");
    assert_true(cohort_node(w, "c0")->is_cyclic);
    world_cohort(w, parent, "", "");
    assert_false(cohort_node(w, "c0")->is_cyclic);
}

static void a_missing_cohort_comes_and_goes_with_its_queues(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "ghost", "4,-,-", "");
    assert_non_null(cohort_find(w->engine, "ghost"));
    world_queue(w, "A", "", "4,-,-", "");
    assert_null(cohort_find(w->engine, "ghost"));
}

static void deleting_a_cohort_makes_its_subtree_a_tree_of_its_own(void **state)
{
    struct world *w = *state;

    world_cohort(w, "root", "", "10,-,-");
    world_cohort(w, "left", "root", "3,-,-");
    world_queue(w, "A", "left", "1,-,-", "");
    assert_int_equal(available(w, "A"), 14);
    engine_cohort_remove(w->engine, "left", w->now);
    assert_int_equal(available(w, "A"), 1);
    assert_null(cohort_node(w, "left")->parent);
}

static void a_cohort_that_is_its_own_parent_can_be_deleted(void **state)
{
    struct world *w = *state;

    world_cohort(w, "self", "self", "3,-,-");
    world_queue(w, "A", "self", "1,-,-", "");
    engine_cohort_remove(w->engine, "self", w->now);
    assert_int_equal(available(w, "A"), 1);
    world_queue(w, "A", "", "1,-,-", "");
    assert_null(cohort_find(w->engine, "self"));
    world_cohort(w, "self", "self", "3,-,-");
    engine_cohort_remove(w->engine, "self", w->now);
    assert_null(cohort_find(w->engine, "self"));
}

static void usage_survives_the_removal_of_its_flavor(void **state)
{
    struct world *w = *state;
    struct queue_status status;

    world_flavor(w, "g", NULL, NULL);
    world_queue(w, "A", "root", "4,-,-", "");
    world_holds(w, "A", "a", 0, "cpu=3", 1);
    world_queue(w, "A", "root", "g/cpu=5", "");
    assert_true(engine_cluster_queue_status(w->engine, "A", &w->answer, &status));
    assert_int_equal(status.usage_count, 2);
    assert_string_equal(status.usage[0].flavor, "g");
    assert_string_equal(status.usage[1].flavor, "f");
    assert_int_equal(status.usage[1].total, 3000);
    assert_int_equal(status.usage[1].borrowed, 3000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(q1_a_lending_limit_keeps_a_guaranteed_part),
        TEST(q2_a_borrowing_limit_counts_from_nominal),
        TEST(q3_three_levels),
        TEST(q4_usage_above_the_quota),
        TEST(q5_a_stopped_queue_keeps_lending),
        TEST(q6_heights_ignore_inactive_queues),
        TEST(q7_a_cycle_freezes_and_thaws),
        TEST(a_long_chain_of_cohorts_is_put_together_quickly),
        TEST(a_missing_cohort_comes_and_goes_with_its_queues),
        TEST(deleting_a_cohort_makes_its_subtree_a_tree_of_its_own),
        TEST(a_cohort_that_is_its_own_parent_can_be_deleted),
        TEST(usage_survives_the_removal_of_its_flavor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
