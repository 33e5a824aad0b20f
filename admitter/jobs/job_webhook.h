/* job_webhook.h - the part of a job's admission webhooks that all kinds share.
 *
 * What a webhook must know about the rest of the cluster comes through struct job_environment,
 * answered from memory. Pure otherwise; webhook threads. Rules: spec/integrations.md 1.3 - 1.7. */
#pragma once

#include <jansson.h>
#include "admitter/jobs/ancestor.h"
#include "admitter/jobs/job.h"

struct job_environment {
    const struct job_options *options;
    void *context; /* handed to the questions below; each answers from memory */
    bool (*local_queue_exists)(void *context, const char *namespace, const char *name);
    bool (*priority_class_exists)(void *context, const char *name);
    /* Does the namespace match managedJobsNamespaceSelector (absent selector: yes)? -1 when the
     * namespace is not known: "failed to get namespace". */
    int (*namespace_is_managed)(void *context, const char *namespace, struct err *e);
    /* Is the queue's ClusterQueue one with a MultiKueue check? */
    bool (*queue_uses_multikueue)(void *context, const char *namespace, const char *queue);
    struct ancestor_search ancestors;
};

/* The common pipeline on CREATE: default queue, default priority class, suspend, managedBy, then
 * the kind's own. 'object' is changed in place. -1: the request is denied with *e. */
MUST_USE int job_mutate_create(json_t *object, const char *namespace, const struct job_kind *kind,
                               const struct job_environment *environment, struct arena *arena,
                               struct err *e);

void job_common_create_checks(const json_t *object, const struct job_kind *kind,
                              const struct job_environment *environment,
                              struct field_errors *errors);
void job_common_update_checks(const json_t *old_object, const json_t *object,
                              const struct job_kind *kind,
                              const struct job_environment *environment,
                              struct field_errors *errors);

/* "<path>: Invalid value: "<text>": strconv.Atoi: parsing "<text>": invalid syntax", or "value out
 * of range" for a number beyond 64 bits. */
void job_error_not_int(struct field_errors *errors, const char *path, const char *text);
