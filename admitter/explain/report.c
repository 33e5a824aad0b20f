#include "admitter/explain/report.h"

#include <string.h>
#include "admitter/explain/text.h"
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "quota/base/mem.h"

const char *explain_amount(const char *resource, int64_t amount, char *buffer)
{
    return amount_print(str_of(resource), amount, false, buffer);
}

static json_t *amount_json(const char *resource, int64_t amount)
{
    char text[QUANTITY_TEXT];

    return json_string(explain_amount(resource, amount, text));
}

/* ---- state ---- */

struct state {
    const char *name, *condition; /* the condition that says so; "" for none */
};

static struct state state_of(const json_t *workload)
{
    bool holds = json_at(workload, "status", "admission", NULL) != NULL &&
                 condition_true(workload, "QuotaReserved");

    if (condition_true(workload, "Finished"))
        return (struct state){ "Finished", "Finished" };
    if (holds && condition_true(workload, "Evicted"))
        return (struct state){ "Evicting", "Evicted" };
    if (condition_true(workload, "Admitted"))
        return (struct state){ "Admitted", "Admitted" };
    if (holds)
        return (struct state){ "QuotaReserved", "Admitted" };
    if (json_is_false(json_at(workload, "spec", "active", NULL)))
        return (struct state){ "Deactivated",
                               condition_true(workload, "Evicted") ? "Evicted" : "QuotaReserved" };
    return (struct state){ "Pending", "QuotaReserved" };
}

/* ---- numbers ---- */

static json_t *limit_json(const char *resource, const struct binding *binding)
{
    static const char *const kinds[] = { "", "NominalQuota", "BorrowingLimit", "CohortCapacity" };

    if (binding->kind == BINDING_NONE)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kind", kinds[binding->kind], "owner",
                     binding->owner, "ownerKind", binding->is_cohort ? "Cohort" : "ClusterQueue",
                     "value", amount_json(resource, binding->limit), "used",
                     amount_json(resource, binding->used));
}

static json_t *resource_json(const struct explained_resource *r)
{
    json_t *holders = json_array();

    for (size_t i = 0; i < r->holder_count; i++)
        json_array_append_new(holders,
                              json_pack("{s:s, s:s, s:o, s:b}", "workload", r->holders[i].key,
                                        "clusterQueue", r->holders[i].cluster_queue, "amount",
                                        amount_json(r->resource, r->holders[i].amount), "evicted",
                                        r->holders[i].is_evicted));
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "resource", r->resource, "requested",
        amount_json(r->resource, r->requested), "before", amount_json(r->resource, r->before),
        "available", amount_json(r->resource, r->available), "maximum",
        amount_json(r->resource, r->maximum), "missing", amount_json(r->resource, r->missing),
        "never", r->is_never, "limit", limit_json(r->resource, &r->binding), "unlent",
        amount_json(r->resource, r->unlent), "heldBy", holders);
}

static json_t *flavor_json(const struct explained_flavor *flavor)
{
    static const char *const verdicts[] = { "Fits", "Preempts", "NoCandidates", "Lacks",
                                            "Refused" };
    json_t *resources = json_array();

    for (size_t i = 0; i < flavor->resource_count; i++)
        json_array_append_new(resources, resource_json(&flavor->resources[i]));
    return json_pack("{s:s, s:s, s:s, s:o}", "flavor", flavor->flavor, "verdict",
                     verdicts[flavor->verdict], "refusal", flavor->refusal, "resources", resources);
}

static json_t *pod_sets_json(const struct explanation *explanation)
{
    json_t *list = json_array();

    for (size_t i = 0; i < explanation->pod_set_count; i++) {
        const struct explained_pod_set *pod_set = &explanation->pod_sets[i];
        json_t *flavors = json_array();

        for (size_t f = 0; f < pod_set->flavor_count; f++)
            json_array_append_new(flavors, flavor_json(&pod_set->flavors[f]));
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:b, s:s, s:o}", "name", pod_set->name, "count",
                                        pod_set->count, "lookedAt", pod_set->is_looked_at,
                                        "problem", pod_set->problem, "flavors", flavors));
    }
    return list;
}

static json_t *victims_json(const struct explanation *explanation)
{
    json_t *list = json_array();

    for (size_t i = 0; i < explanation->victim_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "workload", explanation->victims[i].key,
                                        "clusterQueue", explanation->victims[i].cluster_queue));
    return list;
}

static void add_explanation(json_t *report, const struct explanation *explanation)
{
    json_object_set_new(report, "position",
                        json_pack("{s:I, s:I, s:s, s:b}", "ahead", (json_int_t)explanation->ahead,
                                  "waiting", (json_int_t)explanation->waiting, "first",
                                  explanation->first, "strictFIFO", explanation->strict_fifo));
    json_object_set_new(report, "fits", json_boolean(explanation->fits));
    json_object_set_new(report, "podSets", pod_sets_json(explanation));
    json_object_set_new(report, "preempts", victims_json(explanation));
    json_object_set_new(report, "remedies", explain_remedies(explanation));
}

static json_t *checks_json(const json_t *workload)
{
    json_t *list = json_array(), *check;
    size_t i;

    json_array_foreach(json_at(workload, "status", "admissionChecks", NULL), i, check)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "name", json_string_at(check, "name"),
                                        "state", json_string_at(check, "state"), "message",
                                        json_string_at(check, "message")));
    return list;
}

/* ---- the sentence ---- */

static void say_checks(const json_t *workload, struct strbuf *out)
{
    const char *separator = " and waits for ";
    json_t *check;
    size_t i;

    json_array_foreach(json_at(workload, "status", "admissionChecks", NULL), i, check) {
        const char *message = json_string_at(check, "message");

        if (strcmp(json_string_at(check, "state"), "Ready") == 0)
            continue;
        strbuf_printf(out, "%sAdmissionCheck %s (%s%s%s)", separator, json_string_at(check, "name"),
                      json_string_at(check, "state"), *message ? ": " : "", message);
        separator = ", ";
    }
}

static void say_position(const struct explanation *explanation, struct strbuf *out)
{
    strbuf_printf(out, " waits in ClusterQueue %s as number %zu of %zu", explanation->cluster_queue,
                  explanation->ahead + 1, explanation->waiting);
    if (explanation->strict_fifo && explanation->ahead > 0)
        strbuf_printf(out, " (StrictFIFO: behind %s)", explanation->first);
}

static void say_remedies(const json_t *report, struct strbuf *out)
{
    const json_t *remedies = json_object_get(report, "remedies");
    json_t *remedy;
    size_t i;

    json_array_foreach(remedies, i, remedy)
        strbuf_printf(out, "%s%s", i == 0 ? "; it would start with " : ", or with ",
                      json_string_value(remedy));
}

static void say_backoff(const struct explain_facts *facts, struct strbuf *out)
{
    const json_t *state = json_at(facts->subject->workload, "status", "requeueState", NULL);
    int64_t until = json_time_at(state, "requeueAt");

    if (until != TIME_NONE && until > facts->now)
        strbuf_printf(out, "; it is not tried again before %s", json_string_at(state, "requeueAt"));
}

static void say_pending(const struct explain_facts *facts, const json_t *report, struct strbuf *out)
{
    const struct explanation *explanation = facts->explanation;
    const char *message = json_string_at(report, "message");

    if (!explanation || *facts->why.message) {
        strbuf_printf(out, " waits: %s",
                      *facts->why.message ? facts->why.message
                      : *message          ? message
                                          : "nobody has looked at it yet");
        say_backoff(facts, out);
        return;
    }
    say_position(explanation, out);
    if (explanation->fits) {
        strbuf_printf(out, " and fits now%s%s", *message ? "; the last word was: " : "", message);
    } else {
        strbuf_puts(out, ": ");
        explain_missing(explanation, out);
        say_remedies(report, out);
    }
    say_backoff(facts, out);
}

static void say(const struct explain_facts *facts, const json_t *report, struct strbuf *out)
{
    const json_t *workload = facts->subject->workload;
    const char *state = json_string_at(report, "state"),
               *message = json_string_at(report, "message");
    const char *queue = json_string_at(report, "clusterQueue");

    strbuf_printf(out, "%s/%s", facts->subject->namespace, facts->subject->name);
    if (strcmp(state, "Finished") == 0)
        strbuf_printf(out, " has finished%s%s", *message ? ": " : "", message);
    else if (strcmp(state, "Evicting") == 0)
        strbuf_printf(out, " is being evicted from ClusterQueue %s: %s", queue, message);
    else if (strcmp(state, "Admitted") == 0)
        strbuf_printf(out, " is admitted in ClusterQueue %s", queue);
    else if (strcmp(state, "Deactivated") == 0)
        strbuf_printf(out, " is deactivated%s%s; it would queue again with spec.active: true",
                      *message ? ": " : "", message);
    else if (strcmp(state, "Pending") == 0)
        say_pending(facts, report, out);
    else {
        strbuf_printf(out, " holds quota in ClusterQueue %s", queue);
        say_checks(workload, out);
    }
}

/* ---- the whole ---- */

json_t *explain_report(const struct explain_facts *facts)
{
    const json_t *workload = facts->subject->workload;
    struct state state = state_of(workload);
    AUTO_FREE char *key = mem_format("%s/%s", facts->subject->namespace, facts->subject->name);
    const char *held_in =
        json_string_at(json_at(workload, "status", "admission", NULL), "clusterQueue");
    json_t *report = json_pack("{s:i, s:s, s:s*, s:s, s:s, s:s, s:s, s:s}", "version", 1,
                               "workload", key, "job", facts->subject->job, "state", state.name,
                               "reason", condition_reason(workload, state.condition), "message",
                               condition_message(workload, state.condition), "clusterQueue",
                               *held_in ? held_in : facts->cluster_queue, "localQueue",
                               json_string_at(json_object_get(workload, "spec"), "queueName"));
    AUTO_STRBUF struct strbuf summary = STRBUF_INIT;

    if (strcmp(state.name, "Pending") == 0 && facts->explanation)
        add_explanation(report, facts->explanation);
    if (*held_in)
        json_object_set_new(report, "admissionChecks", checks_json(workload));
    say(facts, report, &summary);
    strbuf_putc(&summary, '.');
    json_object_set_new(report, "summary", json_string(summary.text));
    json_object_set(report, "hidden", facts->hidden);
    return report;
}
