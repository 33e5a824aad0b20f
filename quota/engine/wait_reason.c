/* Why a workload waits, as the Workload's reconciler says it (spec/scheduling.md 8.2). */
#include <string.h>

#include "quota/engine/devices.h"
#include "quota/engine/selector.h"

static bool say(struct wait_reason *why, const char *reason, const char *message)
{
    why->reason = reason;
    why->message = message;
    return true;
}

static bool queue_problem(const struct engine *engine, const struct item *item, struct arena *a,
                          struct wait_reason *why)
{
    const struct local_queue_record *local = item->local_queue;
    const struct cluster_queue_record *queue = item_queue(item);
    const char *name = local ? local->name : "";

    (void)engine;
    if (!local || !local->exists)
        return say(why, "Misconfigured", arena_format(a, "LocalQueue %s doesn't exist", name));
    if (local->stop_policy != STOP_NONE)
        return say(why, "Suspended", arena_format(a, "LocalQueue %s is inactive", name));
    if (!queue || !queue->exists)
        return say(why, "Misconfigured",
                   arena_format(a, "ClusterQueue %s doesn't exist", queue ? queue->name : ""));
    if (!queue->is_active || queue->node.is_cyclic)
        return say(why, "Suspended", arena_format(a, "ClusterQueue %s is inactive", queue->name));
    return false;
}

static bool admissibility_problem(const struct item *item, struct arena *a, struct wait_reason *why)
{
    const struct namespace_record *namespace = item->namespace;
    const struct label_selector *selector = &item_queue(item)->copy.namespace_selector;
    const char *problem = selector_problem(selector, a);

    if (problem)
        return say(why, "Misconfigured",
                   arena_format(a, "invalid namespace selector: %s", problem));
    if (!namespace->exists)
        return say(why, "Misconfigured",
                   arena_format(a,
                                "workload namespace \"%s\" does not exist: namespaces \"%s\" not "
                                "found",
                                namespace->name, namespace->name));
    if (!selector_matches(selector, namespace->labels.labels, namespace->labels.label_count))
        return say(why, "Misconfigured", "workload namespace doesn't match ClusterQueue selector");
    problem = item_resources_problem(item, a);
    return problem && say(why, "Misconfigured", problem);
}

static bool device_problem(const struct item *item, struct wait_reason *why)
{
    const char *refusal = item->extra ? item->extra->device_refusal : NULL;

    if (!refusal)
        return false;
    why->not_requeued = device_refusal_of_requeue(refusal);
    return say(why, "Misconfigured", refusal);
}

static bool text_is_one_of(const struct shared_text *text, const char *const *choices)
{
    for (; *choices; choices++)
        if (strcmp(text ? text->text : "", *choices) == 0)
            return true;
    return false;
}

/* A reason that says no more than "nobody has looked yet". */
static bool may_be_overwritten(const struct item *item)
{
    static const char *const vague[] = { "",          "Deactivated", "PendingEvaluation",
                                         "Suspended", "Pending",     NULL };

    return text_is_one_of(item->reason, vague);
}

bool wait_reason_is_vague(const struct item *item)
{
    return item->reason && *item->reason->text && may_be_overwritten(item);
}

static bool is_from_scheduler(const struct item *item)
{
    static const char *const kept[] = { "WaitingForQuota",
                                        "NoMatchingFlavor",
                                        "ExceedsMaxQuota",
                                        "TopologyPlacementFailed",
                                        "WaitingForPreemptedWorkloads",
                                        "WaitingForPodsReady",
                                        "PendingEvaluation",
                                        NULL };

    static const char *const gated[] = { "AdmissionGated", NULL };

    return text_is_one_of(item->reason, kept) ||
           (item->closed_gate && text_is_one_of(item->reason, gated));
}

static bool stored(const struct item *item, struct wait_reason *why)
{
    return say(why, item->reason ? item->reason->text : "",
               item->message ? item->message->text : "");
}

static bool gate_problem(const struct engine *engine, const struct item *item, struct arena *a,
                         struct wait_reason *why)
{
    return item->extra && item->extra->gated_by && engine->options.gates.admission_gated_by &&
           say(why, "AdmissionGated",
               arena_format(a, "Admission is gated by: %s", item->extra->gated_by));
}

static void granular(const struct engine *engine, const struct item *item, struct arena *a,
                     struct wait_reason *why)
{
    const char *mark;

    if (!item->active) {
        say(why, "Deactivated", "The workload is deactivated");
        return;
    }
    if (item->on_hold) {
        stored(item, why);
        return;
    }
    if (device_problem(item, why) || queue_problem(engine, item, a, why) ||
        admissibility_problem(item, a, why) || gate_problem(engine, item, a, why))
        return;
    mark = item->place == ITEM_PARKED && item->bypassed ? pending_mark_reason(item) : NULL;
    if (mark && may_be_overwritten(item))
        say(why, mark,
            "Bypassed scheduling evaluation because an equivalent workload recently failed");
    else if (is_from_scheduler(item))
        stored(item, why);
    else if (item->reason || engine->options.gates.unadmitted_explicit_status)
        say(why, "PendingEvaluation", "Workload is pending evaluation in the scheduling queue");
}

static void legacy(const struct engine *engine, const struct item *item, struct arena *a,
                   struct wait_reason *why)
{
    if ((item->active && !item->on_hold && device_problem(item, why)) ||
        queue_problem(engine, item, a, why))
        why->reason = "Inadmissible";
}

bool engine_wait_reason(const struct engine *engine, const char *namespace, const char *name,
                        struct arena *arena, struct wait_reason *why)
{
    const struct item *item = item_find(engine, namespace, name);

    *why = (struct wait_reason){ "", "", "" };
    if (!item)
        return false;
    if (item->reservation)
        return true;
    if (engine->options.gates.unadmitted_observability)
        granular(engine, item, arena, why);
    else
        legacy(engine, item, arena, why);
    why->reason = arena_strdup(arena, why->reason);
    why->message = arena_strdup(arena, why->message);
    why->not_requeued = arena_strdup(arena, why->not_requeued);
    return true;
}

void engine_workload_told(struct engine *engine, const char *namespace, const char *name,
                          const char *reason, const char *message)
{
    struct item *item = item_find(engine, namespace, name);

    if (item && !item->reservation)
        item_text_set(engine, item, reason, message);
}

/* ---- admission checks of a stored admission ---- */

/* Before flavors are chosen: the checks that any choice would need. */
static const char **checks_for_all(const struct cluster_queue_record *queue, struct arena *a,
                                   size_t *count)
{
    const char **names = ARENA_ARRAY(a, queue->copy.check_count + 1, const char *);

    for (size_t i = 0; i < queue->copy.check_count; i++)
        if (!check_is_per_flavor(queue, &queue->copy.checks[i]))
            names[(*count)++] = arena_strdup(a, queue->copy.checks[i].name);
    return names;
}

const char **engine_required_checks(const struct engine *engine, const struct admission *admission,
                                    struct arena *arena, size_t *count)
{
    const struct cluster_queue_record *queue =
        admission->cluster_queue ? cluster_queue_find(engine, admission->cluster_queue) : NULL;
    const char **flavors;
    size_t most = 0, n = 0;

    *count = 0;
    if (!queue || !queue->exists)
        return NULL;
    if (admission->pod_set_count == 0)
        return checks_for_all(queue, arena, count);
    for (size_t i = 0; i < admission->pod_set_count; i++)
        most += admission->pod_sets[i].use_count;
    flavors = ARENA_ARRAY(arena, most + 1, const char *);
    for (size_t i = 0; i < admission->pod_set_count; i++)
        for (size_t k = 0; k < admission->pod_sets[i].use_count; k++)
            if (admission->pod_sets[i].uses[k].flavor)
                flavors[n++] = admission->pod_sets[i].uses[k].flavor;
    if (n == 0)
        return NULL; /* admitted without any flavor */
    return required_checks(engine, queue, flavors, n, arena, count);
}
