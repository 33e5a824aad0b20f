/* Jobs with quota: readiness, eviction, start and stop, growth: spec/integrations.md 1.11 R15 -
 * R20, 1.20. */
#include "tests/unit/admitter/rules/support_job.h"

#include <stdlib.h>
#include <string.h>

/* ---- R15, R16 ---- */

static void reclaimable_pods_are_written(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':false,'parallelism':3,'completions':5", "'succeeded':4");
    add_workload(SPEC, 3, OWNED, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_json(member(choice.tree, "status.reclaimablePods"), "[{'count':2,'name':'main'}]");
    workloads[0].object = kept(json_incref(choice.tree));
    assert_int_equal(next_action(), JOB_NOTHING);
    settings.jobs.reclaimable_pods = false;
    with_job(QUEUED, "'suspend':false,'parallelism':3,'completions':5", "");
    assert_int_equal(next_action(), JOB_NOTHING);
    settings.jobs.reclaimable_pods = true;
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_json(member(choice.tree, "status.reclaimablePods"), "[]");
}

static void readiness(void **state)
{
    static const struct {
        const char *held, *before; /* "status/reason" of PodsReady; "" absent */
        int ready;                 /* of two pods */
        const char *expected;      /* "" unchanged */
    } cases[] = {
        { "", "", 0, "False/WaitForStart/Not all pods are ready or succeeded" },
        { "QuotaReserved Admitted", "", 1,
          "False/WaitForStart/Not all pods are ready or succeeded" },
        { "QuotaReserved Admitted", "False/WaitForStart", 1, "" },
        { "QuotaReserved Admitted", "False/WaitForStart", 2,
          "True/Started/All pods reached readiness and the workload is running" },
        { "QuotaReserved Admitted", "True/Started", 2, "" },
        { "QuotaReserved Admitted", "True/Started", 1,
          "False/WaitForRecovery/At least one pod has failed, waiting for recovery" },
        { "QuotaReserved Admitted", "False/WaitForRecovery", 1, "" },
        { "QuotaReserved Admitted", "False/WaitForRecovery", 2,
          "True/Recovered/All pods reached readiness and the workload is running" },
        { "QuotaReserved Admitted", "True/Recovered", 2, "" },
        { "QuotaReserved Admitted", "False/PodsReady", 0,
          "False/WaitForStart/Not all pods are ready or succeeded" },
        { "", "True/Started", 0, "False/WaitForStart/Not all pods are ready or succeeded" },
    };

    (void)state;
    settings.wait_for_pods_ready = true;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object;
        char *status = arena_strdup(&arena, cases[i].before), *reason = strchr(status, '/');

        facts.workload_count = 0;
        with_job(QUEUED,
                 *cases[i].held ? "'suspend':false,'parallelism':2"
                                : "'suspend':true,'parallelism':2",
                 arena_format(&arena, "'ready':%d", cases[i].ready));
        add_workload(SPEC, 2, OWNED, "'priority':0", holds(cases[i].held));
        object = (json_t *)(uintptr_t)workloads[0].object;
        if (reason) {
            *reason++ = '\0';
            condition_put(object, &(struct condition_change){ "PodsReady", status, reason, "", 2 },
                          now_time());
        }
        next_action();
        if (*cases[i].expected) {
            assert_int_equal(choice.action, JOB_WRITE_WORKLOAD);
            assert_string_equal(condition_text(&arena, choice.tree, "PodsReady"),
                                cases[i].expected);
        } else {
            assert_int_not_equal(choice.action, JOB_WRITE_WORKLOAD);
        }
        release_kept();
    }
}

/* Partially admitted: the job itself says how many pods it wants. */
static void readiness_counts_the_admitted_pods(void **state)
{
    struct workload_pod_set *pod_set;

    (void)state;
    settings.wait_for_pods_ready = true;
    with_job(QUEUED ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
             "'suspend':false,'parallelism':1", "'ready':1");
    add_workload(SPEC, 5, OWNED, "", holds("QuotaReserved Admitted"));
    pod_set = (struct workload_pod_set *)(uintptr_t)workloads[0].pod_sets;
    pod_set->min_count = 1;
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_string_equal(condition_reason(choice.tree, "PodsReady"), "Started");
}

/* ---- R17 ---- */

static void an_eviction_gives_the_quota_back(void **state)
{
    static const struct {
        const char *reason, *requeued;
    } cases[] = { { "Preempted", "True/Preempted/M" },
                  { "NodeFailures", "True/NodeFailures/M" },
                  { "PodsReadyTimeout", "False/PodsReadyTimeout/M" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        facts.workload_count = 0;
        with_job(QUEUED, "'suspend':false", "'active':1");
        add_workload(
            SPEC, 1, OWNED, "",
            holds(arena_format(&arena, "QuotaReserved Admitted Evicted=%s", cases[i].reason)));
        assert_int_equal(next_action(), JOB_STOP);
        assert_choice_event("Stopped", "M");
        with_job(QUEUED, "'suspend':true", "'active':1");
        assert_int_equal(stopped_action(&workloads[0]), JOB_NOTHING);
        with_job(QUEUED, "'suspend':true", "");
        assert_int_equal(stopped_action(&workloads[0]), JOB_WRITE_WORKLOAD);
        assert_string_equal(condition_text(&arena, choice.tree, "Requeued"), cases[i].requeued);
        assert_string_equal(condition_text(&arena, choice.tree, "QuotaReserved"),
                            "False/PendingEvaluation/M");
        assert_string_equal(condition_text(&arena, choice.tree, "Admitted"),
                            "False/NoReservation/The workload has no reservation");
        assert_false(has_member(choice.tree, "status.admission"));
        workloads[0].object = kept(json_incref(choice.tree));
        assert_int_equal(stopped_action(&workloads[0]), JOB_NOTHING);
    }
}

static void an_evicted_workload_moves_to_another_queue(void **state)
{
    (void)state;
    with_job("'labels':{'kueue.x-k8s.io/queue-name':'other'}", "'suspend':true", "");
    add_workload(SPEC, 1, OWNED, "", holds("Evicted=LocalQueueStopped"));
    assert_int_equal(next_action(), JOB_STOP);
    assert_int_equal(stopped_action(&workloads[0]), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch, "{'spec':{'queueName':'other'}}");
}

static void deactivated_jobs_are_deleted_after_retention(void **state)
{
    static const struct {
        const char *reason, *spec;
        int64_t retain; /* seconds; -1 for ever. The eviction was 60 s ago. */
        enum job_action expected;
        int64_t next;
    } cases[] = {
        { "DeactivatedDueToRequeuingLimitExceeded", "'active':false", 60, JOB_DELETE_JOB, 0 },
        { "DeactivatedDueToRequeuingLimitExceeded", "'active':false", 90, JOB_NOTHING, 30 },
        { "DeactivatedDueToRequeuingLimitExceeded", "'active':false", -1, JOB_NOTHING, 0 },
        { "DeactivatedDueToRequeuingLimitExceeded", "'active':true", 0, JOB_NOTHING, 0 },
        { "Deactivated", "'active':false", 0, JOB_NOTHING, 0 },
    };

    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        facts.workload_count = 0;
        add_workload(SPEC, 1, OWNED, cases[i].spec,
                     holds(arena_format(&arena, "Evicted=%s", cases[i].reason)));
        settings.retain_deactivated = cases[i].retain < 0 ? -1 : SECONDS(cases[i].retain);
        assert_int_equal(stopped_action(&workloads[0]), cases[i].expected);
        assert_int_equal(choice.next,
                         cases[i].next ? now_time() + SECONDS(cases[i].next) : TIME_NONE);
        if (cases[i].expected == JOB_DELETE_JOB)
            assert_choice_event("Deleted", "Deleted job: deactivation retention period expired");
    }
}

/* ---- R18 - R20 ---- */

static void admitted_jobs_start(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload(SPEC, 1, OWNED, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next_action(), JOB_START);
    assert_choice_event("Started", "Admitted by clusterQueue cq");
    with_job(QUEUED, "'suspend':false", "");
    assert_int_equal(next_action(), JOB_NOTHING);
}

static void unadmitted_jobs_are_stopped(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':false", "");
    add_workload(SPEC, 1, OWNED, "", "");
    assert_int_equal(next_action(), JOB_STOP);
    assert_choice_event("Stopped", "Not admitted by cluster queue");
}

static void a_stop_ends_before_the_job_starts_again(void **state)
{
    static const struct {
        const char *suspend, *holds;
        enum job_action expected;
    } cases[] = {
        { "'suspend':true", "QuotaReserved Admitted", JOB_STOP },
        { "'suspend':true", "QuotaReserved", JOB_STOP },
        { "'suspend':true", "QuotaReserved Admitted Finished", JOB_REMOVE_FINALIZER },
        { "'suspend':false", "QuotaReserved Admitted", JOB_NOTHING }, /* somebody let it run */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        with_job(QUEUED ",'annotations':{'kueue.x-k8s.io/stopping':'true'}", cases[i].suspend,
                 "'active':1");
        facts.workload_count = 0;
        add_workload(SPEC, 1, OWNED, "", holds(cases[i].holds));
        assert_int_equal(next_action(), cases[i].expected);
    }
}

static void pending_checks_are_told(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload(SPEC, 1, OWNED, "",
                 arena_format(&arena,
                              "%s,'admissionChecks':[{'name':'a','state':'Pending','message':'m'}]",
                              holds("QuotaReserved")));
    assert_int_equal(next_action(), JOB_NOTHING);
    assert_choice_event("UpdatedAdmissionCheck", "a: m");
}

static void the_queue_may_change_without_quota(void **state)
{
    (void)state;
    with_job("'labels':{'kueue.x-k8s.io/queue-name':'other'}", "'suspend':true", "");
    add_workload(SPEC, 1, OWNED, "", "");
    assert_int_equal(next_action(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch, "{'spec':{'queueName':'other'}}");
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved")));
    assert_int_equal(next_action(), JOB_NOTHING);
}

#define ELASTIC QUEUED ",'annotations':{'kueue.x-k8s.io/elastic-job':'true'}"

/* Nothing would hold its new pods back. */
static void an_elastic_job_without_a_gate_may_not_grow(void **state)
{
    (void)state;
    with_job(ELASTIC, "'suspend':false,'parallelism':3", "");
    assert_int_equal(next_action(), JOB_STOP);
    add_workload(SPEC, 3, OWNED, "", "");
    assert_int_equal(next_action(), JOB_STOP);
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next_action(), JOB_NOTHING);
    with_job(ELASTIC, "'suspend':false,'parallelism':5", "");
    assert_int_equal(next_action(), JOB_STOP);
}

static void elastic_jobs_grow_by_slices(void **state)
{
    struct job *job = with_job(ELASTIC, "'suspend':false,'parallelism':3", "'active':3");

    (void)state;
    job->is_gated = true;
    assert_int_equal(next_action(),
                     JOB_CREATE_WORKLOAD); /* its pods wait, however many there are */
    assert_null(choice.workload);
    add_workload(SPEC, 2, OWNED, "", "");
    assert_int_equal(next_action(), JOB_RESIZE_WORKLOAD);
    assert_json(choice.patch, "[{'op':'replace','path':'/metadata/resourceVersion','value':''},"
                              "{'op':'replace','path':'/spec/podSets/0/count','value':3}]");
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next_action(), JOB_CREATE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[0]);
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved Admitted Evicted")));
    assert_int_equal(next_action(), JOB_STOP); /* first things first */
    with_job(ELASTIC, "'suspend':false,'parallelism':1", "'active':1,'terminating':1")->is_gated =
        true;
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next_action(), JOB_NOTHING); /* a pod is still going */
    with_job(ELASTIC, "'suspend':false,'parallelism':1", "'active':1")->is_gated = true;
    assert_int_equal(next_action(), JOB_RESIZE_WORKLOAD);
    facts.job = job;
    job->is_finished = true;
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD); /* it ends with what it had */
    job->is_finished = false;
    workloads[0].object = kept(workload(OWNED, "", holds("Finished")));
    assert_int_equal(next_action(), JOB_CREATE_WORKLOAD);
    assert_null(choice.workload);
    add_workload(SPEC, 3, OWNED, "", "");
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER);
    assert_ptr_equal(choice.workload, &workloads[0]);
}

static void slices_of_an_earlier_job_go(void **state)
{
    (void)state;
    with_job(ELASTIC, "'suspend':true,'parallelism':3", "")->is_gated = true;
    add_workload(SPEC, 3,
                 "'ownerReferences':[{'kind':'Job','name':'j','uid':'old','controller':true}],"
                 "'finalizers':['kueue.x-k8s.io/resource-in-use']",
                 "", holds("QuotaReserved Admitted Evicted"));
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD);
    assert_choice_event("DeletedWorkload", "Deleted not matching Workload: ns/wl");
    json_object_set_new(member(workloads[0].object, "status.conditions.0"), "type",
                        json_string("Finished"));
    assert_int_equal(next_action(),
                     JOB_CREATE_WORKLOAD); /* one that has ended is in nobody's way */
}

static void the_end_of_an_elastic_job_is_told_once(void **state)
{
    struct job *job = with_job(ELASTIC, "'suspend':false,'parallelism':3", "");

    (void)state;
    job->is_finished = job->is_gated = true;
    add_workload(SPEC, 2, OWNED, "", holds("Finished"));
    add_workload(SPEC, 3, OWNED, "", holds("QuotaReserved Admitted"))->name = "new";
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER); /* of the slice that was replaced */
    assert_null(choice.event_reason);
    workloads[0].object = kept(workload("", "", holds("Finished")));
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[1]);
    workloads[1].object = kept(workload(OWNED, "", holds("Finished")));
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER);
    assert_ptr_equal(choice.workload, &workloads[1]);
    assert_choice_event("FinishedWorkload", "Workload 'ns/new' is declared finished");
    workloads[0].object = kept(workload(OWNED, "", holds("Finished")));
    workloads[1].object = kept(workload("", "", holds("Finished")));
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER); /* one that was left */
    assert_ptr_equal(choice.workload, &workloads[0]);
    assert_null(choice.event_reason);
    facts.workload_count = 0;
    assert_int_equal(next_action(), JOB_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reclaimable_pods_are_written),
        TEST(readiness),
        TEST(readiness_counts_the_admitted_pods),
        TEST(an_eviction_gives_the_quota_back),
        TEST(an_evicted_workload_moves_to_another_queue),
        TEST(deactivated_jobs_are_deleted_after_retention),
        TEST(admitted_jobs_start),
        TEST(unadmitted_jobs_are_stopped),
        TEST(a_stop_ends_before_the_job_starts_again),
        TEST(pending_checks_are_told),
        TEST(the_queue_may_change_without_quota),
        TEST(an_elastic_job_without_a_gate_may_not_grow),
        TEST(elastic_jobs_grow_by_slices),
        TEST(slices_of_an_earlier_job_go),
        TEST(the_end_of_an_elastic_job_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
