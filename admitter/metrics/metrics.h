/* metrics.h - what the controller counts: Kueue's metrics by name, label and unit.
 *
 * One set per process. Before metrics_start every call does nothing, so that tests and the
 * simulator need not care. The engine thread calls everything that is about queues and workloads
 * (it also owns the labels remembered for them); metrics_render, metrics_leading and
 * metrics_write_failed may be called from any thread. All metrics carry the label replica_role; the
 * table of names is in table.c. Durations are nanoseconds, negative ones count as 0. Rules:
 * spec/operations.md 1. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/metric.h"
#include "quota/base/str.h"
#include "quota/engine/engine.h"

/* ---- set-up ---- */

enum label_source_kind { /* alphabetical: the order of columns */
                         LABEL_FROM_CLUSTER_QUEUE,
                         LABEL_FROM_COHORT,
                         LABEL_FROM_LOCAL_QUEUE,
                         LABEL_FROM_WORKLOAD
};
#define METRICS_CUSTOM_MAX 6 /* labels per kind */

struct custom_label { /* becomes custom_<name> */
    const char *name;
    enum label_source_kind kind;
    const char *label;      /* key to read; NULL when 'annotation' is given */
    const char *annotation; /* key to read, or NULL */
    const char **tracked;   /* none: any value counts */
    size_t tracked_count;
};

struct metrics_options {    /* texts and lists are borrowed until metrics_stop */
    bool standalone;        /* no leader election; otherwise starts as a follower */
    const char *lease_name; /* for leader_election_master_status */
    bool resources;         /* metrics.enableClusterQueueResources */
    bool local_queues;
    const struct label_selector *local_queue_selector; /* NULL or absent: all */
    bool cohorts;                                      /* gate MetricsForCohorts */
    bool creation_latency;                             /* gate MetricForWorkloadCreationLatency */
    bool unadmitted;                                   /* gate UnadmittedWorkloadsObservability */
    bool hashes;                                       /* gate SchedulingEquivalenceHashing */
    const struct custom_label *custom_labels;
    size_t custom_label_count;
};

void metrics_start(const struct metrics_options *options); /* replaces an earlier set */
void metrics_stop(void);
/* For metrics of other rooms (requests, webhooks); NULL before metrics_start. */
struct metric_registry *metrics_registry(void);
void metrics_render(struct strbuf *out); /* appended */
/* This process leads from now on: gauges written as a follower go; the caller writes all again. */
void metrics_leading(bool leading);

/* ---- labels of objects: call when one is seen or changes ---- */

struct metrics_object {
    const struct label *labels, *annotations;
    size_t label_count, annotation_count;
};
/* True: its series were dropped because a value changed (or, for a LocalQueue, because the selector
 * answers differently now): write its gauges again. */
bool metrics_cluster_queue_labels(const char *name, const struct metrics_object *object);
bool metrics_cohort_labels(const char *name, const struct metrics_object *object);
bool metrics_local_queue_labels(const char *namespace, const char *name,
                                const struct metrics_object *object);

/* Whom an observation is about. NULL texts count as "". */
struct metrics_workload {
    const char *cluster_queue, *namespace, *local_queue, *priority_class;
    const char *custom[METRICS_CUSTOM_MAX]; /* filled by metrics_workload_labels */
};
void metrics_workload_labels(struct metrics_workload *workload,
                             const struct metrics_object *object);
/* Are there custom labels of Workloads? Then the gauges that carry them come in groups, below. */
bool metrics_label_workloads(void);

/* ---- scheduler ---- */
void metrics_cycle(size_t heads, bool success, int64_t duration); /* nothing without heads */
void metrics_preemption_skips(const char *cluster_queue, int64_t count);
void metrics_recomputation(const char *cluster_queue, const char *result);

/* ---- admission; 'waited': since the wait began (1.4) ---- */
void metrics_workload_reserved(const struct metrics_workload *workload, int64_t waited);
/* 'checks_waited': -1 when there are no checks. Cohorts: once for each ancestor, below. */
void metrics_workload_admitted(const struct metrics_workload *workload, int64_t waited,
                               int64_t checks_waited);
void metrics_cohort_admitted(const char *cohort, const char *priority_class);
void metrics_workload_ready(const struct metrics_workload *workload, int64_t waited,
                            int64_t since_admitted);
void metrics_workload_created(const struct metrics_workload *workload, const char *job_kind,
                              int64_t latency);
void metrics_gate_removed(const char *gate, const char *cluster_queue, bool is_group,
                          int64_t waited);

/* ---- end, eviction, preemption ---- */
/* 'executed': -1 when it was not admitted. */
void metrics_workload_finished(const struct metrics_workload *workload, int64_t executed);
struct metrics_eviction {
    const char *reason, *cause; /* the cause "" when there is none */
    bool is_first;              /* no earlier one of this reason and cause */
    int64_t was_ready;          /* how long its pods had been ready; -1: they were not */
};
void metrics_workload_evicted(const struct metrics_workload *workload,
                              const struct metrics_eviction *eviction);
void metrics_eviction_done(const char *cluster_queue, const char *reason, int64_t latency);
void metrics_preempted(const char *preempting_cluster_queue, const char *reason);

/* ---- gauges from state ---- */
void metrics_cluster_queue_status(const char *name, const struct queue_status *status);
/* Workloads with the same values of their custom labels. */
struct metrics_group {
    const char *labels; /* the values in order of the labels, '\n' between them */
    int64_t active, inadmissible, admitted;
};
/* Groups that are not given have nobody and disappear. */
void metrics_cluster_queue_groups(const char *name, const struct metrics_group *groups,
                                  size_t count);
void metrics_local_queue_groups(const char *namespace, const char *name,
                                const struct metrics_group *groups, size_t count);
/* 'has_cluster_queue': without one nothing is held, and nothing about that is shown. */
void metrics_local_queue_status(const char *namespace, const char *name,
                                const struct queue_status *status, bool has_cluster_queue);
void metrics_cohort_status(const char *name, const struct queue_status *status);
/* condition: status of the LocalQueue's Active condition, "True", "False" or "Unknown". */
void metrics_local_queue_active(const char *namespace, const char *name, const char *condition);
/* Before rounding; infinite for weight 0 while borrowing. After the status. */
void metrics_cluster_queue_share(const char *name, double share);
void metrics_cohort_share(const char *name, double share);
/* Its place in the tree; "" for none. Before the status, which needs the cohort's name. */
void metrics_cluster_queue_place(const char *name, const char *parent, const char *root);
void metrics_cohort_place(const char *name, const char *parent, const char *root);
void metrics_cohort_unplace(const char *name); /* in a cycle: it has no place */
/* True once after any of them has moved. */
bool metrics_take_moved(void);
/* Limits in amounts; AMOUNT_UNLIMITED when unset. After metrics_cluster_queue_status, which drops
 * the series of flavors that are gone. */
void metrics_cluster_queue_limits(const char *name, const char *flavor, const char *resource,
                                  int64_t borrowing, int64_t lending);
/* Is anybody told these? Finding out the numbers is work. */
bool metrics_wants_demand(void);
bool metrics_wants_hashes(void);
void metrics_cluster_queue_pending_resource(const char *name, const char *resource, int64_t amount);
void metrics_cluster_queue_demand_forget(const char *name); /* all its resources */
void metrics_cluster_queue_hashes(const char *name, int64_t active, int64_t inadmissible);
void metrics_cluster_queue_finished(const char *name, int64_t count);
void metrics_local_queue_finished(const char *namespace, const char *name, int64_t count);
void metrics_local_queue_fair_usage(const char *namespace, const char *name,
                                    const char *cluster_queue, double usage);
/* How many wait for this reason and cause (1.8); nothing is shown for 0. */
void metrics_cluster_queue_unadmitted(const char *name, const char *reason, const char *cause,
                                      int64_t count);
void metrics_local_queue_unadmitted(const char *namespace, const char *name,
                                    const char *cluster_queue, const char *reason,
                                    const char *cause, int64_t count);

/* ---- objects that are gone: all their series go ---- */
void metrics_cluster_queue_clear(const char *name);
void metrics_local_queue_clear(const char *namespace, const char *name);
void metrics_cohort_clear(const char *name);
/* All cohorts for which 'exists' answers no. */
void metrics_cohorts_keep(bool (*exists)(void *context, const char *name), void *context);

/* ---- writes ---- */
/* 'kind' of the object, 'code' as err_name has it: "invalid" and "forbidden" are refusals for good.
 * Any thread. */
void metrics_write_failed(const char *kind, const char *code);
