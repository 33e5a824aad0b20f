/* job_writes.h - ready-made writes of jobs, and of the Workloads made from them. Engine thread. */
#pragma once

#include "admitter/rules/job_rules.h"
#include "admitter/loop/writes.h"

/* An Event on the job; the second form only when it differs from the last of its kind. */
void job_event(struct loop *loop, const struct job_record *record, bool warning, const char *reason,
               const char *note);
void job_event_once(struct loop *loop, struct job_record *record, const char *reason,
                    const char *note);
/* The choice's event, once the write has succeeded. */
void job_note(struct write_op *op, const struct job_record *record,
              const struct job_choice *choice);

/* Send the patch (its body is taken over); 'choice' may be NULL: no event. */
void job_patch_send(struct loop *loop, struct job_record *record, struct job_patch *patch,
                    const struct job_choice *choice);
void job_suspend_send(struct loop *loop, struct job_record *record,
                      const struct job_choice *choice);
void job_delete_send(struct loop *loop, struct job_record *record, const struct job_choice *choice);

/* The Workload of a job (spec/integrations.md 1.9). -1 and *e: the job is at fault for good. */
MUST_USE int workload_create_send(struct loop *loop, struct job_record *record,
                                  const struct job_facts *facts, const json_t *object,
                                  const struct job_choice *choice, struct err *e);
/* The spec of an existing, unreserved Workload from its job (1.12 step 6). */
MUST_USE int workload_update_send(struct loop *loop, struct job_record *record,
                                  const struct job_facts *facts, const json_t *object,
                                  struct workload_record *workload, const struct job_choice *choice,
                                  struct err *e);
void workload_finish_send(struct loop *loop, struct workload_record *workload, const char *reason,
                          const char *message);
/* Merge patch that makes the job the controller of a prebuilt Workload. */
json_t *adoption_patch(const struct job *job, const json_t *tree);
