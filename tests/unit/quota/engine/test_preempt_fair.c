/* Fair sharing: the worked examples D1 - D10 of spec/scheduling.md 9.7, and when shares change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_world.h"

static int begin(void **state)
{
    static struct world world;

    world_options(&world);
    world.options.fair_sharing = true;
    world_begin(&world);
    *state = &world;
    return 0;
}

static int64_t queue_share(struct world *w, const char *name)
{
    struct queue_status status;

    assert_true(engine_cluster_queue_status(w->engine, name, &w->answer, &status));
    assert_true(status.has_weighted_share);
    return status.weighted_share;
}

static int64_t cohort_share(struct world *w, const char *name)
{
    struct queue_status status;

    assert_true(engine_cohort_status(w->engine, name, &w->answer, &status));
    return status.weighted_share;
}

static void d1_the_dominant_resource_decides(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "co", "f/cpu=2 f/gpu=5", "");
    world_queue(w, "B", "co", "f/cpu=8 f/gpu=5", "weight=2");
    world_holds(w, "A", "a", 0, "cpu@f=3 gpu@f=7", 1);
    assert_int_equal(queue_share(w, "A"), 200);
    assert_int_equal(queue_share(w, "B"), 0);
    assert_int_equal(cohort_share(w, "co"), 0);
}

static void d2_weights_and_limits_on_the_way_up(void **state)
{
    struct world *w = *state;

    world_cohort(w, "root", "", "10,-,-");
    world_cohort(w, "left", "root", "2,4,- weight=2");
    world_queue(w, "A", "left", "1,-,-", "weight=0.5");
    world_queue(w, "B", "left", "3,-,-", "");
    world_queue(w, "C", "root", "4,-,-", "");
    world_holds(w, "A", "a", 0, "cpu=5", 1);
    world_holds(w, "B", "b", 0, "cpu=2500m", 2);
    assert_int_equal(queue_share(w, "A"), 800);
    assert_int_equal(cohort_share(w, "left"), 38);
}

static struct changed_names changed_now(struct world *w)
{
    struct changed_names changed;

    engine_take_changed(w->engine, &w->answer, &changed);
    return changed;
}

static void a_quota_edit_changes_the_shares_of_its_tree(void **state)
{
    struct world *w = *state;

    world_cohort(w, "left", "root", "");
    world_queue(w, "A", "left", "10,-,-", "");
    world_queue(w, "B", "root", "10,-,-", "");
    world_queue(w, "C", "elsewhere", "10,-,-", "");
    world_holds(w, "A", "a", 0, "cpu=15", 1);
    assert_int_equal(queue_share(w, "A"), 250);
    changed_now(w);
    world_queue(w, "B", "root", "90,-,-", "generation=2");
    assert_int_equal(changed_now(w).cluster_queue_count, 2);
    assert_int_equal(queue_share(w, "A"), 50);
    world_cohort(w, "root", "", "100,-,-");
    assert_int_equal(changed_now(w).cluster_queue_count, 2);
    assert_int_equal(queue_share(w, "A"), 25);
    engine_cohort_remove(w->engine, "left", w->now);
    assert_int_equal(changed_now(w).cluster_queue_count, 2);
    assert_int_equal(queue_share(w, "A"), 500);
}

static void many(struct world *w, const char *queue, int count, int first, const char *requests)
{
    for (int i = 1; i <= count; i++)
        world_holds(w, queue, arena_format(&w->facts, "%s%d", queue, i), 0, requests, first + i);
}

static void entitled_world(struct world *w)
{
    world_queue(w, "a", "co", "3,-,-", "reclaim=Any");
    world_queue(w, "b", "co", "3,-,-", "reclaim=Any");
    world_queue(w, "c", "co", "3,-,-", "reclaim=Any");
    world_queue(w, "s", "co", "0,-,-", "reclaim=Any");
    many(w, "a", 3, 10, "cpu=1");
    many(w, "b", 5, 20, "cpu=1");
    many(w, "c", 1, 30, "cpu=1");
}

static void d3_within_nominal_quota_is_an_entitlement(void **state)
{
    entitled_world(*state);
    world_waits(*state, "c", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(*state), "p Preempting b5:InCohortReclamation");
}

static void d4_the_final_share_allows(void **state)
{
    entitled_world(*state);
    world_waits(*state, "a", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(*state), "p Preempting b5:InCohortFairSharing");
}

static void d4_both_strategies_refuse(void **state)
{
    entitled_world(*state);
    world_waits(*state, "a", "p", 0, "cpu=2", 100);
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void huge_world(struct world *w, const char *request)
{
    world_queue(w, "a", "co", "3,-,-", "reclaim=Any");
    world_queue(w, "b", "co", "3,-,-", "reclaim=Any");
    world_queue(w, "c", "co", "3,-,-", "reclaim=Any");
    world_queue(w, "s", "co", "0,-,-", "reclaim=Any");
    world_holds(w, "b", "b1", 0, "cpu=9", 1);
    world_waits(w, "a", "p", 0, request, 100);
}

static void d5_the_initial_share_takes_a_huge_workload(void **state)
{
    huge_world(*state, "cpu=5");
    assert_string_equal(world_cycle(*state), "p Preempting b1:InCohortFairSharing");
}

static void d5_an_equal_share_is_not_enough(void **state)
{
    huge_world(*state, "cpu=9");
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void d5_a_request_within_nominal(void **state)
{
    huge_world(*state, "cpu=3");
    assert_string_equal(world_cycle(*state), "p Preempting b1:InCohortReclamation");
}

static void weights_world(struct world *w)
{
    world_queue(w, "a", "co", "0,-,-", "reclaim=Any weight=3");
    world_queue(w, "b", "co", "0,-,-", "reclaim=Any");
    world_queue(w, "n", "co", "8,-,-", "reclaim=Any");
    many(w, "a", 4, 10, "cpu=1");
    many(w, "b", 4, 20, "cpu=1");
}

static void d6_a_heavier_queue_takes_one(void **state)
{
    weights_world(*state);
    world_waits(*state, "a", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(*state), "p Preempting b4:InCohortFairSharing");
}

static void d6_a_heavier_queue_takes_two(void **state)
{
    weights_world(*state);
    world_waits(*state, "a", "p", 0, "cpu=2", 100);
    assert_string_equal(world_cycle(*state),
                        "p Preempting b4:InCohortFairSharing b3:InCohortFairSharing");
}

static void d6_three_would_be_unfair(void **state)
{
    weights_world(*state);
    world_waits(*state, "a", "p", 0, "cpu=3", 100);
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void d6_a_lighter_queue_takes_none(void **state)
{
    weights_world(*state);
    world_waits(*state, "b", "p", 0, "cpu=1", 100);
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void zero_world(struct world *w)
{
    world_queue(w, "z", "co", "2,-,-", "reclaim=Any weight=0");
    world_queue(w, "b", "co", "2,-,-", "reclaim=Any");
    world_queue(w, "n", "co", "4,-,-", "reclaim=Any");
    many(w, "z", 2, 10, "cpu=2");
    many(w, "b", 2, 20, "cpu=2");
}

static void d7_weight_zero_loses_to_everybody(void **state)
{
    zero_world(*state);
    world_waits(*state, "b", "p", 0, "cpu=2", 100);
    assert_string_equal(world_cycle(*state), "p Preempting z2:InCohortFairSharing");
}

static void d7_weight_zero_takes_from_nobody(void **state)
{
    zero_world(*state);
    world_waits(*state, "z", "p", 0, "cpu=2", 100);
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void d8_shares_are_compared_below_the_common_cohort(void **state)
{
    struct world *w = *state;

    world_cohort(w, "root", "", "");
    world_cohort(w, "left", "root", "");
    world_cohort(w, "right", "root", "");
    world_queue(w, "A", "left", "2,-,-", "reclaim=Any");
    world_queue(w, "A2", "left", "2,-,-", "");
    world_queue(w, "B", "right", "2,-,-", "");
    world_queue(w, "B2", "right", "0,-,-", "");
    world_queue(w, "P", "root", "6,-,-", "");
    world_holds(w, "A2", "x1", 0, "cpu=2", 1);
    many(w, "B", 3, 9, "cpu=2");
    world_holds(w, "B2", "c1", 0, "cpu=2", 20);
    world_holds(w, "B2", "c2", 0, "cpu=2", 21);
    world_waits(w, "A", "p", 0, "cpu=4", 100);
    assert_string_equal(world_cycle(w),
                        "p Preempting c2:InCohortFairSharing B3:InCohortFairSharing");
}

static void tournament_world(struct world *w, const char *b)
{
    world_queue(w, "a", "co", "2,-,-", "");
    world_queue(w, "b", "co", "2,-,-", "");
    world_queue(w, "c", "co", "2,-,-", "");
    world_queue(w, "pool", "co", "6,-,-", "");
    world_holds(w, "a", "a1", 0, "cpu=3", 1);
    world_holds(w, "b", "b1", 0, "cpu=2", 2);
    world_waits(w, "a", "pa", 100, "cpu=1", 100);
    world_waits(w, "b", "pb", 50, b, 101);
    world_waits(w, "c", "pc", 0, "cpu=2", 102);
}

static void d9_the_lowest_share_after_admission_goes_first(void **state)
{
    tournament_world(*state, "cpu=4");
    assert_string_equal(world_cycle(*state), "pc Admitted; pa Admitted; pb Admitted");
}

static void d9_a_smaller_request_moves_forward(void **state)
{
    tournament_world(*state, "cpu=1");
    assert_string_equal(world_cycle(*state), "pc Admitted; pb Admitted; pa Admitted");
}

static void d10_not_borrowing_what_one_asks_for_goes_first(void **state)
{
    struct world *w = *state;

    world_flavor(w, "x", NULL, NULL);
    world_flavor(w, "y", NULL, NULL);
    world_queue(w, "a", "co", "x/cpu=2 | y/gpu=2", "");
    world_queue(w, "b", "co", "x/cpu=2 | y/gpu=2", "");
    world_queue(w, "pool", "co", "x/cpu=8 | y/gpu=8", "");
    world_holds(w, "a", "a1", 0, "gpu@y=9", 1);
    world_waits(w, "a", "pa", 0, "cpu=1", 200);
    world_waits(w, "b", "pb", 0, "cpu=3", 100);
    assert_string_equal(world_cycle(w), "pa Admitted; pb Admitted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(d1_the_dominant_resource_decides),
        TEST(d2_weights_and_limits_on_the_way_up),
        TEST(a_quota_edit_changes_the_shares_of_its_tree),
        TEST(d3_within_nominal_quota_is_an_entitlement),
        TEST(d4_the_final_share_allows),
        TEST(d4_both_strategies_refuse),
        TEST(d5_the_initial_share_takes_a_huge_workload),
        TEST(d5_an_equal_share_is_not_enough),
        TEST(d5_a_request_within_nominal),
        TEST(d6_a_heavier_queue_takes_one),
        TEST(d6_a_heavier_queue_takes_two),
        TEST(d6_three_would_be_unfair),
        TEST(d6_a_lighter_queue_takes_none),
        TEST(d7_weight_zero_loses_to_everybody),
        TEST(d7_weight_zero_takes_from_nobody),
        TEST(d8_shares_are_compared_below_the_common_cohort),
        TEST(d9_the_lowest_share_after_admission_goes_first),
        TEST(d9_a_smaller_request_moves_forward),
        TEST(d10_not_borrowing_what_one_asks_for_goes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
