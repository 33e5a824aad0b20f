#include "tests/unit/admitter/jobs/support.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/completed_indexes.h"
#include "admitter/jobs/equivalence.h"
#include "admitter/jobs/job_copy.h"
#include "admitter/jobs/workload_name.h"

/* spec/integrations.md 8.1 */
static void names_follow_the_vectors(void **state)
{
    static const struct {
        const char *kind, *group, *name, *uid, *extra, *expected;
    } cases[] = {
        { "Job", "batch", "name", "uid", NULL, "job-name-ef3a1" },
        { "Job", "batch", "name", "uid", "", "job-name-ef3a1" },
        { "Job", "batch", "name", "uid", "1", "job-name-2514c" },
        { "Job", "batch", "sample-job", OWNER_UID, NULL, "job-sample-job-fad91" },
        { "Job", "batch", "sample-job-2", OWNER_UID, NULL, "job-sample-job-2-ac650" },
        { "Job", "batch", "elastic", OWNER_UID, "1", "job-elastic-1991e" },
        { "Job", "batch", "elastic", OWNER_UID, "2", "job-elastic-cd13c" },
        { "Job", "batch", "elastic", OWNER_UID, "3", "job-elastic-413a8" },
        { "Job", "batch", "elastic", OWNER_UID, "4", "job-elastic-034f5" },
        { "Job", "batch", "demo-slice", "78d1e61a-c399-4c09-800f-a0bbfb5fe71e", "1",
          "job-demo-slice-e7080" },
        { "Pod", "", "single", OWNER_UID, NULL, "pod-single-c7c3a" },
        { "StatefulSet", "apps", "web", OWNER_UID, NULL, "statefulset-web-92f80" },
        { "StatefulSet", "apps", "web", "", NULL, "statefulset-web-ac922" },
        { "LeaderWorkerSet", "leaderworkerset.x-k8s.io", "vllm-0", OWNER_UID, NULL,
          "leaderworkerset-vllm-0-d45ee" },
        { "RayCluster", "ray.io", "rc", OWNER_UID, "3", "raycluster-rc-b0ce6" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(workload_name(&arena, cases[i].kind, cases[i].group, cases[i].name,
                                          cases[i].uid, cases[i].extra, false),
                            cases[i].expected);
}

static void long_names_are_cut_before_the_hash(void **state)
{
    char name[300];

    (void)state;
    memset(name, 'a', 299);
    name[299] = '\0';
    assert_int_equal(strlen(workload_name(&arena, "Job", "batch", name, "u", NULL, false)), 253);
    assert_int_equal(strlen(workload_name(&arena, "Job", "batch", name, "u", NULL, true)), 63);
}

static void indexes_are_counted_once(void **state)
{
    static const struct {
        const char *completed, *failed;
        int64_t completions, expected;
    } cases[] = {
        { "0-4,7,9-11", "", 10, 7 },
        { "0-2,7", "3-5,8", 10, 8 },
        { "5-19", "", 10, 5 },
        { "abc,0-2", "", 10, 3 },
        { "0-4", "", 3, 3 },
        { "0-4", "2-6", 10, 7 },
        { "4-2,-1,3-,,9", "", 10, 1 },
        { "0-99999999999999999999", "", 10, 0 },
        { "0", "", 0, 0 },
        { "", "", 5, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(
            completed_indexes_count(cases[i].completed, cases[i].failed, cases[i].completions),
            cases[i].expected);
}

static bool same_containers(const char *a, const char *b)
{
    json_t *left = tree(a), *right = tree(b);
    struct digest x = digest_containers(left), y = digest_containers(right);

    json_decref(left);
    json_decref(right);
    return digest_equal(&x, &y);
}

static void containers_compare_by_meaning(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "{'containers':[{'name':'c','image':'i'}]}", "{'containers':[{'image':'i','name':'c'}]}",
          true },
        { "{'containers':[{'name':'c','resources':{}}]}", "{'containers':[{'name':'c'}]}", true },
        { "{'containers':[{'resources':{'requests':{'cpu':'1'}}}]}",
          "{'containers':[{'resources':{'requests':{'cpu':'1000m'}}}]}", true },
        { "{'containers':[{'resources':{'requests':{'cpu':1}}}]}",
          "{'containers':[{'resources':{'requests':{'cpu':'1'}}}]}", true },
        { "{'containers':[{'resources':{'requests':{'memory':'1Gi'}}}]}",
          "{'containers':[{'resources':{'requests':{'memory':'1024Mi'}}}]}", true },
        { "{'containers':[{'resources':{'requests':{'cpu':'1'}}}]}",
          "{'containers':[{'resources':{'requests':{'cpu':'2'}}}]}", false },
        { "{'containers':[{'resources':{'requests':{'cpu':'1'}}}]}",
          "{'containers':[{'resources':{'limits':{'cpu':'1'}}}]}", false },
        { "{'containers':[{'name':'a'},{'name':'b'}]}",
          "{'containers':[{'name':'b'},{'name':'a'}]}", false },
        { "{'containers':[{'name':'a'}]}", "{'initContainers':[{'name':'a'}]}", false },
        { "{'containers':[{'name':'a'}],'nodeSelector':{'x':'y'}}", "{'containers':[{'name':'a'}]}",
          true },
        { "{'containers':[{'env':[{'name':'A','value':'1'},{'name':'B'},{'name':'A','value':'2'}]}]"
          "}",
          "{'containers':[{'env':[{'name':'A','value':'2'},{'name':'B'}]}]}", true },
        { "{'containers':[{'env':[{'name':'A','value':'1'},{'name':'A','value':'2'}]}]}",
          "{'containers':[{'env':[{'name':'A','value':'1'}]}]}", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        if (same_containers(cases[i].a, cases[i].b) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void repeated_environment_keeps_place_and_last_value(void **state)
{
    json_t *spec = tree("{'containers':[{'env':[{'name':'A','value':'1'},{'name':'B','value':'2'},"
                        "{'name':'A','value':'3'},{'name':'A','value':'4'}]}],"
                        "'initContainers':[{'env':[{'name':'C'},{'name':'C','value':'5'}]}]}");

    (void)state;
    pod_spec_sanitise(spec);
    assert_json(member(spec, "containers.0.env"),
                "[{'name':'A','value':'4'},{'name':'B','value':'2'}]");
    assert_json(member(spec, "initContainers.0.env"), "[{'name':'C','value':'5'}]");
    json_decref(spec);
}

/* ---- pod_set_info ---- */

#define TEMPLATE                                                                                   \
    "{'metadata':{'labels':{'a':'1'},'annotations':{'n':'1'}},'spec':{'nodeSelector':{'z':'1'},"   \
    "'tolerations':[{'key':'t','operator':'Exists'}],'schedulingGates':[{'name':'g'}]}}"

static char *injected_of(const char *text)
{
    json_t *value = tree(text);
    char *injected = pod_template_injected(value);

    json_decref(value);
    return injected;
}

static void starting_merges(void **state)
{
    AUTO_FREE char *injected = injected_of(TEMPLATE);
    struct pod_set_info info;
    json_t *patch;

    (void)state;
    pod_set_info_init(&info, "main", 1);
    json_object_set_new(info.labels, "b", json_string("2"));
    json_object_set_new(info.node_selector, "z", json_string("1"));
    json_array_append_new(info.tolerations, tree("{'key':'t','operator':'Exists'}"));
    json_array_append_new(info.tolerations, tree("{'key':'t','value':'v'}"));
    json_array_append_new(info.gates, tree("{'name':'g'}"));
    patch = pod_set_merge_patch(injected, &info, NULL);
    assert_json(
        patch, "{'metadata':{'labels':{'a':'1','b':'2'}},"
               "'spec':{'tolerations':[{'key':'t','operator':'Exists'},{'key':'t','value':'v'}]}}");
    json_decref(patch);
    pod_set_info_finish(&info, 1);
}

static void equal_tolerations_are_found(void **state)
{
    json_t *into = tree("[{'key':'k','value':'v','effect':'NoExecute','tolerationSeconds':3}]");
    json_t *from = tree("[{'key':'k','operator':'Equal','value':'v','effect':'NoExecute'},"
                        "{'key':'k','operator':'Equal','value':'w','effect':'NoExecute'}]");

    (void)state;
    pod_set_tolerations_merge(into, from);
    assert_int_equal(json_array_size(into), 2);
    assert_string_equal(member_text(into, "1.value"), "w");
    json_decref(into);
    json_decref(from);
}

static void conflicts_name_the_key(void **state)
{
    static const struct {
        const char *field, *key, *expected;
    } cases[] = {
        { "labels", "a",
          "invalid admission check PodSetUpdate: conflict for labels: conflict for key=a, "
          "value1=1, value2=x" },
        { "annotations", "n",
          "invalid admission check PodSetUpdate: conflict for annotations: conflict for key=n, "
          "value1=1, value2=x" },
        { "nodeSelector", "z",
          "invalid admission check PodSetUpdate: conflict for nodeSelector: conflict for key=z, "
          "value1=1, value2=x" },
    };
    AUTO_FREE char *injected = injected_of(TEMPLATE);

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct pod_set_info info;
        struct err e = { 0 };
        json_t *map;

        pod_set_info_init(&info, "main", 1);
        map = i == 0 ? info.labels : i == 1 ? info.annotations : info.node_selector;
        json_object_set_new(map, cases[i].key, json_string("x"));
        assert_null(pod_set_merge_patch(injected, &info, &e));
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.text, cases[i].expected);
        pod_set_info_finish(&info, 1);
    }
}

static void restoring_replaces_but_keeps_named_labels(void **state)
{
    static const char *const keep[] = { "job-name", NULL };
    AUTO_FREE char *then = injected_of(TEMPLATE);
    AUTO_FREE char *now =
        injected_of("{'metadata':{'labels':{'a':'2','added':'1','job-name':'j'},'annotations':{'n':"
                    "'1','m':'1'}},"
                    "'spec':{'nodeSelector':{'z':'1','y':'1'},'tolerations':[{'key':'u'}]}}");
    struct pod_set_info info;
    json_t *patch;

    (void)state;
    pod_set_info_from_injected(&info, "main", 1, then);
    patch = pod_set_restore_patch(now, &info, keep);
    assert_json(patch, "{'metadata':{'annotations':{'m':null},'labels':{'a':'1','added':null}},"
                       "'spec':{'nodeSelector':{'y':null},'schedulingGates':[{'name':'g'}],"
                       "'tolerations':[{'key':'t','operator':'Exists'}]}}");
    json_decref(patch);
    assert_null(pod_set_restore_patch(then, &info, keep));
    pod_set_info_finish(&info, 1);
}

static void restoring_takes_lists_away(void **state)
{
    AUTO_FREE char *then = injected_of("{'spec':{}}");
    AUTO_FREE char *now = injected_of(TEMPLATE);
    struct pod_set_info info;
    json_t *patch;

    (void)state;
    pod_set_info_from_injected(&info, "main", 1, then);
    patch = pod_set_restore_patch(now, &info, NULL);
    assert_json(patch,
                "{'metadata':{'annotations':{'n':null},'labels':{'a':null}},"
                "'spec':{'nodeSelector':{'z':null},'schedulingGates':null,'tolerations':null}}");
    json_decref(patch);
    pod_set_info_finish(&info, 1);
}

/* ---- copies ---- */

static void a_copy_lives_on_its_own(void **state)
{
    json_t *object =
        job_object("'labels':{'kueue.x-k8s.io/queue-name':'q'},'ownerReferences':"
                   "[{'apiVersion':'v1','kind':'K','name':'o','uid':'u','controller':true}]",
                   "'parallelism':3,'completions':5");
    struct job *copy;

    (void)state;
    json_object_set_new(object, "status", tree("{'succeeded':4}"));
    copy = job_copy(job_decoded(object));
    json_decref(object);
    arena_reset(&arena);
    assert_string_equal(copy->name, "sample-job");
    assert_string_equal(copy->queue_name, "q");
    assert_string_equal(copy->owner.uid, "u");
    assert_int_equal(copy->pod_set_count, 1);
    assert_string_equal(copy->pod_sets[0].name, "main");
    assert_non_null(strstr(copy->pod_sets[0].injected, "tolerations"));
    assert_int_equal(copy->reclaimable_count, 1);
    assert_string_equal(copy->reclaimable[0].pod_set, "main");
    assert_int_equal(copy->reclaimable[0].count, 2);
    assert_non_null(strstr(copy->detail, "parallelism"));
    free(copy);
}

static void kinds_are_found(void **state)
{
    (void)state;
    assert_ptr_equal(job_kind_by_framework("batch/job"), &batch_job_kind);
    assert_null(job_kind_by_framework("batch/jobs"));
    assert_ptr_equal(job_kind_by_type("batch/v1", "Job"), &batch_job_kind);
    assert_null(job_kind_by_type("batch/v1beta1", "Job"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_follow_the_vectors),
        TEST(long_names_are_cut_before_the_hash),
        cmocka_unit_test(indexes_are_counted_once),
        cmocka_unit_test(containers_compare_by_meaning),
        cmocka_unit_test(repeated_environment_keeps_place_and_last_value),
        cmocka_unit_test(starting_merges),
        cmocka_unit_test(equal_tolerations_are_found),
        cmocka_unit_test(conflicts_name_the_key),
        cmocka_unit_test(restoring_replaces_but_keeps_named_labels),
        cmocka_unit_test(restoring_takes_lists_away),
        TEST(a_copy_lives_on_its_own),
        cmocka_unit_test(kinds_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
