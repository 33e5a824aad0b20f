/* owners.h - jobs as parts of other objects: who owns what, and what that means for a job.
 *
 * Objects that own jobs are known to the snapshot, whatever their kind: those built here from their
 * own watches, the others by their metadata. Rules: spec/integrations.md 1.1, 1.4, 1.11 R4 - R6. */
#pragma once

#include "admitter/jobs/ancestor.h"
#include "admitter/loop/loop_private.h"

/* For ancestor_search.find, any thread. As there; -1 also while a managed kind is not listed
 * yet. */
int owner_look_up(const struct owner_kinds *kinds, struct snapshot *snapshot, unsigned kind,
                  const char *namespace, const char *name, struct arena *arena,
                  struct owner_facts *facts);

/* ---- engine thread ---- */

/* What a job says of itself to those it owns. Borrows from the job. */
void owner_facts_of_job(const struct job *job, struct owner_facts *facts);
/* An object of a kind that is not built here. Ends the event. */
void handle_owner(struct loop *loop, struct loop_event *event);

/* Keep the index of children: after the record's job has changed, or is about to go. */
void child_join(struct loop *loop, struct job_record *record);
void child_leave(struct loop *loop, struct job_record *record);
/* Look again at the jobs that this object (by uid) controls. */
void mark_children(struct loop *loop, const char *owner_uid);

/* The ancestor part of the facts (is_top_level and so on). */
void find_ancestor(struct loop *loop, const struct job *job, struct job_facts *facts);
