/* room: admitter/objects. Decoding, validation and conversion of whatever comes from outside.
 *
 * The first byte chooses what is done with the rest. A decoder that accepts gives a name; one that
 * refuses says why. An object updated with itself breaks no immutability rule. Converting keeps
 * metadata and, after one round, loses nothing more. Decoding v1beta1 gives what converting first
 * gives. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admitter/objects/admission.h"
#include "admitter/objects/convert.h"
#include "admitter/objects/decode.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- decoding ---- */

#define DECODER(kind, type)                                                                        \
    static int try_##kind(struct str json, struct arena *a, struct object_meta *meta,              \
                          struct err *e)                                                           \
    {                                                                                              \
        struct type out;                                                                           \
                                                                                                   \
        return kind##_decode(json, a, &out, meta, e);                                              \
    }
DECODER(workload, workload)
DECODER(cluster_queue, cluster_queue)
DECODER(cohort, cohort)
DECODER(local_queue, local_queue)
DECODER(resource_flavor, resource_flavor)
DECODER(admission_check, admission_check)
DECODER(topology, topology)
DECODER(workload_priority_class, priority_class)
DECODER(priority_class, priority_class)
DECODER(provisioning_request_config, provisioning_request_config)
DECODER(multikueue_config, multikueue_config)
DECODER(multikueue_cluster, multikueue_cluster)
DECODER(namespace, namespace_labels)
DECODER(limit_range, limit_range)
DECODER(runtime_class, runtime_class)
DECODER(device_class, device_class)
DECODER(claim_template, claim_template)
DECODER(device_slice, device_slice)

typedef int decoder(struct str json, struct arena *a, struct object_meta *meta, struct err *e);
static decoder *const decoders[] = {
    try_workload,          try_cluster_queue,      try_cohort,
    try_local_queue,       try_resource_flavor,    try_admission_check,
    try_topology,          try_priority_class,     try_workload_priority_class,
    try_multikueue_config, try_multikueue_cluster, try_provisioning_request_config,
    try_namespace,         try_limit_range,        try_runtime_class,
    try_device_class,      try_claim_template,     try_device_slice,
};

static void fuzz_decoder(unsigned choice, struct str json)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    struct object_meta meta;
    struct err e = { 0 };

    if (decoders[choice % ARRAY_COUNT(decoders)](json, &arena, &meta, &e) == 0)
        insist(*meta.name, "accepted without a name");
    else
        insist(e.code == ERR_INVALID && *e.text, "refused without a reason");
}

/* ---- validation ---- */

static bool is_immutability(const struct field_error *error)
{
    static const char ending[] = ": field is immutable";
    size_t length = strlen(error->text);

    return length >= sizeof(ending) &&
           strcmp(error->text + length - (sizeof(ending) - 1), ending) == 0;
}

static void fuzz_validation(unsigned choice, struct str json)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    json_t *object = json_loadb(json.text, json.length, 0, NULL);
    const struct object_admission *kinds;
    struct field_errors errors;
    struct object_gates gates;
    size_t count;

    if (!object)
        return;
    kinds = object_admissions(&count);
    object_gates_default(&gates);
    gates.concurrent_admission = gates.priority_boost = choice & 64;
    gates.topology_aware = !(choice & 32);
    field_errors_init(&errors, &arena);
    kinds[choice % count].validate(NULL, object, &gates, &errors);
    kinds[choice % count].validate(object, object, &gates, &errors);
    for (size_t i = 0; i < errors.count; i++)
        insist(!is_immutability(&errors.items[i]), "an object differs from itself");
    insist((field_errors_text(&errors) != NULL) == (errors.count > 0), "text without errors");
    if (kinds[choice % count].set_defaults)
        kinds[choice % count].set_defaults(object, &gates);
    json_decref(object);
}

/* ---- conversion ---- */

/* There and back; false when it cannot be converted. */
static bool round_trip(json_t *object)
{
    struct object_gates gates;
    struct err e = { 0 };
    bool converted;

    object_gates_default(&gates);
    converted = object_convert(object, KUEUE_V1BETA1, &gates, &e) == 0 &&
                object_convert(object, KUEUE_V1BETA2, &gates, &e) == 0;

    insist(converted || (e.code == ERR_INVALID && *e.text), "not converted without a reason");
    return converted;
}

static void fuzz_conversion(unsigned choice, struct str json)
{
    json_t *object = json_loadb(json.text, json.length, 0, NULL), *metadata, *once;

    if (!json_is_object(object)) {
        json_decref(object);
        return;
    }
    json_object_set_new(object, "apiVersion", json_string(KUEUE_V1BETA2));
    json_object_set_new(object, "kind", json_string(object_convert_kinds()[choice % 5]));
    metadata = json_deep_copy(json_object_get(object, "metadata"));
    if (round_trip(object)) {
        once = json_deep_copy(object);
        insist(round_trip(object), "converts only once");
        insist(json_equal(once, object), "loses something the second time");
        insist(!metadata || json_equal(metadata, json_object_get(object, "metadata")),
               "metadata changed");
        json_decref(once);
    }
    json_decref(metadata);
    json_decref(object);
}

/* ---- decoding v1beta1 says the same as converting first ---- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_queues(struct str before, struct str after, struct arena *a)
{
    struct cluster_queue left, right;
    struct err e = { 0 };

    if (cluster_queue_decode(before, a, &left, NULL, &e) < 0)
        return;
    insist(cluster_queue_decode(after, a, &right, NULL, &e) == 0, e.text);
    insist(same_text(left.cohort, right.cohort), "cohort");
    insist(left.when_can_borrow == right.when_can_borrow, "whenCanBorrow");
    insist(left.when_can_preempt == right.when_can_preempt, "whenCanPreempt");
    insist(left.check_count == right.check_count, "number of checks");
    for (size_t i = 0; i < left.check_count; i++)
        insist(same_text(left.checks[i].name, right.checks[i].name) &&
                   left.checks[i].on_flavor_count == right.checks[i].on_flavor_count,
               "check");
}

static void check_workloads(struct str before, struct str after, struct arena *a)
{
    struct workload left, right;
    struct err e = { 0 };

    if (workload_decode(before, a, &left, NULL, &e) < 0)
        return;
    insist(workload_decode(after, a, &right, NULL, &e) == 0, e.text);
    insist(same_text(left.priority_class_name, right.priority_class_name), "class name");
    insist(same_text(left.priority_class_kind, right.priority_class_kind), "class kind");
    insist(left.has_closed_preemption_gate == right.has_closed_preemption_gate, "gates");
    insist(left.admission.pod_set_count == right.admission.pod_set_count, "assignments");
    for (size_t i = 0; i < left.admission.pod_set_count; i++)
        insist(same_text(left.admission.pod_sets[i].topology_assignment,
                         right.admission.pod_sets[i].topology_assignment),
               "topology assignment");
}

static void fuzz_versions(unsigned choice, struct str json)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    json_t *object = json_loadb(json.text, json.length, 0, NULL);
    bool is_queue = choice & 1;
    struct object_gates gates;
    struct err e = { 0 };

    object_gates_default(&gates);
    if (json_is_object(object)) {
        AUTO_FREE char *before = NULL, *after = NULL;

        json_object_set_new(object, "apiVersion", json_string(KUEUE_V1BETA1));
        json_object_set_new(object, "kind", json_string(is_queue ? "ClusterQueue" : "Workload"));
        before = json_dumps(object, 0);
        if (object_convert(object, KUEUE_V1BETA2, &gates, &e) == 0) {
            after = json_dumps(object, 0);
            (is_queue ? check_queues : check_workloads)(str_of(before), str_of(after), &arena);
        }
    }
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str json;

    if (size == 0)
        return 0;
    json = (struct str){ (const char *)data + 1, size - 1 };
    if (data[0] < 64)
        fuzz_decoder(data[0], json);
    else if (data[0] < 128)
        fuzz_versions(data[0], json);
    else if (data[0] % 2)
        fuzz_validation(data[0] >> 1, json);
    else
        fuzz_conversion(data[0] >> 1, json);
    return 0;
}
