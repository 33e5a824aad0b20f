#include <jansson.h>
#include "admitter/objects/names.h"
#include "admitter/objects/topology_assignment.h"
#include "admitter/objects/workload_private.h"

/* Decoding of Workload.status. */

/* ---- admission ---- */

struct assignment { /* flavors and amounts come as two maps and leave as one list */
    struct pod_set_assignment out;
    struct label *flavors;
    size_t flavor_count;
    struct resource_list usage;
};

static void flavors_read(struct decoder *d, void *target)
{
    struct assignment *assignment = target;

    assignment->flavors = decode_labels(d, &assignment->flavor_count);
}

/* Kept as JSON in v1beta2 form. */
static void topology_assignment_read(struct decoder *d, void *target)
{
    const char *text = NULL;
    struct err problem;
    json_t *old, *packed;
    char *dumped;

    if (decode_absent(d))
        return;
    if (json_peek(&d->reader) != JSON_KIND_OBJECT) {
        decode_unexpected(d, "an object");
        return;
    }
    decode_canonical(d, &text);
    if (!text || d->failed)
        return;
    *(const char **)target = text;
    if (!d->v1beta1)
        return;
    old = json_loads(text, 0, NULL);
    packed = topology_assignment_pack(old, true, &problem);
    json_decref(old);
    if (!packed) {
        decode_problem(d, "", "%s", problem.text);
        return;
    }
    dumped = json_dumps(packed, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(packed);
    *(const char **)target = arena_strdup(d->arena, dumped);
    free(dumped);
}

static void delayed_topology_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "Pending", "Ready", NULL };
    int choice = decode_choice(d, names, -1);

    if (choice >= 0)
        *(const char **)target = names[choice];
}

static struct resource_flavor_use *use_find(struct pod_set_assignment *out, const char *resource)
{
    for (size_t i = 0; i < out->use_count; i++)
        if (strcmp(out->uses[i].resource, resource) == 0)
            return &out->uses[i];
    out->uses[out->use_count].resource = resource;
    return &out->uses[out->use_count++];
}

static void join_uses(struct decoder *d, struct assignment *assignment)
{
    struct pod_set_assignment *out = &assignment->out;
    size_t most = assignment->flavor_count + assignment->usage.count;

    out->uses = ARENA_ARRAY(d->arena, most + 1, struct resource_flavor_use);
    for (size_t i = 0; i < assignment->flavor_count; i++)
        use_find(out, assignment->flavors[i].key)->flavor = assignment->flavors[i].value;
    for (size_t i = 0; i < assignment->usage.count; i++) {
        struct resource_flavor_use *use = use_find(out, assignment->usage.items[i].name);

        use->has_usage = true;
        use->usage = assignment->usage.items[i].quantity;
    }
}

static void assignment_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct assignment, out.pod_set),
        DECODE_FIELD("count", decode_int32, struct assignment, out.count),
        DECODE_WHOLE("flavors", flavors_read),
        DECODE_FIELD("resourceUsage", decode_resources, struct assignment, usage),
        DECODE_FIELD("topologyAssignment", topology_assignment_read, struct assignment,
                     out.topology_assignment),
        DECODE_FIELD("delayedTopologyRequest", delayed_topology_read, struct assignment,
                     out.delayed_topology),
        DECODE_END,
    };
    struct assignment assignment = { .out = { .pod_set = POD_SET_DEFAULT_NAME, .count = -1 } };

    decode_record(d, fields, &assignment);
    if (d->failed)
        return;
    join_uses(d, &assignment);
    *(struct pod_set_assignment *)target = assignment.out;
}

static void assignments_read(struct decoder *d, void *target)
{
    struct admission *admission = target;

    admission->pod_sets = decode_list(d, sizeof(struct pod_set_assignment), assignment_read,
                                      &admission->pod_set_count);
}

static void admission_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("clusterQueue", decode_text, struct admission, cluster_queue),
        DECODE_WHOLE("podSetAssignments", assignments_read),
        DECODE_END,
    };
    struct admission *admission = target;

    if (decode_absent(d))
        return;
    admission->cluster_queue = "";
    decode_record(d, fields, admission);
}

/* ---- admission checks ---- */

static void check_state_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "Pending", "Ready", "Retry", "Rejected", NULL };
    int choice = decode_choice(d, names, CHECK_PENDING);

    if (choice >= 0)
        *(enum check_state *)target = (enum check_state)choice;
}

static void check_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct admission_check_state, name),
        DECODE_FIELD("state", check_state_read, struct admission_check_state, state),
        DECODE_FIELD("message", decode_text, struct admission_check_state, message),
        DECODE_FIELD("lastTransitionTime", decode_time, struct admission_check_state, transition),
        DECODE_FIELD("requeueAfterSeconds", decode_int32, struct admission_check_state,
                     requeue_after_seconds),
        DECODE_FIELD("retryCount", decode_int32, struct admission_check_state, retry_count),
        DECODE_FIELD("podSetUpdates", decode_canonical, struct admission_check_state,
                     pod_set_updates),
        DECODE_END,
    };
    struct admission_check_state *check = target;

    check->name = check->message = "";
    check->transition = TIME_NONE;
    check->requeue_after_seconds = check->retry_count = -1;
    decode_record(d, fields, check);
}

static void checks_read(struct decoder *d, void *target)
{
    struct workload *workload = target;

    workload->checks =
        decode_list(d, sizeof(struct admission_check_state), check_read, &workload->check_count);
}

/* ---- the rest ---- */

static void conditions_read(struct decoder *d, void *target)
{
    struct workload *workload = target;

    workload->conditions =
        decode_list(d, sizeof(struct condition), condition_read, &workload->condition_count);
}

static void requeue_state_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("count", decode_int32, struct workload, requeue_count),
        DECODE_FIELD("requeueAt", decode_time, struct workload, requeue_at),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void pod_count_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct pod_count, pod_set),
        DECODE_FIELD("count", decode_int32, struct pod_count, count),
        DECODE_END,
    };
    struct pod_count *pods = target;

    pods->pod_set = "";
    decode_record(d, fields, pods);
}

static void reclaimable_read(struct decoder *d, void *target)
{
    struct workload *workload = target;

    workload->reclaimable =
        decode_list(d, sizeof(struct pod_count), pod_count_read, &workload->reclaimable_count);
}

static void node_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("name", decode_text),
        DECODE_END,
    };
    const char **name = target;

    *name = "";
    decode_record(d, fields, name);
}

static void unhealthy_nodes_read(struct decoder *d, void *target)
{
    struct workload *workload = target;

    workload->unhealthy_nodes = decode_list(d, sizeof(*workload->unhealthy_nodes), node_read,
                                            &workload->unhealthy_node_count);
}

static void gate_position_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "Closed", "Open", NULL };

    *(bool *)target = decode_choice(d, names, 0) == 1;
}

static void gate_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct preemption_gate, name),
        DECODE_FIELD("position", gate_position_read, struct preemption_gate, is_open),
        DECODE_END,
    };
    struct preemption_gate *gate = target;

    gate->name = "";
    decode_record(d, fields, gate);
}

static void gates_read(struct decoder *d, void *target)
{
    struct gate_list *gates = target;

    gates->items = decode_list(d, sizeof(struct preemption_gate), gate_read, &gates->count);
}

void workload_status_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("conditions", conditions_read, struct workload_document, workload),
        DECODE_FIELD("admission", admission_read, struct workload_document, workload.admission),
        DECODE_FIELD("requeueState", requeue_state_read, struct workload_document, workload),
        DECODE_FIELD("reclaimablePods", reclaimable_read, struct workload_document, workload),
        DECODE_FIELD("admissionChecks", checks_read, struct workload_document, workload),
        DECODE_FIELD("unhealthyNodes", unhealthy_nodes_read, struct workload_document, workload),
        { "preemptionGates", gates_read, offsetof(struct workload_document, status_gates),
          DECODE_V1BETA2 },
        DECODE_END,
    };

    decode_record(d, fields, target);
}
