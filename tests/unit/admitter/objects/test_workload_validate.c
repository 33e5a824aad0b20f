#include "tests/unit/admitter/objects/support.h"

#include <string.h>
#include "admitter/objects/admission.h"
#include "quota/base/mem.h"

#define SPEC(text) "{'spec':{" text "}}"
#define POD_SETS(text) SPEC("'podSets':[" text "]")
#define ANNOTATED(key, value, rest) "{'metadata':{'annotations':{'" key "':'" value "'}}" rest "}"
#define ELASTIC(rest) ANNOTATED("kueue.x-k8s.io/elastic-job", "true", rest)

static const struct rule pod_set_rules[] = {
    { NULL, SPEC(""), NULL },
    { NULL,
      POD_SETS("{'name':'a','template':{'spec':{'initContainers':[{'resources':{'limits':"
               "{'pods':'1'}}}],'containers':[{},{'resources':{'requests':{'cpu':'-1'}}}],"
               "'resources':{'requests':{'pods':'-2'}}}}}"),
      "[spec.podSets[0].template.spec.initContainers[0].resources.limits[pods]: Invalid value: "
      "\"pods\": the key is reserved for internal kueue use, "
      "spec.podSets[0].template.spec.containers[1].resources.requests[cpu]: Invalid value: \"-1\": "
      "must be greater than or equal to 0, "
      "spec.podSets[0].template.spec.resources.requests[pods]: Invalid value: \"pods\": the key is "
      "reserved for internal kueue use, "
      "spec.podSets[0].template.spec.resources.requests[pods]: Invalid value: \"-2\": must be "
      "greater than or equal to 0]" },
    { NULL, POD_SETS("{'topologyRequest':{'podSetSliceRequiredTopology':'rack'}}"),
      "spec.podSets[0].topologyRequest.podSetSliceSize: Required value: must be set when "
      "podSetSliceRequiredTopology is specified" },
    { NULL, POD_SETS("{'topologyRequest':{'podSetSliceSize':0}}"),
      "[spec.podSets[0].topologyRequest.podSetSliceSize: Invalid value: 0: must be greater than 0, "
      "spec.podSets[0].topologyRequest.podSetSliceSize: Forbidden: may not be set when "
      "podSetSliceRequiredTopology is not specified]" },
    { NULL,
      POD_SETS("{'topologyRequest':{'podsetSliceRequiredTopologyConstraints':[{'size':1},"
               "{'size':-1}]}}"),
      "spec.podSets[0].topologyRequest.podsetSliceRequiredTopologyConstraints[1].size: Invalid "
      "value: -1: must be greater than 0" },
    { NULL, POD_SETS("{'minCount':1},{'minCount':2},{}"),
      "spec.podSets: Invalid value: 2: at most one podSet can use minCount" },
    { NULL, ELASTIC(",'spec':{'podSets':[{'minCount':1}]}"),
      "spec.podSets: Invalid value: 1: partial admission and elastic job cannot be used together" },
    { NULL, ANNOTATED("kueue.x-k8s.io/admission-gated-by", "x", ""),
      "metadata.annotations[kueue.x-k8s.io/admission-gated-by]: Invalid value: \"x\": must be a "
      "domain-prefixed path (such as \"acme.io/foo\")" },
    { NULL, ANNOTATED("kueue.x-k8s.io/priority-boost", "x", ""), NULL },
};

static void pod_sets_are_judged(void **state)
{
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(workload_validate, &gates, pod_set_rules, ARRAY_COUNT(pod_set_rules));
}

static void template_metadata_is_judged_behind_its_gate(void **state)
{
    json_t *object = tree(POD_SETS("{'template':{'metadata':{'labels':{'a':'b c'},"
                                   "'annotations':{'@':''}}}}"));
    struct field_errors errors;
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    field_errors_init(&errors, &arena);
    workload_validate(NULL, object, &gates, &errors);
    assert_int_equal(errors.count, 2);
    assert_string_equal(errors.items[0].path, "spec.podSets[0].template.metadata.labels");
    assert_string_equal(errors.items[1].path, "spec.podSets[0].template.metadata.annotations");
    gates.pod_set_metadata = false;
    field_errors_init(&errors, &arena);
    workload_validate(NULL, object, &gates, &errors);
    assert_int_equal(errors.count, 0);
    json_decref(object);
}

#define BOOST "metadata.annotations[kueue.x-k8s.io/priority-boost]: Invalid value: "

static const struct rule boost_rules[] = {
    { NULL, ANNOTATED("kueue.x-k8s.io/priority-boost", "-5", ""), NULL },
    { NULL, ANNOTATED("kueue.x-k8s.io/priority-boost", "", ""),
      BOOST "\"\": must be a valid signed integer; use \"0\" explicitly, empty string is not "
            "allowed" },
    { NULL, ANNOTATED("kueue.x-k8s.io/priority-boost", "3000000000", ""),
      BOOST "\"3000000000\": must be a valid signed integer" },
    { NULL, ANNOTATED("kueue.x-k8s.io/priority-boost", "1.5", ""),
      BOOST "\"1.5\": must be a valid signed integer" },
};

static void priority_boosts_are_judged_behind_their_gate(void **state)
{
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    gates.priority_boost = true;
    judge(workload_validate, &gates, boost_rules, ARRAY_COUNT(boost_rules));
}

/* ---- status ---- */

#define RESERVED                                                                                   \
    "'conditions':[{'type':'QuotaReserved','status':'True','reason':'R','message':'',"             \
    "'lastTransitionTime':'2026-01-02T03:04:05Z'}]"
#define ASSIGNED(assignment)                                                                       \
    ",'admission':{'clusterQueue':'c','podSetAssignments':[" assignment "]}"
#define WITH(pod_sets, status) "{'spec':{'podSets':[" pod_sets "]},'status':{" status "}}"
#define ONE "{'name':'a','count':3}"

static const struct rule status_rules[] = {
    { NULL, WITH(ONE, RESERVED),
      "status.admission: Required value: must be set while the QuotaReserved condition is true" },
    { WITH(ONE, RESERVED), WITH(ONE, RESERVED), NULL },
    { NULL, WITH(ONE, "'admission':{'podSetAssignments':[{'name':'z'}]}"), NULL },
    { NULL, WITH(ONE, RESERVED ASSIGNED("{'name':'z'}")),
      "status.admission.podSetAssignments[0].name: Not found: \"z\"" },
    { NULL,
      WITH(ONE, RESERVED ASSIGNED("{'name':'a','count':3,'resourceUsage':{'cpu':'3','gpu':'6'}}")),
      NULL },
    { NULL, WITH(ONE, RESERVED ASSIGNED("{'name':'a','count':2,'resourceUsage':{'gpu':'3'}}")),
      "status.admission.podSetAssignments[0].resourceUsage[gpu]: Invalid value: 3: is not a "
      "multiple of 2" },
    { NULL, WITH(ONE, "'reclaimablePods':[{'name':'z','count':1},{'name':'a','count':4}]"),
      "[status.reclaimablePods[z].name: Unsupported value: \"z\": supported values: \"a\", "
      "status.reclaimablePods[a].count: Invalid value: 4: should be less or equal to 3]" },
    { NULL,
      WITH("{'name':'b'},{'name':'a'}", "'admissionChecks':[{'name':'k','podSetUpdates':["
                                        "{'name':'z'},{'name':'a','labels':{'x':'y'}}]}]"),
      "status.admissionChecks[0].podSetUpdates[0].name: Unsupported value: \"z\": supported "
      "values: "
      "\"a\", \"b\"" },
};

static void the_status_is_judged(void **state)
{
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(workload_validate, &gates, status_rules, ARRAY_COUNT(status_rules));
}

/* ---- updates ---- */

#define TEMPLATE(cpu)                                                                              \
    "'template':{'spec':{'containers':[{'resources':{'requests':{'cpu':'" cpu "'}}}]}}"
#define POD_SET(count, cpu) "{'name':'a','count':" #count "," TEMPLATE(cpu) "}"
#define TAKEN RESERVED ASSIGNED("{'name':'a','count':3}")
#define READY(updates)                                                                             \
    "'admissionChecks':[{'name':'k','state':'Ready','podSetUpdates':[" updates "]}]"

static const struct rule update_rules[] = {
    /* free without a reservation */
    { WITH(POD_SET(3, "1"), ""), WITH(POD_SET(5, "2"), ""), NULL },
    /* frozen with one: but for lower counts and other words for the same quantity */
    { WITH(POD_SET(3, "1"), TAKEN), WITH(POD_SET(3, "1000m"), TAKEN), NULL },
    { WITH(POD_SET(3, "1"), TAKEN), WITH(POD_SET(2, "1"), TAKEN), NULL },
    { WITH(POD_SET(3, "1"), TAKEN), WITH(POD_SET(4, "1"), TAKEN),
      "spec.podSets.0: Invalid value: {\"name\":\"a\",\"count\":4,\"template\":{\"spec\":"
      "{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}}}: field is immutable" },
    { WITH(ONE, TAKEN), WITH(ONE ",{'name':'b'}", TAKEN),
      "spec.podSets: Invalid value: [{\"name\":\"a\",\"count\":3},{\"name\":\"b\"}]: field is "
      "immutable" },
    /* the admission */
    { WITH(ONE, TAKEN), WITH(ONE, ""), NULL },
    { WITH(ONE, TAKEN),
      WITH(ONE, RESERVED ASSIGNED("{'name':'a','count':3,'topologyAssignment':{"
                                  "'levels':['x']},'delayedTopologyRequest':"
                                  "'Ready'}")),
      NULL },
    { WITH(ONE, TAKEN), WITH(ONE, RESERVED ASSIGNED("{'name':'a','count':2}")),
      "status.admission: Invalid value: {\"clusterQueue\":\"c\",\"podSetAssignments\":[{\"name\":"
      "\"a\",\"count\":2}]}: field is immutable" },
    /* reclaimable pods grow */
    { WITH(ONE, TAKEN ",'reclaimablePods':[{'name':'a','count':1}]"),
      WITH(ONE, TAKEN ",'reclaimablePods':[{'name':'a','count':2}]"), NULL },
    { WITH(ONE, TAKEN ",'reclaimablePods':[{'name':'a','count':2}]"),
      WITH(ONE, TAKEN ",'reclaimablePods':[{'name':'a','count':1}]"),
      "status.reclaimablePods[a].count: Invalid value: 1: cannot be less than 2" },
    { WITH(ONE, TAKEN ",'reclaimablePods':[{'name':'a','count':2}]"), WITH(ONE, TAKEN),
      "status.reclaimablePods[a]: Required value: cannot be removed" },
    { WITH(ONE, TAKEN ",'reclaimablePods':[{'name':'a','count':2}]"), WITH(ONE, ""), NULL },
    /* updates of a ready check */
    { WITH(ONE, READY("{'name':'a'}")), WITH(ONE, READY("{'name':'a','labels':{'x':'y'}}")),
      "status.admissionChecks[0].podSetUpdates: Invalid value: [{\"name\":\"a\",\"labels\":"
      "{\"x\":\"y\"}}]: field is immutable" },
    { WITH(ONE, "'admissionChecks':[{'name':'k','state':'Pending'}]"),
      WITH(ONE, READY("{'name':'a'}")), NULL },
    /* the cluster's name */
    { WITH(ONE, "'nominatedClusterNames':['w1']"), WITH(ONE, "'clusterName':'w1'"), NULL },
    { WITH(ONE, "'nominatedClusterNames':['w1']"), WITH(ONE, "'clusterName':'w2'"),
      "status.clusterName: Invalid value: \"w2\": when setting clusterName it must be one of the "
      "nominatedClusterNames" },
    /* gates */
    { ANNOTATED("kueue.x-k8s.io/admission-gated-by", "a.io/x", ""), SPEC(""), NULL },
    { SPEC(""), ANNOTATED("kueue.x-k8s.io/admission-gated-by", "a.io/x", ""),
      "metadata.annotations[kueue.x-k8s.io/admission-gated-by]: Forbidden: cannot add admission "
      "gate after creation" },
};

static void updates_are_judged(void **state)
{
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(workload_validate, &gates, update_rules, ARRAY_COUNT(update_rules));
}

static const struct rule without_gates[] = {
    { WITH(POD_SET(3, "1"), TAKEN), WITH(POD_SET(2, "1"), TAKEN),
      "spec.podSets.0: Invalid value: {\"name\":\"a\",\"count\":2,\"template\":{\"spec\":"
      "{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}}}: field is immutable" },
    { WITH(ONE, TAKEN),
      WITH(ONE, RESERVED ASSIGNED("{'name':'a','count':3,'delayedTopologyRequest':'Ready'}")),
      "status.admission: Invalid value: {\"clusterQueue\":\"c\",\"podSetAssignments\":[{\"name\":"
      "\"a\",\"count\":3,\"delayedTopologyRequest\":\"Ready\"}]}: field is immutable" },
};

static void gates_off_forbid_more(void **state)
{
    const struct object_gates gates = { .partial_admission = true };

    (void)state;
    judge(workload_validate, &gates, without_gates, ARRAY_COUNT(without_gates));
}

static void an_elastic_workload_may_keep_and_lower_reclaimable_pods(void **state)
{
#define ELASTIC_WITH(count, reclaimable)                                                           \
    ELASTIC(",'spec':{'podSets':[{'name':'a','count':" #count "}]},'status':{" TAKEN               \
            ",'reclaimablePods':[" reclaimable "]}")
    static const struct rule rules[] = {
        { ELASTIC_WITH(3, "{'name':'a','count':3}"), ELASTIC_WITH(2, "{'name':'a','count':3}"),
          NULL },
        { ELASTIC_WITH(2, "{'name':'a','count':2}"), ELASTIC_WITH(2, "{'name':'a','count':1}"),
          NULL },
        { ELASTIC_WITH(3, "{'name':'a','count':2}"), ELASTIC_WITH(3, "{'name':'a','count':1}"),
          "status.reclaimablePods[a].count: Invalid value: 1: cannot be less than 2" },
    };
    struct object_gates gates;

    (void)state;
    object_gates_default(&gates);
    judge(workload_validate, &gates, rules, ARRAY_COUNT(rules));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_WITH_ARENA(pod_sets_are_judged),
        TEST_WITH_ARENA(template_metadata_is_judged_behind_its_gate),
        TEST_WITH_ARENA(priority_boosts_are_judged_behind_their_gate),
        TEST_WITH_ARENA(the_status_is_judged),
        TEST_WITH_ARENA(updates_are_judged),
        TEST_WITH_ARENA(gates_off_forbid_more),
        TEST_WITH_ARENA(an_elastic_workload_may_keep_and_lower_reclaimable_pods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
