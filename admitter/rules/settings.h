/* settings.h - everything the configuration, the flags and the feature gates decide for the loop.
 *
 * Filled once by admitter/configuration, then shared read-only by all threads. Durations are
 * nanoseconds; -1 means "not set" where said. Sources: spec/config.md, spec/process.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "admitter/jobs/job.h"
#include "admitter/jobs/owner_kinds.h"
#include "admitter/objects/admission.h"
#include "quota/engine/options.h"

enum component { /* spec/process.md --components, as bits */
                 COMPONENT_CORE = 1 << 0,
                 COMPONENT_WEBHOOKS_CORE = 1 << 1,
                 COMPONENT_SCHEDULER = 1 << 2,
                 COMPONENT_RETENTION = 1 << 3,
                 COMPONENT_TAS = 1 << 4,
                 COMPONENT_PROVISIONING = 1 << 5,
                 COMPONENT_MULTIKUEUE = 1 << 6,
                 COMPONENT_ELASTIC = 1 << 7,
                 COMPONENT_CONCURRENT_ADMISSION = 1 << 8,
                 COMPONENT_FAILURE_RECOVERY = 1 << 9,
                 COMPONENT_DRA = 1 << 10,
                 COMPONENT_VISIBILITY = 1 << 11,
                 COMPONENT_ALL = (1 << 12) - 1,
};

struct loop_settings {
    unsigned components;       /* enum component bits */
    unsigned job_reconcilers;  /* bit i: the reconciler of job_kinds()[i] runs */
    unsigned job_webhooks;     /* bit i: the webhooks of job_kinds()[i] answer */
    struct owner_kinds owners; /* who may own a job; integrations.frameworks says who is managed */
    struct job_options jobs;
    struct object_gates objects;
    struct engine_options engine;
    const char **label_keys_to_copy;
    size_t label_key_count;
    const char **annotation_keys_to_copy; /* beside provreq.kueue.x-k8s.io/... */
    size_t annotation_key_count;
    struct label_selector managed_namespaces; /* present = false: every namespace */
    const char *own_namespace;

    bool wait_for_pods_ready;
    int64_t pods_ready_timeout;          /* default 30 min */
    int64_t pods_ready_recovery_timeout; /* 0: none */
    int32_t backoff_limit_count;         /* -1: no limit */
    int64_t backoff_base, backoff_max;
    int64_t retain_finished;    /* -1: for ever */
    int64_t retain_deactivated; /* -1: for ever */

    bool unadmitted_observability; /* gates that change texts of conditions */
    bool unadmitted_explicit_status;
    bool finish_orphaned;
    bool admission_gated_by;
    bool fair_sharing_status; /* report weighted shares */
    bool ignore_undeclared; /* quotaCheckStrategy IgnoreUndeclared: goes into each cluster_queue */
    bool skip_reassignment_for_pods;

    int64_t tas_requeue_batch;      /* un-park delay after a node changed, default 1 s */
    int64_t pod_termination_grace;  /* failure recovery, default 1 min */
    int64_t multikueue_gc;          /* orphan collection, default 1 min; 0: off */
    int64_t multikueue_event_batch; /* default 1 s */

    int64_t queue_status_interval; /* at most one status write per queue in this time */
    unsigned admissions_in_flight; /* the cycle pauses while more are being written */
};

/* Defaults for everything. */
void loop_settings_default(struct loop_settings *settings);
/* Another replica looks after devices: what Workloads claim means nothing here. With
 * KueueDRAIntegration off the refusal of claims is the Workload reconciler's, and stays. */
void loop_settings_leave_devices(struct loop_settings *settings);
