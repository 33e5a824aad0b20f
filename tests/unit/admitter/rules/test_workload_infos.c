/* What an admission adds to the pods of a job: spec/integrations.md 1.14. */
#include "tests/unit/admitter/rules/support_job.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/pod_set_info.h"

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
    add_workload(SPEC, 3, "", "'podSets':[{'name':'main','topologyRequest':{'podIndexLabel':'x'}}]",
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

        release_kept();
        flavor = spot();
        facts.workload_count = 0;
        add_workload(
            SPEC, 3, "", "'podSets':[{'name':'main'}]",
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
    add_workload(SPEC, 3, "", "", holds("QuotaReserved"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(infos_of_an_admission),
        TEST(infos_take_updates_of_checks),
        TEST(infos_need_flavors_and_assignments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
