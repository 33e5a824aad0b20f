/* Classical preemption: the worked examples P1 - P13 of spec/scheduling.md 9.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_world.h"

static void p1_fill_back_returns_what_is_not_needed(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "10,-,-", "within=LowerPriority");
    world_holds(w, "A", "w1", -2, "cpu=3", 10);
    world_holds(w, "A", "w2", -1, "cpu=2", 20);
    world_holds(w, "A", "w3", -1, "cpu=4", 30);
    world_holds(w, "A", "w4", 1, "cpu=1", 40);
    world_waits(w, "A", "p", 0, "cpu=4", 100);
    assert_string_equal(world_cycle(w), "p Preempting w3:InClusterQueue");
}

static void p2_fill_back_changes_the_order(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "10,-,-", "within=LowerPriority");
    world_holds(w, "A", "w1", -3, "cpu=1", 10);
    world_holds(w, "A", "w2", -2, "cpu=2", 20);
    world_holds(w, "A", "w3", -1, "cpu=3", 30);
    world_holds(w, "A", "w4", 5, "cpu=4", 40);
    world_waits(w, "A", "p", 0, "cpu=5", 100);
    assert_string_equal(world_cycle(w), "p Preempting w3:InClusterQueue w2:InClusterQueue");
}

static void p3_fill_back_over_a_longer_list(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "12,-,-", "within=LowerPriority");
    world_holds(w, "A", "w1", -4, "cpu=3", 10);
    world_holds(w, "A", "w2", -3, "cpu=1", 20);
    world_holds(w, "A", "w3", -2, "cpu=2", 30);
    world_holds(w, "A", "w4", -1, "cpu=3", 40);
    world_holds(w, "A", "w5", 5, "cpu=3", 50);
    world_waits(w, "A", "p", 0, "cpu=7", 100);
    assert_string_equal(world_cycle(w),
                        "p Preempting w1:InClusterQueue w2:InClusterQueue w4:InClusterQueue");
}

static void reclaim_world(struct world *w, const char *rules)
{
    world_queue(w, "A", "co", "6,-,-", rules);
    world_queue(w, "B", "co", "6,-,-", "");
    world_queue(w, "C", "co", "0,-,-", "");
    world_holds(w, "A", "a1", 0, "cpu=2", 1);
    world_holds(w, "B", "b1", 5, "cpu=5", 2);
    world_holds(w, "B", "b2", 0, "cpu=3", 3);
    world_holds(w, "C", "c1", 9, "cpu=2", 4);
    world_waits(w, "A", "p", 3, "cpu=4", 100);
}

static void p4_reclaiming_from_lower_priorities(void **state)
{
    reclaim_world(*state, "within=LowerPriority reclaim=LowerPriority");
    assert_string_equal(world_cycle(*state),
                        "p Preempting b2:InCohortReclamation a1:InClusterQueue");
}

static void p4_reclaiming_from_anybody(void **state)
{
    reclaim_world(*state, "within=LowerPriority reclaim=Any");
    assert_string_equal(world_cycle(*state),
                        "p Preempting b2:InCohortReclamation c1:InCohortReclamation");
}

static void p4_never_reclaiming(void **state)
{
    reclaim_world(*state, "within=LowerPriority");
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void borrow_world(struct world *w, const char *rules)
{
    world_queue(w, "A", "co", "4,-,-", rules);
    world_queue(w, "B", "co", "2,-,-", "");
    world_queue(w, "C", "co", "6,-,-", "");
    world_holds(w, "B", "b1", -5, "cpu=4", 1);
    world_holds(w, "B", "b2", -1, "cpu=4", 2);
    world_holds(w, "C", "c1", -9, "cpu=2", 3);
    world_waits(w, "A", "p", 2, "cpu=6", 100);
}

static void p5_preempting_in_order_to_borrow(void **state)
{
    borrow_world(*state, "reclaim=LowerPriority borrow=LowerPriority");
    assert_string_equal(world_cycle(*state), "p Preempting b1:InCohortReclaimWhileBorrowing");
}

static void p5_a_threshold_that_allows(void **state)
{
    borrow_world(*state, "reclaim=LowerPriority borrow=LowerPriority:-3");
    assert_string_equal(world_cycle(*state), "p Preempting b1:InCohortReclaimWhileBorrowing");
}

static void p5_a_threshold_that_forbids(void **state)
{
    borrow_world(*state, "reclaim=LowerPriority borrow=LowerPriority:-6");
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void p5_no_borrowing_policy(void **state)
{
    borrow_world(*state, "reclaim=LowerPriority");
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void p6_without_borrowing_own_victims_are_needed(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "co", "4,-,-", "within=LowerPriority reclaim=LowerPriority");
    world_queue(w, "B", "co", "4,-,-", "");
    world_holds(w, "A", "a1", 0, "cpu=3", 1);
    world_holds(w, "B", "b1", 0, "cpu=2", 2);
    world_holds(w, "B", "b2", 1, "cpu=3", 3);
    world_waits(w, "A", "p", 5, "cpu=4", 100);
    assert_string_equal(world_cycle(w), "p Preempting b1:InCohortReclamation a1:InClusterQueue");
}

static void advantage_world(struct world *w, const char *request)
{
    world_cohort(w, "root", "", "");
    world_cohort(w, "left", "root", "4,-,-");
    world_cohort(w, "right", "root", "");
    world_queue(w, "A", "left", "2,-,-", "reclaim=LowerPriority");
    world_queue(w, "A2", "left", "2,-,-", "");
    world_queue(w, "B", "right", "2,-,-", "");
    world_holds(w, "A2", "a2", -9, "cpu=3", 1);
    world_holds(w, "B", "b1", -1, "cpu=4", 2);
    world_holds(w, "B", "b2", -2, "cpu=3", 3);
    world_waits(w, "A", "p", 0, request, 100);
}

static void p7_a_subtree_that_fits_has_the_prior_claim(void **state)
{
    advantage_world(*state, "cpu=5");
    assert_string_equal(world_cycle(*state),
                        "p Preempting b2:InCohortReclamation b1:InCohortReclamation");
}

static void p7_no_search_beyond_every_subtree(void **state)
{
    struct world *w = *state;

    advantage_world(w, "cpu=6");
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_decision(w, "p")->reason, "WaitingForQuota");
}

static void p8_distance_does_not_matter_among_prior_claims(void **state)
{
    struct world *w = *state;

    world_cohort(w, "root", "", "");
    world_cohort(w, "left", "root", "");
    world_cohort(w, "right", "root", "");
    world_queue(w, "A", "left", "4,-,-", "reclaim=Any");
    world_queue(w, "A2", "left", "2,-,-", "");
    world_queue(w, "B", "right", "6,-,-", "");
    world_holds(w, "A2", "a2", 1, "cpu=4", 1);
    world_holds(w, "B", "b1", 0, "cpu=4", 2);
    world_holds(w, "B", "b2", 7, "cpu=4", 3);
    world_waits(w, "A", "p", 0, "cpu=4", 100);
    assert_string_equal(world_cycle(w), "p Preempting b1:InCohortReclamation");
}

static void p9_those_on_their_way_out_go_first(void **state)
{
    struct world *w = *state;
    struct workload *v1;

    world_queue(w, "A", "", "4,-,-", "within=LowerPriority");
    v1 = world_workload(w, "A", "v1", 3, "cpu=2");
    v1->admission.cluster_queue = "A";
    world_condition(w, v1, "QuotaReserved", true, "QuotaReserved", at(1));
    world_condition(w, v1, "Evicted", true, "Preempted", at(50));
    engine_workload_put(w->engine, v1, w->now);
    world_holds(w, "A", "v2", 0, "cpu=2", 2);
    world_waits(w, "A", "p", 5, "cpu=2", 100);
    assert_string_equal(world_cycle(w), "p Preempting v1:InClusterQueue");
    assert_true(world_decision(w, "p")->victims[0].already_evicted);
    assert_non_null(
        strstr(world_decision(w, "p")->message, ". Pending the preemption of 1 workload(s)"));
}

static void p10_newer_ones_of_equal_priority(void **state)
{
    struct world *w = *state;
    struct workload *held;

    world_queue(w, "A", "", "4,-,-", "within=LowerOrNewerEqualPriority");
    for (int i = 1; i <= 2; i++) {
        held = world_workload(w, "A", i == 1 ? "v1" : "v2", 0, "cpu=2");
        held->created = at(i == 1 ? 50 : 70);
        held->admission.cluster_queue = "A";
        world_condition(w, held, "QuotaReserved", true, "QuotaReserved", at(80));
        engine_workload_put(w->engine, held, w->now);
    }
    world_waits(w, "A", "p", 0, "cpu=2", 60);
    assert_string_equal(world_cycle(w), "p Preempting v2:InClusterQueue");
}

static void p11_the_later_reservation_goes_first(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "within=LowerPriority");
    world_holds(w, "A", "v1", 0, "cpu=2", 100);
    world_holds(w, "A", "v2", 0, "cpu=2", 200);
    world_waits(w, "A", "p", 5, "cpu=2", 300);
    assert_string_equal(world_cycle(w), "p Preempting v2:InClusterQueue");
}

static void p11_then_the_smaller_uid(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "within=LowerPriority");
    world_holds(w, "A", "v1", 0, "cpu=2", 100);
    world_holds(w, "A", "v2", 0, "cpu=2", 100);
    world_waits(w, "A", "p", 5, "cpu=2", 300);
    assert_string_equal(world_cycle(w), "p Preempting v1:InClusterQueue");
}

static void p12_pod_sets_on_different_flavors(void **state)
{
    struct world *w = *state;
    struct label one = { "t", "1" }, two = { "t", "2" };
    struct workload *p;
    struct pod_set sets[2];

    world_flavor(w, "f1", "t", "1");
    world_flavor(w, "f2", "t", "2");
    world_queue(w, "A", "", "f1/cpu=4 f2/cpu=4", "within=LowerPriority");
    world_holds(w, "A", "v1", -1, "cpu@f1=4", 1);
    world_holds(w, "A", "v2", -2, "cpu@f2=4", 2);
    p = world_workload(w, "A", "p", 0, "cpu=2");
    sets[0] = sets[1] = p->pod_sets[0];
    sets[0].name = "one";
    sets[0].pod.node_selector = &one;
    sets[1].name = "two";
    sets[1].pod.node_selector = &two;
    sets[0].pod.node_selector_count = sets[1].pod.node_selector_count = 1;
    p->pod_sets = sets;
    p->pod_set_count = 2;
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(world_cycle(w), "p Preempting v2:InClusterQueue v1:InClusterQueue");
    assert_string_equal(
        world_decision(w, "p")->message,
        "couldn't assign flavors to pod set one: flavor f2 doesn't match node affinity, "
        "insufficient unused quota for cpu in flavor f1, 2 more needed; couldn't assign flavors "
        "to pod set two: flavor f1 doesn't match node affinity, insufficient unused quota for cpu "
        "in flavor f2, 2 more needed. Pending the preemption of 2 workload(s)");
}

static void p13_only_the_contested_flavor_matters(void **state)
{
    struct world *w = *state;

    world_flavor(w, "f1", NULL, NULL);
    world_flavor(w, "f2", NULL, NULL);
    world_queue(w, "A", "", "f1/cpu=4 f2/cpu=4", "within=LowerPriority canpreempt=MayStop");
    world_holds(w, "A", "v1", 0, "cpu@f1=4", 1);
    world_holds(w, "A", "v2", -9, "cpu@f2=4", 2);
    world_waits(w, "A", "p", 5, "cpu=2", 100);
    assert_string_equal(world_cycle(w), "p Preempting v1:InClusterQueue");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(p1_fill_back_returns_what_is_not_needed),
        TEST(p2_fill_back_changes_the_order),
        TEST(p3_fill_back_over_a_longer_list),
        TEST(p4_reclaiming_from_lower_priorities),
        TEST(p4_reclaiming_from_anybody),
        TEST(p4_never_reclaiming),
        TEST(p5_preempting_in_order_to_borrow),
        TEST(p5_a_threshold_that_allows),
        TEST(p5_a_threshold_that_forbids),
        TEST(p5_no_borrowing_policy),
        TEST(p6_without_borrowing_own_victims_are_needed),
        TEST(p7_a_subtree_that_fits_has_the_prior_claim),
        TEST(p7_no_search_beyond_every_subtree),
        TEST(p8_distance_does_not_matter_among_prior_claims),
        TEST(p9_those_on_their_way_out_go_first),
        TEST(p10_newer_ones_of_equal_priority),
        TEST(p11_the_later_reservation_goes_first),
        TEST(p11_then_the_smaller_uid),
        TEST(p12_pod_sets_on_different_flavors),
        TEST(p13_only_the_contested_flavor_matters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
