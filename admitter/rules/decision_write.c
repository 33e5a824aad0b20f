#include "admitter/rules/decision_write.h"

#include "admitter/objects/json_read.h"
#include "admitter/rules/check_list.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/eviction.h"
#include "quota/base/mem.h"

static int64_t generation_of(const json_t *workload)
{
    return json_integer_at(json_object_get(workload, "metadata"), "generation", 0);
}

static bool put(json_t *workload, const char *type, const char *status, const char *reason,
                const char *message, int64_t now)
{
    return condition_put(
        workload,
        &(struct condition_change){ type, status, reason, message, generation_of(workload) }, now);
}

static json_t *assignment_json(const struct pod_set_assignment *assignment)
{
    json_t *flavors = json_object(), *usage = json_object(), *out;
    char text[QUANTITY_TEXT];

    for (size_t i = 0; i < assignment->use_count; i++) {
        const struct resource_flavor_use *use = &assignment->uses[i];

        if (use->flavor)
            json_object_set_new(flavors, use->resource, json_string(use->flavor));
        if (use->has_usage)
            json_object_set_new(usage, use->resource,
                                json_string(quantity_print(use->usage, text)));
    }
    out = json_pack("{s:s, s:o, s:o}", "name", assignment->pod_set, "flavors", flavors,
                    "resourceUsage", usage);
    if (assignment->count >= 0)
        json_object_set_new(out, "count", json_integer(assignment->count));
    if (assignment->topology_assignment)
        json_object_set_new(out, "topologyAssignment",
                            json_loads(assignment->topology_assignment, 0, NULL));
    if (assignment->delayed_topology)
        json_object_set_new(out, "delayedTopologyRequest",
                            json_string(assignment->delayed_topology));
    return out;
}

json_t *admission_json(const struct admission *admission)
{
    json_t *list = json_array();

    for (size_t i = 0; i < admission->pod_set_count; i++)
        json_array_append_new(list, assignment_json(&admission->pod_sets[i]));
    return json_pack("{s:s, s:o}", "clusterQueue", admission->cluster_queue, "podSetAssignments",
                     list);
}

/* 'generation' 0: this condition carries none. */
static void close_condition(json_t *workload, const char *type, int64_t generation, int64_t now)
{
    AUTO_FREE char *message = NULL;

    if (!condition_true(workload, type))
        return;
    message = mem_format("Previously: %s", condition_message(workload, type));
    condition_put(workload,
                  &(struct condition_change){ type, "False", "QuotaReserved", message, generation },
                  now);
}

bool decision_reserve(json_t *workload, const struct decision *decision,
                      const struct loop_settings *settings, int64_t now)
{
    AUTO_FREE char *message =
        mem_format("Quota reserved in ClusterQueue %s", decision->cluster_queue);
    json_t *status = object_status(workload);

    json_object_set_new(status, "admission", admission_json(&decision->admission));
    json_object_del(status, "resourceRequests");
    put(workload, "QuotaReserved", "True", "QuotaReserved", message, now);
    close_condition(workload, "Evicted", generation_of(workload), now);
    close_condition(workload, "Preempted", 0, now);
    close_condition(workload, "BlockedOnPreemptionGates", generation_of(workload), now);
    if (check_list_has(workload, decision->required_checks, decision->required_check_count))
        workload_sync_admitted(workload, settings->unadmitted_observability,
                               settings->unadmitted_explicit_status, now);
    return condition_true(workload, "Admitted");
}

static json_t *requests_json(const struct decision *decision)
{
    json_t *list = json_array();
    char text[QUANTITY_TEXT];

    for (size_t i = 0; i < decision->request_count; i++) {
        const struct pod_set_assignment *pod_set = &decision->requests[i];
        json_t *resources = json_object();

        for (size_t k = 0; k < pod_set->use_count; k++)
            json_object_set_new(resources, pod_set->uses[k].resource,
                                json_string(quantity_print(pod_set->uses[k].usage, text)));
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "name", pod_set->pod_set, "resources", resources));
    }
    return list;
}

json_t *decision_refusal(const struct decision *decision)
{
    return json_pack("{s:s, s:s, s:o, s:b, s:b}", "reason", decision->reason, "message",
                     decision->message, "requests", requests_json(decision), "gated",
                     decision->gated_by_preemption_gate, "quiet", decision->waits_for_pods_ready);
}

static bool put_requests(json_t *status, json_t *requests)
{
    if (json_array_size(requests) == 0 ||
        json_equal(requests, json_object_get(status, "resourceRequests")))
        return false;
    json_object_set(status, "resourceRequests", requests);
    return true;
}

bool decision_wait(json_t *workload, const json_t *refusal, const struct loop_settings *settings,
                   int64_t now)
{
    const char *message = json_string_at(refusal, "message");
    json_t *status = object_status(workload);
    bool changed =
        put(workload, "QuotaReserved", "False", json_string_at(refusal, "reason"), message, now);

    changed |= json_object_del(status, "admission") == 0;
    if (json_is_true(json_object_get(refusal, "gated")))
        changed |=
            put(workload, "BlockedOnPreemptionGates", "True", "PreemptionGated", message, now);
    changed |= put_requests(status, json_object_get(refusal, "requests"));
    changed |= workload_sync_admitted(workload, settings->unadmitted_observability,
                                      settings->unadmitted_explicit_status, now);
    return changed;
}

void decision_preempt(json_t *workload, const struct victim *victim, int64_t now)
{
    struct eviction eviction = { "Preempted", "", victim->message };
    bool had_admission;

    condition_put(
        workload,
        &(struct condition_change){ "Preempted", "True", victim->reason, victim->message, 0 }, now);
    workload_evict(workload, &eviction, now, &had_admission);
}
