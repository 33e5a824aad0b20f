#include "admitter/jobs/owner_kinds.h"

#include <stdio.h>
#include <string.h>
#include "admitter/jobs/job.h"
#include "quota/base/mem.h"

/* Kinds of which a cluster may hold very many objects are followed only where they are managed. */
enum following { ALWAYS, WHEN_MANAGED, NEVER };

static const struct known {
    const char *framework, *group, *version, *kind, *plural;
    enum following following;
} known[] = {
    { "workload.codeflare.dev/appwrapper", "workload.codeflare.dev", "v1beta2", "AppWrapper",
      "appwrappers", ALWAYS },
    { "deployment", "apps", "v1", "Deployment", "deployments", WHEN_MANAGED },
    { "batch/job", "batch", "v1", "Job", "jobs", ALWAYS },
    { "jobset.x-k8s.io/jobset", "jobset.x-k8s.io", "v1alpha2", "JobSet", "jobsets", ALWAYS },
    { "kubeflow.org/jaxjob", "kubeflow.org", "v1", "JAXJob", "jaxjobs", ALWAYS },
    { "kubeflow.org/paddlejob", "kubeflow.org", "v1", "PaddleJob", "paddlejobs", ALWAYS },
    { "kubeflow.org/pytorchjob", "kubeflow.org", "v1", "PyTorchJob", "pytorchjobs", ALWAYS },
    { "kubeflow.org/tfjob", "kubeflow.org", "v1", "TFJob", "tfjobs", ALWAYS },
    { "kubeflow.org/xgboostjob", "kubeflow.org", "v1", "XGBoostJob", "xgboostjobs", ALWAYS },
    { "leaderworkerset.x-k8s.io/leaderworkerset", "leaderworkerset.x-k8s.io", "v1",
      "LeaderWorkerSet", "leaderworkersets", ALWAYS },
    { "kubeflow.org/mpijob", "kubeflow.org", "v2beta1", "MPIJob", "mpijobs", ALWAYS },
    { "pod", "", "v1", "Pod", "pods", NEVER },
    { "ray.io/raycluster", "ray.io", "v1", "RayCluster", "rayclusters", ALWAYS },
    { "ray.io/rayjob", "ray.io", "v1", "RayJob", "rayjobs", ALWAYS },
    { "ray.io/rayservice", "ray.io", "v1", "RayService", "rayservices", ALWAYS },
    { "sparkoperator.k8s.io/sparkapplication", "sparkoperator.k8s.io", "v1beta2",
      "SparkApplication", "sparkapplications", ALWAYS },
    { "statefulset", "apps", "v1", "StatefulSet", "statefulsets", WHEN_MANAGED },
    { "trainer.kubeflow.org/trainjob", "trainer.kubeflow.org", "v1alpha1", "TrainJob", "trainjobs",
      ALWAYS },
    /* Between a Deployment and its pods. */
    { "", "apps", "v1", "ReplicaSet", "replicasets", NEVER },
};

static bool is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The plural as the API's conventions form it. */
static const char *plural_of(struct arena *arena, const char *kind)
{
    size_t length = strlen(kind);
    bool in_y = length > 0 && kind[length - 1] == 'y', in_s = length > 0 && kind[length - 1] == 's';
    char *plural = arena_format(arena, "%.*s%s", (int)(in_y ? length - 1 : length), kind,
                                in_y ? "ies" : (in_s ? "es" : "s"));

    for (char *c = plural; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return plural;
}

/* "Kind.version.group" was checked with the configuration. */
static void add_external(struct owner_kinds *kinds, struct arena *arena, const char *type)
{
    char *kind = arena_strdup(arena, type), *version = strchr(kind, '.'), *group;

    *version++ = '\0';
    group = strchr(version, '.');
    *group++ = '\0';
    kinds->items[kinds->count++] = (struct owner_kind){ .framework = "",
                                                        .group = group,
                                                        .version = version,
                                                        .kind = kind,
                                                        .plural = plural_of(arena, kind),
                                                        .is_managed = true,
                                                        .is_followed = true };
}

static void add_known(struct owner_kinds *kinds, const struct known *from, bool managed)
{
    kinds->items[kinds->count++] = (struct owner_kind){
        from->framework,
        from->group,
        from->version,
        from->kind,
        from->plural,
        managed,
        from->following == ALWAYS || (from->following == WHEN_MANAGED && managed),
    };
}

void owner_kinds_init(struct owner_kinds *kinds, struct arena *arena, const char *const *frameworks,
                      size_t framework_count, const char *const *externals, size_t external_count)
{
    const struct job_kind *const *built = job_kinds();

    *kinds = (struct owner_kinds){ .items = ARENA_ARRAY(arena, ARRAY_COUNT(known) + external_count,
                                                        struct owner_kind) };
    for (; built[kinds->built]; kinds->built++)
        for (size_t i = 0; i < ARRAY_COUNT(known); i++)
            if (strcmp(known[i].framework, built[kinds->built]->framework) == 0)
                add_known(kinds, &known[i],
                          is_listed(frameworks, framework_count, known[i].framework));
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (!job_kind_by_framework(known[i].framework))
            add_known(kinds, &known[i], is_listed(frameworks, framework_count, known[i].framework));
    for (size_t i = 0; i < external_count; i++)
        add_external(kinds, arena, externals[i]);
}

int owner_kinds_find(const struct owner_kinds *kinds, const char *api_version, const char *kind)
{
    char version[320];

    for (size_t i = 0; i < kinds->count; i++) {
        const struct owner_kind *k = &kinds->items[i];

        snprintf(version, sizeof(version), "%s%s%s", k->group, *k->group ? "/" : "", k->version);
        if (strcmp(k->kind, kind) == 0 && strcmp(version, api_version) == 0)
            return (int)i;
    }
    return -1;
}
