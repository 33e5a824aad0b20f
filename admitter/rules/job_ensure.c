/* The one Workload of a job: found, made to match, taken over, or the others deleted. */
#include <string.h>
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/rules/job_slices.h"
#include "admitter/rules/job_step_private.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

static bool prebuilt_workload(struct job_rule *s, const struct workload_facts **match)
{
    const struct workload_facts *workload = s->facts->prebuilt;
    const json_t *owner = workload ? object_controller(workload->object) : NULL;

    *match = NULL;
    if (!workload)
        return false;
    if (owner && strcmp(json_string_at(owner, "uid"), s->job->uid) != 0)
        return false;
    if (!owner)
        return job_choose(s, JOB_ADOPT_WORKLOAD, workload);
    if (s->job->is_elastic &&
        *object_annotation(workload->object, ANNOTATION_SLICE_REPLACEMENT_FOR)) {
        *match = workload;
        return false;
    }
    if (!job_matches_workload(s->job, workload, s->settings)) {
        if (facts_finished(workload))
            return false;
        return job_finish_workload(s, workload, "OutOfSync",
                                   "The prebuilt workload is out of sync with its user job");
    }
    *match = workload;
    return false;
}

static bool sync_gates(struct job_rule *s, const struct workload_facts *match)
{
    const char *wanted = s->job->admission_gated_by;
    const char *present = object_annotation(match->object, ANNOTATION_ADMISSION_GATED_BY);

    if (!s->settings->admission_gated_by || strcmp(wanted, present) == 0)
        return false;
    s->choice->patch =
        json_pack("{s:{s:{s:o}}}", "metadata", "annotations", ANNOTATION_ADMISSION_GATED_BY,
                  *wanted ? json_string(wanted) : json_null());
    job_report(s, "UpdatedWorkload",
               arena_format(s->arena, "Updated workload AdmissionGatedBy to \"%s\"", wanted));
    return job_choose(s, JOB_PATCH_WORKLOAD, match);
}

/* null without a class. */
static json_t *priority_reference(const struct job_facts *facts)
{
    return *facts->priority_name
               ? json_pack("{s:s, s:s, s:s}", "group", facts->priority_group, "kind",
                           facts->priority_kind, "name", facts->priority_name)
               : json_null();
}

/* 1.10: a changed priority-class label reaches the Workload. With quota it keeps having a class, or
 * none: the API server refuses anything else, and the job has to go on. */
static bool sync_priority(struct job_rule *s, const struct workload_facts *match)
{
    const json_t *spec = json_object_get(match->object, "spec");
    const json_t *reference = json_object_get(spec, "priorityClassRef");
    const char *label = s->job->priority_class;

    if (strcmp(json_string_at(reference, "name"), label) == 0 || facts_finished(match))
        return false;
    if ((facts_reserving(match) && (!reference || !*label)) ||
        strcmp(json_string_at(reference, "group"), "scheduling.k8s.io") == 0)
        return false;
    if (!s->facts->priority_known)
        return job_choose(s, JOB_MISSING_CLASS, match);
    s->choice->patch = json_pack("{s:{s:i, s:o}}", "spec", "priority", (int)s->facts->priority,
                                 "priorityClassRef", priority_reference(s->facts));
    job_report(
        s, "UpdatedWorkload",
        arena_format(s->arena, "Updated workload priority class: %s", job_workload_key(s, match)));
    return job_choose(s, JOB_PATCH_WORKLOAD, match);
}

/* Deleted, and kept by somebody else's finalizer at most: there is nothing left to do about it. */
static bool is_let_go(const struct workload_facts *workload)
{
    return facts_deleting(workload) && !facts_have_finalizer(workload);
}

/* The first Workload that describes the job; of the 'others', the first (that something is to be
 * done about) and the last one. */
static const struct workload_facts *first_match(struct job_rule *s,
                                                const struct workload_facts **other,
                                                const struct workload_facts **last, size_t *others)
{
    const struct workload_facts *match = NULL;

    *other = *last = NULL;
    *others = 0;
    for (size_t i = 0; i < s->facts->workload_count; i++) {
        const struct workload_facts *workload = &s->facts->workloads[i];

        if (!match && job_matches_workload(s->job, workload, s->settings)) {
            match = workload;
        } else {
            if (!*other || is_let_go(*other))
                *other = workload;
            *last = workload;
            (*others)++;
        }
    }
    return match;
}

static bool delete_surplus(struct job_rule *s, const struct workload_facts *workload)
{
    if (!facts_deleting(workload))
        job_report(s, "DeletedWorkload",
                   arena_format(s->arena, "Deleted not matching Workload: %s",
                                job_workload_key(s, workload)));
    return job_choose(s, JOB_DELETE_WORKLOAD, workload);
}

/* Left over from a job of the same name: nothing that is written to it makes it match. */
static bool is_of_another_job(const struct job_rule *s, const struct workload_facts *workload)
{
    return s->settings->finish_orphaned &&
           strcmp(json_string_at(object_controller(workload->object), "uid"), s->job->uid) != 0;
}

/* May this Workload be rewritten in place for a suspended job (1.12 step 2)? */
static bool is_rewritable(const struct job_rule *s, const struct workload_facts *workload)
{
    return !facts_reserving(workload) && !facts_finished(workload) && !facts_deleting(workload) &&
           !is_of_another_job(s, workload);
}

/* Slices that have ended are not let go by anyone else. */
static bool let_finished_go(struct job_rule *s)
{
    for (size_t i = 0; i < s->facts->workload_count; i++) {
        const struct workload_facts *workload = &s->facts->workloads[i];

        if (facts_finished(workload) && facts_have_finalizer(workload))
            return job_choose(s, JOB_REMOVE_FINALIZER, workload);
    }
    return false;
}

static bool own_workload(struct job_rule *s, const struct workload_facts **match)
{
    const struct workload_facts *other, *last;
    size_t others;

    *match = first_match(s, &other, &last, &others);
    if (!*match && other && s->job->is_suspended && is_rewritable(s, other)) {
        if (others > 1)
            return delete_surplus(s, last);
        job_report(s, "UpdatedWorkload",
                   arena_format(s->arena, "Updated not matching Workload for suspended job: %s",
                                job_workload_key(s, other)));
        return job_choose(s, JOB_UPDATE_WORKLOAD, other);
    }
    if (!*match && !s->job->is_suspended && !s->job->is_finished)
        return job_stop(
            s, others == 1 ? other : NULL,
            others == 1
                ? "No matching Workload; restoring pod templates according to existent Workload"
                : "Missing Workload; unable to restore pod templates");
    if (other && !is_let_go(other))
        return delete_surplus(s, other);
    return *match && (sync_gates(s, *match) || sync_priority(s, *match));
}

/* A slice gives quota back only when the pods that held it are gone. */
static bool is_shedding_pods(const struct job *job, const struct workload_facts *slice)
{
    int64_t wanted = 0;

    for (size_t i = 0; i < job->pod_set_count; i++)
        wanted += job->pod_sets[i].count;
    return facts_reserving(slice) && job->active_pods > wanted;
}

/* The job has ended. Its end is told when the newest slice is let go; what grew too late is not
 * made. */
static bool last_slice(struct job_rule *s, const struct workload_facts *unfinished,
                       const struct workload_facts **match)
{
    size_t count = s->facts->workload_count;
    const struct workload_facts *newest = count > 0 ? &s->facts->workloads[count - 1] : NULL;

    *match = unfinished ? unfinished : newest;
    return *match == newest && newest && facts_finished(newest) && !facts_have_finalizer(newest) &&
           let_finished_go(s);
}

/* A slice of an earlier job of that name, whose end nobody saw; NULL. */
static const struct workload_facts *left_over(const struct job_rule *s)
{
    for (size_t i = 0; i < s->facts->workload_count; i++) {
        const struct workload_facts *workload = &s->facts->workloads[i];

        if (!facts_finished(workload) && !is_let_go(workload) && is_of_another_job(s, workload))
            return workload;
    }
    return NULL;
}

/* 1.20. A job whose pods are not held back by a gate may not grow while it runs. */
static bool own_slice(struct job_rule *s, const struct workload_facts **match)
{
    bool runs_free = !s->job->is_suspended && !s->job->is_gated;
    const struct workload_facts *old = left_over(s);
    struct slice_choice slices;

    if (old)
        return delete_surplus(s, old);
    switch (slice_choose(s->job, s->facts->workloads, s->facts->workload_count, &slices)) {
    case SLICE_FINISH:
        return job_finish_workload(s, slices.slice, slices.reason, slices.message);
    case SLICE_RESIZE:
        if (is_shedding_pods(s->job, slices.slice)) {
            *match = slices.slice;
            return false;
        }
        s->choice->patch = slice_resize_patch(s->job, slices.slice);
        return job_choose(s, JOB_RESIZE_WORKLOAD, slices.slice);
    case SLICE_USE:
        *match = slices.slice;
        return sync_priority(s, slices.slice) ||
               (slices.holder && slices.holder != slices.slice &&
                sync_priority(s, slices.holder)) ||
               let_finished_go(s);
    case SLICE_CREATE:
        if (s->job->is_finished)
            return last_slice(s, slices.slice, match);
        if (runs_free)
            break;
        *match = NULL;
        s->replaced = slices.slice;
        return false;
    default:
        break;
    }
    return own_workload(s, match);
}

bool job_find_workload(struct job_rule *s, const struct workload_facts **match)
{
    if (*s->job->prebuilt_name)
        return prebuilt_workload(s, match);
    return s->job->is_elastic ? own_slice(s, match) : own_workload(s, match);
}
