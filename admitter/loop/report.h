/* report.h - what the loop tells the metrics, and when.
 *
 * Engine thread. Gauges follow what the engine knows at once, whether or not a status is written;
 * counters follow writes that succeeded and states that were seen. Without the part "core" nothing
 * is told but what the scheduler and the jobs do themselves. Rules: spec/operations.md 1.2 to
 * 1.9. */
#pragma once

#include "admitter/loop/writes.h"

bool report_is_wanted(const struct loop *loop); /* does the part "core" run? */

/* ---- gauges of queues and cohorts ---- */
void report_changed(struct loop *loop, const struct changed_names *changed);
void report_everything(struct loop *loop); /* after the role of this replica changed */
/* Labels and annotations of a queue or cohort as they are now. */
void report_labels(struct loop *loop, const struct object_record *record,
                   const struct object_meta *meta);
/* Look again at what waits in a ClusterQueue: its record's look 'walk' is due. */
void report_walk(struct loop *loop, struct look *look);
/* An object is gone, here and in the engine. */
void report_object_gone(struct loop *loop, enum object_kind kind, const char *namespace,
                        const char *name);

/* Only with custom labels of Workloads: walks over those of the queue. */
void report_cluster_queue_groups(struct loop *loop, const char *name, bool active);
void report_local_queue_groups(struct loop *loop, const struct object_record *queue);

/* ---- Workloads ---- */
/* Its state is known now, or its LocalQueue came or went. */
void report_workload(struct loop *loop, struct workload_record *record, const json_t *tree);
void report_workload_gone(struct loop *loop, struct workload_record *record);
void report_queue_workloads(struct loop *loop, const char *queue_key);

/* ---- writes: what one of them says that was not so before; bits for write_op.news ---- */
unsigned report_news(const json_t *before, const json_t *after);
void report_write(struct loop *loop, const struct workload_record *record,
                  const struct write_op *op); /* it succeeded */

/* A pod of an admitted Workload is let through its gate: before the write, and when it
 * succeeded. */
void report_ungating(struct write_op *op, const json_t *workload);
void report_ungated(const struct write_op *op, const char *gate);
/* A job's reconciler has made a Workload for it. */
void report_created(const struct job *job);

/* ---- cycles ---- */
/* What was put off is not in 'result': it is decided again. Nothing is counted when nothing is
 * left. */
void report_cycle(const struct cycle_result *result, int64_t duration);
