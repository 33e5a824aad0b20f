/* workload_writes.h - ready-made writes of Workloads. Engine thread. */
#pragma once

#include "admitter/loop/writes.h"

/* Merge patch of the status from 'before' to 'after', guarded by the resourceVersion of 'before'.
 * The op keeps a reference of 'after'. The field manager is "kueue-admission". NULL when there is
 * no difference, and, with an error in the log, when life_check does not let it pass. */
struct write_op *workload_status_op(struct loop *loop, const struct workload_record *record,
                                    enum write_purpose purpose, json_t *before, json_t *after);
/* Merge patch of spec or metadata; 'patch' is stolen and gets the resourceVersion. */
struct write_op *workload_json_patch_op(struct loop *loop, const struct workload_record *record,
                                        json_t *patch);
struct write_op *workload_patch_op(struct loop *loop, const struct workload_record *record,
                                   json_t *patch);
/* Take our finalizer out; NULL when it is not there. */
struct write_op *workload_finalizer_op(struct loop *loop, const struct workload_record *record,
                                       const json_t *tree);
struct write_op *workload_delete_op(struct loop *loop, const struct workload_record *record);

/* An Event on the Workload when the write succeeded. */
void workload_note(struct write_op *op, const struct workload_record *record, bool warning,
                   const char *reason, const char *note, const char *controller);
const char *workload_cluster_queue(const json_t *tree); /* of its admission, "" without one */
/* status.admission as a struct; texts borrowed from the tree. */
void admission_read(const json_t *stored, struct arena *arena, struct admission *admission);

/* Answers of writes with a Workload purpose. */
void workload_write_done(struct loop *loop, struct write_op *op);
void job_write_done(struct loop *loop, struct write_op *op);
void object_write_done(struct loop *loop, struct write_op *op);
