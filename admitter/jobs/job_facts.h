/* job_facts.h - the facts that every kind reads the same way. Pure. Rules: spec/integrations.md
 * 1. */
#pragma once

#include "admitter/jobs/job.h"

/* Metadata, labels, annotations and owner of 'object' into *job (zeroed first). ERR_INVALID names
 * the missing field. */
MUST_USE int job_facts_read(const json_t *object, const struct job_kind *kind,
                            const struct job_options *options, struct arena *arena, struct job *job,
                            struct err *e);

/* Annotation kueue.x-k8s.io/elastic-job is exactly "true" (1.20). */
bool job_object_is_elastic(const json_t *object);
/* The effective prebuilt Workload name (1.5), "" when there is none; *from_annotation says
 * which. */
const char *job_prebuilt_name(const json_t *object, const struct job_options *options,
                              bool *from_annotation);
/* The controller owner reference, or NULL. */
const json_t *object_controller(const json_t *object);
/* The same as facts, borrowed from the object; name NULL when there is none. */
void object_owner(const json_t *object, struct job_owner *owner);
void object_owner_copy(const json_t *object, struct arena *arena, struct job_owner *owner);
