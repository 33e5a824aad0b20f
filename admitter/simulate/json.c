#include "admitter/simulate/json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "quota/base/mem.h"
#include "quota/engine/requests.h"

static const char *requeue_name(enum requeue_place place)
{
    static const char *const names[] = { "", "Heap", "Parked", "Backoff" };

    return names[place];
}

/* ---- small pieces ---- */

/* A member of an object: "key": with a comma before it unless it is the first. */
static void member(struct strbuf *out, const char *key)
{
    const char *last = out->length ? out->text + out->length - 1 : "{";

    if (*last != '{' && *last != '[')
        strbuf_putc(out, ',');
    strbuf_json(out, str_of(key));
    strbuf_putc(out, ':');
}

static void list_begin(struct strbuf *out, const char *key)
{
    member(out, key);
    strbuf_putc(out, '[');
}

/* The next item of a list comes. */
static void item(struct strbuf *out)
{
    if (out->text[out->length - 1] != '[')
        strbuf_putc(out, ',');
}

static void object_item(struct strbuf *out)
{
    item(out);
    strbuf_putc(out, '{');
}

static void text_member(struct strbuf *out, const char *key, const char *text)
{
    member(out, key);
    strbuf_json(out, str_of(text ? text : ""));
}

static void name_text(struct strbuf *out, const char *namespace, const char *name)
{
    AUTO_STRBUF struct strbuf key = { 0 };

    strbuf_puts(&key, namespace);
    strbuf_putc(&key, '/');
    strbuf_puts(&key, name);
    strbuf_json(out, strbuf_view(&key));
}

static void quantity_text(struct strbuf *out, struct quantity q)
{
    char text[QUANTITY_TEXT];

    strbuf_json(out, str_of(quantity_print(q, text)));
}

static void amount_member(struct strbuf *out, const char *key, const char *resource, int64_t amount)
{
    member(out, key);
    quantity_text(out, amount_quantity(resource, amount));
}

/* ---- status.admission ---- */

static int use_order(const void *a, const void *b)
{
    const struct resource_flavor_use *left = *(const struct resource_flavor_use *const *)a;
    const struct resource_flavor_use *right = *(const struct resource_flavor_use *const *)b;

    return strcmp(left->resource, right->resource);
}

static void uses_members(struct strbuf *out, const struct pod_set_assignment *assignment)
{
    const struct resource_flavor_use **sorted =
        mem_array(assignment->use_count + 1, sizeof(const struct resource_flavor_use *));

    for (size_t i = 0; i < assignment->use_count; i++)
        sorted[i] = &assignment->uses[i];
    qsort(sorted, assignment->use_count, sizeof(const struct resource_flavor_use *), use_order);
    member(out, "flavors");
    strbuf_putc(out, '{');
    for (size_t i = 0; i < assignment->use_count; i++)
        if (sorted[i]->flavor)
            text_member(out, sorted[i]->resource, sorted[i]->flavor);
    strbuf_putc(out, '}');
    member(out, "resourceUsage");
    strbuf_putc(out, '{');
    for (size_t i = 0; i < assignment->use_count; i++) {
        if (!sorted[i]->has_usage)
            continue;
        member(out, sorted[i]->resource);
        quantity_text(out, sorted[i]->usage);
    }
    strbuf_putc(out, '}');
    free(sorted);
}

static void assignment_object(struct strbuf *out, const struct pod_set_assignment *assignment)
{
    strbuf_putc(out, '{');
    text_member(out, "name", assignment->pod_set);
    uses_members(out, assignment);
    if (assignment->count >= 0) {
        member(out, "count");
        strbuf_printf(out, "%" PRId32, assignment->count);
    }
    if (assignment->topology_assignment) {
        member(out, "topologyAssignment");
        strbuf_puts(out, assignment->topology_assignment);
    }
    if (assignment->delayed_topology)
        text_member(out, "delayedTopologyRequest", assignment->delayed_topology);
    strbuf_putc(out, '}');
}

static void admission_value(struct strbuf *out, const struct decision *decision)
{
    const struct admission *admission = &decision->admission;

    if (!admission->cluster_queue) {
        strbuf_puts(out, "null");
        return;
    }
    strbuf_putc(out, '{');
    text_member(out, "clusterQueue", admission->cluster_queue);
    list_begin(out, "podSetAssignments");
    for (size_t i = 0; i < admission->pod_set_count; i++) {
        item(out);
        assignment_object(out, &admission->pod_sets[i]);
    }
    strbuf_puts(out, "]}");
}

/* ---- cycles ---- */

static void preempts_list(struct strbuf *out, const struct decision *decision)
{
    list_begin(out, "preempts");
    for (size_t i = 0; i < decision->victim_count; i++) {
        object_item(out);
        member(out, "workload");
        name_text(out, decision->victims[i].namespace, decision->victims[i].name);
        text_member(out, "reason", decision->victims[i].reason);
        strbuf_putc(out, '}');
    }
    strbuf_putc(out, ']');
}

static bool holds_quota(const struct decision *decision)
{
    return decision->outcome == OUTCOME_ADMITTED || decision->outcome == OUTCOME_RESERVED;
}

static void decision_object(struct strbuf *out, const struct decision *decision)
{
    bool holds = holds_quota(decision);

    strbuf_putc(out, '{');
    member(out, "workload");
    name_text(out, decision->namespace, decision->name);
    text_member(out, "clusterQueue", decision->cluster_queue);
    text_member(out, "outcome", outcome_name(decision->outcome));
    text_member(out, "reason", holds ? "" : decision->reason);
    text_member(out, "message", holds ? "" : decision->message);
    member(out, "admission");
    admission_value(out, decision);
    preempts_list(out, decision);
    text_member(out, "requeue", requeue_name(decision->requeue));
    strbuf_putc(out, '}');
}

static void event_object(struct strbuf *out, const struct simulate_event *event)
{
    strbuf_putc(out, '{');
    text_member(out, "object", event->object);
    text_member(out, "type", event->warning ? "Warning" : "Normal");
    text_member(out, "reason", event->reason);
    strbuf_putc(out, '}');
}

void simulate_json_cycle(struct strbuf *out, const struct cycle_result *result,
                         const struct simulate_events *events, int64_t now)
{
    char time[TIME_TEXT];

    strbuf_putc(out, '{');
    member(out, "cycle");
    strbuf_printf(out, "%" PRId64, result->cycle);
    text_member(out, "time", time_print_nano(now, time));
    list_begin(out, "decisions");
    for (size_t i = 0; i < result->count; i++) {
        item(out);
        decision_object(out, &result->decisions[i]);
    }
    strbuf_putc(out, ']');
    list_begin(out, "events");
    for (size_t i = 0; i < events->count; i++) {
        item(out);
        event_object(out, &events->items[i]);
    }
    strbuf_puts(out, "]}");
}

/* ---- the state of queues ---- */

static int usage_order(const void *a, const void *b)
{
    const struct flavor_resource_usage *left = a, *right = b;
    int order = strcmp(left->flavor, right->flavor);

    return order ? order : strcmp(left->resource, right->resource);
}

/* A queue shows what is reserved and what of that is borrowed, a cohort its quota and what is used.
 */
static void usage_list(struct strbuf *out, struct queue_status *status, bool is_cohort)
{
    qsort(status->usage, status->usage_count, sizeof(*status->usage), usage_order);
    list_begin(out, "usage");
    for (size_t i = 0; i < status->usage_count; i++) {
        const struct flavor_resource_usage *usage = &status->usage[i];

        object_item(out);
        text_member(out, "flavor", usage->flavor);
        text_member(out, "resource", usage->resource);
        if (is_cohort) {
            amount_member(out, "subtreeQuota", usage->resource, usage->nominal);
            amount_member(out, "used", usage->resource, usage->total);
        } else {
            amount_member(out, "reserved", usage->resource, usage->total);
            amount_member(out, "borrowed", usage->resource, usage->borrowed);
        }
        strbuf_putc(out, '}');
    }
    strbuf_putc(out, ']');
}

static void queued_names(struct strbuf *out, const char *key, const struct queued_workload *list,
                         size_t count, bool parked)
{
    list_begin(out, key);
    for (size_t i = 0; i < count; i++) {
        if (list[i].parked != parked)
            continue;
        item(out);
        name_text(out, list[i].namespace, list[i].name);
    }
    strbuf_putc(out, ']');
}

static void cluster_queue_object(struct strbuf *out, const struct engine *engine, const char *name,
                                 struct arena *arena)
{
    struct queue_status status = { 0 };
    struct queued_workload *queued;
    const char **reserving;
    size_t count, reserving_count;

    engine_cluster_queue_status(engine, name, arena, &status);
    queued = engine_queue_list(engine, name, arena, &count);
    reserving = engine_reserving_list(engine, name, arena, &reserving_count);
    if (!status.activity.active)
        count = 0;
    strbuf_putc(out, '{');
    text_member(out, "name", name);
    member(out, "active");
    strbuf_puts(out, status.activity.active ? "true" : "false");
    queued_names(out, "queue", queued, count, false);
    queued_names(out, "parked", queued, count, true);
    list_begin(out, "reserving");
    for (size_t i = 0; i < reserving_count; i++) {
        item(out);
        strbuf_json(out, str_of(reserving[i]));
    }
    strbuf_putc(out, ']');
    usage_list(out, &status, false);
    strbuf_putc(out, '}');
}

static void cohort_object(struct strbuf *out, const struct engine *engine, const char *name,
                          struct arena *arena)
{
    struct queue_status status = { 0 };

    engine_cohort_status(engine, name, arena, &status);
    strbuf_putc(out, '{');
    text_member(out, "name", name);
    text_member(out, "parent", engine_cohort_parent(engine, name));
    usage_list(out, &status, true);
    strbuf_putc(out, '}');
}

static void waiting_list(struct strbuf *out, const struct simulate_waiting *waiting, size_t count)
{
    list_begin(out, "waiting");
    for (size_t i = 0; i < count; i++) {
        object_item(out);
        text_member(out, "workload", waiting[i].key);
        text_member(out, "clusterQueue", waiting[i].cluster_queue);
        text_member(out, "reason", waiting[i].reason);
        text_member(out, "message", waiting[i].message);
        strbuf_putc(out, '}');
    }
    strbuf_putc(out, ']');
}

void simulate_json_state(struct strbuf *out, const struct engine *engine,
                         const struct simulate_waiting *waiting, size_t waiting_count, bool idle,
                         struct arena *arena)
{
    size_t count;
    const char **names = engine_cluster_queue_names(engine, arena, &count);

    strbuf_putc(out, '{');
    list_begin(out, "clusterQueues");
    for (size_t i = 0; i < count; i++) {
        item(out);
        cluster_queue_object(out, engine, names[i], arena);
    }
    strbuf_putc(out, ']');
    names = engine_cohort_names(engine, arena, &count);
    list_begin(out, "cohorts");
    for (size_t i = 0; i < count; i++) {
        item(out);
        cohort_object(out, engine, names[i], arena);
    }
    strbuf_putc(out, ']');
    waiting_list(out, waiting, waiting_count);
    member(out, "idle");
    strbuf_puts(out, idle ? "true}" : "false}");
}
