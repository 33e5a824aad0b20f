/* Flavor choice: the worked examples F1 - F13 of spec/scheduling.md 9.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_world.h"

static const char *flavor_of(struct world *w, const char *name)
{
    const struct decision *d = world_decision(w, name);

    return d->admission.cluster_queue ? d->admission.pod_sets[0].uses[0].flavor : "none";
}

static void policies_world(struct world *w, const char *rules, int holder)
{
    world_flavor(w, "od", NULL, NULL);
    world_flavor(w, "spot", NULL, NULL);
    world_queue(w, "A", "co", "od/cpu=4 spot/cpu=0",
                arena_format(&w->facts, "within=LowerPriority %s", rules));
    world_queue(w, "pool", "co", "od/cpu=0 spot/cpu=6", "");
    world_holds(w, "A", "h", holder, "cpu@od=4", 1);
    world_waits(w, "A", "p", 10, "cpu=2", 100);
}

static void f1_by_default_borrowing_is_tried(void **state)
{
    policies_world(*state, "", 0);
    assert_string_equal(world_cycle(*state), "p Admitted");
    assert_string_equal(flavor_of(*state, "p"), "spot");
    assert_int_equal(world_decision(*state, "p")->borrowing_level, 1);
    assert_string_equal(world_decision(*state, "p")->flavors_considered,
                        "main: od(preemptionMode=Preempt;insufficient unused quota for cpu in "
                        "flavor od, 2 more needed), spot(Fit;borrow=1)");
}

static void f1_stopping_at_preemption(void **state)
{
    policies_world(*state, "canpreempt=MayStop", 0);
    assert_string_equal(world_cycle(*state), "p Preempting h:InClusterQueue");
}

static void f1_trying_everything(void **state)
{
    policies_world(*state, "canborrow=TryNext", 0);
    assert_string_equal(world_cycle(*state), "p Admitted");
}

static void f1_rather_borrowing(void **state)
{
    policies_world(*state, "canborrow=TryNext prefer=borrow", 0);
    assert_string_equal(world_cycle(*state), "p Admitted");
}

static void f1_rather_preempting(void **state)
{
    policies_world(*state, "canborrow=TryNext prefer=preempt", 0);
    assert_string_equal(world_cycle(*state), "p Preempting h:InClusterQueue");
}

static void f2_without_candidates_nothing_is_preferred(void **state)
{
    policies_world(*state, "canborrow=TryNext prefer=preempt", 10);
    assert_string_equal(world_cycle(*state), "p Admitted");
    assert_string_equal(flavor_of(*state, "p"), "spot");
}

static void f6_only_the_first_failing_group_is_told(void **state)
{
    struct world *w = *state;

    world_flavor(w, "c1", NULL, NULL);
    world_flavor(w, "m1", NULL, NULL);
    world_queue(w, "A", "", "c1/cpu=4 | m1/memory=4Gi", "");
    world_waits(w, "A", "p", 0, "cpu=10 memory=10Gi", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(
        world_decision(w, "p")->message,
        "couldn't assign flavors to pod set main: insufficient quota for memory in flavor m1, "
        "previously considered podsets requests (0) + current podset request (10Gi) > maximum "
        "capacity (4Gi)");
}

static void f7_one_group_tells_both_in_order(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "f/cpu=4 f/memory=4Gi", "");
    world_waits(w, "A", "p", 0, "cpu=10 memory=10Gi", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(
        world_decision(w, "p")->message,
        "couldn't assign flavors to pod set main: insufficient quota for cpu in flavor f, "
        "previously considered podsets requests (0) + current podset request (10) > maximum "
        "capacity (4), insufficient quota for memory in flavor f, previously considered podsets "
        "requests (0) + current podset request (10Gi) > maximum capacity (4Gi)");
    assert_string_equal(world_decision(w, "p")->reason, "ExceedsMaxQuota");
}

static void two_pod_sets(struct world *w, struct workload *p, struct pod_set *sets)
{
    sets[0] = sets[1] = p->pod_sets[0];
    sets[0].name = "one";
    sets[1].name = "two";
    p->pod_sets = sets;
    p->pod_set_count = 2;
    engine_workload_put(w->engine, p, w->now);
}

static void f8_pod_sets_add_up(void **state)
{
    struct world *w = *state;
    struct pod_set sets[2];

    world_queue(w, "A", "", "5,-,-", "");
    two_pod_sets(w, world_workload(w, "A", "p", 0, "cpu=3"), sets);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(
        world_decision(w, "p")->message,
        "couldn't assign flavors to pod set two: insufficient quota for cpu in flavor f, "
        "previously considered podsets requests (3) + current podset request (3) > maximum "
        "capacity (5)");
}

static void partial_world(struct world *w, const char *used)
{
    struct workload *p;

    world_queue(w, "A", "", "10,-,-", "");
    world_holds(w, "A", "h", 0, used, 1);
    p = world_workload(w, "A", "p", 0, "cpu=1");
    p->pod_sets->count = 10;
    p->pod_sets->min_count = 4;
    engine_workload_put(w->engine, p, w->now);
}

static void f9_as_many_pods_as_fit(void **state)
{
    partial_world(*state, "cpu=4");
    assert_string_equal(world_cycle(*state), "p Admitted");
    assert_int_equal(world_decision(*state, "p")->admission.pod_sets[0].count, 6);
}

static void f9_down_to_the_least_count(void **state)
{
    partial_world(*state, "cpu=6");
    assert_string_equal(world_cycle(*state), "p Admitted");
    assert_int_equal(world_decision(*state, "p")->admission.pod_sets[0].count, 4);
}

static void f9_but_not_below(void **state)
{
    partial_world(*state, "cpu=7");
    assert_string_equal(world_cycle(*state), "p Pending");
}

static void f10_the_level_of_the_worst_resource(void **state)
{
    struct world *w = *state;

    world_flavor(w, "g", NULL, NULL);
    world_queue(w, "A", "co", "f/cpu=0 f/gpu=2 g/cpu=8 g/gpu=8",
                "within=LowerPriority canborrow=TryNext canpreempt=MayStop");
    world_queue(w, "pool", "co", "f/cpu=8 f/gpu=0 g/cpu=0 g/gpu=0", "");
    world_holds(w, "A", "h", 0, "gpu@f=2", 1);
    world_waits(w, "A", "p", 5, "cpu=2 gpu=2", 100);
    assert_string_equal(world_cycle(w), "p Preempting h:InClusterQueue");
    assert_int_equal(world_decision(w, "p")->borrowing_level, 1);
}

static void f11_undeclared_resources_block(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=1 example.com/gpu=2", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_decision(w, "p")->reason, "NoMatchingFlavor");
    assert_string_equal(world_decision(w, "p")->message,
                        "couldn't assign flavors to pod set main: resource example.com/gpu "
                        "unavailable in ClusterQueue");
}

static void f11_or_are_ignored(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "ignore");
    world_waits(w, "A", "p", 0, "cpu=1 example.com/gpu=2", 100);
    assert_string_equal(world_cycle(w), "p Admitted");
    assert_int_equal(world_decision(w, "p")->admission.pod_sets[0].use_count, 1);
}

static void f11_nothing_asked_for_is_nothing_missing(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=1 example.com/gpu=0", 100);
    assert_string_equal(world_cycle(w), "p Admitted");
    assert_int_equal(world_decision(w, "p")->admission.pod_sets[0].use_count, 1);
}

static void f12_pods_count_as_a_resource(void **state)
{
    struct world *w = *state;
    struct workload *p;

    world_queue(w, "A", "", "f/cpu=10 f/pods=2", "");
    p = world_workload(w, "A", "p", 0, "cpu=1");
    p->pod_sets->count = 3;
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(
        world_decision(w, "p")->message,
        "couldn't assign flavors to pod set main: insufficient quota for pods in flavor f, "
        "previously considered podsets requests (0) + current podset request (3) > maximum "
        "capacity (2)");
}

static void f13_borrowing_without_a_policy_waits(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "co", "4,-,-", "");
    world_queue(w, "B", "co", "4,-,-", "");
    world_holds(w, "B", "b", 0, "cpu=4", 1);
    world_waits(w, "A", "p", 0, "cpu=6", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_decision(w, "p")->reason, "WaitingForQuota");
    assert_string_equal(world_decision(w, "p")->message,
                        "couldn't assign flavors to pod set main: insufficient unused quota for "
                        "cpu in flavor f, 2 more needed");
}

static void r9_an_absurd_request_is_told_in_full(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "10,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=9223372036854775807", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_non_null(strstr(world_decision(w, "p")->message,
                           "(0) + current podset request (9223372036854775807m) > maximum "
                           "capacity (10)"));
}

/* A deviation that keeps gangs whole: tests/cases/DEVIATIONS.md. */
static void a_pod_set_without_covered_resources_does_not_end_the_assignment(void **state)
{
    struct world *w = *state;
    struct workload *p;
    struct pod_set sets[2];
    struct container gpu = { .name = "c" };
    struct resource_quantity one = { "example.com/gpu", quantity_of(1, QUANTITY_DECIMAL) };

    world_queue(w, "A", "", "4,-,-", "ignore");
    p = world_workload(w, "A", "p", 0, "cpu=5");
    sets[0] = sets[1] = p->pod_sets[0];
    gpu.requests = (struct resource_list){ &one, 1 };
    sets[0].name = "gpu";
    sets[0].pod.containers = &gpu;
    p->pod_sets = sets;
    p->pod_set_count = 2;
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(world_cycle(w), "p Pending");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(f1_by_default_borrowing_is_tried),
        TEST(f1_stopping_at_preemption),
        TEST(f1_trying_everything),
        TEST(f1_rather_borrowing),
        TEST(f1_rather_preempting),
        TEST(f2_without_candidates_nothing_is_preferred),
        TEST(f6_only_the_first_failing_group_is_told),
        TEST(f7_one_group_tells_both_in_order),
        TEST(f8_pod_sets_add_up),
        TEST(f9_as_many_pods_as_fit),
        TEST(f9_down_to_the_least_count),
        TEST(f9_but_not_below),
        TEST(f10_the_level_of_the_worst_resource),
        TEST(f11_undeclared_resources_block),
        TEST(f11_or_are_ignored),
        TEST(f11_nothing_asked_for_is_nothing_missing),
        TEST(f12_pods_count_as_a_resource),
        TEST(f13_borrowing_without_a_policy_waits),
        TEST(r9_an_absurd_request_is_told_in_full),
        TEST(a_pod_set_without_covered_resources_does_not_end_the_assignment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
