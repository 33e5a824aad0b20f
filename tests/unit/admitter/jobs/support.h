/* support.h - batch Jobs, an environment of answers and Workload trees for tests of jobs. */
#pragma once

#include "admitter/jobs/batch_job.h"
#include "admitter/jobs/job_webhook.h"
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/objects/field_error.h"
#include "quota/base/mem.h"
#include "tests/unit/admitter/objects/support.h"

#define OWNER_UID "11111111-2222-3333-4444-555555555555"

/* Answers to the questions of a webhook; changed by the test, reset before each. */
struct world {
    struct job_options options;
    bool default_queue, default_class, multikueue;
    int managed; /* of the namespace: 1, 0, -1 unknown */
    const struct world_owner *owners;
    size_t owner_count;
    struct owner_kinds kinds; /* Jobs are managed; others as owner_kinds_init was told */
};
struct world_owner { /* of any kind, found by name */
    const char *name, *uid, *queue_name;
    struct job_owner owner;
};
extern struct world world;
extern struct job_environment environment;
int world_setup(void **state); /* arena_teardown ends it */

#define QUEUED "'labels':{'kueue.x-k8s.io/queue-name':'user-queue'}"

/* A Job of these JSON members in metadata and spec; template with one container of 1 cpu. */
json_t *job_object(const char *metadata, const char *spec);
/* All errors of creating (old_object NULL) or updating it; "" when there are none. In 'arena'. */
const char *job_errors(const json_t *old_object, const json_t *object);
/* Decoded; the test fails when that fails. */
struct job *job_decoded(const json_t *object);
/* The pod sets of its Workload; the test fails when there are none. New reference. */
json_t *job_pod_sets(const json_t *object);
