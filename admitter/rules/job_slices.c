#include "admitter/rules/job_slices.h"

#include <stdio.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/objects/names.h"
#include "admitter/rules/job_step_private.h"

#define KEY_BYTES 600

struct slices { /* unfinished ones, oldest first */
    const struct workload_facts *workloads;
    size_t count;
};

static bool is_evicted(const struct workload_facts *slice)
{
    return condition_true(slice->object, "Evicted");
}

static bool has_quota(const struct workload_facts *slice)
{
    return condition_true(slice->object, "QuotaReserved");
}

static bool is_unfinished(const struct workload_facts *slice)
{
    return !condition_true(slice->object, "Finished");
}

static bool replaces(const struct workload_facts *slice, const struct workload_facts *old)
{
    const char *names = object_annotation(slice->object, ANNOTATION_SLICE_REPLACEMENT_FOR);
    char key[KEY_BYTES];

    snprintf(key, sizeof(key), "%s/%s",
             json_string_at(json_object_get(old->object, "metadata"), "namespace"), old->name);
    return strcmp(names, key) == 0;
}

/* What replaces this slice: of several that say so, one with quota. */
static const struct workload_facts *replacement_of(const struct slices *s,
                                                   const struct workload_facts *old)
{
    const struct workload_facts *found = NULL;

    for (size_t i = 0; i < s->count; i++) {
        const struct workload_facts *slice = &s->workloads[i];

        if (is_unfinished(slice) && !is_evicted(slice) && replaces(slice, old) &&
            (!found || (has_quota(slice) && !has_quota(found))))
            found = slice;
    }
    return found;
}

static const struct workload_facts *holder_of(const struct slices *s)
{
    const struct workload_facts *holder = NULL;

    for (size_t i = 0; i < s->count; i++) {
        const struct workload_facts *slice = &s->workloads[i], *next;

        if (!is_unfinished(slice) || is_evicted(slice) || !has_quota(slice))
            continue;
        next = replacement_of(s, slice);
        if (!next || !has_quota(next))
            holder = slice;
    }
    return holder;
}

static const struct workload_facts *newest(const struct slices *s)
{
    for (size_t i = s->count; i > 0; i--)
        if (is_unfinished(&s->workloads[i - 1]) && !is_evicted(&s->workloads[i - 1]))
            return &s->workloads[i - 1];
    return NULL;
}

/* Pods of an evicted or deleted slice still run: stopping them comes before everything else, so
 * that no quota is given away twice, and none kept for a slice that is to be replaced. */
static const struct workload_facts *leaving(const struct slices *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct workload_facts *slice = &s->workloads[i];

        if (is_unfinished(slice) && has_quota(slice) &&
            (is_evicted(slice) || facts_deleting(slice)))
            return slice;
    }
    return NULL;
}

static bool same_names(const struct job *job, const struct workload_facts *slice)
{
    if (job->pod_set_count != slice->pod_set_count)
        return false;
    for (size_t i = 0; i < job->pod_set_count; i++)
        if (strcmp(job->pod_sets[i].name, slice->pod_sets[i].name) != 0)
            return false;
    return true;
}

static enum slice_verdict judge(const struct job *job, const struct workload_facts *slice)
{
    bool grows = false, shrinks = false;

    if (!same_names(job, slice))
        return SLICE_FOREIGN;
    for (size_t i = 0; i < job->pod_set_count; i++) {
        grows = grows || job->pod_sets[i].count > slice->pod_sets[i].count;
        shrinks = shrinks || job->pod_sets[i].count < slice->pod_sets[i].count;
    }
    if (!grows && !shrinks)
        return SLICE_USE;
    return has_quota(slice) && grows ? SLICE_CREATE : SLICE_RESIZE;
}

/* One that is neither wanted nor the holder; NULL when there is none. */
static const struct workload_facts *superfluous(const struct slices *s,
                                                const struct workload_facts *selected,
                                                const struct workload_facts *holder)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct workload_facts *slice = &s->workloads[i];

        if (is_unfinished(slice) && slice != selected && slice != holder)
            return slice;
    }
    return NULL;
}

static const struct workload_facts *select_one(const struct slices *s,
                                               const struct workload_facts *holder)
{
    const struct workload_facts *pending = holder ? replacement_of(s, holder) : NULL;

    if (pending && !has_quota(pending))
        return pending;
    return holder ? holder : newest(s);
}

static size_t unfinished(const struct slices *s, const struct workload_facts **last)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        if (!is_unfinished(&s->workloads[i]))
            continue;
        *last = &s->workloads[i];
        count++;
    }
    return count;
}

enum slice_verdict slice_choose(const struct job *job, const struct workload_facts *workloads,
                                size_t count, struct slice_choice *choice)
{
    struct slices s = { workloads, count };
    const struct workload_facts *only = NULL, *other;
    size_t left = unfinished(&s, &only);

    *choice = (struct slice_choice){ .holder = holder_of(&s) };
    choice->slice = leaving(&s);
    if (choice->slice)
        return SLICE_USE;
    if (left == 0)
        return SLICE_CREATE;
    choice->slice = left == 1 ? only : select_one(&s, choice->holder);
    other = left == 1 ? NULL : superfluous(&s, choice->slice, choice->holder);
    if (!other)
        return judge(job, choice->slice);
    choice->slice = other;
    choice->reason = replacement_of(&s, other) ? "WorkloadSliceReplaced" : "OutOfSync";
    choice->message = replacement_of(&s, other)
                          ? "Replaced to accommodate a new workload slice"
                          : "The workload slice is out of sync with its parent job";
    return SLICE_FINISH;
}

const char *slice_chain(const json_t *workload)
{
    const char *chain = object_annotation(workload, ANNOTATION_SLICE_NAME);

    return *chain ? chain : json_string_at(json_object_get(workload, "metadata"), "name");
}

json_t *slice_resize_patch(const struct job *job, const struct workload_facts *slice)
{
    const json_t *metadata = json_object_get(slice->object, "metadata");
    json_t *patch = json_array();

    json_array_append_new(patch, /* a conflict, when somebody was faster */
                          json_pack("{s:s, s:s, s:s}", "op", "replace", "path",
                                    "/metadata/resourceVersion", "value",
                                    json_string_at(metadata, "resourceVersion")));
    for (size_t i = 0; i < job->pod_set_count; i++)
        json_array_append_new(patch, json_pack("{s:s, s:o, s:i}", "op", "replace", "path",
                                               json_sprintf("/spec/podSets/%zu/count", i), "value",
                                               (int)job->pod_sets[i].count));
    return patch;
}
