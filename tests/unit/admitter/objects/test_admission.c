#include "tests/unit/admitter/objects/support.h"

#include <string.h>
#include "admitter/objects/admission.h"
#include "quota/base/mem.h"

#define SPEC(text) "{'spec':{" text "}}"
/* One group with one flavor and these resources. */
#define GROUP(covered, resources)                                                                  \
    "'resourceGroups':[{'coveredResources':[" covered                                              \
    "],'flavors':[{'name':'f','resources':[" resources "]}]}]"
#define QUOTA "spec.resourceGroups[0].flavors[0].resources[0]."

/* ---- ClusterQueue and Cohort ---- */

static const struct rule cluster_queue_rules[] = {
    { NULL, SPEC(""), NULL },
    { NULL,
      SPEC("'cohortName':'c'," GROUP("'cpu'", "{'name':'cpu','nominalQuota':'9','borrowingLimit':"
                                              "'0','lendingLimit':9}")),
      NULL },
    { NULL, SPEC(GROUP("'cpu','cpu'", "")),
      "spec.resourceGroups[0].coveredResources[1]: Duplicate value: \"cpu\"" },
    { NULL,
      SPEC(GROUP("'cpu','memory'", "{'name':'memory','nominalQuota':1},{'name':'memory',"
                                   "'nominalQuota':1},{'name':'x','nominalQuota':-1}")),
      "spec.resourceGroups[0].flavors[0].resources[0].name: Invalid value: \"memory\": must match "
      "the name in coveredResources" },
    { NULL, SPEC(GROUP("'cpu'", "{'name':'cpu','nominalQuota':'-1500m'}")),
      QUOTA "nominalQuota: Invalid value: \"-1500m\": must be greater than or equal to 0" },
    { NULL, SPEC(GROUP("'cpu'", "{'name':'cpu','nominalQuota':1,'borrowingLimit':'-1000m'}")),
      "[" QUOTA "borrowingLimit: Invalid value: \"-1\": must be nil when cohort is empty, " QUOTA
      "borrowingLimit: Invalid value: \"-1\": must be greater than or equal to 0]" },
    { NULL, SPEC(GROUP("'cpu'", "{'name':'cpu','nominalQuota':1,'lendingLimit':2}")),
      "[" QUOTA "lendingLimit: Invalid value: \"2\": must be nil when cohort is empty, " QUOTA
      "lendingLimit: Invalid value: \"2\": must be less than or equal to the nominalQuota]" },
    { NULL,
      SPEC("'resourceGroups':[{'coveredResources':['cpu'],'flavors':[{'name':'f'}]},"
           "{'coveredResources':['gpu'],'flavors':[{'name':'f'}]}]"),
      "spec.resourceGroups[1].flavors[0].name: Duplicate value: \"f\"" },
    { NULL, SPEC("'namespaceSelector':{'matchExpressions':[{'key':'k','operator':'In'}]}"),
      "spec.namespaceSelector.matchExpressions[0].values: Required value: must be specified when "
      "`operator` is 'In' or 'NotIn'" },
    { NULL,
      SPEC("'preemption':{'withinClusterQueue':'Never','reclaimWithinCohort':'Never',"
           "'borrowWithinCohort':{'maxPriorityThreshold':3,'policy':'LowerPriority'}}"),
      "spec.preemption: Invalid value: {\"reclaimWithinCohort\":\"Never\",\"borrowWithinCohort\":"
      "{\"policy\":\"LowerPriority\",\"maxPriorityThreshold\":3},\"withinClusterQueue\":\"Never\"}:"
      " reclaimWithinCohort=Never and borrowWithinCohort.Policy!=Never" },
    { NULL,
      SPEC("'preemption':{'reclaimWithinCohort':'Any','borrowWithinCohort':{'policy':"
           "'LowerPriority'}}"),
      NULL },
    { NULL,
      SPEC("'flavorFungibility':{'whenCanBorrow':'MayStopSearch','preference':"
           "'BorrowingOverPreemption'}"),
      "spec.flavorFungibility.preference: Invalid value: \"BorrowingOverPreemption\": preference "
      "\"BorrowingOverPreemption\" requires both whenCanBorrow and whenCanPreempt to be "
      "TryNextFlavor" },
    { NULL,
      SPEC("'flavorFungibility':{'whenCanBorrow':'TryNextFlavor','preference':"
           "'BorrowingOverPreemption'}"),
      NULL },
    { NULL, SPEC("'fairSharing':{'weight':'-1'}"),
      "spec.fairSharing: Invalid value: \"-1\": must be greater than or equal to 0" },
    { NULL, SPEC("'fairSharing':{'weight':'1n'}"),
      "spec.fairSharing: Invalid value: \"1n\": When not 0, weight must be > 10e-9" },
    { NULL, SPEC("'fairSharing':{'weight':'2n'}"), NULL },
    { NULL,
      SPEC("'admissionChecksStrategy':{'admissionChecks':[{'name':'a','onFlavors':['f','g']}]}"
           "," GROUP("", "")),
      "spec.admissionChecksStrategy.admissionChecks[0].onFlavors[1]: Unsupported value: \"g\": "
      "supported values: \"f\"" },
};

static void cluster_queues_are_judged_in_the_order_of_the_rules(void **state)
{
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(cluster_queue_validate, &gates, cluster_queue_rules, ARRAY_COUNT(cluster_queue_rules));
}

#define CHECKS(list) "'admissionChecksStrategy':{'admissionChecks':[" list "]},"
#define ON_G "{'name':'a','onFlavors':['g']}"
#define ON_G_REFUSED                                                                               \
    "spec.admissionChecksStrategy.admissionChecks[0].onFlavors[0]: Unsupported value: \"g\": "     \
    "supported values: \"f\""

static const struct rule cluster_queue_updates[] = {
    { SPEC(CHECKS(ON_G) GROUP("", "")), SPEC(CHECKS(ON_G) GROUP("", "")), NULL },
    { SPEC(CHECKS("{'name':'a'}") GROUP("", "")), SPEC(CHECKS(ON_G) GROUP("", "")), ON_G_REFUSED },
    { SPEC(CHECKS(ON_G) "'stopPolicy':'None'"), SPEC(CHECKS(ON_G) GROUP("", "")), ON_G_REFUSED },
    { SPEC(GROUP("", "")), SPEC(CHECKS(ON_G) GROUP("", "")), ON_G_REFUSED },
    { SPEC("'concurrentAdmissionPolicy':{'migration':{'mode':'TryPreferredFlavors'}}"), SPEC(""),
      "spec.concurrentAdmissionPolicy: Invalid value: \"null\": field is immutable" },
    { SPEC(""), SPEC("'concurrentAdmissionPolicy':{'migration':{'mode':'TryPreferredFlavors'}}"),
      "spec.concurrentAdmissionPolicy: Invalid value: {\"migration\":{\"mode\":"
      "\"TryPreferredFlavors\"}}: field is immutable" },
};

static void updates_of_cluster_queues_are_judged(void **state)
{
    static const struct rule strict = { SPEC(CHECKS(ON_G) GROUP("", "")),
                                        SPEC(CHECKS(ON_G) GROUP("", "")), ON_G_REFUSED };
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(cluster_queue_validate, &gates, cluster_queue_updates,
          ARRAY_COUNT(cluster_queue_updates));
    gates.reject_invalid_on_flavors = true;
    judge(cluster_queue_validate, &gates, &strict, 1);
}

#define POLICY(migration) "'concurrentAdmissionPolicy':{'migration':{" migration "}},"

static const struct rule concurrent_rules[] = {
    { NULL, SPEC(POLICY("'mode':'RetainFirstAdmission'") GROUP("", "")), NULL },
    { NULL, SPEC(POLICY("'mode':'RetainFirstAdmission'") "'queueingStrategy':'StrictFIFO'"),
      "[spec.resourceGroups: Invalid value: 0: must have exactly one ResourceGroup when "
      "ConcurrentAdmissionPolicy is defined, spec.queueingStrategy: Invalid value: \"StrictFIFO\": "
      "StrictFIFO queueing strategy cannot be used when ConcurrentAdmissionPolicy is defined]" },
    { NULL,
      SPEC(POLICY("'mode':'RetainFirstAdmission','constraints':{'lastAcceptableFlavorName':'z'}")
               GROUP("", "")),
      "[spec.concurrentAdmissionPolicy.migration.constraints: Forbidden: may only be set when "
      "migration.mode is \"TryPreferredFlavors\" (got \"RetainFirstAdmission\"), "
      "spec.concurrentAdmissionPolicy.migration.constraints.lastAcceptableFlavorName: Invalid "
      "value: \"z\": must be one of the flavors defined in the ClusterQueue: [f]]" },
};

static void concurrent_admission_is_judged_behind_its_gate(void **state)
{
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    gates.concurrent_admission = true;
    judge(cluster_queue_validate, &gates, concurrent_rules, ARRAY_COUNT(concurrent_rules));
}

static json_t *many_flavors(size_t groups, size_t flavors, size_t resources)
{
    json_t *list = json_array(), *group, *flavor;

    for (size_t i = 0; i < groups; i++) {
        group = json_pack("{s:[], s:[]}", "coveredResources", "flavors");
        for (size_t k = 0; k < flavors; k++) {
            flavor = json_pack("{s:o, s:[]}", "name", json_sprintf("f%zu-%zu", i, k), "resources");
            for (size_t r = 0; r < resources; r++)
                json_array_append_new(json_object_get(flavor, "resources"), json_object());
            json_array_append_new(json_object_get(group, "flavors"), flavor);
        }
        json_array_append_new(list, group);
    }
    return json_pack("{s:{s:o}}", "spec", "resourceGroups", list);
}

static void totals_have_limits(void **state)
{
    json_t *good = many_flavors(16, 16, 32), *bad = many_flavors(5, 60, 9);
    struct field_errors errors;
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    field_errors_init(&errors, &arena);
    cluster_queue_validate(NULL, good, &gates, &errors);
    assert_null(field_errors_text(&errors));
    cluster_queue_validate(NULL, bad, &gates, &errors);
    assert_int_equal(errors.count, 6);
    assert_string_equal(errors.items[0].text,
                        "spec.resourceGroups: Invalid value: 300: total number of flavors across "
                        "all resourceGroups must be ≤ 256, got 300");
    assert_string_equal(errors.items[5].text,
                        "spec.resourceGroups[4]: Invalid value: 540: number of flavor-resource "
                        "combinations in a resourceGroup must be ≤ 512, got 540");
    json_decref(good);
    json_decref(bad);
}

static const struct rule cohort_rules[] = {
    { NULL,
      SPEC("'parentName':'p'," GROUP("'cpu'", "{'name':'cpu','nominalQuota':1,"
                                              "'lendingLimit':5}")),
      NULL },
    { NULL,
      SPEC("'fairSharing':{'weight':'-1'}," GROUP("'cpu'", "{'name':'cpu','nominalQuota':1,"
                                                           "'lendingLimit':5}")),
      "[spec.fairSharing: Invalid value: \"-1\": must be greater than or equal to 0, " QUOTA
      "lendingLimit: Invalid value: \"5\": must be nil when parent is empty]" },
};

/* 64 checks times 64 unknown flavors, each error listing 256 names: the answer stays small. */
static void absurd_objects_get_an_answer_of_bounded_size(void **state)
{
    json_t *object = many_flavors(16, 16, 0), *checks = json_array();
    struct field_errors errors;
    struct object_gates gates;

    (void)state;
    for (int i = 0; i < 64; i++) {
        json_t *unknown = json_array();

        for (int k = 0; k < 64; k++)
            json_array_append_new(unknown, json_sprintf("unknown-%d-%d", i, k));
        json_array_append_new(
            checks, json_pack("{s:o, s:o}", "name", json_sprintf("c%d", i), "onFlavors", unknown));
    }
    json_object_set_new(member(object, "spec"), "admissionChecksStrategy",
                        json_pack("{s:o}", "admissionChecks", checks));
    object_gates_default(&gates);
    field_errors_init(&errors, &arena);
    cluster_queue_validate(NULL, object, &gates, &errors);
    assert_true(errors.count > 100);
    assert_true(strlen(field_errors_text(&errors)) < 2 * FIELD_ERROR_BYTES);
    json_decref(object);
}

static void cohorts_are_judged(void **state)
{
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(cohort_validate, &gates, cohort_rules, ARRAY_COUNT(cohort_rules));
}

/* ---- ResourceFlavor ---- */

static const struct rule flavor_rules[] = {
    { NULL,
      SPEC("'nodeLabels':{'a/b':'c'},'nodeTaints':[{'key':'k','effect':'NoSchedule'},{'key':'k',"
           "'effect':'NoExecute'}],'tolerations':[{'operator':'Exists'},{'key':'x/y'}]"),
      NULL },
    { NULL, SPEC("'nodeTaints':[{'key':'k','effect':'e'},{'effect':'e','key':'k','value':'v'}]"),
      "spec.nodeTaints[1]: Duplicate value: {\"key\":\"k\",\"value\":\"v\",\"effect\":\"e\"}: "
      "taints must be unique by key and effect pair" },
};

static void flavors_are_judged(void **state)
{
    json_t *bad = tree(SPEC("'nodeLabels':{'a b':'c'},'nodeTaints':[{'key':'','value':' '}],"
                            "'tolerations':[{'key':'@'}]"));
    struct field_errors errors;
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(resource_flavor_validate, &gates, flavor_rules, ARRAY_COUNT(flavor_rules));
    field_errors_init(&errors, &arena);
    resource_flavor_validate(NULL, bad, &gates, &errors);
    assert_int_equal(errors.count, 5);
    assert_string_equal(errors.items[0].path, "spec.nodeLabels");
    assert_string_equal(errors.items[1].path, "spec.nodeTaints[0].key");
    assert_string_equal(errors.items[3].path, "spec.nodeTaints[0].value");
    assert_string_equal(errors.items[4].path, "spec.tolerations[0].key");
    json_decref(bad);
}

/* ---- defaults ---- */

static void creation_adds_the_finalizer_and_canonical_quantities(void **state)
{
    json_t *fresh = tree("{'metadata':{'name':'q'},'spec':{'fairSharing':{'weight':1},"
                         "'resourceGroups':[{'flavors':[{'resources':[{'nominalQuota':9,"
                         "'borrowingLimit':'1000m','lendingLimit':'2048Ki'}]}]}]}}");
    json_t *marked = tree("{'metadata':{'finalizers':['a','kueue.x-k8s.io/resource-in-use']},"
                          "'spec':{'fairSharing':{'weight':1}}}");
    json_t *before = json_deep_copy(marked);
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    cluster_queue_set_defaults(fresh, &gates);
    assert_json(fresh, "{'metadata':{'name':'q','finalizers':['kueue.x-k8s.io/resource-in-use']},"
                       "'spec':{'fairSharing':{'weight':'1'},'resourceGroups':[{'flavors':[{"
                       "'resources':[{'nominalQuota':'9','borrowingLimit':'1','lendingLimit':'2Mi'"
                       "}]}]}]}}");
    cluster_queue_set_defaults(marked, &gates);
    assert_true(json_equal(marked, before));
    json_decref(fresh);
    json_decref(marked);
    json_decref(before);
}

static void min_count_goes_when_partial_admission_is_off(void **state)
{
    json_t *workload = tree(SPEC("'podSets':[{'name':'a','minCount':2},{'name':'b','template':{"
                                 "'spec':{'containers':[{'resources':{'requests':{'cpu':1}}}],"
                                 "'overhead':{'cpu':'0.5'}}}}]"));
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    workload_set_defaults(workload, &gates);
    assert_true(has_member(workload, "spec.podSets.0.minCount"));
    gates.partial_admission = false;
    workload_set_defaults(workload, &gates);
    assert_json(workload, SPEC("'podSets':[{'name':'a'},{'name':'b','template':{'spec':{"
                               "'containers':[{'resources':{'requests':{'cpu':'1'}}}],"
                               "'overhead':{'cpu':'500m'}}}}]"));
    json_decref(workload);
}

static void the_table_names_every_path(void **state)
{
    size_t count;
    const struct object_admission *table = object_admissions(&count);

    (void)state;
    assert_int_equal(count, 4);
    assert_string_equal(table[0].mutate_path, "/mutate-kueue-x-k8s-io-v1beta2-clusterqueue");
    assert_null(table[1].mutate_path);
    assert_string_equal(table[3].validate_path, "/validate-kueue-x-k8s-io-v1beta2-workload");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_ARENA(cluster_queues_are_judged_in_the_order_of_the_rules),
        TEST_WITH_ARENA(updates_of_cluster_queues_are_judged),
        TEST_WITH_ARENA(concurrent_admission_is_judged_behind_its_gate),
        TEST_WITH_ARENA(totals_have_limits),
        TEST_WITH_ARENA(absurd_objects_get_an_answer_of_bounded_size),
        TEST_WITH_ARENA(cohorts_are_judged),
        TEST_WITH_ARENA(flavors_are_judged),
        TEST_WITH_ARENA(creation_adds_the_finalizer_and_canonical_quantities),
        TEST_WITH_ARENA(min_count_goes_when_partial_admission_is_off),
        TEST_WITH_ARENA(the_table_names_every_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
