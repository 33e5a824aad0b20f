/* Does a Workload describe its job (spec/integrations.md 1.13)? */
#include <string.h>
#include "admitter/jobs/equivalence.h"
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/job_rules.h"

static int64_t admitted_count(const struct workload_facts *workload, size_t index,
                              int64_t otherwise)
{
    const json_t *assignments =
        json_at(workload->object, "status", "admission", "podSetAssignments", NULL);

    return json_integer_at(json_array_get(assignments, index), "count", otherwise);
}

/* 'running': compare with the pod sets as they run once admitted, partial counts included. */
static bool pod_sets_equal(const struct job *job, const struct workload_facts *workload,
                           bool ignore_tolerations, bool running)
{
    if (job->pod_set_count != workload->pod_set_count)
        return false;
    for (size_t i = 0; i < job->pod_set_count; i++) {
        const struct job_pod_set *live = &job->pod_sets[i];
        const struct workload_pod_set *stored = &workload->pod_sets[i];
        int64_t count = running && stored->min_count >= 0
                            ? admitted_count(workload, i, stored->count)
                            : stored->count;

        if (live->count != count || live->min_count != stored->min_count ||
            !digest_equal(&live->containers, &stored->containers) ||
            (!ignore_tolerations && !digest_equal(&live->tolerations, &stored->tolerations)))
            return false;
    }
    return true;
}

bool job_matches_workload(const struct job *job, const struct workload_facts *workload,
                          const struct loop_settings *settings)
{
    const json_t *owner = object_controller(workload->object);
    int64_t maximum = json_integer_at(json_object_get(workload->object, "spec"),
                                      "maximumExecutionTimeSeconds", -1);
    bool admitted = condition_true(workload->object, "Admitted");

    if (strcmp(json_string_at(owner, "name"), job->name) != 0)
        return false;
    if (settings->finish_orphaned && strcmp(json_string_at(owner, "uid"), job->uid) != 0)
        return false;
    if (maximum != job->maximum_execution_seconds)
        return false;
    if (!condition_true(workload->object, "QuotaReserved"))
        return pod_sets_equal(job, workload, admitted, false);
    /* Once reserved, a running job carries the flavors' tolerations as well: they are not
     * compared. */
    if (pod_sets_equal(job, workload, admitted || !job->is_suspended, true))
        return true;
    return job->is_suspended && pod_sets_equal(job, workload, admitted, false);
}
