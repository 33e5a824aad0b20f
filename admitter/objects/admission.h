/* admission.h - defaulting and validation of the kueue.x-k8s.io kinds that have admission webhooks.
 *
 * Objects are jansson trees in v1beta2 (matchPolicy Equivalent converts others). Defaulting changes
 * the tree in place; the caller sends the difference as a JSON patch. Validation adds errors in the
 * order, with the paths, kinds and texts of the specification; no error means allowed, otherwise
 * the denial's message is field_errors_text. Parts of the wrong type are left to the schema. Pure;
 * any thread. Rules: spec/api.md 3. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include "admitter/objects/field_error.h"

/* The feature gates that change these rules. */
struct object_gates {
    bool partial_admission;          /* PartialAdmission, on */
    bool topology_aware;             /* TopologyAwareScheduling, on */
    bool elastic_slices;             /* ElasticJobsViaWorkloadSlices, on */
    bool admission_gated_by;         /* AdmissionGatedBy, on */
    bool pod_set_metadata;           /* WorkloadValidationForPodSetMetadata, on */
    bool resources_are_non_negative; /* WorkloadValidateResourcesAreNonNegative, on */
    bool slice_size;                 /* TASValidateWorkloadSliceSize, on */
    bool encode_by_host_prefix;      /* TASAssignmentsEncodingByHostnamePrefix, on */
    bool priority_boost;             /* PriorityBoost, off */
    bool concurrent_admission;       /* ConcurrentAdmission, off */
    bool reject_invalid_on_flavors;  /* RejectUpdatesToCQWithInvalidOnFlavors, off */
};
void object_gates_default(struct object_gates *gates);

typedef void object_default_function(json_t *object, const struct object_gates *gates);
/* 'old_object' is NULL on create. */
typedef void object_validate_function(const json_t *old_object, const json_t *object,
                                      const struct object_gates *gates,
                                      struct field_errors *errors);

struct object_admission {
    const char *kind, *resource; /* "ClusterQueue", "clusterqueues" */
    const char *mutate_path;     /* "/mutate-kueue-x-k8s-io-v1beta2-clusterqueue"; NULL: none */
    const char *validate_path;
    object_default_function *set_defaults; /* on CREATE; NULL: none */
    object_validate_function *validate;    /* on CREATE and UPDATE */
};
/* All kinds with webhooks; *count of them. */
const struct object_admission *object_admissions(size_t *count);

object_default_function cluster_queue_set_defaults, resource_flavor_set_defaults,
    workload_set_defaults;
object_validate_function cluster_queue_validate, cohort_validate, resource_flavor_validate,
    workload_validate;
