/* job.h - what every kind of job looks like to the rest of Sluice, behind one table of functions.
 *
 * A job kind turns its objects into struct job (facts for the reconciler), into pod sets (for the
 * Workload), and knows how to start, stop and check them. It never talks to the network: patches
 * are returned as JSON. One file per kind registers one struct job_kind in registry.c; no kind
 * knows another. Pure; any thread. Rules: spec/integrations.md 1 and 2. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/engine/model.h"

#define DIGEST_BYTES 16
struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

/* One pod set of a live job, as far as equivalence (1.13) and starting need it. */
struct job_pod_set {
    const char *name;
    int32_t count;
    int32_t min_count;        /* -1: absent */
    struct digest containers; /* containers and init containers, environment sanitised */
    struct digest tolerations;
    const char *injected; /* JSON of the template's five merged fields, see pod_set_info.h */
};

struct job_owner { /* a controller owner reference; name NULL when there is none */
    const char *api_version, *kind, *name, *uid;
};

struct job {
    const struct job_kind *kind;
    const char *namespace, *name, *uid;
    int64_t resource_version, generation, created;
    bool deleting;
    struct job_owner owner;
    const char *queue_name;     /* label, "" when absent */
    const char *priority_class; /* label kueue.x-k8s.io/priority-class, "" when absent */
    const char
        *pod_priority_class;   /* 1.10: the kind's source, else the first pod set's; "" when none */
    const char *prebuilt_name; /* effective (1.5), "" when none */
    const char *admission_gated_by;    /* "" when absent */
    int32_t maximum_execution_seconds; /* -1: absent or not positive */
    bool is_elastic;
    bool is_gated; /* ... and its pods wait for their slice at a scheduling gate */
    bool is_suspended;
    bool is_stopping; /* suspended, and the rest of 'stop' is still to be done: not 'is_suspended'
                         yet */
    int64_t active_pods; /* that still exist, those that are going away included */
    bool is_active;      /* there are some */
    bool is_finished, is_success;
    const char *finish_message;
    int64_t ready_pods;   /* pods ready or succeeded */
    bool has_reclaimable; /* the kind reports reclaimable pods */
    struct pod_count *reclaimable;
    size_t reclaimable_count;
    struct job_pod_set *pod_sets;
    size_t pod_set_count;
    const char *detail; /* JSON the kind keeps for its own start and stop */
};

/* Feature gates and settings that the kinds look at; defaults: spec/integrations.md 5. */
struct job_options {
    bool partial_admission, topology_aware, multi_layer_topology, elastic_slices;
    bool admission_gated_by, identifier_annotations, priority_class_defaulting, multikueue;
    bool queue_labels_for_pods, short_workload_names, finish_orphaned, reclaimable_pods;
    bool skip_ancestor_check_for_deleted;
    bool manage_without_queue_name;
};
void job_options_default(struct job_options *options);

struct pod_set_info;    /* pod_set_info.h */
struct job_environment; /* job_webhook.h */
struct field_errors;    /* admitter/objects/field_error.h */

/* One patch towards the API server. */
struct job_patch {
    json_t *body; /* JSON merge patch, owned by the receiver; NULL: nothing to do any more */
    const char *subresource; /* "status", or NULL for the object itself */
    bool suspends;           /* this patch is the one that stops a running job: report Stopped */
};

struct job_kind {
    const char *framework; /* name in integrations.frameworks: "batch/job" */
    const char *group, *version, *kind, *resource;
    const char *
        managed_by; /* 1.23: the built-in controller's name, NULL when the kind has no such field */
    const char *pod_index_label; /* 1.6; NULL: none */

    /* Facts out of the stored object. ERR_INVALID names what is missing. Lives in 'arena'. */
    int (*decode)(const json_t *object, const struct job_options *options, struct arena *arena,
                  struct job *job, struct err *e);
    bool (*is_suspended)(const json_t *object);
    /* spec.podSets of the Workload (1.9, sanitised); NULL and *e on a permanent problem. */
    json_t *(*pod_sets)(const json_t *object, const struct job_options *options, struct err *e);
    /* One merge patch that starts the job with these infos, one per pod set (1.15). ERR_INVALID: a
     * permanent conflict; the text is for the Finished condition. */
    int (*start)(const struct job *job, const struct pod_set_info *infos, size_t count,
                 struct job_patch *patch, struct err *e);
    /* The next step towards "suspended and restored" from where the job stands; body NULL when
     * done. 'infos' (from the Workload's own pod sets) may be NULL: nothing to restore from. */
    int (*stop)(const struct job *job, const struct pod_set_info *infos, size_t count,
                struct job_patch *patch, struct err *e);
    /* Webhook parts. suspend: set the kind's field. mutate: what is special to the kind. */
    void (*suspend)(json_t *object);
    int (*mutate)(json_t *object, const struct job_options *options, struct err *e);
    void (*validate_create)(const json_t *object, const struct job_environment *environment,
                            struct field_errors *errors);
    void (*validate_update)(const json_t *old_object, const json_t *object,
                            const struct job_environment *environment, struct field_errors *errors);
};

/* All kinds known here, in registration order (1.1), NULL-terminated. */
const struct job_kind *const *job_kinds(void);
const struct job_kind *job_kind_by_framework(const char *framework);                /* NULL */
const struct job_kind *job_kind_by_type(const char *api_version, const char *kind); /* NULL */
