#include <stdio.h>
#include <string.h>
#include "admitter/jobs/batch_job.h"
#include "admitter/jobs/job.h"

static const struct job_kind *const kinds[] = { &batch_job_kind, NULL };

const struct job_kind *const *job_kinds(void)
{
    return kinds;
}

const struct job_kind *job_kind_by_framework(const char *framework)
{
    for (size_t i = 0; kinds[i]; i++)
        if (strcmp(kinds[i]->framework, framework) == 0)
            return kinds[i];
    return NULL;
}

const struct job_kind *job_kind_by_type(const char *api_version, const char *kind)
{
    char version[160];

    for (size_t i = 0; kinds[i]; i++) {
        snprintf(version, sizeof(version), "%s%s%s", kinds[i]->group, *kinds[i]->group ? "/" : "",
                 kinds[i]->version);
        if (strcmp(version, api_version) == 0 && strcmp(kinds[i]->kind, kind) == 0)
            return kinds[i];
    }
    return NULL;
}

void job_options_default(struct job_options *options)
{
    *options = (struct job_options){
        .partial_admission = true,
        .topology_aware = true,
        .multi_layer_topology = true,
        .elastic_slices = true,
        .admission_gated_by = true,
        .identifier_annotations = true,
        .priority_class_defaulting = true,
        .multikueue = true,
        .queue_labels_for_pods = true,
        .finish_orphaned = true,
        .reclaimable_pods = true,
        .skip_ancestor_check_for_deleted = true,
    };
}
