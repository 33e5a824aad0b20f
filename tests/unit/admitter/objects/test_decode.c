#include "tests/unit/admitter/objects/support.h"

#include <string.h>
#include "admitter/objects/decode.h"
#include "quota/base/mem.h"

static struct err problem;

static int setup(void **state)
{
    problem = (struct err){ 0 };
    return arena_setup(state);
}

static void assert_quantity(struct quantity quantity, const char *expected)
{
    char text[QUANTITY_TEXT];

    assert_string_equal(quantity_print(quantity, text), expected);
}

#define DECODE(kind, json, out, meta)                                                              \
    do {                                                                                           \
        if (kind##_decode(quoted(&arena, json), &arena, out, meta, &problem) < 0)                  \
            fail_msg("%s", problem.text);                                                          \
    } while (0)

/* ---- ClusterQueue ---- */

static const char full_queue[] =
    "{'apiVersion':'kueue.x-k8s.io/v1beta2','kind':'ClusterQueue','metadata':{'name':'team',"
    "'generation':7,'labels':{'a':'b'},'finalizers':['kueue.x-k8s.io/resource-in-use']},"
    "'spec':{'cohortName':'all','queueingStrategy':'StrictFIFO','stopPolicy':'Hold',"
    "'namespaceSelector':{'matchLabels':{'x':'y'},'matchExpressions':[{'key':'k','operator':'In',"
    "'values':['v','w']},{'key':'q','operator':'Odd'}]},"
    "'preemption':{'withinClusterQueue':'LowerOrNewerEqualPriority','reclaimWithinCohort':'Any',"
    "'borrowWithinCohort':{'policy':'LowerPriority','maxPriorityThreshold':-5}},"
    "'flavorFungibility':{'whenCanBorrow':'TryNextFlavor','whenCanPreempt':'TryNextFlavor',"
    "'preference':'PreemptionOverBorrowing'},'fairSharing':{'weight':'500m'},"
    "'admissionScope':{'admissionMode':'UsageBasedAdmissionFairSharing'},"
    "'concurrentAdmissionPolicy':{'migration':{'mode':'RetainFirstAdmission'}},"
    "'admissionChecksStrategy':{'admissionChecks':[{'name':'c1'},{'name':'c2','onFlavors':['f2']}]}"
    ",'resourceGroups':[{'coveredResources':['cpu','memory'],'flavors':[{'name':'f1','resources':["
    "{'name':'cpu','nominalQuota':9,'borrowingLimit':'0','lendingLimit':'1500m'},"
    "{'name':'memory','nominalQuota':'36Gi'}]}]}]},'status':{'anything':[1,{}]}}";

static void a_cluster_queue_is_read_whole(void **state)
{
    struct cluster_queue queue;
    struct object_meta meta;

    (void)state;
    DECODE(cluster_queue, full_queue, &queue, &meta);
    assert_string_equal(queue.name, "team");
    assert_string_equal(queue.cohort, "all");
    assert_int_equal(queue.generation, 7);
    assert_false(queue.deleting);
    assert_int_equal(queue.strategy, QUEUE_STRICT_FIFO);
    assert_int_equal(queue.stop_policy, STOP_HOLD);
    assert_int_equal(queue.within_cluster_queue, PREEMPT_LOWER_OR_NEWER_EQUAL_PRIORITY);
    assert_int_equal(queue.reclaim_within_cohort, PREEMPT_ANY);
    assert_int_equal(queue.borrow_within_cohort, PREEMPT_LOWER_PRIORITY);
    assert_true(queue.has_borrow_threshold);
    assert_int_equal(queue.borrow_threshold, -5);
    assert_int_equal(queue.when_can_borrow, FUNGIBILITY_TRY_NEXT_FLAVOR);
    assert_int_equal(queue.preference, PREFERENCE_PREEMPTION_OVER_BORROWING);
    assert_true(queue.has_weight);
    assert_quantity(queue.weight, "500m");
    assert_true(queue.usage_based_admission);
    assert_string_equal(queue.concurrent_admission,
                        "{\"migration\":{\"mode\":\"RetainFirstAdmission\"}}");
    assert_string_equal(meta.finalizers[0], "kueue.x-k8s.io/resource-in-use");
    assert_string_equal(object_meta_label(&meta, "a"), "b");
    assert_null(object_meta_annotation(&meta, "a"));
}

static void the_lists_of_a_cluster_queue_keep_their_order(void **state)
{
    struct cluster_queue queue;
    const struct resource_quota *cpu;

    (void)state;
    DECODE(cluster_queue, full_queue, &queue, NULL);
    assert_int_equal(queue.group_count, 1);
    assert_int_equal(queue.groups[0].covered_count, 2);
    assert_string_equal(queue.groups[0].covered_resources[1], "memory");
    assert_string_equal(queue.groups[0].flavors[0].flavor, "f1");
    cpu = &queue.groups[0].flavors[0].resources[0];
    assert_quantity(cpu->nominal, "9");
    assert_true(cpu->has_borrowing && cpu->has_lending);
    assert_quantity(cpu->borrowing, "0");
    assert_quantity(cpu->lending, "1500m");
    assert_false(queue.groups[0].flavors[0].resources[1].has_borrowing);
    assert_int_equal(queue.check_count, 2);
    assert_int_equal(queue.checks[0].on_flavor_count, 0);
    assert_string_equal(queue.checks[1].on_flavors[0], "f2");
    assert_true(queue.namespace_selector.present);
    assert_int_equal(queue.namespace_selector.requirement_count, 2);
    assert_int_equal(queue.namespace_selector.requirements[0].operator, SELECTOR_IN);
    assert_int_equal(queue.namespace_selector.requirements[1].operator, SELECTOR_INVALID);
    assert_string_equal(queue.namespace_selector.requirements[1].operator_text, "Odd");
}

static void an_empty_cluster_queue_has_the_defaults(void **state)
{
    struct cluster_queue queue;

    (void)state;
    DECODE(cluster_queue, "{'metadata':{'name':'q'}}", &queue, NULL);
    assert_string_equal(queue.cohort, "");
    assert_int_equal(queue.strategy, QUEUE_BEST_EFFORT_FIFO);
    assert_int_equal(queue.stop_policy, STOP_NONE);
    assert_int_equal(queue.within_cluster_queue, PREEMPT_NEVER);
    assert_int_equal(queue.when_can_borrow, FUNGIBILITY_MAY_STOP_SEARCH);
    assert_int_equal(queue.when_can_preempt, FUNGIBILITY_TRY_NEXT_FLAVOR);
    assert_int_equal(queue.preference, PREFERENCE_NONE);
    assert_false(queue.namespace_selector.present);
    assert_false(queue.has_weight);
    assert_quantity(queue.weight, "1");
    DECODE(cluster_queue,
           "{'metadata':{'name':'q'},'spec':{'fairSharing':{},'namespaceSelector':{}}}", &queue,
           NULL);
    assert_true(queue.has_weight && queue.namespace_selector.present);
    assert_quantity(queue.weight, "1");
}

static void v1beta1_words_of_a_cluster_queue_are_mapped(void **state)
{
    struct cluster_queue queue;

    (void)state;
    DECODE(cluster_queue,
           "{'apiVersion':'kueue.x-k8s.io/v1beta1','metadata':{'name':'q'},'spec':{'cohort':'c',"
           "'cohortName':'ignored','admissionChecks':['a','b'],'admissionChecksStrategy':"
           "{'admissionChecks':[{'name':'z'}]},'flavorFungibility':{'whenCanBorrow':'Borrow',"
           "'whenCanPreempt':'Preempt'},'concurrentAdmissionPolicy':{'a':1}}}",
           &queue, NULL);
    assert_string_equal(queue.cohort, "c");
    assert_int_equal(queue.check_count, 2);
    assert_string_equal(queue.checks[0].name, "a");
    assert_int_equal(queue.when_can_borrow, FUNGIBILITY_MAY_STOP_SEARCH);
    assert_int_equal(queue.when_can_preempt, FUNGIBILITY_MAY_STOP_SEARCH);
    assert_null(queue.concurrent_admission);
    DECODE(cluster_queue,
           "{'metadata':{'name':'q'},'apiVersion':'kueue.x-k8s.io/v1beta1','spec':{"
           "'admissionChecks':[],'admissionChecksStrategy':{'admissionChecks':[{'name':'z'}]}}}",
           &queue, NULL);
    assert_int_equal(queue.check_count, 1);
    assert_string_equal(queue.checks[0].name, "z");
}

/* ---- Workload ---- */

static const char full_workload[] =
    "{'apiVersion':'kueue.x-k8s.io/v1beta2','kind':'Workload','metadata':{'namespace':'ns',"
    "'name':'w','uid':'u1','generation':3,'creationTimestamp':'2026-01-02T03:04:05Z',"
    "'labels':{'kueue.x-k8s.io/job-uid':'j1','kueue.x-k8s.io/concurrent-admission-parent':'true'},"
    "'annotations':{'kueue.x-k8s.io/priority-boost':'5','kueue.x-k8s.io/admission-gated-by':'a/b'},"
    "'ownerReferences':[{'apiVersion':'v1','kind':'Pod','name':'p','uid':'u','controller':true}]},"
    "'spec':{'queueName':'lq','priority':100,'active':false,'maximumExecutionTimeSeconds':60,"
    "'priorityClassRef':{'group':'kueue.x-k8s.io','kind':'WorkloadPriorityClass','name':'high'},"
    "'preemptionGates':[{'name':'g'}],"
    "'podSets':[{'template':{'spec':{'containers':[{'name':'c','resources':{'requests':{'cpu':1,"
    "'memory':'1Gi'}}}]}}},{'name':'workers','count':8,'minCount':4,'topologyRequest':"
    "{'required':'rack','podSetSliceSize':2,'unconstrained':false},'template':{}}]},"
    "'status':{'conditions':[{'type':'QuotaReserved','status':'True','reason':'QuotaReserved',"
    "'message':'m','lastTransitionTime':'2026-01-02T03:04:06Z','observedGeneration':3}],"
    "'admission':{'clusterQueue':'cq','podSetAssignments':[{'name':'main','count':1,"
    "'flavors':{'cpu':'f'},'resourceUsage':{'memory':'1Gi','cpu':'1'},'delayedTopologyRequest':"
    "'Pending','topologyAssignment':{'slices':[],'levels':['h']}}]},"
    "'requeueState':{'count':2,'requeueAt':'2026-01-02T04:00:00Z'},"
    "'reclaimablePods':[{'name':'workers','count':3}],'admissionChecks':[{'name':'ck',"
    "'state':'Retry','message':'why','lastTransitionTime':'2026-01-02T03:04:07Z','retryCount':1,"
    "'podSetUpdates':[{'name':'main'}]}],'unhealthyNodes':[{'name':'n1'}],"
    "'preemptionGates':[{'name':'g','position':'Open','lastTransitionTime':'x'}]}}";

static void the_spec_of_a_workload_is_read(void **state)
{
    struct workload w;

    (void)state;
    DECODE(workload, full_workload, &w, NULL);
    assert_string_equal(w.namespace, "ns");
    assert_string_equal(w.uid, "u1");
    assert_int_equal(w.created, INT64_C(1767323045) * NANOSECONDS_PER_SECOND);
    assert_string_equal(w.queue_name, "lq");
    assert_true(w.has_priority);
    assert_int_equal(w.priority, 100);
    assert_false(w.active);
    assert_int_equal(w.maximum_execution_seconds, 60);
    assert_string_equal(w.priority_class_name, "high");
    assert_string_equal(w.job_uid, "j1");
    assert_string_equal(w.priority_boost, "5");
    assert_string_equal(w.admission_gated_by, "a/b");
    assert_null(w.allowed_flavors);
    assert_true(w.is_variant_parent);
    assert_true(w.owned_by_single_pod);
    assert_false(w.has_closed_preemption_gate);
}

static void the_pod_sets_of_a_workload_are_read(void **state)
{
    struct workload w;

    (void)state;
    DECODE(workload, full_workload, &w, NULL);
    assert_int_equal(w.pod_set_count, 2);
    assert_string_equal(w.pod_sets[0].name, "main");
    assert_int_equal(w.pod_sets[0].count, 1);
    assert_int_equal(w.pod_sets[0].min_count, -1);
    assert_false(w.pod_sets[0].topology.present);
    assert_int_equal(w.pod_sets[0].pod.containers[0].requests.count, 2);
    assert_quantity(w.pod_sets[0].pod.containers[0].requests.items[0].quantity, "1");
    assert_int_equal(w.pod_sets[1].count, 8);
    assert_int_equal(w.pod_sets[1].min_count, 4);
    assert_string_equal(w.pod_sets[1].topology.required, "rack");
    assert_int_equal(w.pod_sets[1].topology.slice_size, 2);
    assert_true(w.pod_sets[1].topology.has_unconstrained);
    assert_false(w.pod_sets[1].topology.unconstrained);
}

static void the_status_of_a_workload_is_read(void **state)
{
    const struct pod_set_assignment *assignment;
    struct workload w;

    (void)state;
    DECODE(workload, full_workload, &w, NULL);
    assert_int_equal(w.condition_count, 1);
    assert_int_equal(w.conditions[0].status, CONDITION_TRUE);
    assert_int_equal(w.conditions[0].observed_generation, 3);
    assert_string_equal(w.admission.cluster_queue, "cq");
    assignment = &w.admission.pod_sets[0];
    assert_int_equal(assignment->use_count, 2);
    assert_string_equal(assignment->uses[0].resource, "cpu");
    assert_string_equal(assignment->uses[0].flavor, "f");
    assert_true(assignment->uses[0].has_usage);
    assert_string_equal(assignment->uses[1].resource, "memory");
    assert_null(assignment->uses[1].flavor);
    assert_string_equal(assignment->delayed_topology, "Pending");
    assert_string_equal(assignment->topology_assignment, "{\"levels\":[\"h\"],\"slices\":[]}");
    assert_int_equal(w.requeue_count, 2);
    assert_int_equal(w.requeue_at, INT64_C(1767326400) * NANOSECONDS_PER_SECOND);
    assert_int_equal(w.reclaimable[0].count, 3);
    assert_int_equal(w.checks[0].state, CHECK_RETRY);
    assert_int_equal(w.checks[0].retry_count, 1);
    assert_int_equal(w.checks[0].requeue_after_seconds, -1);
    assert_string_equal(w.checks[0].pod_set_updates, "[{\"name\":\"main\"}]");
    assert_string_equal(w.unhealthy_nodes[0], "n1");
}

static void a_workload_without_anything_has_the_defaults(void **state)
{
    struct workload w;

    (void)state;
    DECODE(workload, "{'metadata':{'name':'w'},'spec':{'preemptionGates':[{'name':'g'}]}}", &w,
           NULL);
    assert_string_equal(w.namespace, "default");
    assert_string_equal(w.queue_name, "");
    assert_true(w.active);
    assert_false(w.has_priority);
    assert_int_equal(w.created, TIME_NONE);
    assert_int_equal(w.requeue_at, TIME_NONE);
    assert_null(w.admission.cluster_queue);
    assert_true(w.has_closed_preemption_gate);
    assert_null(w.priority_class_name);
}

static void v1beta1_workloads_are_mapped(void **state)
{
    struct workload w;

    (void)state;
    DECODE(workload,
           "{'apiVersion':'kueue.x-k8s.io/v1beta1','metadata':{'name':'w'},'spec':{"
           "'priorityClassSource':'scheduling.k8s.io/priorityclass','priorityClassName':'p',"
           "'preemptionGates':[{'name':'x'}]},'status':{'admission':{'clusterQueue':'c',"
           "'podSetAssignments':[{'topologyAssignment':{'levels':['kubernetes.io/hostname'],"
           "'domains':[{'values':['n-1'],'count':2},{'values':['n-2'],'count':2}]}}]}}}",
           &w, NULL);
    assert_string_equal(w.priority_class_group, "scheduling.k8s.io");
    assert_string_equal(w.priority_class_kind, "PriorityClass");
    assert_string_equal(w.priority_class_name, "p");
    assert_false(w.has_closed_preemption_gate);
    assert_string_equal(w.admission.pod_sets[0].topology_assignment,
                        "{\"levels\":[\"kubernetes.io/hostname\"],\"slices\":[{\"domainCount\":2,"
                        "\"podCounts\":{\"universal\":2},\"valuesPerLevel\":[{\"individual\":{"
                        "\"prefix\":\"n-\",\"roots\":[\"1\",\"2\"]}}]}]}");
    DECODE(workload,
           "{'apiVersion':'kueue.x-k8s.io/v1beta1','metadata':{'name':'w'},'spec':{"
           "'priorityClassSource':'','priorityClassName':'p'}}",
           &w, NULL);
    assert_null(w.priority_class_name);
}

/* ---- pod templates ---- */

static void a_pod_template_is_read_whole(void **state)
{
    struct pod_template pod;

    (void)state;
    if (pod_template_decode(
            quoted(&arena,
                   "{'spec':{'initContainers':[{'name':'i','restartPolicy':'Always','resources':"
                   "{'limits':{'cpu':'200m'}}},{'name':'j','restartPolicy':'OnFailure'}],"
                   "'containers':[{'name':'c','restartPolicy':'Always','ports':[{'protocol':'TCP',"
                   "'containerPort':80}],'resources':{'claims':[{'name':'x'}],'requests':{}}}],"
                   "'resources':{'requests':{'cpu':'2'}},'overhead':{'cpu':'10m'},"
                   "'runtimeClassName':'rc','nodeSelector':{'zone':'a'},'priority':7,"
                   "'tolerations':[{'key':'k','operator':'Exists','tolerationSeconds':30},{}],"
                   "'affinity':{'podAffinity':{},'nodeAffinity':{"
                   "'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':["
                   "{'matchExpressions':[{'key':'g','operator':'Gt','values':['3']}]},"
                   "{'matchFields':[{'key':'metadata.name','operator':'In','values':['n']}]}]}}},"
                   "'topologySpreadConstraints':[{'b':1,'a':2}],'resourceClaims':null}}"),
            &arena, &pod, &problem) < 0)
        fail_msg("%s", problem.text);
    assert_true(pod.init_containers[0].is_sidecar);
    assert_false(pod.init_containers[1].is_sidecar);
    assert_false(pod.containers[0].is_sidecar);
    assert_string_equal(pod.containers[0].ports, "[{\"containerPort\":80,\"protocol\":\"TCP\"}]");
    assert_string_equal(pod.containers[0].claims, "[{\"name\":\"x\"}]");
    assert_true(pod.has_pod_resources);
    assert_int_equal(pod.pod_requests.count, 1);
    assert_quantity(pod.overhead.items[0].quantity, "10m");
    assert_string_equal(pod.runtime_class, "rc");
    assert_string_equal(pod.node_selector[0].value, "a");
    assert_true(pod.has_priority);
    assert_int_equal(pod.priority, 7);
    assert_string_equal(pod.tolerations[0].seconds, "30");
    assert_string_equal(pod.tolerations[1].key, "");
    assert_null(pod.tolerations[1].seconds);
    assert_true(pod.has_required_affinity);
    assert_int_equal(pod.affinity_term_count, 2);
    assert_int_equal(pod.affinity_terms[0].expressions[0].operator, SELECTOR_GT);
    assert_int_equal(pod.affinity_terms[1].expression_count, 0);
    assert_non_null(strstr(pod.affinity, "podAffinity"));
    assert_string_equal(pod.topology_spread, "[{\"a\":2,\"b\":1}]");
    assert_null(pod.resource_claims);
    assert_int_equal(pod.claim_count, 0);
}

static void claims_of_a_pod_are_read_twice(void **state)
{
    struct pod_template pod;

    (void)state;
    if (pod_template_decode(quoted(&arena,
                                   "{'spec':{'resourceClaims':[{'name':'a',"
                                   "'resourceClaimTemplateName':'t'},{'resourceClaimName':'c',"
                                   "'name':'b'},{}],'priority':1}}"),
                            &arena, &pod, &problem) < 0)
        fail_msg("%s", problem.text);
    assert_string_equal(pod.resource_claims,
                        "[{\"name\":\"a\",\"resourceClaimTemplateName\":\"t\"},{\"name\":\"b\","
                        "\"resourceClaimName\":\"c\"},{}]");
    assert_int_equal(pod.claim_count, 3);
    assert_string_equal(pod.claims[0].claim_template, "t");
    assert_null(pod.claims[0].claim);
    assert_string_equal(pod.claims[1].claim, "c");
    assert_null(pod.claims[2].claim_template);
    assert_int_equal(pod.priority, 1);
    assert_int_equal(pod_template_decode(quoted(&arena, "{'spec':{'resourceClaims':[1]}}"), &arena,
                                         &pod, &problem),
                     -1);
    assert_non_null(strstr(problem.text, "spec.resourceClaims[0]"));
}

static void devices_are_read(void **state)
{
    struct device_class class_;
    struct claim_template claim_template;

    (void)state;
    DECODE(device_class,
           "{'metadata':{'name':'gpu','creationTimestamp':'2026-01-02T03:04:05Z'},"
           "'spec':{'extendedResourceName':'a.io/gpu'}}",
           &class_, NULL);
    assert_string_equal(class_.name, "gpu");
    assert_string_equal(class_.extended_resource, "a.io/gpu");
    assert_int_not_equal(class_.created, TIME_NONE);
    DECODE(claim_template,
           "{'metadata':{'name':'t','namespace':'n'},'spec':{'spec':{'devices':{'requests':["
           "{'name':'a','exactly':{'deviceClassName':'gpu'}},"
           "{'name':'b','exactly':{'deviceClassName':'gpu','allocationMode':'All','count':3,"
           "'adminAccess':true,'selectors':[{'cel':{'expression':'a'}},{}]}},{'name':'c','"
           "firstAvailable':[{'name':'x'}]},{'name':'d'}]}}}}",
           &claim_template, NULL);
    assert_string_equal(claim_template.namespace, "n");
    assert_int_equal(claim_template.request_count, 4);
    assert_true(claim_template.requests[0].is_exact);
    assert_string_equal(claim_template.requests[0].allocation_mode, "ExactCount");
    assert_int_equal(claim_template.requests[0].count, 1);
    assert_string_equal(claim_template.requests[1].allocation_mode, "All");
    assert_int_equal(claim_template.requests[1].count, 3);
    assert_true(claim_template.requests[1].admin_access);
    assert_int_equal(claim_template.requests[1].selector_count, 2);
    assert_string_equal(claim_template.requests[1].selectors[0], "a");
    assert_string_equal(claim_template.requests[1].selectors[1], "");
    assert_true(claim_template.requests[2].has_alternatives);
    assert_false(claim_template.requests[2].is_exact || claim_template.requests[3].is_exact);
}

static void a_slice_of_devices_is_read(void **state)
{
    struct device_slice slice;
    const struct device *device;

    (void)state;
    DECODE(device_slice,
           "{'metadata':{'name':'s'},'spec':{'driver':'d.io','pool':{'name':'n','generation':2,"
           "'resourceSliceCount':3},'devices':[{'name':'a','allowMultipleAllocations':true,"
           "'attributes':{'b':{'bool':true},'i':{'int':7},'o.io/s':{'string':'x'},"
           "'v':{'version':'1.2.3'},'u':{'other':1}},'capacity':{'m':{'value':'5Gi','requestPolicy'"
           ":{'default':'1Gi','validValues':['1Gi','2Gi'],"
           "'validRange':{'min':'1Gi','step':'512Mi'}}}},"
           "'consumesCounters':[{'counterSet':'c','counters':{'m':{'value':'1Gi'}}},"
           "{'counterSet':'e','counters':{'n':{'value':'2'}}}]},{'name':'b'}]}}",
           &slice, NULL);
    assert_string_equal(slice.driver, "d.io");
    assert_string_equal(slice.pool, "n");
    assert_int_equal(slice.generation, 2);
    assert_int_equal(slice.slice_count, 3);
    assert_int_equal(slice.device_count, 2);
    device = &slice.devices[0];
    assert_string_equal(device->driver, "d.io");
    assert_true(device->allows_multiple);
    assert_int_equal(device->attribute_count, 5);
    assert_int_equal(device->attributes[0].type, ATTRIBUTE_BOOL);
    assert_string_equal(device->attributes[0].domain, "d.io");
    assert_int_equal(device->attributes[1].integer, 7);
    assert_string_equal(device->attributes[2].domain, "o.io");
    assert_string_equal(device->attributes[2].name, "s");
    assert_int_equal(device->attributes[3].type, ATTRIBUTE_VERSION);
    assert_int_equal(device->attributes[4].type, ATTRIBUTE_UNKNOWN);
    assert_string_equal(device->capacities[0].name, "m");
    assert_quantity(device->capacities[0].value, "5Gi");
    assert_true(device->capacities[0].has_default && device->capacities[0].has_range);
    assert_false(device->capacities[0].has_maximum);
    assert_int_equal(device->capacities[0].valid_count, 2);
    assert_quantity(device->capacities[0].valid[1], "2Gi");
    assert_quantity(device->capacities[0].step, "512Mi");
    assert_int_equal(device->counter_count, 2);
    assert_string_equal(device->counters[1].counter, "n");
    assert_string_equal(slice.devices[1].driver, "d.io");
}

/* ---- the other kinds ---- */

static void queues_and_cohorts_are_read(void **state)
{
    struct local_queue queue;
    struct cohort cohort;

    (void)state;
    DECODE(local_queue,
           "{'metadata':{'namespace':'a','name':'q'},'spec':{'clusterQueue':'c','stopPolicy':"
           "'HoldAndDrain','fairSharing':{'weight':2}},'status':{'fairSharing':{'weightedShare':0,"
           "'admissionFairSharingStatus':{'consumedResources':{'cpu':'1500m'},"
           "'lastUpdate':'2026-01-02T03:04:05Z'}}}}",
           &queue, NULL);
    assert_string_equal(queue.cluster_queue, "c");
    assert_int_equal(queue.stop_policy, STOP_HOLD_AND_DRAIN);
    assert_quantity(queue.weight, "2");
    assert_true(queue.has_consumed);
    assert_quantity(queue.consumed.items[0].quantity, "1500m");
    assert_int_equal(queue.consumed_updated, INT64_C(1767323045) * NANOSECONDS_PER_SECOND);
    DECODE(cohort,
           "{'metadata':{'name':'c'},'spec':{'parentName':'root','fairSharing':{'weight':'0'},"
           "'resourceGroups':[{'coveredResources':['cpu'],'flavors':[{'name':'f','resources':["
           "{'name':'cpu','nominalQuota':'3'}]}]}]}}",
           &cohort, NULL);
    assert_string_equal(cohort.parent, "root");
    assert_int_equal(cohort.group_count, 1);
    assert_true(cohort.has_weight);
    assert_quantity(cohort.weight, "0");
}

static void flavors_checks_and_topologies_are_read(void **state)
{
    struct resource_flavor flavor;
    struct admission_check check;
    struct topology topology;

    (void)state;
    DECODE(resource_flavor,
           "{'metadata':{'name':'f'},'spec':{'nodeLabels':{'a':'b'},'nodeTaints':[{'key':'k',"
           "'value':'v','effect':'NoSchedule'}],'tolerations':[{'operator':'Exists'}],"
           "'topologyName':'t'}}",
           &flavor, NULL);
    assert_string_equal(flavor.node_labels[0].value, "b");
    assert_string_equal(flavor.taints[0].effect, "NoSchedule");
    assert_null(flavor.taints[0].time_added);
    assert_string_equal(flavor.tolerations[0].operator, "Exists");
    assert_string_equal(flavor.topology, "t");
    DECODE(admission_check,
           "{'metadata':{'name':'k'},'spec':{'controllerName':'x/y'},'status':{'conditions':["
           "{'type':'Other','status':'True'},{'type':'Active','status':'True'}]}}",
           &check, NULL);
    assert_string_equal(check.controller, "x/y");
    assert_true(check.active);
    DECODE(topology,
           "{'metadata':{'name':'t'},'spec':{'levels':[{'nodeLabel':'a'},"
           "{'nodeLabel':'b'}]}}",
           &topology, NULL);
    assert_int_equal(topology.level_count, 2);
    assert_string_equal(topology.levels[1], "b");
}

static void classes_and_configurations_are_read(void **state)
{
    struct provisioning_request_config config;
    struct multikueue_cluster cluster;
    struct multikueue_config clusters;
    struct priority_class class;

    (void)state;
    DECODE(workload_priority_class, "{'metadata':{'name':'p'},'value':-3}", &class, NULL);
    assert_int_equal(class.value, -3);
    DECODE(priority_class, "{'metadata':{'name':'p'},'value':9,'globalDefault':true}", &class,
           NULL);
    assert_true(class.global_default);
    assert_string_equal(class.preemption, "PreemptLowerPriority");
    DECODE(provisioning_request_config,
           "{'metadata':{'name':'c'},'spec':{'provisioningClassName':'x','parameters':{'a':'b'},"
           "'managedResources':['gpu'],'retryStrategy':{'backoffLimitCount':1}}}",
           &config, NULL);
    assert_string_equal(config.class_name, "x");
    assert_int_equal(config.backoff_limit_count, 1);
    assert_int_equal(config.backoff_base_seconds, 60);
    assert_int_equal(config.backoff_max_seconds, 1800);
    DECODE(multikueue_cluster,
           "{'apiVersion':'kueue.x-k8s.io/v1beta1','metadata':{'name':'c'},'spec':{'kubeConfig':"
           "{'location':'/x','locationType':'Path'}}}",
           &cluster, NULL);
    assert_string_equal(cluster.location, "/x");
    assert_true(cluster.location_is_path);
    DECODE(multikueue_cluster,
           "{'metadata':{'name':'c'},'spec':{'clusterSource':{'clusterProfileRef':{'name':'p'}}},"
           "'status':{'conditions':[{'type':'Active','status':'False'}]}}",
           &cluster, NULL);
    assert_null(cluster.location);
    assert_string_equal(cluster.cluster_profile, "p");
    assert_false(cluster.active);
    DECODE(multikueue_config, "{'metadata':{'name':'c'},'spec':{'clusters':['a','b']}}", &clusters,
           NULL);
    assert_int_equal(clusters.cluster_count, 2);
}

static void core_kinds_are_read(void **state)
{
    struct namespace_labels labels;
    struct runtime_class runtime;
    struct limit_range limits;

    (void)state;
    DECODE(namespace, "{'metadata':{'name':'n','labels':{'a\\/b':'\\u0063'}}}", &labels, NULL);
    assert_string_equal(labels.labels[0].key, "a/b");
    assert_string_equal(labels.labels[0].value, "c");
    DECODE(limit_range,
           "{'metadata':{'namespace':'n','name':'l'},'spec':{'limits':[{'type':'Container','max':"
           "{'cpu':'2'},'defaultRequest':{'cpu':'1'}},{'type':'PersistentVolumeClaim'},"
           "{'type':'Pod','maxLimitRequestRatio':{'cpu':'4'}}]}}",
           &limits, NULL);
    assert_int_equal(limits.item_count, 2);
    assert_int_equal(limits.items[0].type, LIMIT_CONTAINER);
    assert_int_equal(limits.items[1].type, LIMIT_POD);
    assert_quantity(limits.items[1].max_ratio.items[0].quantity, "4");
    DECODE(runtime_class, "{'metadata':{'name':'r'},'overhead':{'podFixed':{'cpu':'5m'}}}",
           &runtime, NULL);
    assert_quantity(runtime.overhead.items[0].quantity, "5m");
}

/* ---- bad input ---- */

static const struct {
    const char *json, *expected;
} bad_queues[] = {
    { "[]", "object: expected an object, got []" },
    { "{}", "metadata.name: Required value" },
    { "{'metadata':{'name':3}}", "metadata.name: expected a string, got 3" },
    { "{'metadata':{'name':'q'},'spec':[]}", "spec: expected an object, got []" },
    { "{'metadata':{'name':'q'},'spec':{'stopPolicy':'Wait'}}",
      "spec.stopPolicy: Unsupported value: \"Wait\": supported values: \"None\", \"Hold\", "
      "\"HoldAndDrain\"" },
    { "{'metadata':{'name':'q'},'spec':{'preemption':{'borrowWithinCohort':"
      "{'maxPriorityThreshold':3000000000}}}}",
      "spec.preemption.borrowWithinCohort.maxPriorityThreshold: expected a 32-bit integer, got "
      "3000000000" },
    { "{'metadata':{'name':'q'},'spec':{'resourceGroups':[{'flavors':[{'name':'f','resources':["
      "{'name':'cpu','nominalQuota':'12q'}]}]}]}}",
      "spec.resourceGroups[0].flavors[0].resources[0].nominalQuota: expected a quantity, got "
      "\"12q\"" },
    { "{'metadata':{'name':'q'},'spec':{'resourceGroups':[{'flavors':[{'resources':[]}]}]}}",
      "spec.resourceGroups[0].flavors[0].name: Required value" },
    { "{'metadata':{'name':'q'},'spec':{'resourceGroups':[{'flavors':[{'name':'f','resources':["
      "{'name':'cpu'}]}]}]}}",
      "spec.resourceGroups[0].flavors[0].resources[0].nominalQuota: Required value" },
    { "{'metadata':{'name':'q','labels':{'a/b':1}}}",
      "metadata.labels[a/b]: expected a string, got 1" },
    { "{'metadata':{'name':'q','creationTimestamp':'noon'}}",
      "metadata.creationTimestamp: expected a time like 2006-01-02T15:04:05Z, got \"noon\"" },
};

static void bad_members_are_named(void **state)
{
    struct cluster_queue queue;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_queues); i++) {
        struct err e = { 0 };
        struct str json = quoted(&arena, bad_queues[i].json);

        assert_int_equal(cluster_queue_decode(json, &arena, &queue, NULL, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(e.text, bad_queues[i].expected);
    }
}

static void a_topology_assignment_must_be_an_object(void **state)
{
    struct workload w;
    struct str json = quoted(&arena, "{'metadata':{'name':'w'},'status':{'admission':{"
                                     "'podSetAssignments':[{'topologyAssignment':'x'}]}}}");

    (void)state;
    assert_int_equal(workload_decode(json, &arena, &w, NULL, &problem), -1);
    assert_string_equal(problem.text, "status.admission.podSetAssignments[0].topologyAssignment: "
                                      "expected an object, got \"x\"");
}

static void broken_json_is_refused(void **state)
{
    static const char *const texts[] = { "",       "{",   "{'metadata':{'name':'q'}",
                                         "{'a':}", "nil", "{'metadata':{'name':'q'}} x" };
    struct cluster_queue queue;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct err e = { 0 };

        assert_int_equal(cluster_queue_decode(quoted(&arena, texts[i]), &arena, &queue, NULL, &e),
                         -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_true(*e.text);
    }
}

static void long_values_are_cut_in_messages(void **state)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct cluster_queue queue;

    (void)state;
    strbuf_puts(&text, "{\"metadata\":{\"name\":[");
    for (int i = 0; i < 100; i++)
        strbuf_puts(&text, "\"\u00e4\",");
    strbuf_puts(&text, "1]}}");
    assert_int_equal(cluster_queue_decode(strbuf_view(&text), &arena, &queue, NULL, &problem), -1);
    assert_true(strlen(problem.text) < 160);
    assert_non_null(strstr(problem.text, "..."));
}

static void types_are_read_from_any_place(void **state)
{
    const char *api_version, *kind;

    (void)state;
    assert_int_equal(object_type_decode(quoted(&arena, "{'x':[1,{}],'kind':'K','apiVersion':'v'}"),
                                        &arena, &api_version, &kind, &problem),
                     0);
    assert_string_equal(api_version, "v");
    assert_string_equal(kind, "K");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cluster_queue_is_read_whole),
        TEST(the_lists_of_a_cluster_queue_keep_their_order),
        TEST(an_empty_cluster_queue_has_the_defaults),
        TEST(v1beta1_words_of_a_cluster_queue_are_mapped),
        TEST(the_spec_of_a_workload_is_read),
        TEST(the_pod_sets_of_a_workload_are_read),
        TEST(the_status_of_a_workload_is_read),
        TEST(a_workload_without_anything_has_the_defaults),
        TEST(v1beta1_workloads_are_mapped),
        TEST(a_pod_template_is_read_whole),
        TEST(claims_of_a_pod_are_read_twice),
        TEST(devices_are_read),
        TEST(a_slice_of_devices_is_read),
        TEST(queues_and_cohorts_are_read),
        TEST(flavors_checks_and_topologies_are_read),
        TEST(classes_and_configurations_are_read),
        TEST(core_kinds_are_read),
        TEST(bad_members_are_named),
        TEST(a_topology_assignment_must_be_an_object),
        TEST(broken_json_is_refused),
        TEST(long_values_are_cut_in_messages),
        TEST(types_are_read_from_any_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
