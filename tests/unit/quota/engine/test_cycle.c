/* The cycle: the worked examples E1 - E8 of spec/scheduling.md 9.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_world.h"

#define LOST_RACE "Workload no longer fits after processing another workload"

static void e1_level_before_priority(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "co", "1,-,-", "");
    world_queue(w, "B", "co", "4,-,-", "");
    world_queue(w, "C", "co", "4,-,-", "");
    world_waits(w, "A", "w1", 100, "cpu=2", 10);
    world_waits(w, "B", "w2", 0, "cpu=1", 20);
    world_waits(w, "C", "w3", 5, "cpu=1", 30);
    assert_string_equal(world_cycle(w), "w3 Admitted; w2 Admitted; w1 Admitted");
}

static void e2_a_lost_race_and_the_next_cycle(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "co", "4,-,-", "");
    world_queue(w, "B", "co", "4,-,-", "");
    world_queue(w, "C", "co", "2,-,-", "");
    world_waits(w, "A", "a", 0, "cpu=6", 10);
    world_waits(w, "B", "b", 0, "cpu=4", 20);
    world_waits(w, "C", "c", 0, "cpu=2", 30);
    assert_string_equal(world_cycle(w), "b Admitted; c Admitted; a Skipped");
    assert_string_equal(world_decision(w, "a")->message, LOST_RACE);
    assert_int_equal(world_decision(w, "a")->requeue, REQUEUE_HEAP);
    assert_string_equal(world_cycle(w), "a Pending");
    assert_string_equal(world_decision(w, "a")->message,
                        "couldn't assign flavors to pod set main: insufficient unused quota for "
                        "cpu in flavor f, 2 more needed");
    assert_int_equal(world_decision(w, "a")->requeue, REQUEUE_PARKED);
}

static void reservation_world(struct world *w, const char *quota, const char *rules)
{
    world_queue(w, "A", "co", quota, rules);
    world_queue(w, "B", "co", "4,-,-", "");
    world_queue(w, "C", "co", "0,-,-", "");
    world_holds(w, "A", "a1", 5, "cpu=2", 1);
    world_holds(w, "B", "b1", 5, "cpu=4", 2);
    world_waits(w, "A", "a", 5, "cpu=4", 100);
    world_waits(w, "C", "c", 0, "cpu=1", 101);
}

static void e3_capacity_is_kept_for_a_blocked_workload(void **state)
{
    struct world *w = *state;

    reservation_world(w, "4,-,-", "within=LowerPriority reclaim=LowerPriority");
    assert_string_equal(world_cycle(w), "a Pending; c Skipped");
    assert_string_equal(world_decision(w, "c")->message, LOST_RACE);
}

static void e3_as_far_as_the_borrowing_limit_goes(void **state)
{
    reservation_world(*state, "4,1,-", "within=LowerPriority reclaim=LowerPriority");
    assert_string_equal(world_cycle(*state), "a Pending; c Skipped");
}

static void e3_nothing_is_kept_for_who_can_reclaim_anyway(void **state)
{
    reservation_world(*state, "4,-,-", "within=LowerPriority reclaim=Any");
    assert_string_equal(world_cycle(*state), "a Pending; c Admitted");
}

static void overlap_world(struct world *w)
{
    world_queue(w, "A", "co", "4,-,-", "reclaim=Any");
    world_queue(w, "B", "co", "4,-,-", "reclaim=Any");
    world_queue(w, "C", "co", "0,-,-", "");
}

static void e4_a_fit_behind_somebody_elses_victims(void **state)
{
    struct world *w = *state;

    overlap_world(w);
    world_holds(w, "C", "c1", 0, "cpu=8", 1);
    world_waits(w, "A", "a", 0, "cpu=4", 100);
    world_waits(w, "B", "b", 0, "cpu=4", 101);
    assert_string_equal(world_cycle(w), "a Preempting c1:InCohortReclamation; b Skipped");
    assert_string_equal(world_decision(w, "b")->message,
                        "Workload has overlapping preemption targets with another workload, but "
                        "will fit after these preemptions complete");
    assert_string_equal(world_decision(w, "b")->reason, "WaitingForPreemptedWorkloads");
    world_finish(w, "c1");
    assert_string_equal(world_cycle(w), "a Admitted; b Admitted");
}

static void two_victims(struct world *w)
{
    overlap_world(w);
    world_holds(w, "C", "c1", 0, "cpu=4", 10);
    world_holds(w, "C", "c2", 0, "cpu=4", 20);
    world_waits(w, "A", "a", 0, "cpu=4", 100);
    world_waits(w, "B", "b", 0, "cpu=4", 101);
}

static void e5_an_overlap_is_resolved_with_other_victims(void **state)
{
    two_victims(*state);
    assert_string_equal(world_cycle(*state), "a Preempting c2:InCohortReclamation; b Preempting "
                                             "c1:InCohortReclamation");
}

static void e5_without_the_gate_the_second_is_skipped(void **state)
{
    struct world *w = *state;

    world_end(w);
    world_options(w);
    w->options.gates.recompute_on_overlap = false;
    world_begin(w);
    two_victims(w);
    assert_string_equal(world_cycle(w), "a Preempting c2:InCohortReclamation; b Skipped");
    assert_string_equal(world_decision(w, "b")->message,
                        "Workload has overlapping preemption targets with another workload");
}

static void e6_a_lost_flavor_is_not_tried_first_again(void **state)
{
    struct world *w = *state;

    world_flavor(w, "f1", NULL, NULL);
    world_flavor(w, "f2", NULL, NULL);
    world_queue(w, "A", "co", "f1/cpu=4 f2/cpu=4", "");
    world_queue(w, "B", "co", "f1/cpu=0 f2/cpu=0", "");
    world_waits(w, "A", "a", 0, "cpu=4", 100);
    world_waits(w, "B", "b", 0, "cpu=4", 101);
    assert_string_equal(world_cycle(w), "a Admitted; b Skipped");
    world_finish(w, "a");
    assert_string_equal(world_cycle(w), "b Admitted");
    assert_string_equal(world_decision(w, "b")->admission.pod_sets[0].uses[0].flavor, "f2");
}

/* Where the promise never to over-admit goes before the rule: tests/cases/DEVIATIONS.md. */
static void e7_no_admission_on_quota_that_victims_hold(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "co", "4,-,-", "reclaim=Any");
    world_queue(w, "D", "co", "3,-,-", "");
    world_queue(w, "E", "co", "3,-,-", "");
    world_queue(w, "C", "co", "0,-,-", "");
    world_holds(w, "C", "c1", 0, "cpu=8", 1);
    world_waits(w, "A", "a", 10, "cpu=4", 100);
    world_waits(w, "D", "d", 5, "cpu=2", 101);
    world_waits(w, "E", "e", 1, "cpu=2", 102);
    assert_string_equal(world_cycle(w),
                        "a Preempting c1:InCohortReclamation; d Admitted; e Skipped");
    assert_string_equal(world_decision(w, "e")->message, LOST_RACE);
    world_finish(w, "c1");
    assert_string_equal(world_cycle(w), "a Admitted; e Admitted");
}

static void e8_without_candidates_the_strategy_decides(void **state)
{
    struct world *w = *state;
    const char *const strategies[] = { "strict", "" };

    for (int i = 0; i < 2; i++) {
        const char *rules = arena_format(&w->facts, "within=LowerPriority %s", strategies[i]);
        const char *name = i == 0 ? "S" : "B";

        world_queue(w, name, "", "4,-,-", rules);
        world_holds(w, name, arena_format(&w->facts, "h%d", i), 9, "cpu=4", 1);
        world_waits(w, name, arena_format(&w->facts, "p%d", i), 1, "cpu=2", 100);
    }
    assert_string_equal(world_cycle(w), "p0 Pending; p1 Pending");
    assert_string_equal(world_decision(w, "p0")->reason, "WaitingForQuota");
    assert_non_null(strstr(world_decision(w, "p0")->message, "2 more needed"));
    assert_int_equal(world_decision(w, "p0")->requeue, REQUEUE_HEAP);
    assert_int_equal(world_decision(w, "p1")->requeue, REQUEUE_PARKED);
}

static void a_preemptor_starts_when_its_victims_are_gone(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "within=LowerPriority");
    world_holds(w, "A", "v", 0, "cpu=4", 1);
    world_waits(w, "A", "p", 5, "cpu=4", 100);
    assert_string_equal(world_cycle(w), "p Preempting v:InClusterQueue");
    assert_false(world_decision(w, "p")->victims[0].already_evicted);
    assert_string_equal(world_decision(w, "p")->victims[0].message,
                        "Preempted to accommodate a workload (UID: p, JobUID: UNKNOWN) due to "
                        "prioritization in the ClusterQueue; preemptor path: /A; preemptee path: "
                        "/A");
    assert_string_equal(world_cycle(w), "p Preempting v:InClusterQueue");
    assert_true(world_decision(w, "p")->victims[0].already_evicted);
    engine_eviction_failed(w->engine, "ns", "v", false, w->now);
    assert_string_equal(world_cycle(w), "p Preempting v:InClusterQueue");
    assert_false(world_decision(w, "p")->victims[0].already_evicted);
    assert_non_null(strstr(world_decision(w, "p")->message,
                           "4 more needed. Pending the preemption of 1 workload(s)"));
    engine_eviction_failed(w->engine, "ns", "v", true, w->now);
    assert_string_equal(world_cycle(w), "p Preempting v:InClusterQueue");
    assert_non_null(strstr(world_decision(w, "p")->message,
                           "4 more needed. Preempting 1 workload(s) failed, will retry."));
    world_finish(w, "v");
    assert_string_equal(world_cycle(w), "p Admitted");
}

static void a_failed_write_gives_the_quota_back(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=4", 100);
    assert_string_equal(world_cycle(w), "p Admitted");
    assert_int_equal(engine_workload_place(w->engine, "ns", "p"), PLACE_RESERVING);
    engine_admission_failed(w->engine, "ns", "p", false, w->now);
    assert_int_equal(engine_workload_place(w->engine, "ns", "p"), PLACE_HEAP);
    assert_string_equal(world_cycle(w), "p Admitted");
}

/* One whose write is refused must not keep its queue waiting until the next try. */
static void a_held_workload_lets_the_next_one_go_first(void **state)
{
    struct world *w = *state;

    world_queue(w, "A", "", "4,-,-", "");
    world_waits(w, "A", "p", 0, "cpu=4", 100);
    assert_string_equal(world_cycle(w), "p Admitted");
    world_waits(w, "A", "q", 0, "cpu=1", 101);
    engine_admission_failed(w->engine, "ns", "p", false, w->now);
    engine_workload_hold(w->engine, "ns", "p", w->now + 2 * NANOSECONDS_PER_SECOND, w->now);
    assert_string_equal(world_pending(w, "A"), "heap: q; parked: p");
    assert_string_equal(world_cycle(w), "q Admitted");
    world_finish(w, "q");
    world_pass(w, 1);
    assert_string_equal(world_pending(w, "A"), "heap:; parked: p");
    world_pass(w, 1);
    assert_string_equal(world_cycle(w), "p Admitted");
}

static void old_news_does_not_undo_an_admission(void **state)
{
    struct world *w = *state;
    struct workload *p;

    world_queue(w, "A", "", "4,-,-", "");
    p = world_workload(w, "A", "p", 0, "cpu=4");
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(world_cycle(w), "p Admitted");
    world_condition(w, p, "QuotaReserved", false, "Pending", at(100));
    engine_workload_put(w->engine, p, w->now);
    assert_int_equal(engine_workload_place(w->engine, "ns", "p"), PLACE_RESERVING);
}

static void a_message_without_end_is_cut(void **state)
{
    enum { FLAVORS = 8, NAME = 5000, LIMIT = 32768 };
    AUTO_STRBUF struct strbuf quota = STRBUF_INIT;
    struct world *w = *state;
    char name[NAME + 1];
    const char *message;

    memset(name, 'x', NAME);
    name[NAME] = '\0';
    for (int i = 0; i < FLAVORS; i++) {
        name[0] = (char)('a' + i);
        world_flavor(w, name, NULL, NULL);
        strbuf_printf(&quota, "%s/cpu=1 ", name);
    }
    quota.text[quota.length - 1] = '\0';
    world_queue(w, "A", "", quota.text, "");
    world_waits(w, "A", "p", 0, "cpu=2", 100);
    assert_string_equal(world_cycle(w), "p Pending");
    message = world_decision(w, "p")->message;
    assert_int_equal(strlen(message), LIMIT);
    assert_string_equal(message + LIMIT - 4, " ...");
}

static void blocked_by_pods_that_are_not_ready(void **state)
{
    struct world *w = *state;

    world_end(w);
    world_options(w);
    w->options.wait_for_pods_ready = w->options.block_admission = true;
    world_begin(w);
    world_queue(w, "A", "", "4,-,-", "");
    world_queue(w, "B", "", "4,-,-", "");
    world_waits(w, "A", "a", 0, "cpu=1", 100);
    world_waits(w, "B", "b", 0, "cpu=1", 101);
    assert_string_equal(world_cycle(w), "a Admitted; b Pending");
    assert_true(world_decision(w, "b")->waits_for_pods_ready);
    assert_string_equal(world_decision(w, "b")->reason, "WaitingForPodsReady");
    world_finish(w, "a");
    assert_string_equal(world_cycle(w), "b Admitted");
}

static int64_t reserved(struct world *w, const char *queue)
{
    struct queue_status status;

    assert_true(engine_cluster_queue_status(w->engine, queue, &w->answer, &status));
    return status.usage[0].total;
}

static void a_new_slice_pays_the_difference(void **state)
{
    struct world *w = *state;
    struct workload *p;

    world_queue(w, "A", "", "10,-,-", "");
    world_holds(w, "A", "old", 0, "cpu=4", 1);
    world_holds(w, "A", "other", 0, "cpu=4", 2);
    p = world_workload(w, "A", "new", 0, "cpu=6");
    p->slice_replacement_for = "ns/old";
    engine_workload_put(w->engine, p, w->now);
    assert_string_equal(world_cycle(w), "new Admitted");
    assert_int_equal(reserved(w, "A"), 10000);
    engine_admission_failed(w->engine, "ns", "new", false, w->now);
    assert_int_equal(reserved(w, "A"), 8000);
    assert_string_equal(world_cycle(w), "new Admitted");
    world_finish(w, "old");
    assert_int_equal(reserved(w, "A"), 10000);
    world_finish(w, "new");
    assert_int_equal(reserved(w, "A"), 4000);
}

/* The watch may deliver the object as it was before the decision. */
static void older_news_keep_what_was_decided(void **state)
{
    struct world *w = *state;
    struct queue_status status;
    struct workload *old;

    world_queue(w, "A", "", "4,-,-", "within=LowerPriority");
    old = world_workload(w, "A", "a", 0, "cpu=4");
    world_condition(w, old, "QuotaReserved", false, "Pending", at(50));
    world_condition(w, old, "Evicted", true, "Preempted", at(50));
    engine_workload_put(w->engine, old, w->now);
    assert_string_equal(world_cycle(w), "a Admitted");
    engine_workload_put(w->engine, old, w->now);
    assert_true(engine_cluster_queue_status(w->engine, "A", &w->answer, &status));
    assert_int_equal(status.admitted, 1);
    assert_int_equal(status.usage[0].admitted, 4000);
    /* Nor is it on its way out: whoever preempts it has to say so. */
    world_waits(w, "A", "b", 5, "cpu=4", 20);
    assert_string_equal(world_cycle(w), "b Preempting a:InClusterQueue");
    assert_false(world_decision(w, "b")->victims[0].already_evicted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(e1_level_before_priority),
        TEST(e2_a_lost_race_and_the_next_cycle),
        TEST(e3_capacity_is_kept_for_a_blocked_workload),
        TEST(e3_as_far_as_the_borrowing_limit_goes),
        TEST(e3_nothing_is_kept_for_who_can_reclaim_anyway),
        TEST(e4_a_fit_behind_somebody_elses_victims),
        TEST(e5_an_overlap_is_resolved_with_other_victims),
        TEST(e5_without_the_gate_the_second_is_skipped),
        TEST(e6_a_lost_flavor_is_not_tried_first_again),
        TEST(e7_no_admission_on_quota_that_victims_hold),
        TEST(e8_without_candidates_the_strategy_decides),
        TEST(a_preemptor_starts_when_its_victims_are_gone),
        TEST(a_failed_write_gives_the_quota_back),
        TEST(a_held_workload_lets_the_next_one_go_first),
        TEST(old_news_does_not_undo_an_admission),
        TEST(a_message_without_end_is_cut),
        TEST(blocked_by_pods_that_are_not_ready),
        TEST(a_new_slice_pays_the_difference),
        TEST(older_news_keep_what_was_decided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
