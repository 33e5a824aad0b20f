#include "admitter/explain/cluster.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/kube/path.h"
#include "admitter/objects/condition.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"

static const struct kube_resource workloads = { KUEUE_GROUP, "v1beta2", "workloads" };

/* ---- requests ---- */

static json_t *get(struct kube_client *client, const struct kube_resource *resource,
                   const char *namespace, const char *name, struct err *e)
{
    AUTO_FREE char *path = kube_path(resource, namespace, name, NULL);
    AUTO_STRBUF struct strbuf body = STRBUF_INIT;
    struct kube_request request = { .class = KUBE_CLASS_READ, .method = "GET", .path = path };
    json_error_t problem;
    json_t *answer;

    if (kube_request_wait(client, &request, &body, NULL, e) < 0)
        return NULL;
    answer = json_loadb(body.text ? body.text : "", body.length, 0, &problem);
    if (!answer)
        err_set(e, ERR_IO, "%s: %s", path, problem.text);
    return answer;
}

/* ---- the subject ---- */

void explain_subject_finish(struct explain_subject *subject)
{
    json_decref(subject->workload);
    free(subject->namespace);
    free(subject->name);
    free(subject->job);
    *subject = (struct explain_subject){ 0 };
}

static void subject_set(struct explain_subject *subject, const char *namespace, json_t *workload)
{
    subject->workload = json_incref(workload);
    subject->namespace = mem_dup(namespace);
    subject->name = mem_dup(json_string_at(json_object_get(workload, "metadata"), "name"));
}

int explain_find_workload(struct kube_client *client, const char *namespace, const char *name,
                          struct explain_subject *subject, struct err *e)
{
    json_t *workload = get(client, &workloads, namespace, name, e);

    if (!workload)
        return e->code == ERR_NOT_FOUND
                   ? err_set(e, ERR_NOT_FOUND, "there is no Workload \"%s\" in namespace \"%s\"",
                             name, namespace)
                   : -1;
    subject_set(subject, namespace, workload);
    json_decref(workload);
    return 0;
}

static bool is_owned_by(const json_t *workload, const char *uid)
{
    json_t *owner;
    size_t i;

    json_array_foreach(json_at(workload, "metadata", "ownerReferences", NULL), i, owner) {
        if (strcmp(json_string_at(owner, "uid"), uid) == 0)
            return true;
    }
    return false;
}

/* Of the job's Workloads the one that counts: unfinished, or the newest finished one. */
static json_t *choose(json_t *list, const char *uid, size_t *unfinished)
{
    json_t *found = NULL, *item;
    size_t i;

    *unfinished = 0;
    json_array_foreach(list, i, item) {
        bool finished = condition_true(item, "Finished");

        if (!is_owned_by(item, uid))
            continue;
        *unfinished += !finished;
        if (!found || !finished || condition_true(found, "Finished"))
            found = item;
    }
    return found;
}

static int no_workload(const json_t *job, const char *namespace, const char *name, struct err *e)
{
    if (!*object_label(job, LABEL_QUEUE_NAME))
        return err_set(e, ERR_NOT_FOUND,
                       "Job \"%s/%s\" is not managed: it has no label " LABEL_QUEUE_NAME, namespace,
                       name);
    return err_set(e, ERR_NOT_FOUND,
                   "Job \"%s/%s\" names queue \"%s\", but there is no Workload of it (yet)",
                   namespace, name, object_label(job, LABEL_QUEUE_NAME));
}

static int several(json_t *list, const char *uid, struct err *e)
{
    AUTO_STRBUF struct strbuf names = STRBUF_INIT;
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item) {
        if (is_owned_by(item, uid) && !condition_true(item, "Finished"))
            strbuf_printf(&names, "%s%s", names.length > 0 ? ", " : "",
                          json_string_at(json_object_get(item, "metadata"), "name"));
    }
    return err_set(e, ERR_EXISTS, "the Job has several Workloads: %s; explain one of them by name",
                   names.text);
}

static int find_owned(struct kube_client *client, const json_t *job, const char *namespace,
                      const char *name, struct explain_subject *subject, struct err *e)
{
    const char *uid = json_string_at(json_object_get(job, "metadata"), "uid");
    json_t *list = get(client, &workloads, namespace, NULL, e);
    size_t unfinished;
    json_t *found;
    int result = 0;

    if (!list)
        return -1;
    found = choose(json_object_get(list, "items"), uid, &unfinished);
    if (!found)
        result = no_workload(job, namespace, name, e);
    else if (unfinished > 1)
        result = several(json_object_get(list, "items"), uid, e);
    else
        subject_set(subject, namespace, found);
    json_decref(list);
    return result;
}

int explain_find_job(struct kube_client *client, const char *namespace, const char *name,
                     struct explain_subject *subject, struct err *e)
{
    const struct kube_resource jobs = { "batch", "v1", "jobs" };
    json_t *job = get(client, &jobs, namespace, name, e);
    const char *prebuilt;
    int result;

    if (!job)
        return e->code == ERR_NOT_FOUND
                   ? err_set(e, ERR_NOT_FOUND, "there is no Job \"%s\" in namespace \"%s\"", name,
                             namespace)
                   : -1;
    prebuilt = object_label(job, PREBUILT_WORKLOAD_NAME);
    if (*prebuilt)
        result = explain_find_workload(client, namespace, prebuilt, subject, e);
    else
        result = find_owned(client, job, namespace, name, subject, e);
    json_decref(job);
    if (result == 0)
        subject->job = mem_format("%s/%s", namespace, name);
    return result;
}

/* ---- the cluster ---- */

struct listing {
    struct kube_resource resource;
    const char *kind;
    bool has_figures;
};
static const struct listing listings[] = {
    { { KUEUE_GROUP, "v1beta2", "clusterqueues" }, "ClusterQueue", true },
    { { KUEUE_GROUP, "v1beta2", "cohorts" }, "Cohort", true },
    { { KUEUE_GROUP, "v1beta2", "localqueues" }, "LocalQueue", true },
    { { KUEUE_GROUP, "v1beta2", "resourceflavors" }, "ResourceFlavor", true },
    { { KUEUE_GROUP, "v1beta2", "admissionchecks" }, "AdmissionCheck", false },
    { { KUEUE_GROUP, "v1beta2", "topologies" }, "Topology", false },
    { { KUEUE_GROUP, "v1beta2", "workloads" }, "Workload", true },
    { { "", "v1", "namespaces" }, "Namespace", false },
    { { "", "v1", "limitranges" }, "LimitRange", false },
    { { "node.k8s.io", "v1", "runtimeclasses" }, "RuntimeClass", false },
    { { "resource.k8s.io", "v1", "deviceclasses" }, "DeviceClass", false },
    { { "resource.k8s.io", "v1", "resourceclaimtemplates" }, "ResourceClaimTemplate", false },
    { { "resource.k8s.io", "v1", "resourceslices" }, "ResourceSlice", false },
};

static int add_list(struct simulate_documents *documents, const struct listing *listing,
                    json_t *list, struct err *e)
{
    AUTO_FREE char *version =
        mem_format("%s%s%s", listing->resource.group, *listing->resource.group ? "/" : "",
                   listing->resource.version);
    AUTO_FREE char *text = NULL;
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(list, "items"), i, item) {
        json_object_set_new(item, "apiVersion", json_string(version));
        json_object_set_new(item, "kind", json_string(listing->kind));
        json_object_del(json_object_get(item, "metadata"), "managedFields");
    }
    json_object_set_new(list, "apiVersion", json_string("v1"));
    json_object_set_new(list, "kind", json_string("List"));
    text = json_dumps(list, JSON_COMPACT);
    return simulate_documents_parse(documents, listing->resource.plural,
                                    str_of(arena_strdup(&documents->arena, text)), e);
}

int explain_read_cluster(struct kube_client *client, struct simulate_documents *documents,
                         json_t *hidden, struct err *e)
{
    for (size_t i = 0; i < ARRAY_COUNT(listings); i++) {
        json_t *list = get(client, &listings[i].resource, NULL, NULL, e);
        int result = 0;

        if (!list && e->code == ERR_FORBIDDEN)
            json_array_append_new(hidden, json_string(listings[i].resource.plural));
        else if (!list && e->code != ERR_NOT_FOUND)
            return -1;
        if (list)
            result = add_list(documents, &listings[i], list, e);
        json_decref(list);
        if (result < 0)
            return -1;
        err_clear(e);
    }
    return 0;
}

bool explain_has_figures(const json_t *hidden)
{
    json_t *name;
    size_t i;

    json_array_foreach(hidden, i, name) {
        for (size_t k = 0; k < ARRAY_COUNT(listings); k++)
            if (listings[k].has_figures &&
                strcmp(listings[k].resource.plural, json_string_value(name)) == 0)
                return false;
    }
    return true;
}
