/* batch/v1 Job: spec/integrations.md 2.1 and the examples J1 - J6, J8. */
#include "tests/unit/admitter/jobs/support.h"

#include <string.h>

#define MIN "metadata.annotations[kueue.x-k8s.io/job-min-parallelism]: Invalid value: "
#define SYNC "metadata.annotations[kueue.x-k8s.io/job-completions-equal-parallelism]: "

/* What starting adds for the flavor "spot" (INJ of 6.0). */
static void spot_info(struct pod_set_info *info, int32_t count)
{
    pod_set_info_init(info, "main", count);
    json_object_set_new(info->annotations, "kueue.x-k8s.io/workload", json_string("wl"));
    json_object_set_new(info->labels, "kueue.x-k8s.io/podset", json_string("main"));
    json_object_set_new(info->node_selector, "instance-type", json_string("spot"));
    json_array_append_new(info->tolerations,
                          tree("{'key':'spot-taint','operator':'Exists','effect':'NoSchedule'}"));
}

/* ---- J1 ---- */

static void pod_sets_of_a_plain_job(void **state)
{
    json_t *object = job_object(QUEUED, "'parallelism':3,'completions':3");
    json_t *metadata = member(object, "spec.template.metadata"), *list;

    (void)state;
    json_object_set_new(metadata, "labels",
                        tree("{'job-name':'x','controller-uid':'x',"
                             "'batch.kubernetes.io/controller-uid':'x',"
                             "'batch.kubernetes.io/job-name':'sample-job'}"));
    list = job_pod_sets(object);
    assert_json(
        list, "[{'count':3,'name':'main','template':{'metadata':{'labels':"
              "{'batch.kubernetes.io/job-name':'sample-job'}},'spec':{'containers':[{'image':"
              "'img:1','name':'c','resources':{'requests':{'cpu':'1'}}}],'restartPolicy':'Never'}},"
              "'topologyRequest':{'podIndexLabel':'batch.kubernetes.io/job-completion-index'}}]");
    assert_true(has_member(object, "spec.template.metadata.labels.job-name"));
    json_decref(list);
    world.options.topology_aware = false;
    list = job_pod_sets(object);
    assert_false(has_member(list, "0.topologyRequest"));
    json_decref(list);
    json_decref(object);
}

static void counts(void **state)
{
    static const struct {
        const char *spec;
        int count;
    } cases[] = {
        { "", 1 },
        { "'parallelism':3", 3 },
        { "'parallelism':3,'completions':2", 2 },
        { "'parallelism':3,'completions':10", 3 },
        { "'parallelism':0", 0 },
        { "'parallelism':2,'completions':null", 2 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = job_object("", cases[i].spec), *list = job_pod_sets(object);

        assert_int_equal(json_integer_value(member(list, "0.count")), cases[i].count);
        assert_int_equal(job_decoded(object)->pod_sets[0].count, cases[i].count);
        json_decref(list);
        json_decref(object);
    }
}

static void starting_a_job(void **state)
{
    json_t *object = job_object(QUEUED, "'parallelism':3,'suspend':true");
    struct job *job = job_decoded(object);
    struct pod_set_info info;
    struct job_patch patch;

    (void)state;
    spot_info(&info, 3);
    assert_int_equal(batch_job_kind.start(job, &info, 1, &patch, NULL), 0);
    assert_null(patch.subresource);
    assert_json(
        patch.body,
        "{'metadata':{'resourceVersion':'7'},'spec':{'suspend':false,'template':{'metadata':"
        "{'annotations':{'kueue.x-k8s.io/workload':'wl'},'labels':{'kueue.x-k8s.io/podset':"
        "'main'}},'spec':{'nodeSelector':{'instance-type':'spot'},'tolerations':[{'effect':"
        "'NoSchedule','key':'spot-taint','operator':'Exists'}]}}}}");
    json_decref(patch.body);
    pod_set_info_finish(&info, 1);
    json_decref(object);
}

static void a_start_that_cannot_be(void **state)
{
    json_t *object = job_object(QUEUED, "'suspend':true");
    struct pod_set_info info;
    struct job_patch patch;
    struct err e = { 0 };

    (void)state;
    json_object_set_new(member(object, "spec.template.spec"), "nodeSelector",
                        tree("{'instance-type':'x'}"));
    spot_info(&info, 1);
    assert_int_equal(batch_job_kind.start(job_decoded(object), &info, 1, &patch, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_string_equal(e.text, "invalid admission check PodSetUpdate: conflict for nodeSelector: "
                                "conflict for key=instance-type, value1=x, value2=spot");
    assert_int_equal(batch_job_kind.start(job_decoded(object), &info, 0, &patch, &e), -1);
    assert_string_equal(e.text, "invalid podset infos: expecting 1 podset, got 0");
    pod_set_info_finish(&info, 1);
    json_decref(object);
}

static void the_end_of_a_job(void **state)
{
    static const struct {
        const char *conditions;
        bool finished, success;
        const char *message;
    } cases[] = {
        { "[]", false, false, "" },
        { "[{'type':'Complete','status':'True','message':'Reached expected number of succeeded "
          "pods'}]",
          true, true, "Reached expected number of succeeded pods" },
        { "[{'type':'Failed','status':'True','message':'boom'}]", true, false, "boom" },
        { "[{'type':'SuccessCriteriaMet','status':'True'},{'type':'FailureTarget','status':'True'}"
          "]",
          false, false, "" },
        { "[{'type':'Failed','status':'False'},{'type':'Complete','status':'True','message':'m'}]",
          true, true, "m" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = job_object("", "");
        const struct job *job;

        json_object_set_new(object, "status",
                            json_pack("{s:o}", "conditions", tree(cases[i].conditions)));
        job = job_decoded(object);
        assert_int_equal(job->is_finished, cases[i].finished);
        assert_int_equal(job->is_success, cases[i].success);
        assert_string_equal(job->finish_message, cases[i].message);
        json_decref(object);
    }
}

static void readiness_and_activity(void **state)
{
    json_t *object = job_object("", "'parallelism':3");
    const struct job *job = job_decoded(object);

    (void)state;
    assert_int_equal(job->ready_pods, 0);
    assert_false(job->is_active);
    json_object_set_new(object, "status",
                        tree("{'succeeded':1,'ready':2,'active':1,"
                             "'uncountedTerminatedPods':{'succeeded':['a','b']}}"));
    job = job_decoded(object);
    assert_int_equal(job->ready_pods, 5);
    assert_true(job->is_active);
    json_object_set_new(object, "status", tree("{'terminating':1}"));
    assert_true(job_decoded(object)->is_active);
    json_decref(object);
}

/* ---- J2, J3: partial admission ---- */

#define PARTIAL QUEUED ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'2'}"
#define PARTIAL_SYNCED                                                                             \
    QUEUED ",'annotations':{'kueue.x-k8s.io/job-min-parallelism':'2',"                             \
           "'kueue.x-k8s.io/job-completions-equal-parallelism':'true'}"

static void partial_admission_starts_with_fewer(void **state)
{
    static const struct {
        const char *metadata, *spec, *expected;
    } cases[] = {
        { PARTIAL, "'parallelism':5,'completions':10", "{'parallelism':3,'suspend':false}" },
        { PARTIAL_SYNCED, "'completionMode':'Indexed','parallelism':5,'completions':5",
          "{'completions':3,'parallelism':3,'suspend':false}" },
        { QUEUED, "'parallelism':5", "{'suspend':false}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = job_object(cases[i].metadata, cases[i].spec);
        struct pod_set_info info;
        struct job_patch patch;

        pod_set_info_init(&info, "main", 3);
        assert_int_equal(batch_job_kind.start(job_decoded(object), &info, 1, &patch, NULL), 0);
        assert_json(member(patch.body, "spec"), cases[i].expected);
        json_decref(patch.body);
        pod_set_info_finish(&info, 1);
        json_decref(object);
    }
}

static void the_minimum_becomes_min_count(void **state)
{
    static const struct {
        const char *value;
        int expected;
    } cases[] = { { "2", 2 },   { "+2", 2 },           { "NaN", -1 },
                  { "-3", -1 }, { "99999999999", -1 }, { "", -1 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = job_object(
            arena_format(&arena, "'annotations':{'kueue.x-k8s.io/job-min-parallelism':'%s'}",
                         cases[i].value),
            "'parallelism':5");
        json_t *list = job_pod_sets(object);

        assert_int_equal(json_integer_at(json_array_get(list, 0), "minCount", -1),
                         cases[i].expected);
        assert_int_equal(job_decoded(object)->pod_sets[0].min_count, cases[i].expected);
        json_decref(list);
        world.options.partial_admission = false;
        list = job_pod_sets(object);
        assert_false(has_member(list, "0.minCount"));
        assert_int_equal(job_decoded(object)->pod_sets[0].min_count, -1);
        world.options.partial_admission = true;
        json_decref(list);
        json_decref(object);
    }
}

static void creation_is_checked(void **state)
{
    static const struct {
        const char *annotations, *spec, *expected;
    } cases[] = {
        { "'kueue.x-k8s.io/job-min-parallelism':'2'", "'parallelism':5", "" },
        { "'kueue.x-k8s.io/job-min-parallelism':'5'", "'parallelism':5",
          MIN "5: should be between 0 and 4" },
        { "'kueue.x-k8s.io/job-min-parallelism':'0'", "'parallelism':5",
          MIN "0: should be between 0 and 4" },
        { "'kueue.x-k8s.io/job-min-parallelism':'NaN'", "'parallelism':5",
          MIN "\"NaN\": strconv.Atoi: parsing \"NaN\": invalid syntax" },
        { "'kueue.x-k8s.io/job-min-parallelism':'2','kueue.x-k8s.io/elastic-job':'true'",
          "'parallelism':5",
          MIN "\"2\": partial admission and elastic job cannot be used together" },
        { "'kueue.x-k8s.io/job-completions-equal-parallelism':'-'", "",
          SYNC "Invalid value: \"-\": strconv.ParseBool: parsing \"-\": invalid syntax" },
        { "'kueue.x-k8s.io/job-completions-equal-parallelism':'true'",
          "'completionMode':'NonIndexed','parallelism':5,'completions':5",
          SYNC "Invalid value: \"true\": should not be enabled for NonIndexed jobs" },
        { "'kueue.x-k8s.io/job-completions-equal-parallelism':'true'",
          "'parallelism':5,'completions':5",
          SYNC "Invalid value: \"true\": should not be enabled for NonIndexed jobs" },
        { "'kueue.x-k8s.io/job-completions-equal-parallelism':'true'",
          "'completionMode':'Indexed','parallelism':5,'completions':6",
          "spec.completions: Invalid value: 6: should be equal to parallelism when "
          "kueue.x-k8s.io/job-completions-equal-parallelism annotation is true" },
        { "'kueue.x-k8s.io/job-completions-equal-parallelism':'false'",
          "'parallelism':5,'completions':6", "" },
        { "'kueue.x-k8s.io/job-min-parallelism':'x',"
          "'kueue.x-k8s.io/job-completions-equal-parallelism':'y'",
          "",
          "[" MIN "\"x\": strconv.Atoi: parsing \"x\": invalid syntax, " SYNC
          "Invalid value: \"y\": strconv.ParseBool: parsing \"y\": invalid syntax]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_FREE char *metadata = mem_format(QUEUED ",'annotations':{%s}", cases[i].annotations);
        json_t *object = job_object(metadata, cases[i].spec);

        assert_string_equal(job_errors(NULL, object), cases[i].expected);
        json_decref(object);
    }
}

static void updates_are_checked(void **state)
{
    static const struct {
        const char *before_metadata, *before_spec, *after_metadata, *after_spec, *expected;
    } cases[] = {
        { PARTIAL, "'parallelism':5,'suspend':false", PARTIAL, "'parallelism':4,'suspend':false",
          "spec.parallelism: Forbidden: cannot change when partial admission is enabled and the "
          "job "
          "is not suspended" },
        { PARTIAL, "'parallelism':5,'suspend':true", PARTIAL, "'parallelism':4,'suspend':true",
          "" },
        { PARTIAL, "'parallelism':5,'suspend':true", PARTIAL, "'parallelism':3,'suspend':false",
          "" },
        /* started with the minimum: the annotation itself did not change, so it is not checked */
        { PARTIAL, "'parallelism':2,'suspend':false", PARTIAL, "'parallelism':2,'suspend':false",
          "" },
        { PARTIAL_SYNCED, "'completionMode':'Indexed','parallelism':5,'completions':5", PARTIAL,
          "'completionMode':'Indexed','parallelism':5,'completions':5",
          SYNC "Forbidden: field is immutable while the job is not suspended" },
        { PARTIAL_SYNCED,
          "'suspend':true,'completionMode':'Indexed','parallelism':5,'completions':5", PARTIAL,
          "'suspend':true,'completionMode':'Indexed','parallelism':5,'completions':5", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *before = job_object(cases[i].before_metadata, cases[i].before_spec);
        json_t *after = job_object(cases[i].after_metadata, cases[i].after_spec);

        assert_string_equal(job_errors(before, after), cases[i].expected);
        json_decref(before);
        json_decref(after);
    }
}

/* ---- J4 ---- */

static void reclaimable_pods(void **state)
{
    static const struct {
        const char *spec, *status;
        int expected;
    } cases[] = {
        { "'parallelism':3,'completions':5", "{}", 0 },
        { "'parallelism':3,'completions':5", "{'succeeded':2}", 0 },
        { "'parallelism':3,'completions':5", "{'succeeded':3}", 1 },
        { "'parallelism':3,'completions':5", "{'succeeded':4}", 2 },
        { "'parallelism':3,'completions':5", "{'succeeded':5}", 3 },
        { "'parallelism':3,'completions':5", "{'succeeded':9}", 3 },
        { "'parallelism':1,'completions':5", "{'succeeded':5}", 0 },
        { "'parallelism':3", "{'succeeded':1}", 1 },
        { "'parallelism':3,'completions':5,'completionMode':'Indexed'",
          "{'succeeded':1,'completedIndexes':'0-1','failedIndexes':'2,3'}", 2 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        json_t *object = job_object("", cases[i].spec);
        const struct job *job;

        json_object_set_new(object, "status", tree(cases[i].status));
        job = job_decoded(object);
        assert_true(job->has_reclaimable);
        assert_int_equal(job->reclaimable_count, cases[i].expected > 0);
        if (cases[i].expected > 0)
            assert_int_equal(job->reclaimable[0].count, cases[i].expected);
        json_decref(object);
    }
}

/* ---- J5 ---- */

static void facts_of_labels(void **state)
{
    json_t *object = job_object("'labels':{'kueue.x-k8s.io/queue-name':'user-queue',"
                                "'kueue.x-k8s.io/priority-class':'high',"
                                "'kueue.x-k8s.io/max-exec-time-seconds':'600'},'generation':4,"
                                "'creationTimestamp':'2026-01-02T03:04:05Z'",
                                "'suspend':true");
    const struct job *job;

    (void)state;
    json_object_set_new(member(object, "spec.template.spec"), "priorityClassName",
                        json_string("pod-prio"));
    job = job_decoded(object);
    assert_string_equal(job->queue_name, "user-queue");
    assert_string_equal(job->priority_class, "high");
    assert_string_equal(job->pod_priority_class, "pod-prio");
    assert_int_equal(job->maximum_execution_seconds, 600);
    assert_string_equal(job->uid, OWNER_UID);
    assert_int_equal(job->resource_version, 7);
    assert_int_equal(job->generation, 4);
    assert_true(job->is_suspended);
    assert_false(job->deleting);
    json_decref(object);
}

/* ---- J8: three steps, each from where the job stands ---- */

static json_t *stop_step(json_t *object, const struct pod_set_info *info, struct job_patch *patch)
{
    assert_int_equal(batch_job_kind.stop(job_decoded(object), info, info ? 1 : 0, patch, NULL), 0);
    return patch->body;
}

/* RFC 7386, enough of it. */
static void merge(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)patch, key, value) {
        if (json_is_null(value)) {
            json_object_del(target, key);
        } else if (json_is_object(value) && json_is_object(json_object_get(target, key))) {
            merge(json_object_get(target, key), value);
        } else {
            json_object_set(target, key, value);
        }
    }
}

static void stopping_takes_three_steps(void **state)
{
    json_t *object = job_object(PARTIAL_SYNCED, "'completionMode':'Indexed','parallelism':5,"
                                                "'completions':5,'suspend':true");
    struct pod_set_info info, stored;
    struct job_patch patch;
    AUTO_FREE char *injected = pod_template_injected(member(object, "spec.template"));

    (void)state;
    pod_set_info_from_injected(&stored, "main", 5, injected);
    spot_info(&info, 3);
    assert_int_equal(batch_job_kind.start(job_decoded(object), &info, 1, &patch, NULL), 0);
    merge(object, patch.body);
    json_decref(patch.body);
    json_object_set_new(object, "status", tree("{'startTime':'2026-01-01T00:00:00Z','active':3}"));
    assert_false(job_decoded(object)->is_suspended);

    assert_json(
        stop_step(object, &stored, &patch),
        "{'metadata':{'annotations':{'kueue.x-k8s.io/stopping':'true'},'resourceVersion':'7'},"
        "'spec':{'suspend':true}}");
    assert_true(patch.suspends);
    merge(object, patch.body);
    json_decref(patch.body);
    assert_false(job_decoded(object)->is_suspended);

    assert_json(stop_step(object, &stored, &patch),
                "{'metadata':{'resourceVersion':'7'},'status':{'startTime':null}}");
    assert_string_equal(patch.subresource, "status");
    assert_false(patch.suspends);
    merge(object, patch.body);
    json_decref(patch.body);

    assert_null(stop_step(object, &stored, &patch)); /* pods are still there */
    json_object_set_new(member(object, "status"), "active", json_integer(0));
    json_object_set_new(member(object, "spec.template.metadata.labels"), "job-name",
                        json_string("x"));
    assert_non_null(stop_step(object, &stored, &patch));
    assert_null(patch.subresource);
    merge(object, patch.body);
    json_decref(patch.body);
    assert_true(job_decoded(object)->is_suspended);
    assert_json(member(object, "spec.template.metadata.labels"), "{'job-name':'x'}");
    assert_false(
        json_object_size(json_at(object, "spec", "template", "spec", "nodeSelector", NULL)) > 0);
    assert_json(json_at(object, "metadata", "annotations", NULL),
                "{'kueue.x-k8s.io/job-completions-equal-parallelism':'true',"
                "'kueue.x-k8s.io/job-min-parallelism':'2'}");
    assert_int_equal(json_integer_value(member(object, "spec.parallelism")), 5);
    assert_int_equal(json_integer_value(member(object, "spec.completions")), 5);
    assert_false(has_member(object, "spec.template.spec.tolerations"));

    assert_null(stop_step(object, &stored, &patch));
    pod_set_info_finish(&info, 1);
    pod_set_info_finish(&stored, 1);
    json_decref(object);
}

static void stopping_without_a_workload_restores_nothing(void **state)
{
    json_t *object = job_object(QUEUED, "'suspend':false");
    struct job_patch patch;

    (void)state;
    json_object_set_new(member(object, "spec.template.spec"), "nodeSelector", tree("{'a':'b'}"));
    merge(object, stop_step(object, NULL, &patch));
    json_decref(patch.body);
    assert_json(
        stop_step(object, NULL, &patch),
        "{'metadata':{'annotations':{'kueue.x-k8s.io/stopping':null},'resourceVersion':'7'}}");
    merge(object, patch.body);
    json_decref(patch.body);
    assert_null(stop_step(object, NULL, &patch));
    assert_true(has_member(object, "spec.template.spec.nodeSelector.a"));
    json_decref(object);
}

static void broken_objects_are_refused(void **state)
{
    json_t *nameless = tree("{'metadata':{}}"), *bare = tree("{'metadata':{'name':'x'},'spec':{}}");
    struct job job;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(batch_job_kind.decode(nameless, &world.options, &arena, &job, &e), -1);
    assert_string_equal(e.text, "Job: metadata.name: Required value");
    assert_null(batch_job_kind.pod_sets(bare, &world.options, &e));
    assert_string_equal(e.text, "spec.template: Required value");
    assert_int_equal(batch_job_kind.decode(bare, &world.options, &arena, &job, &e), 0);
    json_decref(nameless);
    json_decref(bare);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pod_sets_of_a_plain_job),
        TEST(counts),
        TEST(starting_a_job),
        TEST(a_start_that_cannot_be),
        TEST(the_end_of_a_job),
        TEST(readiness_and_activity),
        TEST(partial_admission_starts_with_fewer),
        TEST(the_minimum_becomes_min_count),
        TEST(creation_is_checked),
        TEST(updates_are_checked),
        TEST(reclaimable_pods),
        TEST(facts_of_labels),
        TEST(stopping_takes_three_steps),
        TEST(stopping_without_a_workload_restores_nothing),
        TEST(broken_objects_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
