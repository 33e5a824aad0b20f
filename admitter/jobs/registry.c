#include <stdio.h>
#include <string.h>
#include "admitter/jobs/batch_job.h"
#include "admitter/jobs/job.h"
#include "quota/base/mem.h"

static const struct job_kind *const kinds[] = { &batch_job_kind, NULL };

/* Every kind that some integration of the API's world manages, run here or not (1.1). */
static const struct {
    const char *api_version, *kind;
} known_owners[] = {
    { "batch/v1", "Job" },
    { "jobset.x-k8s.io/v1alpha2", "JobSet" },
    { "kubeflow.org/v2beta1", "MPIJob" },
    { "kubeflow.org/v1", "TFJob" },
    { "kubeflow.org/v1", "PyTorchJob" },
    { "kubeflow.org/v1", "XGBoostJob" },
    { "kubeflow.org/v1", "JAXJob" },
    { "kubeflow.org/v1", "PaddleJob" },
    { "trainer.kubeflow.org/v1alpha1", "TrainJob" },
    { "ray.io/v1", "RayJob" },
    { "ray.io/v1", "RayCluster" },
    { "ray.io/v1", "RayService" },
    { "workload.codeflare.dev/v1beta2", "AppWrapper" },
    { "sparkoperator.k8s.io/v1beta2", "SparkApplication" },
    { "apps/v1", "Deployment" },
    { "apps/v1", "StatefulSet" },
    { "apps/v1", "ReplicaSet" },
    { "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet" },
    { "v1", "Pod" },
};

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

bool job_owner_is_known(const char *api_version, const char *kind)
{
    for (size_t i = 0; i < ARRAY_COUNT(known_owners); i++)
        if (strcmp(known_owners[i].api_version, api_version) == 0 &&
            strcmp(known_owners[i].kind, kind) == 0)
            return true;
    return false;
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
