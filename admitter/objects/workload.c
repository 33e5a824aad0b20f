#include "admitter/objects/decode.h"
#include "admitter/objects/names.h"
#include "admitter/objects/objects_private.h"
#include "admitter/objects/workload_private.h"

/* Decoding of Workload: metadata, spec and what both parts say together. The status is in
 * workload_status.c. */

/* ---- pod sets ---- */

static void unconstrained_read(struct decoder *d, void *target)
{
    struct topology_request *request = target;

    if (decode_absent(d))
        return;
    request->has_unconstrained = true;
    decode_bool(d, &request->unconstrained);
}

static void topology_request_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("required", decode_text, struct topology_request, required),
        DECODE_FIELD("preferred", decode_text, struct topology_request, preferred),
        DECODE_WHOLE("unconstrained", unconstrained_read),
        DECODE_FIELD("podSetSliceRequiredTopology", decode_text, struct topology_request,
                     slice_required),
        DECODE_FIELD("podSetSliceSize", decode_int32, struct topology_request, slice_size),
        DECODE_FIELD("podSetGroupName", decode_text, struct topology_request, pod_set_group),
        DECODE_FIELD("podIndexLabel", decode_text, struct topology_request, pod_index_label),
        DECODE_FIELD("subGroupIndexLabel", decode_text, struct topology_request,
                     sub_group_index_label),
        DECODE_FIELD("subGroupCount", decode_int32, struct topology_request, sub_group_count),
        { "podsetSliceRequiredTopologyConstraints", decode_canonical,
          offsetof(struct topology_request, slice_constraints), DECODE_V1BETA2 },
        DECODE_END,
    };
    struct topology_request *request = target;

    if (decode_absent(d))
        return;
    request->present = true;
    decode_record(d, fields, request);
}

static void pod_set_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct pod_set, name),
        DECODE_FIELD("count", decode_int32, struct pod_set, count),
        DECODE_FIELD("minCount", decode_int32, struct pod_set, min_count),
        DECODE_FIELD("topologyRequest", topology_request_read, struct pod_set, topology),
        DECODE_FIELD("template", pod_template_read, struct pod_set, pod),
        DECODE_END,
    };
    struct pod_set *pod_set = target;

    pod_set->name = POD_SET_DEFAULT_NAME;
    pod_set->count = 1;
    pod_set->min_count = -1;
    decode_record(d, fields, pod_set);
    if (pod_set->count < 0)
        decode_problem(d, ".count", "Invalid value: %d: must be greater than or equal to 0",
                       pod_set->count);
}

static void pod_sets_read(struct decoder *d, void *target)
{
    struct workload *workload = target;

    workload->pod_sets =
        decode_list(d, sizeof(struct pod_set), pod_set_read, &workload->pod_set_count);
}

/* ---- the rest of the spec ---- */

static void priority_read(struct decoder *d, void *target)
{
    struct workload *workload = target;

    if (decode_absent(d))
        return;
    workload->has_priority = true;
    decode_int32(d, &workload->priority);
}

static void priority_class_ref_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("group", decode_text, struct workload, priority_class_group),
        DECODE_FIELD("kind", decode_text, struct workload, priority_class_kind),
        DECODE_FIELD("name", decode_text, struct workload, priority_class_name),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void gate_name_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct preemption_gate, name),
        DECODE_END,
    };
    struct preemption_gate *gate = target;

    gate->name = "";
    decode_record(d, fields, gate);
}

static void gates_read(struct decoder *d, void *target)
{
    struct gate_list *gates = target;

    gates->items = decode_list(d, sizeof(struct preemption_gate), gate_name_read, &gates->count);
}

#define WORKLOAD_FIELD(key, read, member)                                                          \
    DECODE_FIELD(key, read, struct workload_document, workload.member)

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        WORKLOAD_FIELD("queueName", decode_text, queue_name),
        WORKLOAD_FIELD("active", decode_bool, active),
        WORKLOAD_FIELD("maximumExecutionTimeSeconds", decode_int32, maximum_execution_seconds),
        DECODE_FIELD("podSets", pod_sets_read, struct workload_document, workload),
        DECODE_FIELD("priority", priority_read, struct workload_document, workload),
        { "priorityClassRef", priority_class_ref_read, offsetof(struct workload_document, workload),
          DECODE_V1BETA2 },
        { "priorityClassName", decode_text,
          offsetof(struct workload_document, workload.priority_class_name), DECODE_V1BETA1 },
        { "priorityClassSource", decode_text, offsetof(struct workload_document, priority_source),
          DECODE_V1BETA1 },
        { "preemptionGates", gates_read, offsetof(struct workload_document, spec_gates),
          DECODE_V1BETA2 },
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* ---- what follows from several members ---- */

/* v1beta1: without a known source the name is lost (spec/api.md 2.2). */
static void resolve_priority_class(struct workload_document *document)
{
    struct workload *workload = &document->workload;
    const char *source = document->priority_source;

    if (!source) {
        if (!workload->priority_class_group)
            workload->priority_class_name = NULL;
        return;
    }
    if (strcmp(source, PRIORITY_SOURCE_WORKLOAD) == 0) {
        workload->priority_class_group = PRIORITY_GROUP_WORKLOAD;
        workload->priority_class_kind = PRIORITY_KIND_WORKLOAD;
    } else if (strcmp(source, PRIORITY_SOURCE_POD) == 0) {
        workload->priority_class_group = PRIORITY_GROUP_POD;
        workload->priority_class_kind = PRIORITY_KIND_POD;
    } else {
        workload->priority_class_name = NULL;
    }
}

/* A gate that only the spec has counts as closed (spec/api.md 5.7). */
static bool has_closed_gate(const struct workload_document *document)
{
    for (size_t i = 0; i < document->spec_gates.count; i++) {
        bool is_open = false;

        for (size_t k = 0; k < document->status_gates.count; k++)
            if (strcmp(document->spec_gates.items[i].name, document->status_gates.items[k].name) ==
                0)
                is_open = document->status_gates.items[k].is_open;
        if (!is_open)
            return true;
    }
    return false;
}

static bool is_owned_by_single_pod(const struct object_meta *meta)
{
    const char *group = object_meta_annotation(meta, ANNOTATION_IS_GROUP_WORKLOAD);

    return meta->owner_count == 1 && strcmp(meta->owners[0].kind, "Pod") == 0 &&
           strcmp(meta->owners[0].api_version, "v1") == 0 && !(group && strcmp(group, "true") == 0);
}

static void take_metadata(struct workload *workload, const struct object_meta *meta)
{
    const char *parent = object_meta_label(meta, LABEL_CONCURRENT_ADMISSION_PARENT);

    workload->namespace = *meta->namespace ? meta->namespace : "default";
    workload->name = meta->name;
    workload->uid = meta->uid;
    workload->generation = meta->generation;
    workload->created = meta->created;
    workload->deleting = meta->deleted != TIME_NONE;
    workload->priority_boost = object_meta_annotation(meta, ANNOTATION_PRIORITY_BOOST);
    workload->admission_gated_by = object_meta_annotation(meta, ANNOTATION_ADMISSION_GATED_BY);
    workload->allowed_flavors = object_meta_annotation(meta, ANNOTATION_ALLOWED_FLAVORS);
    workload->slice_replacement_for =
        object_meta_annotation(meta, ANNOTATION_SLICE_REPLACEMENT_FOR);
    workload->is_variant_parent = parent && strcmp(parent, "true") == 0;
    workload->owned_by_single_pod = is_owned_by_single_pod(meta);
    workload->job_uid = object_meta_label(meta, LABEL_JOB_UID);
}

int workload_decode(struct str json, struct arena *a, struct workload *out,
                    struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct workload_document, meta),
        DECODE_WHOLE("spec", spec_read),
        DECODE_WHOLE("status", workload_status_read),
        DECODE_END,
    };
    struct workload_document document = {
        .workload = { .queue_name = "", .active = true, .requeue_at = TIME_NONE },
    };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    take_metadata(&document.workload, &document.meta);
    resolve_priority_class(&document);
    document.workload.has_closed_preemption_gate = has_closed_gate(&document);
    *out = document.workload;
    return 0;
}
