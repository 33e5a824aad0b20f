/* engine.h - the quota engine: facts in, decisions out.
 *
 * Owned by one thread; does no I/O, reads no clock (now is an argument), holds no globals. The live
 * controller, the simulator, the case runner and the fuzzers all drive it through this header.
 *
 * Order of use: create; put what exists, in any order (a queue may come before its cohort or
 * flavors, a workload before its queue); then, for ever: put/remove what changes, engine_advance to
 * let time pass, engine_cycle to decide. A decision counts as usage at once;
 * engine_admission_failed takes it back (spec/scheduling.md 4.13). Everything handed out lives in
 * the caller's arena. */
#pragma once

#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/engine/model.h"
#include "quota/engine/options.h"

struct engine;

struct engine *engine_create(const struct engine_options *options); /* options are copied */
void engine_destroy(struct engine *engine);                         /* NULL is fine */

/* ---- facts; put creates or replaces by name ---- */
void engine_flavor_put(struct engine *engine, const struct resource_flavor *flavor, int64_t now);
void engine_flavor_remove(struct engine *engine, const char *name, int64_t now);
void engine_topology_put(struct engine *engine, const struct topology *topology, int64_t now);
void engine_topology_remove(struct engine *engine, const char *name, int64_t now);
void engine_check_put(struct engine *engine, const struct admission_check *check, int64_t now);
void engine_check_remove(struct engine *engine, const char *name, int64_t now);
void engine_cohort_put(struct engine *engine, const struct cohort *cohort, int64_t now);
void engine_cohort_remove(struct engine *engine, const char *name, int64_t now);
void engine_cluster_queue_put(struct engine *engine, const struct cluster_queue *queue,
                              int64_t now);
void engine_cluster_queue_remove(struct engine *engine, const char *name, int64_t now);
void engine_local_queue_put(struct engine *engine, const struct local_queue *queue, int64_t now);
void engine_local_queue_remove(struct engine *engine, const char *namespace, const char *name,
                               int64_t now);
void engine_namespace_put(struct engine *engine, const struct namespace_labels *labels,
                          int64_t now);
void engine_namespace_remove(struct engine *engine, const char *name, int64_t now);
void engine_limit_range_put(struct engine *engine, const struct limit_range *limits, int64_t now);
void engine_limit_range_remove(struct engine *engine, const char *namespace, const char *name,
                               int64_t now);
void engine_runtime_class_put(struct engine *engine, const struct runtime_class *class_,
                              int64_t now);
void engine_runtime_class_remove(struct engine *engine, const char *name, int64_t now);
void engine_device_class_put(struct engine *engine, const struct device_class *class_, int64_t now);
void engine_device_class_remove(struct engine *engine, const char *name, int64_t now);
void engine_claim_template_put(struct engine *engine, const struct claim_template *claim_template,
                               int64_t now);
void engine_claim_template_remove(struct engine *engine, const char *namespace, const char *name,
                                  int64_t now);
void engine_device_slice_put(struct engine *engine, const struct device_slice *slice, int64_t now);
void engine_device_slice_remove(struct engine *engine, const char *name, int64_t now);
/* After slices came, changed or went, once for many of them: who claims devices and holds no quota
 * is looked at anew. Costs as much as all devices times all different selectors. */
void engine_devices_changed(struct engine *engine, int64_t now);

/* A Workload as it is stored now: pending, reserving (condition QuotaReserved=True with admission),
 * evicted, finished... The engine works out what changed (3.6, 3.10) and keeps its own copy.
 *
 * Between an admission decided here and the put that shows QuotaReserved=True, puts that show it
 * otherwise are taken as older news and do not release the quota. So the answer to the write has to
 * be put (or engine_admission_failed called) before any later state of the object. */
void engine_workload_put(struct engine *engine, const struct workload *workload, int64_t now);
void engine_workload_remove(struct engine *engine, const char *namespace, const char *name,
                            int64_t now);

/* ---- time ---- */
/* Let everything that is due by 'now' happen: batched un-parking, backoff ends, AFS sampling. */
void engine_advance(struct engine *engine, int64_t now);
/* When engine_advance has something to do next; TIME_NONE: nothing planned. */
int64_t engine_next_due(const struct engine *engine);
/* When workloads are offered again by themselves: as above, without AFS sampling, which never
 * ends. */
int64_t engine_next_requeue(const struct engine *engine);
/* Is there an active ClusterQueue with a head to decide on (or a ready second pass)? */
bool engine_has_heads(const struct engine *engine);

/* ---- decisions ---- */
enum outcome {
    OUTCOME_ADMITTED,
    OUTCOME_RESERVED,
    OUTCOME_PREEMPTING,
    OUTCOME_PENDING,
    OUTCOME_SKIPPED
};
const char *outcome_name(enum outcome outcome); /* "Admitted" */
enum requeue_place { REQUEUE_NONE, REQUEUE_HEAP, REQUEUE_PARKED, REQUEUE_BACKOFF };

struct victim {
    const char *namespace, *name, *uid, *cluster_queue;
    const char *reason;       /* InClusterQueue, InCohortReclamation, ... (5.4.1) */
    const char *message;      /* M of 5.8 */
    const char *event_suffix; /* "; preemptor effective priority: ..." of 5.8 */
    bool already_evicted;     /* no write needed: condition Evicted is True or an eviction is under
                               * way */
};

struct decision {
    const char *namespace, *name, *uid, *cluster_queue;
    enum outcome outcome;
    enum requeue_place requeue;
    const char *reason; /* of QuotaReserved=False; "" when Admitted or Reserved */
    const char *message;
    bool write_status; /* false for outcomes without a status write (4.14) */
    bool second_pass;
    struct admission admission;   /* cluster_queue NULL unless Admitted or Reserved */
    const char **required_checks; /* checks of the assigned flavors (4.11), in rule order */
    size_t required_check_count;
    const char *replaces; /* "namespace/name" of the slice it takes over from (4.11), or NULL */
    struct victim *victims;
    size_t victim_count;
    const char
        *flavors_considered; /* text for the QuotaReserved event (4.13 step 6), "" when none */
    bool gated_by_preemption_gate; /* write BlockedOnPreemptionGates=True */
    bool waits_for_pods_ready;     /* 4.12: fits, but blockAdmission holds it back */
    bool evicts_for_failed_node; /* second pass: nothing replaces the node; evict (NodeFailures) */
    bool preemption_skipped;     /* its victims, or its room, went to an earlier entry */
    const char *recomputation;   /* victims chosen again (4.9 step 2a): "new_targets",
                                      "deferred_fit" or "skipped"; NULL: they were not */
    /* Pending-view totals per pod set (1.13): resourceRequests to write when different. */
    struct pod_set_assignment *requests;
    size_t request_count;
    int64_t borrowing_level;
};

struct cycle_result {
    int64_t cycle;              /* counts from 1 */
    struct decision *decisions; /* in the order of processing; rejected heads last, by key */
    size_t count;
};

/* Decide once: one head of every active ClusterQueue. The result lives in 'arena'. Admitted and
 * Reserved workloads count as usage from here on; victims keep theirs until a workload_put shows
 * that they lost it. */
void engine_cycle(struct engine *engine, int64_t now, struct arena *arena,
                  struct cycle_result *result);

/* The text of Finished for a slice that another one takes over from (spec/api.md 5.3); lives in
 * 'arena'. A uid that is NULL or "" reads UNKNOWN. */
const char *replaced_message(const char *uid, const char *job_uid, struct arena *arena);

/* The write of an admission failed: usage is released; the workload is requeued unless 'gone'. */
void engine_admission_failed(struct engine *engine, const char *namespace, const char *name,
                             bool gone, int64_t now);
/* Leave a waiting workload alone until then: it backs off as by requeueState.requeueAt, so that the
 * next one of its queue has its turn. Lasts until the next put of it. */
void engine_workload_hold(struct engine *engine, const char *namespace, const char *name,
                          int64_t until, int64_t now);
/* An eviction was not written: the expectation is forgotten, so that it is tried again. 'refused':
 * the try failed, which the next decision on the preemptor says when it is so of all victims. */
void engine_eviction_failed(struct engine *engine, const char *namespace, const char *name,
                            bool refused, int64_t now);

/* ---- questions ---- */

enum activity { ACTIVITY_ACTIVE, ACTIVITY_PENDING, ACTIVITY_TERMINATING };
struct queue_activity { /* ClusterQueue condition Active: spec/scheduling.md 8.4 */
    bool active;
    const char *reason, *message;
};

struct flavor_resource_usage {
    const char *flavor, *resource;
    int64_t nominal;                     /* or subtree quota for a cohort */
    int64_t total, borrowed;             /* reserving workloads */
    int64_t admitted, admitted_borrowed; /* admitted workloads only */
    int64_t reserved_below;              /* cohort only: by all queues below it, what they never
                                            lend and so never reaches it included */
};

struct queue_status {
    struct queue_activity activity;                       /* ClusterQueue only */
    int64_t pending, pending_active, reserving, admitted; /* pending = active + inadmissible */
    struct flavor_resource_usage
        *usage; /* in spec order of flavors and resources, then removed ones */
    size_t usage_count, removed_count; /* the last 'removed_count' are of removed ones */
    bool has_weighted_share;
    int64_t weighted_share; /* ceil, INT64_MAX for infinity (5.6) */
};

/* All false when no such queue exists. Lists live in 'arena'. */
bool engine_cluster_queue_status(const struct engine *engine, const char *name, struct arena *arena,
                                 struct queue_status *status);
bool engine_local_queue_status(const struct engine *engine, const char *namespace, const char *name,
                               struct arena *arena, struct queue_status *status);
bool engine_cohort_status(const struct engine *engine, const char *name, struct arena *arena,
                          struct queue_status *status);

/* What status.fairSharing.admissionFairSharingStatus of a LocalQueue shows (6.6), whether its
 * ClusterQueue goes by it or not. False when there is no such queue or admission fair sharing is
 * not configured. */
bool engine_local_queue_consumed(const struct engine *engine, const char *namespace,
                                 const char *name, struct arena *arena,
                                 struct resource_list *consumed, int64_t *updated);

/* Names of things, sorted, for walks over everything. */
const char **engine_cluster_queue_names(const struct engine *engine, struct arena *arena,
                                        size_t *count);
const char **engine_cohort_names(const struct engine *engine, struct arena *arena,
                                 size_t *count); /* implicit ones too */
const char *engine_cohort_parent(const struct engine *engine, const char *name); /* "" for a root */

enum place {
    PLACE_UNKNOWN,
    PLACE_HEAP,
    PLACE_PARKED,
    PLACE_INFLIGHT,
    PLACE_RESERVING,
    PLACE_NOT_QUEUED
};
enum place engine_workload_place(const struct engine *engine, const char *namespace,
                                 const char *name);

/* Pending workloads of a ClusterQueue: the heap in serving order, then the parked ones by key. */
struct queued_workload {
    const char *namespace, *name, *local_queue;
    int64_t priority, created;
    bool parked;
};
struct queued_workload *engine_queue_list(const struct engine *engine, const char *cluster_queue,
                                          struct arena *arena, size_t *count);
/* "ns/name" of the reserving workloads of a ClusterQueue, sorted. */
const char **engine_reserving_list(const struct engine *engine, const char *cluster_queue,
                                   struct arena *arena, size_t *count);

/* Why a workload without reservation waits, in the words of 8.2: what the Workload reconciler
 * writes. 'reason' and 'message' are "" when there is nothing to say. */
struct wait_reason {
    const char *reason, *message;
    const char *not_requeued; /* what its devices ask for is refused: the message of Requeued=False
                                 as well (1.10); else "" */
};
bool engine_wait_reason(const struct engine *engine, const char *namespace, const char *name,
                        struct arena *arena, struct wait_reason *why);
/* Its condition QuotaReserved=False says this now: a write has passed, and the put that shows its
 * result is still to come. Without it the next engine_wait_reason would go by the words before. */
void engine_workload_told(struct engine *engine, const char *namespace, const char *name,
                          const char *reason, const char *message);

/* Which ClusterQueues changed in any way that queue_status shows since the last call (names, each
 * once); the caller refreshes those only. Likewise LocalQueues ("ns/name") and cohorts. Of
 * workloads ("ns/name") those of which engine_wait_reason knows more than their condition says,
 * without any put of theirs: they were parked together with an equivalent one. */
struct changed_names {
    const char **cluster_queues, **local_queues, **cohorts, **workloads;
    size_t cluster_queue_count, local_queue_count, cohort_count, workload_count;
};
void engine_take_changed(struct engine *engine, struct arena *arena, struct changed_names *changed);

/* Admission checks that the flavors of 'admission' require in its ClusterQueue, in rule order
 * (4.11). Without pod sets, which is before flavors are chosen: the checks for all flavors of the
 * queue. */
const char **engine_required_checks(const struct engine *engine, const struct admission *admission,
                                    struct arena *arena, size_t *count);

/* Check every invariant of the engine (spec/scheduling.md 10): 0, or -1 and what is broken.
 * Slow. */
MUST_USE int engine_verify(const struct engine *engine, struct err *e);
