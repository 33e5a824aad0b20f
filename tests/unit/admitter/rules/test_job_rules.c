/* What happens next for a job and its Workloads: spec/integrations.md 1.11 R1 - R14, 1.12, 1.13. */
#include "tests/unit/admitter/rules/support_job.h"

#include <stdlib.h>
#include <string.h>

/* ---- R2 - R6 ---- */

static void a_deleted_job_ends_its_workloads(void **state)
{
    struct workload_facts *w = add_workload(SPEC, 1, OWNED, "", holds("QuotaReserved Admitted"));

    (void)state;
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_string_equal(condition_text(&arena, choice.tree, "Finished"),
                        "True/OwnerNotFound/The workload's owner no longer exists");
    w->object = kept(json_incref(choice.tree));
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER);
    w->object = kept(workload("", "", holds("Finished")));
    assert_int_equal(next_action(), JOB_NOTHING);
    settings.finish_orphaned = false;
    w->object = kept(workload(OWNED, "", ""));
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER);
}

static void jobs_that_are_not_ours(void **state)
{
    static const struct {
        const char *metadata;
        bool namespace_exists, managed, top, ancestor_queue, manage_all;
        enum job_action expected;
    } cases[] = {
        { QUEUED, true, true, true, false, false, JOB_CREATE_WORKLOAD },
        { "", true, true, true, false, false, JOB_NOTHING },
        { "", true, true, true, false, true, JOB_CREATE_WORKLOAD },
        { QUEUED, false, true, true, false, false, JOB_NOTHING },
        { QUEUED, true, false, true, false, false, JOB_NOTHING },
        { QUEUED, true, true, false, true, false, JOB_NOTHING }, /* children never get a Workload */
        { "", true, true, false, false, false, JOB_NOTHING },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        with_job(cases[i].metadata, "'suspend':true", "");
        facts.namespace_exists = cases[i].namespace_exists;
        facts.namespace_managed = cases[i].managed;
        facts.is_top_level = cases[i].top;
        facts.ancestor_has_queue = cases[i].ancestor_queue;
        settings.jobs.manage_without_queue_name = cases[i].manage_all;
        assert_int_equal(next_action(), cases[i].expected);
    }
}

static void children_wait_for_their_ancestor(void **state)
{
    (void)state;
    with_job("", "'suspend':false", "");
    facts.is_top_level = false;
    facts.ancestor_has_queue = true;
    assert_int_equal(next_action(), JOB_SUSPEND_CHILD);
    assert_choice_event("Suspended", "Kueue managed child job suspended");
    facts.ancestor_lets_run = true;
    assert_int_equal(next_action(), JOB_NOTHING);
    facts.ancestor_lets_run = false;
    with_job("", "'suspend':false", "'conditions':[{'type':'Complete','status':'True'}]");
    assert_int_equal(next_action(), JOB_NOTHING);
}

/* ---- R7, 1.12 ---- */

static void a_running_job_without_a_workload_is_stopped(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':false", "");
    assert_int_equal(next_action(), JOB_STOP);
    assert_null(choice.workload);
    assert_choice_event("Stopped", "Missing Workload; unable to restore pod templates");
    add_workload("{}", 1, OWNED, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next_action(), JOB_STOP);
    assert_ptr_equal(choice.workload, &workloads[0]);
    assert_choice_event(
        "Stopped", "No matching Workload; restoring pod templates according to existent Workload");
}

static void a_suspended_job_updates_its_workload(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload("{}", 1, OWNED, "", "");
    assert_int_equal(next_action(), JOB_UPDATE_WORKLOAD);
    assert_choice_event("UpdatedWorkload",
                        "Updated not matching Workload for suspended job: ns/wl");
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved")));
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD);
    assert_choice_event("DeletedWorkload", "Deleted not matching Workload: ns/wl");
    workloads[0].object = kept(workload(OWNED, "", holds("Finished")));
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD);
}

static void a_workload_of_a_namesake_is_deleted(void **state)
{
    static const char owner[] = "'ownerReferences':[{'kind':'Job','name':'j','uid':'old',"
                                "'controller':true}]";

    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload(SPEC, 1, owner, "", "");
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD);
    settings.finish_orphaned = false; /* uids do not count */
    assert_int_equal(next_action(), JOB_NOTHING);
}

static void surplus_workloads_are_deleted(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload("{}", 1, OWNED, "", "");
    add_workload(SPEC, 1, OWNED, "", "");
    add_workload(SPEC, 1, OWNED, "", "");
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD); /* the match is the second */
    assert_ptr_equal(choice.workload, &workloads[0]);
    facts.workloads = &workloads[1];
    facts.workload_count = 2;
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[2]);
}

static void a_surplus_workload_that_somebody_else_keeps_is_in_nobodys_way(void **state)
{
    static const char kept_by_others[] =
        "'ownerReferences':[{'kind':'Job','name':'j','uid':'u','controller':true}],"
        "'deletionTimestamp':'x','finalizers':['x.io/y']";

    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload("{}", 1, kept_by_others, "", "");
    assert_int_equal(next_action(), JOB_CREATE_WORKLOAD);
    add_workload(SPEC, 1, OWNED, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next_action(), JOB_START);
    add_workload("{}", 1, OWNED, "", "");
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[2]);
}

static void of_two_that_differ_the_first_is_kept(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload("{}", 1, OWNED, "", "");
    add_workload("{}", 2, OWNED, "", "");
    assert_int_equal(next_action(), JOB_DELETE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[1]);
    facts.workload_count = 1;
    assert_int_equal(next_action(), JOB_UPDATE_WORKLOAD);
}

static void prebuilt_workloads(void **state)
{
    const char *prebuilt = QUEUED ",'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'wl'}";

    (void)state;
    with_job(prebuilt, "'suspend':true", "");
    assert_int_equal(next_action(), JOB_NOTHING);
    with_job(prebuilt, "'suspend':false", "");
    assert_int_equal(next_action(), JOB_STOP);
    assert_choice_event("Stopped", "missing workload");
    with_job(prebuilt, "'suspend':true", "");
    facts.prebuilt = add_workload(SPEC, 1, "", "", "");
    assert_int_equal(next_action(), JOB_ADOPT_WORKLOAD);
    workloads[0].object = kept(workload(OWNED, "", ""));
    assert_int_equal(next_action(), JOB_NOTHING);
    workloads[0].object =
        kept(workload("'ownerReferences':[{'name':'x','uid':'x','controller':true}]", "", ""));
    assert_int_equal(next_action(), JOB_NOTHING);
    facts.workload_count = 0;
    facts.prebuilt = add_workload("{}", 1, OWNED, "", "");
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_string_equal(condition_text(&arena, choice.tree, "Finished"),
                        "True/OutOfSync/The prebuilt workload is out of sync with its user job");
    workloads[0].object = kept(json_incref(choice.tree));
    assert_int_equal(next_action(), JOB_NOTHING);
}

static void labels_reach_the_workload(void **state)
{
    static const struct {
        const char *reference; /* of the Workload */
        const char *conditions;
        bool patched;
    } cases[] = {
        { "", "", true },
        { "'priorityClassRef':{'group':'kueue.x-k8s.io','name':'low'}", "", true },
        { "'priorityClassRef':{'group':'kueue.x-k8s.io','name':'low'}", "QuotaReserved Admitted",
          true },
        { "'priorityClassRef':{'group':'kueue.x-k8s.io','name':'high'}", "", false },
        { "'priorityClassRef':{'group':'scheduling.k8s.io','name':'pod'}", "", false },
        { "", "QuotaReserved", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        with_job(
            "'labels':{'kueue.x-k8s.io/queue-name':'lq','kueue.x-k8s.io/priority-class':'high'}",
            "'suspend':true", "");
        facts.workload_count = 0;
        add_workload(SPEC, 1, OWNED, cases[i].reference, holds(cases[i].conditions));
        next_action();
        assert_int_equal(choice.action == JOB_PATCH_WORKLOAD, cases[i].patched);
        if (!cases[i].patched)
            continue;
        assert_json(choice.patch,
                    "{'spec':{'priority':1000,'priorityClassRef':{'group':'kueue.x-k8s.io',"
                    "'kind':'WorkloadPriorityClass','name':'high'}}}");
        assert_choice_event("UpdatedWorkload", "Updated workload priority class: ns/wl");
        facts.priority_known = false;
        assert_int_equal(next_action(), JOB_MISSING_CLASS);
        facts.priority_known = true;
    }
}

static void a_label_that_is_gone_leaves_the_class_of_the_pods_or_none(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':true", "");
    add_workload(SPEC, 1, OWNED, "'priorityClassRef':{'group':'kueue.x-k8s.io','name':'low'}", "");
    facts.priority_group = "scheduling.k8s.io";
    facts.priority_kind = "PriorityClass";
    facts.priority_name = "pods";
    facts.priority = 7;
    assert_int_equal(next_action(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch, "{'spec':{'priority':7,'priorityClassRef':{'group':"
                              "'scheduling.k8s.io','kind':'PriorityClass','name':'pods'}}}");
    facts.priority_name = "";
    facts.priority = 0;
    assert_int_equal(next_action(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch, "{'spec':{'priority':0,'priorityClassRef':null}}");
    workloads[0].object =
        kept(workload(OWNED, "'priorityClassRef':{'group':'kueue.x-k8s.io','name':'low'}",
                      holds("QuotaReserved")));
    assert_int_equal(next_action(), JOB_NOTHING);
}

static void gates_reach_the_workload(void **state)
{
    (void)state;
    with_job(QUEUED ",'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}",
             "'suspend':true", "");
    add_workload(SPEC, 1, OWNED, "", "");
    assert_int_equal(next_action(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch,
                "{'metadata':{'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}}}");
    assert_choice_event("UpdatedWorkload", "Updated workload AdmissionGatedBy to \"a.io/g\"");
    workloads[0].object = kept(
        workload(OWNED ",'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}", "", ""));
    assert_int_equal(next_action(), JOB_NOTHING);
    with_job(QUEUED, "'suspend':true", "");
    assert_int_equal(next_action(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch,
                "{'metadata':{'annotations':{'kueue.x-k8s.io/admission-gated-by':null}}}");
}

/* ---- equivalence (1.13) ---- */

static void equivalence(void **state)
{
    static const struct {
        const char *metadata, *job, *pods; /* the job's labels and spec; the Workload's pod spec */
        int count;
        const char *spec, *conditions;
        bool equal;
    } cases[] = {
        { QUEUED, "'suspend':true", SPEC, 1, "", "", true },
        { QUEUED, "'suspend':true,'parallelism':2", SPEC, 1, "", "", false },
        { QUEUED, "'suspend':true", "{}", 1, "", "", false },
        { QUEUED, "'suspend':true", SPEC, 1, "'maximumExecutionTimeSeconds':5", "", false },
        { "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'5'}", "'suspend':true", SPEC, 1,
          "'maximumExecutionTimeSeconds':5", "", true },
        /* partially admitted with 1 of 5 (holds() assigns 1) */
        { QUEUED ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
          "'suspend':false,'parallelism':1", SPEC, 5, "", "QuotaReserved Admitted", true },
        { QUEUED ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
          "'suspend':true,'parallelism':5", SPEC, 5, "", "QuotaReserved Admitted", true },
        { QUEUED ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
          "'suspend':false,'parallelism':5", SPEC, 5, "", "QuotaReserved Admitted", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct workload_pod_set *pod_set;
        const struct job *job;

        facts.workload_count = 0;
        job = with_job(cases[i].metadata, cases[i].job, "");
        add_workload(cases[i].pods, cases[i].count, OWNED, cases[i].spec,
                     holds(cases[i].conditions));
        pod_set = (struct workload_pod_set *)(uintptr_t)workloads[0].pod_sets;
        if (cases[i].count == 5)
            pod_set->min_count = 1;
        if (job_matches_workload(job, &workloads[0], &settings) != cases[i].equal)
            fail_msg("case %zu", i);
    }
}

static void tolerations_and_owners(void **state)
{
    static const char tolerant[] = "{'containers':[{'name':'c','resources':{'requests':{'cpu':'1'}}"
                                   "}],'tolerations':[{'key':'k'}]}";
    struct job *job = with_job(QUEUED, "'suspend':true", "");

    (void)state;
    add_workload(tolerant, 1, OWNED, "", "");
    assert_false(job_matches_workload(job, &workloads[0], &settings));
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved Admitted")));
    assert_true(job_matches_workload(job, &workloads[0], &settings));
    job->uid = "other";
    assert_false(job_matches_workload(job, &workloads[0], &settings));
    settings.finish_orphaned = false;
    assert_true(job_matches_workload(job, &workloads[0], &settings));
    job->name = "other";
    assert_false(job_matches_workload(job, &workloads[0], &settings));
}

/* ---- R10 - R14 ---- */

static void the_end_is_told_once(void **state)
{
    static const char bare[] =
        "'ownerReferences':[{'kind':'Job','name':'j','uid':'u','controller':true}]";
    static const char note[] = "Workload 'ns/wl' is declared finished";

    (void)state;
    with_job(QUEUED, "'suspend':false",
             "'conditions':[{'type':'Complete','status':'True','message':'m'}]");
    add_workload(SPEC, 1, OWNED, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_null(choice.event_reason);
    workloads[0].object = kept(workload(OWNED, "", holds("QuotaReserved Admitted Finished")));
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER);
    assert_choice_event("FinishedWorkload", note);
    workloads[0].object = kept(workload(bare, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_choice_event("FinishedWorkload", note);
    workloads[0].object = kept(workload(bare, "", holds("QuotaReserved Admitted Finished")));
    assert_int_equal(next_action(), JOB_NOTHING);
    assert_null(choice.event_reason);
}

static void the_end_of_a_job(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':false",
             "'conditions':[{'type':'Complete','status':'True','message':'done'}]");
    assert_int_equal(next_action(), JOB_NOTHING); /* a finished job never gets a Workload */
    add_workload(SPEC, 1, OWNED, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next_action(), JOB_WRITE_WORKLOAD);
    assert_string_equal(condition_text(&arena, choice.tree, "Finished"), "True/Succeeded/done");
    workloads[0].object = kept(json_incref(choice.tree));
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER);
    assert_choice_event("FinishedWorkload", "Workload 'ns/wl' is declared finished");
}

static void a_deleted_workload_stops_its_job(void **state)
{
    const char *deleted = OWNED ",'deletionTimestamp':'" NOW_TEXT "'";

    (void)state;
    with_job(QUEUED, "'suspend':false", "");
    add_workload(SPEC, 1, deleted, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next_action(), JOB_STOP);
    assert_choice_event("Stopped", "Workload is deleted");
    with_job(QUEUED, "'suspend':true", "'active':1");
    assert_int_equal(next_action(), JOB_STOP);
    assert_int_equal(stopped_action(&workloads[0]), JOB_NOTHING); /* pods still hold the quota */
    with_job(QUEUED, "'suspend':true", "");
    assert_int_equal(next_action(), JOB_STOP);
    assert_int_equal(stopped_action(&workloads[0]), JOB_REMOVE_FINALIZER);
    with_job(QUEUED, "'suspend':false", "'conditions':[{'type':'Failed','status':'True'}]");
    assert_int_equal(next_action(), JOB_REMOVE_FINALIZER); /* nothing left to stop */
}

static void creation_waits_for_pods_and_classes(void **state)
{
    (void)state;
    with_job(QUEUED, "'suspend':true", "'active':1");
    assert_int_equal(next_action(), JOB_NOTHING);
    with_job(QUEUED, "'suspend':true", "");
    facts.priority_known = false;
    assert_int_equal(next_action(), JOB_MISSING_CLASS);
    facts.priority_known = true;
    assert_int_equal(next_action(), JOB_CREATE_WORKLOAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_deleted_job_ends_its_workloads),
        TEST(jobs_that_are_not_ours),
        TEST(children_wait_for_their_ancestor),
        TEST(a_running_job_without_a_workload_is_stopped),
        TEST(a_suspended_job_updates_its_workload),
        TEST(a_workload_of_a_namesake_is_deleted),
        TEST(the_end_is_told_once),
        TEST(surplus_workloads_are_deleted),
        TEST(a_surplus_workload_that_somebody_else_keeps_is_in_nobodys_way),
        TEST(of_two_that_differ_the_first_is_kept),
        TEST(prebuilt_workloads),
        TEST(labels_reach_the_workload),
        TEST(a_label_that_is_gone_leaves_the_class_of_the_pods_or_none),
        TEST(gates_reach_the_workload),
        TEST(equivalence),
        TEST(tolerations_and_owners),
        TEST(the_end_of_a_job),
        TEST(a_deleted_workload_stops_its_job),
        TEST(creation_waits_for_pods_and_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
