/* Queues: the worked examples K1 - K8 of spec/scheduling.md 9.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_world.h"

static void put(struct world *w, const struct workload *workload)
{
    engine_workload_put(w->engine, workload, w->now);
}

static void order_world(struct world *w)
{
    struct workload *d;

    world_queue(w, "A", "", "0,-,-", "stopped");
    world_waits(w, "A", "a", 5, "cpu=1", 100);
    world_waits(w, "A", "b", 5, "cpu=1", 90);
    world_waits(w, "A", "c", 9, "cpu=1", 200);
    d = world_workload(w, "A", "d", 5, "cpu=1");
    d->created = at(10);
    world_condition(w, d, "Evicted", true, "PodsReadyTimeout", at(300));
    put(w, d);
}

static void k1_eviction_time_decides(void **state)
{
    order_world(*state);
    assert_string_equal(world_pending(*state, "A"), "heap: c b a d; parked:");
}

static void k1_creation_time_decides(void **state)
{
    struct world *w = *state;

    world_end(w);
    world_options(w);
    w->options.requeue_by_creation = true;
    world_begin(w);
    order_world(w);
    assert_string_equal(world_pending(w, "A"), "heap: c d b a; parked:");
}

static void big_and_small(struct world *w, const char *rules)
{
    world_queue(w, "A", "", "4,-,-", rules);
    world_waits(w, "A", "big", 0, "cpu=8", 10);
    world_waits(w, "A", "small", 0, "cpu=2", 20);
}

static void k2_strict_order_blocks(void **state)
{
    big_and_small(*state, "strict");
    for (int i = 0; i < 3; i++)
        assert_string_equal(world_cycle(*state), "big Pending");
}

static void k2_best_effort_goes_on(void **state)
{
    big_and_small(*state, "");
    assert_string_equal(world_cycle(*state), "big Pending");
    assert_string_equal(world_cycle(*state), "small Admitted");
}

static void k3_equivalent_workloads_are_parked_together(void **state)
{
    struct world *w = *state;
    struct wait_reason why;

    world_queue(w, "A", "", "4,-,-", "");
    world_pass(w, 2);
    world_waits(w, "A", "w1", 0, "cpu=8", 10);
    world_waits(w, "A", "w2", 0, "cpu=8", 20);
    world_waits(w, "A", "w3", 0, "cpu=8", 30);
    assert_string_equal(world_cycle(w), "w1 Pending");
    assert_string_equal(world_decision(w, "w1")->reason, "ExceedsMaxQuota");
    assert_string_equal(world_pending(w, "A"), "heap:; parked: w1 w2 w3");
    world_waits(w, "A", "w4", 0, "cpu=8", 40);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: w1 w2 w3 w4");
    assert_true(engine_wait_reason(w->engine, "ns", "w4", &w->answer, &why));
    assert_string_equal(why.reason, "ExceedsMaxQuota");
    assert_string_equal(
        why.message,
        "Bypassed scheduling evaluation because an equivalent workload recently failed");
    assert_true(engine_wait_reason(w->engine, "ns", "w1", &w->answer, &why));
    assert_non_null(strstr(why.message, "maximum capacity (4)"));
    world_pass(w, 5);
    world_queue(w, "A", "", "10,-,-", "");
    assert_string_equal(world_pending(w, "A"), "heap:; parked: w1 w2 w3 w4");
    assert_int_equal(engine_next_due(w->engine), w->now + NANOSECONDS_PER_SECOND);
    world_pass(w, 1);
    assert_string_equal(world_pending(w, "A"), "heap: w1 w2 w3 w4; parked:");
    assert_int_equal(engine_next_due(w->engine), TIME_NONE);
}

static void another_shape_is_not_parked_along(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "w1", 0, "cpu=8", 10);
    world_waits(w, "A", "w2", 0, "cpu=9", 20);
    world_waits(w, "A", "w3", 1, "cpu=8", 30);
    assert_string_equal(world_cycle(w), "w3 Pending");
    assert_string_equal(world_pending(w, "A"), "heap: w1 w2; parked: w3");
}

static void k5_the_whole_tree_is_tried_again(void **state)
{
    struct world *w = *state;

    world_cohort(w, "x", "root", "");
    world_cohort(w, "y", "root", "");
    world_queue(w, "A", "x", "0,-,-", "");
    world_queue(w, "B", "y", "4,-,-", "");
    world_queue(w, "C", "", "0,-,-", "");
    world_holds(w, "B", "b", 0, "cpu=4", 1);
    world_waits(w, "A", "a", 0, "cpu=2", 10);
    world_waits(w, "B", "b2", 0, "cpu=2", 20);
    world_waits(w, "C", "c", 0, "cpu=2", 30);
    world_pass(w, 2);
    world_cycle(w);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: a");
    assert_string_equal(world_pending(w, "B"), "heap:; parked: b2");
    world_finish(w, "b");
    world_pass(w, 1);
    assert_string_equal(world_pending(w, "A"), "heap: a; parked:");
    assert_string_equal(world_pending(w, "B"), "heap: b2; parked:");
    assert_string_equal(world_pending(w, "C"), "heap:; parked: c");
}

/* What a queue or cohort borrowed from a tree comes free there when it leaves. */
static void the_tree_that_is_left_is_tried_again(void **state)
{
    struct world *w = *state;

    world_cohort(w, "root", "", "4,-,-");
    world_cohort(w, "x", "root", "");
    world_queue(w, "A", "root", "0,-,-", "");
    world_queue(w, "B", "root", "0,-,-", "");
    world_queue(w, "C", "x", "0,-,-", "");
    world_holds(w, "B", "b", 0, "cpu=2", 1);
    world_holds(w, "C", "c", 0, "cpu=2", 2);
    world_waits(w, "A", "a", 0, "cpu=2", 10);
    world_pass(w, 2);
    world_cycle(w);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: a");
    world_queue(w, "B", "", "0,-,-", "");
    world_pass(w, 1);
    assert_string_equal(world_pending(w, "A"), "heap: a; parked:");
    assert_string_equal(world_cycle(w), "a Admitted");
    world_waits(w, "A", "a2", 0, "cpu=2", 20);
    world_cycle(w);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: a2");
    engine_cohort_remove(w->engine, "x", w->now);
    world_pass(w, 1);
    assert_string_equal(world_pending(w, "A"), "heap: a2; parked:");
}

static void k6_backoff_parks_without_blocking(void **state)
{
    struct world *w = *state;
    struct workload *p;

    world_queue(w, "A", "", "4,-,-", "strict");
    world_pass(w, 2);
    p = world_workload(w, "A", "p", 9, "cpu=1");
    world_condition(w, p, "Evicted", true, "PodsReadyTimeout", w->now);
    world_condition(w, p, "Requeued", false, "PodsReadyTimeout", w->now);
    p->requeue_at = w->now + 60 * NANOSECONDS_PER_SECOND;
    put(w, p);
    world_waits(w, "A", "q", 0, "cpu=1", 10);
    assert_string_equal(world_pending(w, "A"), "heap: q; parked: p");
    world_finish(w, "q");
    world_pass(w, 2);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    assert_int_equal(engine_next_due(w->engine), p->requeue_at);
    world_pass(w, 58);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked:");
}

static void preemptor_world(struct world *w, const char *rules)
{
    world_queue(w, "A", "", "4,-,-", arena_format(&w->facts, "within=LowerPriority %s", rules));
    world_holds(w, "A", "v", 0, "cpu=4", 1);
    world_waits(w, "A", "p", 5, "cpu=4", 100);
    assert_string_equal(world_cycle(w), "p Preempting v:InClusterQueue");
    world_waits(w, "A", "q", 50, "cpu=4", 200);
}

static void k7_a_preemptor_stays_head(void **state)
{
    preemptor_world(*state, "");
    assert_string_equal(world_pending(*state, "A"), "heap: p q; parked:");
}

static void k7_but_not_in_strict_order(void **state)
{
    preemptor_world(*state, "strict");
    assert_string_equal(world_pending(*state, "A"), "heap: q p; parked:");
}

static void k8_a_namespace_that_does_not_match_parks(void **state)
{
    struct world *w = *state;
    struct label team = { "team", "a" };
    struct namespace_labels namespace = { .name = "ns", .labels = &team, .label_count = 1 };
    struct cluster_queue queue = { .name = "A", .cohort = "", .strategy = QUEUE_STRICT_FIFO };
    struct local_queue local = { .namespace = "ns", .name = "A", .cluster_queue = "A" };

    queue.namespace_selector =
        (struct label_selector){ .present = true, .labels = &team, .label_count = 1 };
    engine_cluster_queue_put(w->engine, &queue, w->now);
    engine_local_queue_put(w->engine, &local, w->now);
    world_pass(w, 2);
    world_waits(w, "A", "p", 0, "cpu=0", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_decision(w, "p")->message,
                        "workload namespace doesn't match ClusterQueue selector");
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    engine_namespace_put(w->engine, &namespace, w->now);
    world_pass(w, 1);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked:");
}

static void a_namespace_may_come_after_its_workloads(void **state)
{
    struct world *w = *state;
    struct namespace_labels late = { .name = "ns" };

    engine_namespace_remove(w->engine, "ns", w->now);
    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    world_pass(w, 2);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    engine_namespace_put(w->engine, &late, w->now);
    world_pass(w, 1);
    assert_string_equal(world_cycle(w), "p Admitted");
}

static void what_is_parked_with_an_equal_one_is_told_when_its_words_are_vague(void **state)
{
    struct world *w = *state;
    struct changed_names changed;
    struct wait_reason why;
    struct workload *evicted;

    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "first", 0, "cpu=8", 10);
    world_waits(w, "A", "fresh", 0, "cpu=8", 20);
    evicted = world_workload(w, "A", "evicted", 0, "cpu=8");
    evicted->created = at(30);
    world_condition(w, evicted, "QuotaReserved", false, "PendingEvaluation", at(30));
    put(w, evicted);
    engine_take_changed(w->engine, &w->answer, &changed);
    assert_string_equal(world_cycle(w), "first Pending");
    engine_take_changed(w->engine, &w->answer, &changed);
    assert_int_equal(changed.workload_count, 1);
    assert_string_equal(changed.workloads[0], "ns/evicted");
    assert_true(engine_wait_reason(w->engine, "ns", "evicted", &w->answer, &why));
    assert_string_equal(why.reason, "ExceedsMaxQuota");
    engine_take_changed(w->engine, &w->answer, &changed);
    assert_int_equal(changed.workload_count, 0);
}

static void a_stopped_local_queue_offers_nothing(void **state)
{
    struct world *w = *state;
    struct local_queue local = { .namespace = "ns", .name = "A", .cluster_queue = "A" };
    struct wait_reason why;

    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    local.stop_policy = STOP_HOLD;
    engine_local_queue_put(w->engine, &local, w->now);
    assert_string_equal(world_pending(w, "A"), "heap:; parked:");
    assert_true(engine_wait_reason(w->engine, "ns", "p", &w->answer, &why));
    assert_string_equal(why.message, "LocalQueue A is inactive");
    local.stop_policy = STOP_NONE;
    engine_local_queue_put(w->engine, &local, w->now);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked:");
}

static void a_queue_may_come_after_its_workloads(void **state)
{
    struct world *w = *state;
    struct wait_reason why;

    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_true(engine_wait_reason(w->engine, "ns", "p", &w->answer, &why));
    assert_string_equal(why.message, "LocalQueue A doesn't exist");
    world_holds(w, "A", "h", 0, "cpu=3", 1);
    world_queue(w, "A", "", "4,-,-", "");
    assert_string_equal(world_cycle(w), "p Admitted");
    engine_cluster_queue_remove(w->engine, "A", w->now);
    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "q", 0, "cpu=1", 200);
    assert_string_equal(world_cycle(w), "q Pending");
}

static void what_a_write_said_holds_before_the_watch_shows_it(void **state)
{
    struct world *w = *state;
    struct workload *waiting;
    struct wait_reason why;

    world_queue(w, "A", "", "4,-,-", "");
    waiting = world_workload(w, "A", "p", 0, "cpu=1");
    world_condition(w, waiting, "QuotaReserved", false, "AdmissionGated", at(100));
    put(w, waiting);
    engine_workload_told(w->engine, "ns", "p", "PendingEvaluation", "the gate is open");
    assert_true(engine_wait_reason(w->engine, "ns", "p", &w->answer, &why));
    assert_string_equal(why.reason, "PendingEvaluation");
    assert_string_equal(why.message, "the gate is open");
}

static void below_a_cycle_a_queue_counts_as_inactive(void **state)
{
    struct world *w = *state;
    struct queue_status status;
    struct wait_reason why;

    world_cohort(w, "a", "b", "");
    world_cohort(w, "b", "a", "");
    world_queue(w, "A", "a", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    assert_true(engine_cluster_queue_status(w->engine, "A", &w->answer, &status));
    assert_true(status.activity.active);
    assert_true(engine_wait_reason(w->engine, "ns", "p", &w->answer, &why));
    assert_string_equal(why.message, "ClusterQueue A is inactive");
}

static void what_waits_without_a_cluster_queue_counts_for_its_local_queue(void **state)
{
    struct world *w = *state;
    struct changed_names changed;
    struct queue_status status;
    struct workload *gated;

    world_queue(w, "A", "", "4,-,-", "");
    engine_cluster_queue_remove(w->engine, "A", w->now);
    engine_take_changed(w->engine, &w->answer, &changed);
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    engine_take_changed(w->engine, &w->answer, &changed);
    assert_int_equal(changed.local_queue_count, 1);
    gated = world_workload(w, "A", "gated", 0, "cpu=1");
    gated->active = false;
    put(w, gated);
    assert_true(engine_local_queue_status(w->engine, "ns", "A", &w->answer, &status));
    assert_int_equal(status.pending, 1);
}

static void usage_of_a_removed_flavor_comes_last(void **state)
{
    struct world *w = *state;
    struct queue_status status;

    world_flavor(w, "new", NULL, NULL);
    world_queue(w, "A", "", "4,-,-", "");
    world_holds(w, "A", "h", 0, "cpu@f=3", 1);
    world_queue(w, "A", "", "new/cpu=4", "generation=2");
    assert_true(engine_cluster_queue_status(w->engine, "A", &w->answer, &status));
    assert_int_equal(status.usage_count, 2);
    assert_int_equal(status.removed_count, 1);
    assert_string_equal(status.usage[0].flavor, "new");
    assert_true(engine_local_queue_status(w->engine, "ns", "A", &w->answer, &status));
    assert_int_equal(status.removed_count, 1);
    assert_int_equal(status.usage[1].total, 3000);
}

static void an_inactive_queue_says_why(void **state)
{
    struct world *w = *state;
    struct queue_status status;

    world_queue(w, "A", "", "ghost/cpu=4", "stopped");
    assert_true(engine_cluster_queue_status(w->engine, "A", &w->answer, &status));
    assert_false(status.activity.active);
    assert_string_equal(status.activity.reason, "Stopped");
    assert_string_equal(status.activity.message, "Can't admit new workloads: is stopped, "
                                                 "references missing ResourceFlavor(s): ghost.");
    world_queue(w, "A", "", "ghost/cpu=4", "");
    world_flavor(w, "ghost", NULL, NULL);
    assert_true(engine_cluster_queue_status(w->engine, "A", &w->answer, &status));
    assert_true(status.activity.active);
    assert_string_equal(status.activity.message, "Can admit new workloads");
}

/* Somebody already in line keeps the place when a mark would send newcomers aside (3.6). */
static void an_update_does_not_park_who_is_in_the_heap(void **state)
{
    struct world *w = *state;
    struct workload *p;

    world_queue(w, "A", "", "4,-,-", "");
    world_pass(w, 2);
    world_waits(w, "A", "big", 0, "cpu=8", 10);
    p = world_workload(w, "A", "p", 0, "cpu=2");
    put(w, p);
    assert_string_equal(world_cycle(w), "big Pending");
    p->pod_sets = world_workload(w, "A", "p", 0, "cpu=8")->pod_sets;
    p->generation = 2;
    put(w, p);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked: big");
}

static void a_limit_range_reaches_who_waits(void **state)
{
    struct world *w = *state;
    struct resource_quantity cpu = { "cpu", quantity_of(8, QUANTITY_DECIMAL) };
    struct limit_range_item item = { .type = LIMIT_CONTAINER, .default_requests = { &cpu, 1 } };
    struct limit_range limits = { "ns", "limits", &item, 1 };

    world_queue(w, "A", "", "4,-,-", "");
    world_pass(w, 2);
    world_waits(w, "A", "p", 0, "", 10);
    engine_limit_range_put(w->engine, &limits, w->now);
    assert_string_equal(world_cycle(w), "p Pending");
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    engine_limit_range_remove(w->engine, "ns", "limits", w->now);
    assert_string_equal(world_pending(w, "A"), "heap: p; parked:");
    assert_string_equal(world_cycle(w), "p Admitted");
}

static void a_switched_off_workload_gives_its_quota_to_others(void **state)
{
    struct world *w = *state;
    struct workload *h;

    world_queue(w, "A", "", "4,-,-", "");
    h = world_workload(w, "A", "h", 0, "cpu=4");
    h->admission.cluster_queue = "A";
    world_condition(w, h, "QuotaReserved", true, "QuotaReserved", at(1));
    put(w, h);
    world_waits(w, "A", "p", 0, "cpu=4", 10);
    world_pass(w, 2);
    assert_string_equal(world_cycle(w), "p Pending");
    h->active = false;
    put(w, h);
    world_pass(w, 1);
    assert_string_equal(world_cycle(w), "p Admitted");
    assert_int_equal(engine_workload_place(w->engine, "ns", "h"), PLACE_NOT_QUEUED);
}

static void every_change_is_told_once(void **state)
{
    struct world *w = *state;
    struct changed_names changed;

    world_queue(w, "A", "co", "4,-,-", "");
    engine_take_changed(w->engine, &w->answer, &changed);
    assert_int_equal(changed.cluster_queue_count, 1);
    assert_int_equal(changed.local_queue_count, 1);
    assert_int_equal(changed.cohort_count, 1);
    engine_take_changed(w->engine, &w->answer, &changed);
    assert_int_equal(changed.cluster_queue_count + changed.local_queue_count + changed.cohort_count,
                     0);
    world_waits(w, "A", "p", 0, "cpu=1", 100);
    engine_take_changed(w->engine, &w->answer, &changed);
    assert_int_equal(changed.cluster_queue_count, 1);
    assert_int_equal(changed.local_queue_count, 1);
    assert_int_equal(changed.cohort_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(k1_eviction_time_decides),
        TEST(k1_creation_time_decides),
        TEST(k2_strict_order_blocks),
        TEST(k2_best_effort_goes_on),
        TEST(k3_equivalent_workloads_are_parked_together),
        TEST(another_shape_is_not_parked_along),
        TEST(k5_the_whole_tree_is_tried_again),
        TEST(the_tree_that_is_left_is_tried_again),
        TEST(k6_backoff_parks_without_blocking),
        TEST(k7_a_preemptor_stays_head),
        TEST(k7_but_not_in_strict_order),
        TEST(k8_a_namespace_that_does_not_match_parks),
        TEST(a_namespace_may_come_after_its_workloads),
        TEST(what_is_parked_with_an_equal_one_is_told_when_its_words_are_vague),
        TEST(a_stopped_local_queue_offers_nothing),
        TEST(a_queue_may_come_after_its_workloads),
        TEST(what_a_write_said_holds_before_the_watch_shows_it),
        TEST(below_a_cycle_a_queue_counts_as_inactive),
        TEST(what_waits_without_a_cluster_queue_counts_for_its_local_queue),
        TEST(usage_of_a_removed_flavor_comes_last),
        TEST(an_inactive_queue_says_why),
        TEST(an_update_does_not_park_who_is_in_the_heap),
        TEST(a_limit_range_reaches_who_waits),
        TEST(a_switched_off_workload_gives_its_quota_to_others),
        TEST(every_change_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
