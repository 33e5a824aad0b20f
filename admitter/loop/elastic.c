#include "admitter/loop/elastic.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/job_facts.h"
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/kube/path.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/job_slices.h"
#include "admitter/loop/job_writes.h"
#include "admitter/loop/report.h"
#include "admitter/rules/ungate.h"
#include "admitter/loop/watch.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

struct pod_record {
    char *key, *namespace, *name, *uid; /* key "ns/name" */
    int64_t resource_version;
    struct chain *chain;
    struct pod_record *next, **at; /* others of the chain */
    char *pod_set, *injected;
    bool is_gated, is_writing;
};

struct chain {
    struct dirty_link dirty;
    struct look look;
    char *key;       /* "ns/name of the first slice" */
    char *owner_key; /* of the job; NULL: no Workload of the chain is known */
    struct pod_record *pods;
    unsigned failures;
};

/* ---- records ---- */

static void mark_chain(struct loop *loop, struct chain *chain)
{
    dirty_push(&loop->dirty_chains, &chain->dirty);
}

static void wake_chain(struct loop *loop, struct look *look)
{
    mark_chain(loop, (struct chain *)((char *)look - offsetof(struct chain, look)));
}

static struct chain *chain_get(struct loop *loop, const char *namespace, const char *name)
{
    AUTO_FREE char *key = mem_format("%s/%s", namespace, name);
    struct chain *chain = map_get(loop->chains, str_of(key));

    if (chain)
        return chain;
    chain = mem_alloc(sizeof(*chain));
    chain->key = mem_dup(key);
    look_init(&chain->look, wake_chain);
    map_put(loop->chains, str_of(key), chain);
    return chain;
}

static void chain_free(struct loop *loop, struct chain *chain)
{
    look_at(loop, &chain->look, TIME_NONE);
    dirty_remove(&chain->dirty);
    free(chain->key);
    free(chain->owner_key);
    free(chain);
}

static void chain_forget_if_unused(struct loop *loop, struct chain *chain)
{
    if (chain->pods || chain->owner_key)
        return;
    map_remove(loop->chains, str_of(chain->key));
    chain_free(loop, chain);
}

static void pod_free(struct pod_record *pod)
{
    free(pod->key);
    free(pod->namespace);
    free(pod->name);
    free(pod->uid);
    free(pod->pod_set);
    free(pod->injected);
    free(pod);
}

static void pod_forget(struct loop *loop, struct pod_record *pod)
{
    struct chain *chain = pod->chain;

    *pod->at = pod->next;
    if (pod->next)
        pod->next->at = pod->at;
    map_remove(loop->pods, str_of(pod->key));
    pod_free(pod);
    mark_chain(loop, chain);
    chain_forget_if_unused(loop, chain);
}

static bool end_pod(struct str key, void *value, void *context)
{
    (void)key, (void)context;
    pod_free(value);
    return true;
}

static bool end_chain(struct str key, void *value, void *context)
{
    (void)key;
    chain_free(context, value);
    return true;
}

void chains_destroy(struct loop *loop)
{
    map_remove_if(loop->pods, end_pod, NULL);
    map_remove_if(loop->chains, end_chain, loop);
    map_destroy(loop->pods);
    map_destroy(loop->chains);
}

/* ---- pods ---- */

static bool has_gate(const json_t *pod)
{
    json_t *gate;
    size_t i;

    json_array_foreach(json_at(pod, "spec", "schedulingGates", NULL), i, gate)
        if (strcmp(json_string_at(gate, "name"), SCHEDULING_GATE_ELASTIC) == 0)
            return true;
    return false;
}

void pod_facts_read(const json_t *pod, struct arena *arena, struct pod_facts *facts)
{
    const char *phase = json_string_at(json_object_get(pod, "status"), "phase");
    AUTO_FREE char *injected = pod_template_injected(pod);

    facts->chain = arena_strdup(arena, object_annotation(pod, ANNOTATION_SLICE_NAME));
    facts->pod_set = arena_strdup(arena, object_label(pod, LABEL_POD_SET));
    facts->injected = arena_strdup(arena, injected);
    facts->is_gated = has_gate(pod);
    facts->is_over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

static struct pod_record *pod_get(struct loop *loop, const struct loop_event *event)
{
    AUTO_FREE char *key = mem_format("%s/%s", event->namespace, event->name);
    struct pod_record *pod = map_get(loop->pods, str_of(key));

    if (pod && strcmp(pod->uid, event->uid) == 0)
        return pod;
    if (pod)
        pod_forget(loop, pod);
    pod = mem_alloc(sizeof(*pod));
    pod->key = mem_dup(key);
    pod->namespace = mem_dup(event->namespace);
    pod->name = mem_dup(event->name);
    pod->uid = mem_dup(event->uid);
    pod->pod_set = mem_dup(event->pod->pod_set);
    pod->chain = chain_get(loop, event->namespace, event->pod->chain);
    pod->next = pod->chain->pods;
    pod->at = &pod->chain->pods;
    if (pod->next)
        pod->next->at = &pod->next;
    pod->chain->pods = pod;
    map_put(loop->pods, str_of(key), pod);
    return pod;
}

static void pod_take(struct loop *loop, const struct loop_event *event)
{
    struct pod_record *pod = pod_get(loop, event);

    if (event->resource_version < pod->resource_version)
        return;
    pod->resource_version = event->resource_version;
    pod->is_gated = event->pod->is_gated;
    free(pod->injected);
    pod->injected = pod->is_gated ? mem_dup(event->pod->injected) : NULL;
    mark_chain(loop, pod->chain);
}

static void pod_gone(struct loop *loop, const struct loop_event *event)
{
    AUTO_FREE char *key = mem_format("%s/%s", event->namespace, event->name);
    struct pod_record *pod = map_get(loop->pods, str_of(key));

    if (pod && strcmp(pod->uid, event->uid) == 0)
        pod_forget(loop, pod);
}

void handle_pod(struct loop *loop, struct loop_event *event)
{
    if (event->deleted || event->pod->is_over)
        pod_gone(loop, event);
    else if (*event->pod->chain)
        pod_take(loop, event);
    event_destroy(event);
}

/* ---- Workloads ---- */

void chain_of_workload_changed(struct loop *loop, struct workload_record *record)
{
    struct chain *chain;

    if (!record->chain || !(loop->settings->components & COMPONENT_ELASTIC))
        return;
    watch_set_pods(loop->watches);
    chain = chain_get(loop, record->namespace, record->chain);
    free(chain->owner_key);
    chain->owner_key = record->owner_key ? mem_dup(record->owner_key) : NULL;
    chain->failures = 0;
    mark_chain(loop, chain);
}

static bool is_evicted(const struct workload_record *record)
{
    json_t *tree = workload_tree(record);
    bool evicted = condition_true(tree, "Evicted");

    json_decref(tree);
    return evicted;
}

static bool is_newer(const struct workload_record *a, const struct workload_record *b)
{
    return a->created > b->created || (a->created == b->created && strcmp(a->uid, b->uid) > 0);
}

/* The slice whose pods may run now; NULL when there is none. '*known': the chain has a Workload. */
static struct workload_record *slice_of(struct loop *loop, const struct chain *chain, bool *known)
{
    const struct job_record *owner =
        chain->owner_key ? map_get(loop->jobs, str_of(chain->owner_key)) : NULL;
    struct workload_record *found = NULL;

    *known = false;
    for (struct workload_record *w = owner ? owner->workloads : NULL; w; w = w->owner_next) {
        if (!w->chain || strcmp(w->chain, strchr(chain->key, '/') + 1) != 0)
            continue;
        *known = true;
        if (!w->is_finished && w->is_reserved && w->is_admitted && (!found || is_newer(w, found)) &&
            !is_evicted(w))
            found = w;
    }
    return found;
}

void slice_finish_replaced(struct loop *loop, const struct workload_record *record)
{
    json_t *tree = workload_tree(record);
    const char *key = object_annotation(tree, ANNOTATION_SLICE_REPLACEMENT_FOR);
    struct workload_record *old =
        record->chain && *key ? map_get(loop->workloads, str_of(key)) : NULL;

    if (old && !old->is_finished) {
        AUTO_ARENA struct arena arena = { 0 };

        workload_finish_send(
            loop, old, "WorkloadSliceReplaced",
            replaced_message(record->uid, object_label(tree, LABEL_JOB_UID), &arena));
    }
    json_decref(tree);
}

/* ---- letting pods through ---- */

static void pod_release(struct loop *loop, struct pod_record *pod, const json_t *slice)
{
    json_t *patch = ungate_patch(pod->injected, slice, pod->pod_set), *metadata;
    struct write_op *op;

    if (!patch) {
        LOG(LOG_WARN, "a pod contradicts its admission check and stays gated", KS("pod", pod->key));
        return;
    }
    metadata = json_object_get(patch, "metadata");
    json_object_set_new(metadata, "resourceVersion",
                        json_sprintf("%lld", (long long)pod->resource_version));
    json_object_set_new(metadata, "uid", json_string(pod->uid));
    op = write_op_create(loop, WRITE_POD, pod->key, pod->uid);
    write_op_request(op, KUBE_MERGE_PATCH, pod_path(pod->namespace, pod->name), patch,
                     "fieldManager=kueue");
    report_ungating(op, slice);
    pod->is_writing = true;
    write_op_send(op);
}

struct waiting_pod {
    struct pod_record *pod;
};

static int by_name(const void *a, const void *b)
{
    const struct waiting_pod *x = a, *y = b;

    return strcmp(x->pod->name, y->pod->name);
}

static void release_pod_set(struct loop *loop, const struct chain *chain, const json_t *slice,
                            const char *pod_set, int64_t count)
{
    struct waiting_pod *gated;
    size_t waiting = 0;

    for (struct pod_record *pod = chain->pods; pod; pod = pod->next)
        waiting++;
    gated = ARENA_ARRAY(&loop->arena, waiting + 1, struct waiting_pod);
    waiting = 0;
    for (struct pod_record *pod = chain->pods; pod; pod = pod->next) {
        if (strcmp(pod->pod_set, pod_set) != 0)
            continue;
        if (pod->is_gated && !pod->is_writing)
            gated[waiting++].pod = pod;
        else
            count--;
    }
    if (waiting > 1)
        qsort(gated, waiting, sizeof(*gated), by_name);
    for (size_t i = 0; i < waiting && (int64_t)i < count; i++)
        pod_release(loop, gated[i].pod, slice);
}

void step_chain(struct loop *loop, struct dirty_link *link)
{
    struct chain *chain = (struct chain *)((char *)link - offsetof(struct chain, dirty));
    struct workload_record *slice;
    bool known;
    json_t *tree;

    if (chain->failures > 0 && chain->look.at != TIME_NONE)
        return;
    arena_reset(&loop->arena);
    slice = slice_of(loop, chain, &known);
    if (!known) {
        free(chain->owner_key);
        chain->owner_key = NULL;
        chain_forget_if_unused(loop, chain);
        return;
    }
    if (!slice)
        return;
    tree = workload_tree(slice);
    for (size_t i = 0; i < slice->pod_set_count; i++)
        release_pod_set(loop, chain, tree, slice->pod_sets[i].name, slice->pod_sets[i].count);
    json_decref(tree);
}

void pod_write_done(struct loop *loop, struct write_op *op)
{
    struct pod_record *pod = map_get(loop->pods, str_of(op->key));

    if (!pod || strcmp(pod->uid, op->uid) != 0)
        return;
    pod->is_writing = false;
    if (op->error.code == ERR_NONE) {
        pod->chain->failures = 0;
        report_ungated(op, SCHEDULING_GATE_ELASTIC);
        if (op->resource_version > pod->resource_version) {
            pod->resource_version = op->resource_version;
            pod->is_gated = false;
        }
        return;
    }
    metrics_write_failed("Pod", err_name(op->error.code));
    if (op->error.code == ERR_CONFLICT) /* its news is on the way, and marks the chain */
        return;
    LOG(LOG_WARN, "a pod could not be let through its gate", KS("pod", pod->key),
        KS("error", op->error.text));
    look_at(loop, &pod->chain->look, loop_now() + retry_delay(++pod->chain->failures));
}
