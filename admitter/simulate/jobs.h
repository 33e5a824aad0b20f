/* jobs.h - the Workload that the controller would create for a job.
 *
 * Rules: spec/integrations.md 1.8 - 1.10; spec/simulate.md "Input". One thread. */
#pragma once

#include "admitter/rules/settings.h"
#include "admitter/objects/decode.h"
#include "admitter/simulate/documents.h"

struct simulate_classes { /* what priorities are looked up in */
    const struct priority_class *workload_classes, *pod_classes;
    size_t workload_class_count, pod_class_count;
};

/* Is there a job kind for this document? */
bool simulate_job_is_known(const struct simulate_document *document);

struct simulate_job {
    const struct simulate_document *document;
    const char *namespace, *uid; /* what the API server would have given it */
    int64_t created;             /* nanoseconds since 1970, likewise */
};

/* The Workload as JSON in 'a'. *json is empty when the job makes no Workload: it has no queue, or
 * it is finished. ERR_INVALID: the job is malformed or names a class that does not exist. */
MUST_USE int simulate_job_workload(const struct simulate_job *given,
                                   const struct loop_settings *settings,
                                   const struct simulate_classes *classes, struct arena *a,
                                   struct str *json, struct err *e);
