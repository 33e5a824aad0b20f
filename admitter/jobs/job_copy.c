#include "admitter/jobs/job_copy.h"

#include <string.h>
#include "quota/base/mem.h"

/* Runs twice: first to measure (at NULL), then to copy. */
struct packer {
    char *base;
    size_t used;
};

static void *pack(struct packer *p, const void *from, size_t size)
{
    size_t start = (p->used + 15) & ~(size_t)15;

    p->used = start + size;
    if (!p->base)
        return NULL;
    if (size > 0)
        memcpy(p->base + start, from, size);
    return p->base + start;
}

static const char *pack_text(struct packer *p, const char *text)
{
    size_t start = p->used;

    if (!text)
        return NULL;
    p->used += strlen(text) + 1;
    if (!p->base)
        return text;
    memcpy(p->base + start, text, p->used - start);
    return p->base + start;
}

static void pack_texts(struct packer *p, struct job *job)
{
    const char **texts[] = {
        &job->namespace,          &job->name,          &job->uid,
        &job->owner.api_version,  &job->owner.kind,    &job->owner.name,
        &job->owner.uid,          &job->queue_name,    &job->priority_class,
        &job->pod_priority_class, &job->prebuilt_name, &job->admission_gated_by,
        &job->finish_message,     &job->detail
    };

    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        *texts[i] = pack_text(p, *texts[i]);
}

static void pack_lists(struct packer *p, struct job *job)
{
    struct job_pod_set *pod_sets = pack(p, job->pod_sets, job->pod_set_count * sizeof(*pod_sets));
    struct pod_count *counts = pack(p, job->reclaimable, job->reclaimable_count * sizeof(*counts));

    for (size_t i = 0; i < job->pod_set_count; i++) {
        const char *name = pack_text(p, job->pod_sets[i].name),
                   *injected = pack_text(p, job->pod_sets[i].injected);

        if (pod_sets) {
            pod_sets[i].name = name;
            pod_sets[i].injected = injected;
        }
    }
    for (size_t i = 0; i < job->reclaimable_count; i++) {
        const char *name = pack_text(p, job->reclaimable[i].pod_set);

        if (counts)
            counts[i].pod_set = name;
    }
    job->pod_sets = pod_sets;
    job->reclaimable = counts;
}

static struct job *run(struct packer *p, const struct job *job)
{
    struct job copy = *job;
    struct job *out = pack(p, job, sizeof(*job));

    pack_lists(p, &copy);
    pack_texts(p, &copy);
    if (out)
        *out = copy;
    return out;
}

struct job *job_copy(const struct job *job)
{
    struct packer p = { NULL, 0 };

    run(&p, job);
    p.base = mem_alloc(p.used);
    p.used = 0;
    return run(&p, job);
}
