/* What ends the hold of a Workload on its quota: stopped queues, pods that are not ready, time that
 * is up (spec/lifecycle.md 3, 4, 6). */
#include "tests/unit/admitter/rules/support_workload.h"

#include <string.h>

/* ---- stopped queues (lifecycle 6) ---- */

static void stopped_queues(void **state)
{
    static const struct {
        const char *held;
        enum stop_policy local, cluster;
        bool local_missing, cluster_deleting;
        const char *quota, *evicted; /* conditions afterwards */
    } cases[] = {
        { "QA", STOP_HOLD, STOP_HOLD, false, false, "True/QuotaReserved/", "" },
        { "QA", STOP_HOLD_AND_DRAIN, STOP_HOLD_AND_DRAIN, false, false, "True/QuotaReserved/",
          "True/LocalQueueStopped/The LocalQueue is stopped" },
        { "QA", STOP_NONE, STOP_HOLD_AND_DRAIN, false, false, "True/QuotaReserved/",
          "True/ClusterQueueStopped/The ClusterQueue is stopped" },
        { "QA", STOP_NONE, STOP_NONE, true, true, "True/QuotaReserved/", "" },
        { "Q", STOP_HOLD, STOP_NONE, false, false, "False/Suspended/LocalQueue lq is stopped", "" },
        { "Q", STOP_NONE, STOP_HOLD_AND_DRAIN, false, false,
          "False/Suspended/ClusterQueue cq is stopped", "" },
        { "Q", STOP_NONE, STOP_NONE, true, false,
          "False/Misconfigured/LocalQueue lq is terminating or missing", "" },
        { "Q", STOP_NONE, STOP_NONE, false, true,
          "False/Misconfigured/ClusterQueue cq is terminating or missing", "" },
    };
    static const char *required[] = { "a" };

    (void)state;
    around.required_checks = required;
    around.required_check_count = 1;
    settings.wait_for_pods_ready = false;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = held_workload(cases[i].held, 60, "", "",
                                       "'admissionChecks':[{'name':'a','state':'Pending'}]");

        around.local_queue_stop = cases[i].local;
        around.cluster_queue_stop = cases[i].cluster;
        around.local_queue_exists = !cases[i].local_missing;
        around.cluster_queue_deleting = cases[i].cluster_deleting;
        settle(object);
        assert_string_equal(condition_text(&arena, object, "QuotaReserved"), cases[i].quota);
        assert_string_equal(condition_text(&arena, object, "Evicted"), cases[i].evicted);
        json_decref(object);
    }
}

static void restarted_queues(void **state)
{
    static const struct {
        const char *reason;
        enum stop_policy local, cluster;
        const char *expected;
    } cases[] = {
        { "LocalQueueStopped", STOP_NONE, STOP_HOLD,
          "True/LocalQueueRestarted/The LocalQueue was restarted after being stopped" },
        { "LocalQueueStopped", STOP_HOLD, STOP_NONE, "False/LocalQueueStopped/" },
        { "ClusterQueueStopped", STOP_HOLD, STOP_NONE,
          "True/ClusterQueueRestarted/The ClusterQueue was restarted after being stopped" },
        { "ClusterQueueStopped", STOP_NONE, STOP_HOLD, "False/ClusterQueueStopped/" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = held_workload(
            "", 0, condition(&arena, "Requeued", "False", cases[i].reason, "", 60), "", "");

        around.local_queue_stop = cases[i].local;
        around.cluster_queue_stop = cases[i].cluster;
        settle(object);
        assert_string_equal(condition_text(&arena, object, "Requeued"), cases[i].expected);
        json_decref(object);
    }
}

/* ---- waitForPodsReady (lifecycle 3) ---- */

static void pods_ready_timeouts(void **state)
{
    static const struct {
        const char *reason; /* of PodsReady; "" absent */
        int64_t ready_ago, admitted_ago, recovery;
        const char *cause; /* "" no eviction */
        int64_t next;      /* seconds from now; 0: none */
    } cases[] = {
        { "", 0, 100, 60, "", 200 },
        { "WaitForStart", 0, 300, 60, "WaitForStart", 0 },
        { "PodsReady", 0, 400, 60, "WaitForStart", 0 },
        { "WaitForRecovery", 20, 9000, 60, "", 40 },
        { "WaitForRecovery", 60, 9000, 60, "WaitForRecovery", 0 },
        { "WaitForRecovery", 6000, 9000, 0, "", 0 },
        { "Else", 6000, 9000, 60, "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object =
            held_workload("QA", cases[i].admitted_ago,
                          *cases[i].reason ? condition(&arena, "PodsReady", "False",
                                                       cases[i].reason, "", cases[i].ready_ago)
                                           : "",
                          "", "");

        settings.pods_ready_recovery_timeout = SECONDS(cases[i].recovery);
        assert_int_equal(step(object), *cases[i].cause ? STEP_STATUS : STEP_NOTHING);
        if (*cases[i].cause) {
            assert_step_event(0, false, "EvictedDueToPodsReadyTimeout",
                              "Exceeded the PodsReady timeout ns/wl");
            assert_string_equal(result.eviction_cause, cases[i].cause);
            assert_json(member(object, "status.requeueState"),
                        arena_format(&arena, "{'count':1,'requeueAt':'%s'}", ago(&arena, -60)));
        } else {
            assert_int_equal(result.next,
                             cases[i].next ? now_time() + SECONDS(cases[i].next) : TIME_NONE);
        }
        json_decref(object);
    }
}

static void back_off_grows(void **state)
{
    static const struct {
        int count;
        int64_t base, max, expected;
    } cases[] = {
        { 1, 60, 3600, 60 },   { 2, 60, 3600, 120 },  { 6, 60, 3600, 1920 },
        { 7, 60, 3600, 3600 }, { 8, 60, 3600, 3600 }, { 1, 60, 10, 60 },
        { 2, 60, 10, 10 },     { 3, 0, 3600, 0 },     { 2147483647, 60, 3600, 3600 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object =
            held_workload("QA", 9000, "", "",
                          arena_format(&arena, "'requeueState':{'count':%d}", cases[i].count - 1));

        settings.backoff_base = SECONDS(cases[i].base);
        settings.backoff_max = SECONDS(cases[i].max);
        assert_int_equal(step(object), STEP_STATUS);
        assert_string_equal(member_text(object, "status.requeueState.requeueAt"),
                            ago(&arena, -cases[i].expected));
        json_decref(object);
    }
}

static void the_limit_of_requeues_deactivates(void **state)
{
    (void)state;
    settings.backoff_limit_count = 2;
    for (int count = 1; count <= 2; count++) {
        json_t *object = held_workload("QA", 9000, "", "",
                                       arena_format(&arena, "'requeueState':{'count':%d}", count));

        assert_int_equal(step(object), STEP_STATUS);
        assert_string_equal(
            condition_text(&arena, object, "DeactivationTarget"),
            count == 1 ? ""
                       : "True/RequeuingLimitExceeded/exceeding the maximum number of re-queuing "
                         "retries");
        assert_int_equal(condition_true(object, "Evicted"), count == 1);
        json_decref(object);
    }
}

/* ---- maximum execution time (lifecycle 4) ---- */

static void the_execution_time_is_limited(void **state)
{
    static const struct {
        int64_t admitted_ago;
        int past;
        int64_t next; /* 0: over */
    } cases[] = { { 100, 0, 3500 }, { 1000, 1000, 1600 }, { 3600, 0, 0 }, { 2600, 1000, 0 } };

    (void)state;
    settings.wait_for_pods_ready = false;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = held_workload(
            "QA", cases[i].admitted_ago, "", "'maximumExecutionTimeSeconds':3600",
            arena_format(&arena, "'accumulatedPastExecutionTimeSeconds':%d", cases[i].past));

        assert_int_equal(step(object), cases[i].next ? STEP_NOTHING : STEP_STATUS);
        assert_int_equal(result.next,
                         cases[i].next ? now_time() + SECONDS(cases[i].next) : TIME_NONE);
        if (!cases[i].next) {
            assert_step_event(0, true, "MaximumExecutionTimeExceeded",
                              "The maximum execution time (3600s) exceeded");
            assert_string_equal(
                condition_text(&arena, object, "DeactivationTarget"),
                "True/MaximumExecutionTimeExceeded/exceeding the maximum execution time");
            assert_false(has_member(object, "status.accumulatedPastExecutionTimeSeconds"));
            assert_int_equal(settle(object), 2);
            assert_string_equal(condition_text(&arena, object, "Evicted"),
                                "True/DeactivatedDueToMaximumExecutionTimeExceeded/The workload is "
                                "deactivated due to exceeding the maximum execution time");
        }
        json_decref(object);
    }
}

static void the_nearest_timer_wakes(void **state)
{
    json_t *object = held_workload("QA", 100, "", "'maximumExecutionTimeSeconds':150", "");

    (void)state;
    assert_int_equal(step(object), STEP_NOTHING);
    assert_int_equal(result.next, now_time() + SECONDS(50));
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stopped_queues),
        TEST(restarted_queues),
        TEST(pods_ready_timeouts),
        TEST(back_off_grows),
        TEST(the_limit_of_requeues_deactivates),
        TEST(the_execution_time_is_limited),
        TEST(the_nearest_timer_wakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
