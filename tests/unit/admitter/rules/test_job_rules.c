/* What happens next for a job and its Workloads: spec/integrations.md 1.11 - 1.19, J8 - J10. */
#include "tests/unit/admitter/rules/support.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/batch_job.h"
#include "admitter/jobs/equivalence.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/rules/job_rules.h"

static struct loop_settings settings;
static struct job_facts facts;
static struct job_choice choice;
static struct workload_facts workloads[4];
static json_t *trees[8]; /* released by the teardown */
static size_t tree_count;

static int setup(void **state)
{
    arena_setup(state);
    loop_settings_default(&settings);
    settings.finish_orphaned = settings.admission_gated_by = true;
    settings.wait_for_pods_ready = false;
    job_options_default(&settings.jobs);
    facts = (struct job_facts){ .namespace_exists = true,
                                .namespace_managed = true,
                                .is_top_level = true,
                                .workloads = workloads,
                                .priority_group = "kueue.x-k8s.io",
                                .priority_kind = "WorkloadPriorityClass",
                                .priority_name = "high",
                                .priority = 1000,
                                .priority_known = true };
    choice = (struct job_choice){ 0 };
    tree_count = 0;
    return 0;
}

static int teardown(void **state)
{
    json_decref(choice.tree);
    json_decref(choice.patch);
    while (tree_count > 0)
        json_decref(trees[--tree_count]);
    return arena_teardown(state);
}

static json_t *kept(json_t *value)
{
    assert_true(tree_count < ARRAY_COUNT(trees));
    return trees[tree_count++] = value;
}

#define SPEC "{'containers':[{'name':'c','resources':{'requests':{'cpu':'1'}}}]}"

/* Job ns/j with these extra members of metadata, spec and status. */
static struct job *with_job(const char *metadata, const char *spec, const char *status)
{
    AUTO_FREE char *text =
        mem_format("{'metadata':{'name':'j','namespace':'ns','uid':'u','resourceVersion':'7'%s%s},"
                   "'spec':{'template':{'metadata':{},'spec':" SPEC "}%s%s},'status':{%s}}",
                   *metadata ? "," : "", metadata, *spec ? "," : "", spec, status);
    json_t *object = tree(text);
    struct job *job = ARENA_NEW(&arena, struct job);

    assert_int_equal(batch_job_kind.decode(object, &settings.jobs, &arena, job, NULL), 0);
    facts.job = job;
    json_decref(object);
    return job;
}

#define Q "'labels':{'kueue.x-k8s.io/queue-name':'lq'}"
#define OWNER                                                                                      \
    "'ownerReferences':[{'kind':'Job','name':'j','uid':'u','controller':true}],"                   \
    "'finalizers':['kueue.x-k8s.io/resource-in-use']"

/* One more Workload of the job, of one pod set with this template. */
static struct workload_facts *add(const char *pod_spec, int count, const char *metadata,
                                  const char *spec, const char *status)
{
    struct workload_facts *w = &workloads[facts.workload_count++];
    struct workload_pod_set *pod_set = ARENA_NEW(&arena, struct workload_pod_set);
    json_t *pods = tree(pod_spec);
    AUTO_FREE char *injected = pod_template_injected(NULL);

    *pod_set = (struct workload_pod_set){ "main",
                                          count,
                                          -1,
                                          digest_containers(pods),
                                          digest_tolerations(pods),
                                          arena_strdup(&arena, injected) };
    json_decref(pods);
    *w = (struct workload_facts){
        .name = "wl", .uid = "w", .pod_sets = pod_set, .pod_set_count = 1
    };
    w->object = kept(workload(metadata, spec, status));
    return w;
}

/* "Type=reason" pairs, all True: 'conditions' of a status. */
static const char *holds(const char *types)
{
    const char *list = "";
    char *copy = arena_strdup(&arena, types), *next = NULL;

    for (char *type = strtok_r(copy, " ", &next); type; type = strtok_r(NULL, " ", &next)) {
        char *reason = strchr(type, '=');

        if (reason)
            *reason++ = '\0';
        list = arena_format(&arena, "%s%s%s", list, *list ? "," : "",
                            condition(&arena, type, "True", reason ? reason : type, "M", 60));
    }
    return arena_format(&arena, "'conditions':[%s]%s", list,
                        strstr(types, "QuotaReserved")
                            ? ",'admission':{'clusterQueue':'cq','podSetAssignments':"
                              "[{'name':'main','flavors':{'cpu':'spot'},'count':1}]}"
                            : "");
}

static enum job_action next(void)
{
    json_decref(choice.tree);
    json_decref(choice.patch);
    job_step(&facts, &settings, now_time(), &arena, &choice);
    return choice.action;
}

static enum job_action stopped(const struct workload_facts *w)
{
    json_decref(choice.tree);
    json_decref(choice.patch);
    job_step_stopped(&facts, &settings, w, now_time(), &arena, &choice);
    return choice.action;
}

static void assert_event(const char *reason, const char *note)
{
    assert_non_null(choice.event_reason);
    assert_string_equal(choice.event_reason, reason);
    assert_string_equal(choice.event_note, note);
}

/* ---- R2 - R6 ---- */

static void a_deleted_job_ends_its_workloads(void **state)
{
    struct workload_facts *w = add(SPEC, 1, OWNER, "", holds("QuotaReserved Admitted"));

    (void)state;
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
    assert_string_equal(condition_text(&arena, choice.tree, "Finished"),
                        "True/OwnerNotFound/The workload's owner no longer exists");
    w->object = kept(json_incref(choice.tree));
    assert_int_equal(next(), JOB_REMOVE_FINALIZER);
    w->object = kept(workload("", "", holds("Finished")));
    assert_int_equal(next(), JOB_NOTHING);
    settings.finish_orphaned = false;
    w->object = kept(workload(OWNER, "", ""));
    assert_int_equal(next(), JOB_REMOVE_FINALIZER);
}

static void jobs_that_are_not_ours(void **state)
{
    static const struct {
        const char *metadata;
        bool namespace_exists, managed, top, ancestor_queue, manage_all;
        enum job_action expected;
    } cases[] = {
        { Q, true, true, true, false, false, JOB_CREATE_WORKLOAD },
        { "", true, true, true, false, false, JOB_NOTHING },
        { "", true, true, true, false, true, JOB_CREATE_WORKLOAD },
        { Q, false, true, true, false, false, JOB_NOTHING },
        { Q, true, false, true, false, false, JOB_NOTHING },
        { Q, true, true, false, true, false, JOB_NOTHING }, /* children never get a Workload */
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
        assert_int_equal(next(), cases[i].expected);
    }
}

static void children_wait_for_their_ancestor(void **state)
{
    (void)state;
    with_job("", "'suspend':false", "");
    facts.is_top_level = false;
    facts.ancestor_has_queue = true;
    assert_int_equal(next(), JOB_SUSPEND_CHILD);
    assert_event("Suspended", "Kueue managed child job suspended");
    facts.ancestor_lets_run = true;
    assert_int_equal(next(), JOB_NOTHING);
    facts.ancestor_lets_run = false;
    with_job("", "'suspend':false", "'conditions':[{'type':'Complete','status':'True'}]");
    assert_int_equal(next(), JOB_NOTHING);
}

/* ---- R7, 1.12 ---- */

static void a_running_job_without_a_workload_is_stopped(void **state)
{
    (void)state;
    with_job(Q, "'suspend':false", "");
    assert_int_equal(next(), JOB_STOP);
    assert_null(choice.workload);
    assert_event("Stopped", "Missing Workload; unable to restore pod templates");
    add("{}", 1, OWNER, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next(), JOB_STOP);
    assert_ptr_equal(choice.workload, &workloads[0]);
    assert_event("Stopped",
                 "No matching Workload; restoring pod templates according to existent Workload");
}

static void a_suspended_job_updates_its_workload(void **state)
{
    (void)state;
    with_job(Q, "'suspend':true", "");
    add("{}", 1, OWNER, "", "");
    assert_int_equal(next(), JOB_UPDATE_WORKLOAD);
    assert_event("UpdatedWorkload", "Updated not matching Workload for suspended job: ns/wl");
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved")));
    assert_int_equal(next(), JOB_DELETE_WORKLOAD);
    assert_event("DeletedWorkload", "Deleted not matching Workload: ns/wl");
    workloads[0].object = kept(workload(OWNER, "", holds("Finished")));
    assert_int_equal(next(), JOB_DELETE_WORKLOAD);
}

static void a_workload_of_a_namesake_is_deleted(void **state)
{
    static const char owner[] = "'ownerReferences':[{'kind':'Job','name':'j','uid':'old',"
                                "'controller':true}]";

    (void)state;
    with_job(Q, "'suspend':true", "");
    add(SPEC, 1, owner, "", "");
    assert_int_equal(next(), JOB_DELETE_WORKLOAD);
    settings.finish_orphaned = false; /* uids do not count */
    assert_int_equal(next(), JOB_NOTHING);
}

static void surplus_workloads_are_deleted(void **state)
{
    (void)state;
    with_job(Q, "'suspend':true", "");
    add("{}", 1, OWNER, "", "");
    add(SPEC, 1, OWNER, "", "");
    add(SPEC, 1, OWNER, "", "");
    assert_int_equal(next(), JOB_DELETE_WORKLOAD); /* the match is the second */
    assert_ptr_equal(choice.workload, &workloads[0]);
    facts.workloads = &workloads[1];
    facts.workload_count = 2;
    assert_int_equal(next(), JOB_DELETE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[2]);
}

static void of_two_that_differ_the_first_is_kept(void **state)
{
    (void)state;
    with_job(Q, "'suspend':true", "");
    add("{}", 1, OWNER, "", "");
    add("{}", 2, OWNER, "", "");
    assert_int_equal(next(), JOB_DELETE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[1]);
    facts.workload_count = 1;
    assert_int_equal(next(), JOB_UPDATE_WORKLOAD);
}

static void prebuilt_workloads(void **state)
{
    const char *prebuilt = Q ",'annotations':{'kueue.x-k8s.io/prebuilt-workload-name':'wl'}";

    (void)state;
    with_job(prebuilt, "'suspend':true", "");
    assert_int_equal(next(), JOB_NOTHING);
    with_job(prebuilt, "'suspend':false", "");
    assert_int_equal(next(), JOB_STOP);
    assert_event("Stopped", "missing workload");
    with_job(prebuilt, "'suspend':true", "");
    facts.prebuilt = add(SPEC, 1, "", "", "");
    assert_int_equal(next(), JOB_ADOPT_WORKLOAD);
    workloads[0].object = kept(workload(OWNER, "", ""));
    assert_int_equal(next(), JOB_NOTHING);
    workloads[0].object =
        kept(workload("'ownerReferences':[{'name':'x','uid':'x','controller':true}]", "", ""));
    assert_int_equal(next(), JOB_NOTHING);
    facts.workload_count = 0;
    facts.prebuilt = add("{}", 1, OWNER, "", "");
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
    assert_string_equal(condition_text(&arena, choice.tree, "Finished"),
                        "True/OutOfSync/The prebuilt workload is out of sync with its user job");
    workloads[0].object = kept(json_incref(choice.tree));
    assert_int_equal(next(), JOB_NOTHING);
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
        add(SPEC, 1, OWNER, cases[i].reference, holds(cases[i].conditions));
        next();
        assert_int_equal(choice.action == JOB_PATCH_WORKLOAD, cases[i].patched);
        if (!cases[i].patched)
            continue;
        assert_json(choice.patch,
                    "{'spec':{'priority':1000,'priorityClassRef':{'group':'kueue.x-k8s.io',"
                    "'kind':'WorkloadPriorityClass','name':'high'}}}");
        assert_event("UpdatedWorkload", "Updated workload priority class: ns/wl");
        facts.priority_known = false;
        assert_int_equal(next(), JOB_MISSING_CLASS);
        facts.priority_known = true;
    }
}

static void a_label_that_is_gone_leaves_the_class_of_the_pods_or_none(void **state)
{
    (void)state;
    with_job(Q, "'suspend':true", "");
    add(SPEC, 1, OWNER, "'priorityClassRef':{'group':'kueue.x-k8s.io','name':'low'}", "");
    facts.priority_group = "scheduling.k8s.io";
    facts.priority_kind = "PriorityClass";
    facts.priority_name = "pods";
    facts.priority = 7;
    assert_int_equal(next(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch, "{'spec':{'priority':7,'priorityClassRef':{'group':"
                              "'scheduling.k8s.io','kind':'PriorityClass','name':'pods'}}}");
    facts.priority_name = "";
    facts.priority = 0;
    assert_int_equal(next(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch, "{'spec':{'priority':0,'priorityClassRef':null}}");
    workloads[0].object =
        kept(workload(OWNER, "'priorityClassRef':{'group':'kueue.x-k8s.io','name':'low'}",
                      holds("QuotaReserved")));
    assert_int_equal(next(), JOB_NOTHING);
}

static void gates_reach_the_workload(void **state)
{
    (void)state;
    with_job(Q ",'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}", "'suspend':true",
             "");
    add(SPEC, 1, OWNER, "", "");
    assert_int_equal(next(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch,
                "{'metadata':{'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}}}");
    assert_event("UpdatedWorkload", "Updated workload AdmissionGatedBy to \"a.io/g\"");
    workloads[0].object = kept(
        workload(OWNER ",'annotations':{'kueue.x-k8s.io/admission-gated-by':'a.io/g'}", "", ""));
    assert_int_equal(next(), JOB_NOTHING);
    with_job(Q, "'suspend':true", "");
    assert_int_equal(next(), JOB_PATCH_WORKLOAD);
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
        { Q, "'suspend':true", SPEC, 1, "", "", true },
        { Q, "'suspend':true,'parallelism':2", SPEC, 1, "", "", false },
        { Q, "'suspend':true", "{}", 1, "", "", false },
        { Q, "'suspend':true", SPEC, 1, "'maximumExecutionTimeSeconds':5", "", false },
        { "'labels':{'kueue.x-k8s.io/max-exec-time-seconds':'5'}", "'suspend':true", SPEC, 1,
          "'maximumExecutionTimeSeconds':5", "", true },
        /* partially admitted with 1 of 5 (holds() assigns 1) */
        { Q ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
          "'suspend':false,'parallelism':1", SPEC, 5, "", "QuotaReserved Admitted", true },
        { Q ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
          "'suspend':true,'parallelism':5", SPEC, 5, "", "QuotaReserved Admitted", true },
        { Q ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
          "'suspend':false,'parallelism':5", SPEC, 5, "", "QuotaReserved Admitted", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct workload_pod_set *pod_set;
        const struct job *job;

        facts.workload_count = 0;
        job = with_job(cases[i].metadata, cases[i].job, "");
        add(cases[i].pods, cases[i].count, OWNER, cases[i].spec, holds(cases[i].conditions));
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
    struct job *job = with_job(Q, "'suspend':true", "");

    (void)state;
    add(tolerant, 1, OWNER, "", "");
    assert_false(job_matches_workload(job, &workloads[0], &settings));
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved Admitted")));
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
    with_job(Q, "'suspend':false",
             "'conditions':[{'type':'Complete','status':'True','message':'m'}]");
    add(SPEC, 1, OWNER, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
    assert_null(choice.event_reason);
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved Admitted Finished")));
    assert_int_equal(next(), JOB_REMOVE_FINALIZER);
    assert_event("FinishedWorkload", note);
    workloads[0].object = kept(workload(bare, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
    assert_event("FinishedWorkload", note);
    workloads[0].object = kept(workload(bare, "", holds("QuotaReserved Admitted Finished")));
    assert_int_equal(next(), JOB_NOTHING);
    assert_null(choice.event_reason);
}

static void the_end_of_a_job(void **state)
{
    (void)state;
    with_job(Q, "'suspend':false",
             "'conditions':[{'type':'Complete','status':'True','message':'done'}]");
    assert_int_equal(next(), JOB_NOTHING); /* a finished job never gets a Workload */
    add(SPEC, 1, OWNER, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
    assert_string_equal(condition_text(&arena, choice.tree, "Finished"), "True/Succeeded/done");
    workloads[0].object = kept(json_incref(choice.tree));
    assert_int_equal(next(), JOB_REMOVE_FINALIZER);
    assert_event("FinishedWorkload", "Workload 'ns/wl' is declared finished");
}

static void a_deleted_workload_stops_its_job(void **state)
{
    const char *deleted = OWNER ",'deletionTimestamp':'" NOW_TEXT "'";

    (void)state;
    with_job(Q, "'suspend':false", "");
    add(SPEC, 1, deleted, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next(), JOB_STOP);
    assert_event("Stopped", "Workload is deleted");
    with_job(Q, "'suspend':true", "'active':1");
    assert_int_equal(next(), JOB_STOP);
    assert_int_equal(stopped(&workloads[0]), JOB_NOTHING); /* pods still hold the quota */
    with_job(Q, "'suspend':true", "");
    assert_int_equal(next(), JOB_STOP);
    assert_int_equal(stopped(&workloads[0]), JOB_REMOVE_FINALIZER);
    with_job(Q, "'suspend':false", "'conditions':[{'type':'Failed','status':'True'}]");
    assert_int_equal(next(), JOB_REMOVE_FINALIZER); /* nothing left to stop */
}

static void creation_waits_for_pods_and_classes(void **state)
{
    (void)state;
    with_job(Q, "'suspend':true", "'active':1");
    assert_int_equal(next(), JOB_NOTHING);
    with_job(Q, "'suspend':true", "");
    facts.priority_known = false;
    assert_int_equal(next(), JOB_MISSING_CLASS);
    facts.priority_known = true;
    assert_int_equal(next(), JOB_CREATE_WORKLOAD);
}

/* ---- R15, R16 ---- */

static void reclaimable_pods_are_written(void **state)
{
    (void)state;
    with_job(Q, "'suspend':false,'parallelism':3,'completions':5", "'succeeded':4");
    add(SPEC, 3, OWNER, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
    assert_json(member(choice.tree, "status.reclaimablePods"), "[{'count':2,'name':'main'}]");
    workloads[0].object = kept(json_incref(choice.tree));
    assert_int_equal(next(), JOB_NOTHING);
    settings.jobs.reclaimable_pods = false;
    with_job(Q, "'suspend':false,'parallelism':3,'completions':5", "");
    assert_int_equal(next(), JOB_NOTHING);
    settings.jobs.reclaimable_pods = true;
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
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
        with_job(Q,
                 *cases[i].held ? "'suspend':false,'parallelism':2"
                                : "'suspend':true,'parallelism':2",
                 arena_format(&arena, "'ready':%d", cases[i].ready));
        add(SPEC, 2, OWNER, "'priority':0", holds(cases[i].held));
        object = (json_t *)(uintptr_t)workloads[0].object;
        if (reason) {
            *reason++ = '\0';
            condition_put(object, &(struct condition_change){ "PodsReady", status, reason, "", 2 },
                          now_time());
        }
        next();
        if (*cases[i].expected) {
            assert_int_equal(choice.action, JOB_WRITE_WORKLOAD);
            assert_string_equal(condition_text(&arena, choice.tree, "PodsReady"),
                                cases[i].expected);
        } else {
            assert_int_not_equal(choice.action, JOB_WRITE_WORKLOAD);
        }
        while (tree_count > 0)
            json_decref(trees[--tree_count]);
    }
}

/* Partially admitted: the job itself says how many pods it wants. */
static void readiness_counts_the_admitted_pods(void **state)
{
    struct workload_pod_set *pod_set;

    (void)state;
    settings.wait_for_pods_ready = true;
    with_job(Q ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'1'}",
             "'suspend':false,'parallelism':1", "'ready':1");
    add(SPEC, 5, OWNER, "", holds("QuotaReserved Admitted"));
    pod_set = (struct workload_pod_set *)(uintptr_t)workloads[0].pod_sets;
    pod_set->min_count = 1;
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
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
        with_job(Q, "'suspend':false", "'active':1");
        add(SPEC, 1, OWNER, "",
            holds(arena_format(&arena, "QuotaReserved Admitted Evicted=%s", cases[i].reason)));
        assert_int_equal(next(), JOB_STOP);
        assert_event("Stopped", "M");
        with_job(Q, "'suspend':true", "'active':1");
        assert_int_equal(stopped(&workloads[0]), JOB_NOTHING);
        with_job(Q, "'suspend':true", "");
        assert_int_equal(stopped(&workloads[0]), JOB_WRITE_WORKLOAD);
        assert_string_equal(condition_text(&arena, choice.tree, "Requeued"), cases[i].requeued);
        assert_string_equal(condition_text(&arena, choice.tree, "QuotaReserved"),
                            "False/PendingEvaluation/M");
        assert_string_equal(condition_text(&arena, choice.tree, "Admitted"),
                            "False/NoReservation/The workload has no reservation");
        assert_false(has_member(choice.tree, "status.admission"));
        workloads[0].object = kept(json_incref(choice.tree));
        assert_int_equal(stopped(&workloads[0]), JOB_NOTHING);
    }
}

static void an_evicted_workload_moves_to_another_queue(void **state)
{
    (void)state;
    with_job("'labels':{'kueue.x-k8s.io/queue-name':'other'}", "'suspend':true", "");
    add(SPEC, 1, OWNER, "", holds("Evicted=LocalQueueStopped"));
    assert_int_equal(next(), JOB_STOP);
    assert_int_equal(stopped(&workloads[0]), JOB_PATCH_WORKLOAD);
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
    with_job(Q, "'suspend':true", "");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        facts.workload_count = 0;
        add(SPEC, 1, OWNER, cases[i].spec,
            holds(arena_format(&arena, "Evicted=%s", cases[i].reason)));
        settings.retain_deactivated = cases[i].retain < 0 ? -1 : SECONDS(cases[i].retain);
        assert_int_equal(stopped(&workloads[0]), cases[i].expected);
        assert_int_equal(choice.next,
                         cases[i].next ? now_time() + SECONDS(cases[i].next) : TIME_NONE);
        if (cases[i].expected == JOB_DELETE_JOB)
            assert_event("Deleted", "Deleted job: deactivation retention period expired");
    }
}

/* ---- R18 - R20 ---- */

static void admitted_jobs_start(void **state)
{
    (void)state;
    with_job(Q, "'suspend':true", "");
    add(SPEC, 1, OWNER, "", holds("QuotaReserved Admitted"));
    assert_int_equal(next(), JOB_START);
    assert_event("Started", "Admitted by clusterQueue cq");
    with_job(Q, "'suspend':false", "");
    assert_int_equal(next(), JOB_NOTHING);
}

static void unadmitted_jobs_are_stopped(void **state)
{
    (void)state;
    with_job(Q, "'suspend':false", "");
    add(SPEC, 1, OWNER, "", "");
    assert_int_equal(next(), JOB_STOP);
    assert_event("Stopped", "Not admitted by cluster queue");
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
        with_job(Q ",'annotations':{'kueue.x-k8s.io/stopping':'true'}", cases[i].suspend,
                 "'active':1");
        facts.workload_count = 0;
        add(SPEC, 1, OWNER, "", holds(cases[i].holds));
        assert_int_equal(next(), cases[i].expected);
    }
}

static void pending_checks_are_told(void **state)
{
    (void)state;
    with_job(Q, "'suspend':true", "");
    add(SPEC, 1, OWNER, "",
        arena_format(&arena, "%s,'admissionChecks':[{'name':'a','state':'Pending','message':'m'}]",
                     holds("QuotaReserved")));
    assert_int_equal(next(), JOB_NOTHING);
    assert_event("UpdatedAdmissionCheck", "a: m");
}

static void the_queue_may_change_without_quota(void **state)
{
    (void)state;
    with_job("'labels':{'kueue.x-k8s.io/queue-name':'other'}", "'suspend':true", "");
    add(SPEC, 1, OWNER, "", "");
    assert_int_equal(next(), JOB_PATCH_WORKLOAD);
    assert_json(choice.patch, "{'spec':{'queueName':'other'}}");
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved")));
    assert_int_equal(next(), JOB_NOTHING);
}

#define ELASTIC Q ",'annotations':{'kueue.x-k8s.io/elastic-job':'true'}"

/* Nothing would hold its new pods back. */
static void an_elastic_job_without_a_gate_may_not_grow(void **state)
{
    (void)state;
    with_job(ELASTIC, "'suspend':false,'parallelism':3", "");
    assert_int_equal(next(), JOB_STOP);
    add(SPEC, 3, OWNER, "", "");
    assert_int_equal(next(), JOB_STOP);
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next(), JOB_NOTHING);
    with_job(ELASTIC, "'suspend':false,'parallelism':5", "");
    assert_int_equal(next(), JOB_STOP);
}

static void elastic_jobs_grow_by_slices(void **state)
{
    struct job *job = with_job(ELASTIC, "'suspend':false,'parallelism':3", "'active':3");

    (void)state;
    job->is_gated = true;
    assert_int_equal(next(), JOB_CREATE_WORKLOAD); /* its pods wait, however many there are */
    assert_null(choice.workload);
    add(SPEC, 2, OWNER, "", "");
    assert_int_equal(next(), JOB_RESIZE_WORKLOAD);
    assert_json(choice.patch, "[{'op':'replace','path':'/metadata/resourceVersion','value':''},"
                              "{'op':'replace','path':'/spec/podSets/0/count','value':3}]");
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next(), JOB_CREATE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[0]);
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved Admitted Evicted")));
    assert_int_equal(next(), JOB_STOP); /* first things first */
    with_job(ELASTIC, "'suspend':false,'parallelism':1", "'active':1,'terminating':1")->is_gated =
        true;
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next(), JOB_NOTHING); /* a pod is still going */
    with_job(ELASTIC, "'suspend':false,'parallelism':1", "'active':1")->is_gated = true;
    assert_int_equal(next(), JOB_RESIZE_WORKLOAD);
    facts.job = job;
    job->is_finished = true;
    workloads[0].object = kept(workload(OWNER, "", holds("QuotaReserved Admitted")));
    assert_int_equal(next(), JOB_WRITE_WORKLOAD); /* it ends with what it had */
    job->is_finished = false;
    workloads[0].object = kept(workload(OWNER, "", holds("Finished")));
    assert_int_equal(next(), JOB_CREATE_WORKLOAD);
    assert_null(choice.workload);
    add(SPEC, 3, OWNER, "", "");
    assert_int_equal(next(), JOB_REMOVE_FINALIZER);
    assert_ptr_equal(choice.workload, &workloads[0]);
}

static void slices_of_an_earlier_job_go(void **state)
{
    (void)state;
    with_job(ELASTIC, "'suspend':true,'parallelism':3", "")->is_gated = true;
    add(SPEC, 3,
        "'ownerReferences':[{'kind':'Job','name':'j','uid':'old','controller':true}],"
        "'finalizers':['kueue.x-k8s.io/resource-in-use']",
        "", holds("QuotaReserved Admitted Evicted"));
    assert_int_equal(next(), JOB_DELETE_WORKLOAD);
    assert_event("DeletedWorkload", "Deleted not matching Workload: ns/wl");
    json_object_set_new(member(workloads[0].object, "status.conditions.0"), "type",
                        json_string("Finished"));
    assert_int_equal(next(), JOB_CREATE_WORKLOAD); /* one that has ended is in nobody's way */
}

static void the_end_of_an_elastic_job_is_told_once(void **state)
{
    struct job *job = with_job(ELASTIC, "'suspend':false,'parallelism':3", "");

    (void)state;
    job->is_finished = job->is_gated = true;
    add(SPEC, 2, OWNER, "", holds("Finished"));
    add(SPEC, 3, OWNER, "", holds("QuotaReserved Admitted"))->name = "new";
    assert_int_equal(next(), JOB_REMOVE_FINALIZER); /* of the slice that was replaced */
    assert_null(choice.event_reason);
    workloads[0].object = kept(workload("", "", holds("Finished")));
    assert_int_equal(next(), JOB_WRITE_WORKLOAD);
    assert_ptr_equal(choice.workload, &workloads[1]);
    workloads[1].object = kept(workload(OWNER, "", holds("Finished")));
    assert_int_equal(next(), JOB_REMOVE_FINALIZER);
    assert_ptr_equal(choice.workload, &workloads[1]);
    assert_event("FinishedWorkload", "Workload 'ns/new' is declared finished");
    workloads[0].object = kept(workload(OWNER, "", holds("Finished")));
    workloads[1].object = kept(workload("", "", holds("Finished")));
    assert_int_equal(next(), JOB_REMOVE_FINALIZER); /* one that was left */
    assert_ptr_equal(choice.workload, &workloads[0]);
    assert_null(choice.event_reason);
    facts.workload_count = 0;
    assert_int_equal(next(), JOB_NOTHING);
}

/* ---- infos (1.14) ---- */

static bool flavor_of(void *context, const char *flavor, const json_t **labels,
                      const json_t **tolerations)
{
    if (strcmp(flavor, "spot") != 0)
        return false;
    *labels = json_object_get(context, "nodeLabels");
    *tolerations = json_object_get(context, "tolerations");
    return true;
}

static json_t *spot(void)
{
    return kept(
        tree("{'nodeLabels':{'instance-type':'spot'},'tolerations':[{'key':'spot-taint'}]}"));
}

static json_t *info_json(const struct pod_set_info *info)
{
    return kept(json_pack("{s:s, s:i, s:O, s:O, s:O, s:O, s:O}", "name", info->name, "count",
                          (int)info->count, "labels", info->labels, "annotations",
                          info->annotations, "nodeSelector", info->node_selector, "tolerations",
                          info->tolerations, "gates", info->gates));
}

static void infos_of_an_admission(void **state)
{
    struct pod_set_info info;
    json_t *flavor = spot();

    (void)state;
    add(SPEC, 3, "", "'podSets':[{'name':'main','topologyRequest':{'podIndexLabel':'x'}}]",
        holds("QuotaReserved"));
    json_object_set_new(member(workloads[0].object, "status.admission.podSetAssignments.0"),
                        "flavors", tree("{'cpu':'spot','memory':'spot'}"));
    assert_int_equal(workload_infos(&workloads[0], &settings, flavor_of, flavor, &info, NULL), 0);
    assert_json(
        info_json(&info),
        "{'annotations':{'kueue.x-k8s.io/workload':'wl'},'count':1,'gates':[],'labels':"
        "{'kueue.x-k8s.io/cluster-queue-name':'cq','kueue.x-k8s.io/local-queue-name':'lq',"
        "'kueue.x-k8s.io/podset':'main'},'name':'main','nodeSelector':{'instance-type':'spot'},"
        "'tolerations':[{'key':'spot-taint'}]}");
    pod_set_info_finish(&info, 1);
    json_object_set_new(member(workloads[0].object, "status.admission.podSetAssignments.0"),
                        "topologyAssignment", tree("{'levels':['x']}"));
    json_object_set_new(member(workloads[0].object, "status.admission"), "clusterQueue",
                        json_string("a.b"));
    settings.jobs.queue_labels_for_pods = true;
    assert_int_equal(workload_infos(&workloads[0], &settings, flavor_of, flavor, &info, NULL), 0);
    assert_json(info.labels,
                "{'kueue.x-k8s.io/local-queue-name':'lq','kueue.x-k8s.io/podset':'main'}");
    assert_json(info.annotations, "{'kueue.x-k8s.io/podset-unconstrained-topology':'true',"
                                  "'kueue.x-k8s.io/workload':'wl'}");
    assert_json(info.gates, "[{'name':'kueue.x-k8s.io/topology'}]");
    pod_set_info_finish(&info, 1);
    settings.jobs.topology_aware = settings.jobs.queue_labels_for_pods = false;
    assert_int_equal(workload_infos(&workloads[0], &settings, flavor_of, flavor, &info, NULL), 0);
    assert_json(info.labels, "{'kueue.x-k8s.io/podset':'main'}");
    assert_json(info.annotations, "{}");
    assert_json(info.gates, "[]");
    pod_set_info_finish(&info, 1);
}

static void infos_take_updates_of_checks(void **state)
{
    static const struct {
        const char *first, *second; /* podSetUpdates of two checks, beside the name */
        const char *error;          /* NULL: fine */
    } cases[] = {
        { "'labels':{'a':'1'}", "'labels':{'a':'1'},'nodeSelector':{'n':'1'}", NULL },
        { "'labels':{'a':'1'}", "'labels':{'a':'2'}",
          "in admission check \"b\": invalid admission check PodSetUpdate: conflict for labels: "
          "conflict for key=a, value1=1, value2=2" },
        { "'annotations':{'a':'1'},'labels':{'l':'1'}",
          "'annotations':{'a':'2'},'labels':{'l':'2'}",
          "in admission check \"b\": invalid admission check PodSetUpdate: conflict for "
          "annotations: "
          "conflict for key=a, value1=1, value2=2" },
        { "'nodeSelector':{'instance-type':'x'}", "",
          "in admission check \"a\": invalid admission check PodSetUpdate: conflict for "
          "nodeSelector: "
          "conflict for key=instance-type, value1=spot, value2=x" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct pod_set_info info;
        struct err e = { 0 };
        json_t *flavor;
        int answer;

        while (tree_count > 0)
            json_decref(trees[--tree_count]);
        flavor = spot();
        facts.workload_count = 0;
        add(SPEC, 3, "", "'podSets':[{'name':'main'}]",
            arena_format(
                &arena,
                "%s,'admissionChecks':[{'name':'a','podSetUpdates':[{'name':'other',"
                "'labels':{'x':'y'}},{'name':'main'%s%s},{'name':'main','labels':{'q':'q'}}]},"
                "{'name':'b','podSetUpdates':[{'name':'main'%s%s}]}]",
                holds("QuotaReserved"), *cases[i].first ? "," : "", cases[i].first,
                *cases[i].second ? "," : "", cases[i].second));
        answer = workload_infos(&workloads[0], &settings, flavor_of, flavor, &info, &e);
        assert_int_equal(answer, cases[i].error ? -1 : 0);
        if (cases[i].error) {
            assert_int_equal(e.code, ERR_INVALID);
            assert_string_equal(e.text, cases[i].error);
        } else {
            assert_json(info.node_selector, "{'instance-type':'spot','n':'1'}");
            assert_false(has_member(info.labels, "x"));
            assert_false(has_member(info.labels, "q"));
        }
        pod_set_info_finish(&info, 1);
    }
}

static void infos_need_flavors_and_assignments(void **state)
{
    struct pod_set_info info;
    struct err e = { 0 };
    json_t *flavor = spot();

    (void)state;
    add(SPEC, 3, "", "", holds("QuotaReserved"));
    json_object_set_new(member(workloads[0].object, "status.admission.podSetAssignments.0"),
                        "flavors", tree("{'cpu':'gone'}"));
    assert_int_equal(workload_infos(&workloads[0], &settings, flavor_of, flavor, &info, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    pod_set_info_finish(&info, 1);
    json_object_set_new(member(workloads[0].object, "status.admission"), "podSetAssignments",
                        json_array());
    assert_int_equal(workload_infos(&workloads[0], &settings, flavor_of, flavor, &info, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_string_equal(e.text, "invalid podset infos: expecting 1 podset, got 0");
    pod_set_info_finish(&info, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(infos_of_an_admission),
        TEST(infos_take_updates_of_checks),
        TEST(infos_need_flavors_and_assignments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
