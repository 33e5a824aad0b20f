#include "admitter/configuration/object.h"

#include <string.h>
#include "quota/base/mem.h"

/* Sorted by name, as messages list them. */
const struct framework frameworks[] = {
    { "batch/job", "Job.v1.batch", true },
    { "deployment", "Deployment.v1.apps", false },
    { "jobset.x-k8s.io/jobset", "JobSet.v1alpha2.jobset.x-k8s.io", true },
    { "kubeflow.org/jaxjob", "JAXJob.v1.kubeflow.org", true },
    { "kubeflow.org/mpijob", "MPIJob.v2beta1.kubeflow.org", true },
    { "kubeflow.org/paddlejob", "PaddleJob.v1.kubeflow.org", true },
    { "kubeflow.org/pytorchjob", "PyTorchJob.v1.kubeflow.org", true },
    { "kubeflow.org/tfjob", "TFJob.v1.kubeflow.org", true },
    { "kubeflow.org/xgboostjob", "XGBoostJob.v1.kubeflow.org", true },
    { "leaderworkerset.x-k8s.io/leaderworkerset", "LeaderWorkerSet.v1.leaderworkerset.x-k8s.io",
      true },
    { "pod", "Pod.v1.", true },
    { "ray.io/raycluster", "RayCluster.v1.ray.io", true },
    { "ray.io/rayjob", "RayJob.v1.ray.io", true },
    { "ray.io/rayservice", "RayService.v1.ray.io", true },
    { "sparkoperator.k8s.io/sparkapplication", "SparkApplication.v1beta2.sparkoperator.k8s.io",
      false },
    { "statefulset", "StatefulSet.v1.apps", true },
    { "trainer.kubeflow.org/trainjob", "TrainJob.v1alpha1.trainer.kubeflow.org", true },
    { "workload.codeflare.dev/appwrapper", "AppWrapper.v1beta2.workload.codeflare.dev", true },
};
const size_t framework_count = ARRAY_COUNT(frameworks);

const struct framework *framework_find(const char *name)
{
    for (size_t i = 0; i < framework_count; i++)
        if (strcmp(frameworks[i].name, name) == 0)
            return &frameworks[i];
    return NULL;
}

bool framework_is_enabled(const struct configuration_object *object, const char *name)
{
    for (size_t i = 0; i < object->integrations.frameworks.count; i++)
        if (strcmp(object->integrations.frameworks.items[i], name) == 0)
            return true;
    return false;
}

bool framework_type_is_well_formed(const char *type)
{
    const char *dot = strchr(type, '.');

    return dot && strchr(dot + 1, '.');
}
