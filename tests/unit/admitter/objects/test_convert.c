#include "tests/unit/admitter/objects/support.h"

#include <string.h>
#include "admitter/objects/convert.h"
#include "admitter/objects/names.h"
#include "admitter/objects/topology_assignment.h"
#include "quota/base/mem.h"

static struct object_gates *default_gates(void)
{
    static struct object_gates gates;

    object_gates_default(&gates);
    return &gates;
}

static void assert_converts(const char *before, const char *version, const char *after)
{
    json_t *object = tree(before);
    struct err e = { 0 };

    if (object_convert(object, version, default_gates(), &e) < 0)
        fail_msg("%s", e.text);
    assert_json(object, after);
    json_decref(object);
}

#define UP(kind, before, after)                                                                    \
    assert_converts("{'apiVersion':'kueue.x-k8s.io/v1beta1','kind':'" kind                         \
                    "','metadata':{'name':'x','managedFields':[1]}," before "}",                   \
                    KUEUE_V1BETA2,                                                                 \
                    "{'apiVersion':'kueue.x-k8s.io/v1beta2','kind':'" kind                         \
                    "','metadata':{'name':'x','managedFields':[1]}," after "}")
#define DOWN(kind, before, after)                                                                  \
    assert_converts("{'apiVersion':'kueue.x-k8s.io/v1beta2','kind':'" kind                         \
                    "','metadata':{'name':'x'}," before "}",                                       \
                    KUEUE_V1BETA1,                                                                 \
                    "{'apiVersion':'kueue.x-k8s.io/v1beta1','kind':'" kind                         \
                    "','metadata':{'name':'x'}," after "}")

static void cluster_queues_convert_up(void **state)
{
    (void)state;
    UP("ClusterQueue",
       "'spec':{'cohort':'c','admissionChecks':['a','b'],'admissionChecksStrategy':{"
       "'admissionChecks':[{'name':'gone'}]},'flavorFungibility':{'whenCanBorrow':'Borrow',"
       "'whenCanPreempt':'Preempt'},'stopPolicy':'None'},'status':{'pendingWorkloadsStatus':{"
       "'lastChangeTime':'t'},'pendingWorkloads':3,'flavorsUsage':null,'fairSharing':{"
       "'weightedShare':1,'admissionFairSharingStatus':{}}}",
       "'spec':{'cohortName':'c','admissionChecksStrategy':{'admissionChecks':[{'name':'a'},"
       "{'name':'b'}]},'flavorFungibility':{'whenCanBorrow':'MayStopSearch',"
       "'whenCanPreempt':'MayStopSearch'},'stopPolicy':'None'},'status':{'pendingWorkloads':3,"
       "'fairSharing':{'weightedShare':1}}");
    UP("ClusterQueue",
       "'spec':{'cohort':'','admissionChecks':[],'admissionChecksStrategy':{'admissionChecks':["
       "{'name':'kept','onFlavors':['f']}]},'flavorFungibility':{'whenCanBorrow':"
       "'TryNextFlavor'}}",
       "'spec':{'admissionChecksStrategy':{'admissionChecks':[{'name':'kept','onFlavors':['f']}]},"
       "'flavorFungibility':{'whenCanBorrow':'TryNextFlavor'}}");
}

static void cluster_queues_convert_down(void **state)
{
    (void)state;
    DOWN("ClusterQueue",
         "'spec':{'cohortName':'c','concurrentAdmissionPolicy':{},'admissionChecksStrategy':{"
         "'admissionChecks':[{'name':'a'}]},'flavorFungibility':{'whenCanBorrow':'MayStopSearch'}},"
         "'status':{'flavorsUsage':[{'name':'f'}],'admittedWorkloads':2}",
         "'spec':{'cohort':'c','admissionChecksStrategy':{'admissionChecks':[{'name':'a'}]},"
         "'flavorFungibility':{'whenCanBorrow':'MayStopSearch'}},'status':{'flavorsUsage':["
         "{'name':'f'}],'flavorsReservation':null,'pendingWorkloadsStatus':null,"
         "'admittedWorkloads':2,'pendingWorkloads':0,'reservingWorkloads':0}");
}

static void local_queues_and_cohorts_convert(void **state)
{
    (void)state;
    UP("LocalQueue",
       "'spec':{'clusterQueue':'c'},'status':{'flavorUsage':[{'name':'f'}],'flavors':[1],"
       "'fairSharing':{'admissionFairSharingStatus':{'lastUpdate':'t'}}}",
       "'spec':{'clusterQueue':'c'},'status':{'flavorsUsage':[{'name':'f'}],"
       "'fairSharing':{'admissionFairSharingStatus':{'lastUpdate':'t'}}}");
    DOWN("LocalQueue", "'spec':{},'status':{'flavorsUsage':[{'name':'f'}],'pendingWorkloads':1}",
         "'spec':{},'status':{'flavorUsage':[{'name':'f'}],'pendingWorkloads':1,"
         "'reservingWorkloads':0,'admittedWorkloads':0}");
    DOWN("LocalQueue", "'spec':{}",
         "'spec':{},'status':{'flavorUsage':null,'pendingWorkloads':0,'reservingWorkloads':0,"
         "'admittedWorkloads':0}");
    UP("Cohort",
       "'spec':{'parentName':'p'},'status':{'fairSharing':{'weightedShare':2,"
       "'admissionFairSharingStatus':{}}}",
       "'spec':{'parentName':'p'},'status':{'fairSharing':{'weightedShare':2}}");
    DOWN("Cohort", "'spec':{'parentName':'p'}", "'spec':{'parentName':'p'}");
}

static void workloads_convert_up(void **state)
{
    (void)state;
    UP("Workload",
       "'spec':{'priorityClassSource':'kueue.x-k8s.io/workloadpriorityclass','priorityClassName':"
       "'p','priority':1},'status':{'accumulatedPastExexcutionTimeSeconds':7,'admission':{"
       "'podSetAssignments':[{'topologyAssignment':{'levels':['l'],'domains':[{'values':['a'],"
       "'count':2}]}},{}]}}",
       "'spec':{'priorityClassRef':{'group':'kueue.x-k8s.io','kind':'WorkloadPriorityClass',"
       "'name':'p'},'priority':1},'status':{'accumulatedPastExecutionTimeSeconds':7,'admission':{"
       "'podSetAssignments':[{'topologyAssignment':{'levels':['l'],'slices':[{'domainCount':1,"
       "'valuesPerLevel':[{'universal':'a'}],'podCounts':{'universal':2}}]}},{}]}}");
    UP("Workload", "'spec':{'priorityClassSource':'','priorityClassName':'p'}", "'spec':{}");
}

static void workloads_convert_down(void **state)
{
    (void)state;
    DOWN("Workload",
         "'spec':{'priorityClassRef':{'group':'scheduling.k8s.io','kind':'PriorityClass',"
         "'name':'p'},'preemptionGates':[{'name':'g'}],'podSets':[{'name':'a','topologyRequest':{"
         "'required':'r','podsetSliceRequiredTopologyConstraints':[1]}},{'name':'b'}]},"
         "'status':{'preemptionGates':[1],'accumulatedPastExecutionTimeSeconds':7}",
         "'spec':{'priorityClassSource':'scheduling.k8s.io/priorityclass','priorityClassName':'p',"
         "'podSets':[{'name':'a','topologyRequest':{'required':'r'}},{'name':'b'}]},"
         "'status':{'accumulatedPastExexcutionTimeSeconds':7}");
    DOWN("Workload", "'spec':{'priorityClassRef':{'group':'x','kind':'y','name':'p'}}",
         "'spec':{}");
}

static void remote_clusters_convert(void **state)
{
    (void)state;
    UP("MultiKueueCluster", "'spec':{'kubeConfig':{'location':'s','locationType':'Secret'}}",
       "'spec':{'clusterSource':{'kubeConfig':{'location':'s','locationType':'Secret'}}}");
    UP("MultiKueueCluster",
       "'spec':{'kubeConfig':{'location':'','locationType':''},'clusterProfileRef':{'name':'p'}}",
       "'spec':{'clusterSource':{'clusterProfileRef':{'name':'p'}}}");
    DOWN("MultiKueueCluster", "'spec':{'clusterSource':{'clusterProfileRef':{'name':'p'}}}",
         "'spec':{'kubeConfig':{'location':'','locationType':''},'clusterProfileRef':{'name':"
         "'p'}}");
    DOWN("MultiKueueCluster", "'spec':{'clusterSource':{'kubeConfig':{'location':'s'}}}",
         "'spec':{'kubeConfig':{'location':'s'}}");
}

/* The API server prunes such members; a careless client of ours must not smuggle them in. */
static void members_of_the_other_version_are_dropped(void **state)
{
    (void)state;
    UP("ClusterQueue", "'spec':{'cohortName':'x','concurrentAdmissionPolicy':{}}", "'spec':{}");
    DOWN("Workload", "'spec':{'priorityClassName':'x','priorityClassSource':'y'}", "'spec':{}");
    UP("Workload", "'spec':{'priorityClassRef':{},'preemptionGates':[]}", "'spec':{}");
    UP("MultiKueueCluster", "'spec':{'clusterSource':{'kubeConfig':{}}}",
       "'spec':{'clusterSource':{}}");
}

static const struct {
    const char *object, *version, *expected;
} refused[] = {
    { "{'apiVersion':'kueue.x-k8s.io/v1beta2','kind':'Cohort'}", KUEUE_V1BETA2,
      "conversion is not allowed between same type kueue.x-k8s.io/v1beta2, Kind=Cohort" },
    { "{'apiVersion':'kueue.x-k8s.io/v1','kind':'Cohort'}", KUEUE_V1BETA2,
      "apiVersion: Unsupported value: \"kueue.x-k8s.io/v1\"" },
    { "{'apiVersion':'kueue.x-k8s.io/v1beta1','kind':'Cohort'}", "kueue.x-k8s.io/v1",
      "desiredAPIVersion: Unsupported value: \"kueue.x-k8s.io/v1\"" },
    { "{'apiVersion':'kueue.x-k8s.io/v1beta1','kind':'Topology'}", KUEUE_V1BETA2,
      "kind: Unsupported value: \"Topology\"" },
    { "{'apiVersion':'kueue.x-k8s.io/v1beta1','kind':'Workload','status':{'admission':{"
      "'podSetAssignments':[{'topologyAssignment':{'levels':['a','b'],'domains':[{'values':"
      "['x']}]}}]}}}",
      KUEUE_V1BETA2,
      "status.admission.podSetAssignments[0].topologyAssignment: domains[0].values: expected one "
      "value for each of 2 levels, got 1" },
};

static void what_cannot_be_converted_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        json_t *object = tree(refused[i].object);
        struct err e = { 0 };

        assert_int_equal(object_convert(object, refused[i].version, default_gates(), &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.text, refused[i].expected);
        json_decref(object);
    }
}

static void bytes_convert_too(void **state)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    struct err e = { 0 };
    struct str object = quoted(&arena, "{'apiVersion':'kueue.x-k8s.io/v1beta1','kind':'Cohort'}");

    (void)state;
    assert_int_equal(
        object_convert_bytes(default_gates(), object, "v1beta1", "v1beta2", &out, &arena, &e), 0);
    assert_string_equal(out.text, "{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\","
                                  "\"kind\":\"Cohort\"}");
    assert_int_equal(
        object_convert_bytes(default_gates(), STR("{"), "v1beta1", "v1beta2", &out, &arena, &e),
        -1);
}

/* ---- topology assignments ---- */

static void assert_packs(const char *domains, bool by_host, const char *packed)
{
    json_t *before = tree(domains), *after, *again;
    struct err e = { 0 };

    after = topology_assignment_pack(before, by_host, &e);
    if (!after)
        fail_msg("%s", e.text);
    assert_json(after, packed);
    again = topology_assignment_unpack(after, &e);
    assert_non_null(again);
    assert_true(json_equal(before, again));
    json_decref(before);
    json_decref(after);
    json_decref(again);
}

static void equal_parts_are_shared(void **state)
{
    (void)state;
    assert_packs("{'levels':['l'],'domains':[]}", true, "{'levels':['l'],'slices':[]}");
    assert_packs("{'levels':['b','h'],'domains':[{'values':['b1','x-a-1'],'count':1},"
                 "{'values':['b1','x-b-1'],'count':3}]}",
                 false,
                 "{'levels':['b','h'],'slices':[{'domainCount':2,'podCounts':{'individual':[1,3]},"
                 "'valuesPerLevel':[{'universal':'b1'},{'individual':{'prefix':'x-','roots':"
                 "['a','b'],'suffix':'-1'}}]}]}");
}

/* Prefix and suffix of "aa" and "aaa" overlap: the prefix gives way. */
static void overlapping_prefix_and_suffix_do_not_clash(void **state)
{
    (void)state;
    assert_packs("{'levels':['h'],'domains':[{'values':['aa'],'count':1},{'values':['aaa'],"
                 "'count':1}]}",
                 false,
                 "{'levels':['h'],'slices':[{'domainCount':2,'podCounts':{'universal':1},"
                 "'valuesPerLevel':[{'individual':{'roots':['','a'],'suffix':'aa'}}]}]}");
}

static void characters_are_not_cut(void **state)
{
    (void)state;
    assert_packs("{'levels':['h'],'domains':[{'values':['\u00e4x'],'count':1},"
                 "{'values':['\u00e5x'],'count':1}]}",
                 false,
                 "{'levels':['h'],'slices':[{'domainCount':2,'podCounts':{'universal':1},"
                 "'valuesPerLevel':[{'individual':{'roots':['\u00e4','\u00e5'],'suffix':'x'}}]}]}");
}

/* Two pools of long names pack better apart; the single slice would share nothing. */
static void pools_of_hosts_become_slices(void **state)
{
    json_t *domains = json_array(), *assignment, *packed, *again;
    struct err e = { 0 };

    (void)state;
    for (int pool = 0; pool < 2; pool++)
        for (int node = 0; node < 30; node++)
            json_array_append_new(domains,
                                  json_pack("{s:[o], s:i}", "values",
                                            json_sprintf("%s-pool-with-long-name-%d",
                                                         pool ? "second-gpu" : "first-cpu", node),
                                            "count", 1));
    assignment = json_pack("{s:[s], s:o}", "levels", "kubernetes.io/hostname", "domains", domains);
    packed = topology_assignment_pack(assignment, true, &e);
    assert_int_equal(json_array_size(member(packed, "slices")), 2);
    assert_string_equal(member_text(packed, "slices.1.valuesPerLevel.0.individual.prefix"),
                        "second-gpu-pool-with-long-name-");
    again = topology_assignment_unpack(packed, &e);
    assert_true(json_equal(assignment, again));
    json_decref(packed);
    json_decref(again);
    packed = topology_assignment_pack(assignment, false, &e);
    assert_int_equal(json_array_size(member(packed, "slices")), 1);
    json_decref(packed);
    json_decref(assignment);
}

/* The gate decides how a v1beta1 Workload's domains are packed. */
static void the_gate_of_the_encoding_counts(void **state)
{
    struct object_gates gates = *default_gates();

    (void)state;
    for (int by_prefix = 0; by_prefix < 2; by_prefix++) {
        json_t *domains = json_array(), *object;

        for (int i = 0; i < 40; i++)
            json_array_append_new(domains,
                                  json_pack("{s:[o], s:i}", "values",
                                            json_sprintf("%s-pool-with-long-name-%d",
                                                         i < 20 ? "second-gpu" : "first-cpu", i),
                                            "count", 1));
        object =
            json_pack("{s:s, s:s, s:{s:{s:[{s:{s:[s], s:o}}]}}}", "apiVersion", KUEUE_V1BETA1,
                      "kind", "Workload", "status", "admission", "podSetAssignments",
                      "topologyAssignment", "levels", "kubernetes.io/hostname", "domains", domains);
        gates.encode_by_host_prefix = by_prefix;
        assert_int_equal(object_convert(object, KUEUE_V1BETA2, &gates, NULL), 0);
        assert_int_equal(json_array_size(member(object, "status.admission.podSetAssignments.0."
                                                        "topologyAssignment.slices")),
                         by_prefix ? 2 : 1);
        json_decref(object);
    }
}

static const char *const broken[] = {
    "{'levels':['l'],'slices':[{'domainCount':2,'valuesPerLevel':[{'individual':{'roots':['a']}}],"
    "'podCounts':{'universal':1}}]}",
    "{'levels':['l'],'slices':[{'domainCount':1,'valuesPerLevel':[{'universal':'a'}],"
    "'podCounts':{}}]}",
    "{'levels':['l','m'],'slices':[{'domainCount':1,'valuesPerLevel':[{'universal':'a'}],"
    "'podCounts':{'universal':1}}]}",
    "{'levels':['l'],'slices':[{'domainCount':99999999999,'valuesPerLevel':[{'universal':'a'}],"
    "'podCounts':{'universal':1}}]}",
    "{'levels':['l'],'slices':[{'domainCount':-1}]}",
};

static void broken_slices_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        json_t *assignment = tree(broken[i]);
        struct err e = { 0 };

        assert_null(topology_assignment_unpack(assignment, &e));
        assert_int_equal(e.code, ERR_INVALID);
        json_decref(assignment);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_ARENA(cluster_queues_convert_up),
        TEST_WITH_ARENA(cluster_queues_convert_down),
        TEST_WITH_ARENA(local_queues_and_cohorts_convert),
        TEST_WITH_ARENA(workloads_convert_up),
        TEST_WITH_ARENA(workloads_convert_down),
        TEST_WITH_ARENA(remote_clusters_convert),
        TEST_WITH_ARENA(members_of_the_other_version_are_dropped),
        TEST_WITH_ARENA(what_cannot_be_converted_is_named),
        TEST_WITH_ARENA(bytes_convert_too),
        TEST_WITH_ARENA(equal_parts_are_shared),
        TEST_WITH_ARENA(overlapping_prefix_and_suffix_do_not_clash),
        TEST_WITH_ARENA(characters_are_not_cut),
        TEST_WITH_ARENA(pools_of_hosts_become_slices),
        TEST_WITH_ARENA(the_gate_of_the_encoding_counts),
        TEST_WITH_ARENA(broken_slices_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
