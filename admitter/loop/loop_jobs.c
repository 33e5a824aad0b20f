/* Jobs: their events, and carrying out what the job rules choose. */
#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/job_copy.h"
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/jobs/workload_name.h"
#include "admitter/objects/condition.h"
#include "admitter/loop/job_writes.h"
#include "admitter/loop/owners.h"
#include "admitter/loop/workload_writes.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

void mark_job(struct loop *loop, struct job_record *record)
{
    dirty_push(&loop->dirty_jobs, &record->dirty);
}

/* ---- events ---- */

static void job_gone(struct loop *loop, struct job_record *record)
{
    if (record->job) {
        snapshot_owner_remove(loop->parts.snapshot, record->kind, record->job->namespace,
                              record->job->name);
        mark_children(loop, record->job->uid);
    }
    child_leave(loop, record);
    free(record->job);
    record->job = NULL;
    mark_job(loop, record);
    job_forget_if_unused(loop, record);
}

void want_workload(struct loop *loop, const struct job_record *record, const char *name)
{
    AUTO_FREE char *key = mem_format("%s/%s", record->job->namespace, name);

    free(map_put(loop->wanted_workloads, str_of(key), mem_dup(record->key)));
}

static void tell_children(struct loop *loop, const struct job_record *record)
{
    struct owner_facts facts;

    owner_facts_of_job(record->job, &facts);
    snapshot_owner_put(loop->parts.snapshot, record->kind, record->job->namespace,
                       record->job->name, &facts);
    mark_children(loop, record->job->uid);
}

/* A new state of the job, or (fetched) the same one with the whole object at hand. */
static void job_take(struct loop *loop, struct job_record *record, struct loop_event *event)
{
    if (!record->job || strcmp(record->job->uid, event->uid) != 0 ||
        event->resource_version > record->job->resource_version) {
        record->failures = 0; /* what was refused before may pass now */
        look_at(loop, &record->look, TIME_NONE);
    }
    free(record->job);
    record->job = job_copy(event->job);
    if (*record->job->prebuilt_name)
        want_workload(loop, record, record->job->prebuilt_name);
    child_join(loop, record);
    tell_children(loop, record);
    /* Decide while the whole object is at hand: a new job's Workload is made from it. */
    record->raw = event->raw;
    mark_job(loop, record);
    step_job(loop, record);
    record = job_find(loop, event->job_kind, event->namespace, event->name);
    if (record)
        record->raw = (struct str){ 0 };
}

static bool is_wanted(const struct job_record *record, const struct loop_event *event)
{
    bool same = record->job && strcmp(record->job->uid, event->uid) == 0;

    if (event
            ->fetched) /* of the incarnation that was asked for, and not older than what is known */
        return same && event->resource_version >= record->job->resource_version;
    return !same || event->resource_version > record->job->resource_version;
}

void handle_job(struct loop *loop, struct loop_event *event)
{
    struct job_record *record = job_get(loop, event->job_kind, event->namespace, event->name);

    if (event->fetched)
        record->is_fetching = false;
    if (event->deleted) {
        if (!event->fetched || (record->job && strcmp(record->job->uid, event->uid) == 0))
            job_gone(loop, record);
    } else if (event->resource_version < 0) { /* the read failed: ask again */
        look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
        mark_job(loop, record);
    } else if (is_wanted(record, event)) {
        job_take(loop, record, event);
    }
    event_destroy(event);
}

/* ---- facts ---- */

static int by_age(const void *a, const void *b)
{
    const struct workload_facts *x = a, *y = b;

    if (x->created != y->created)
        return x->created < y->created ? -1 : 1;
    return strcmp(x->uid, y->uid);
}

static size_t collect(struct loop *loop, const struct job_record *record,
                      struct workload_facts **facts)
{
    size_t count = 0, i = 0;

    for (struct workload_record *w = record->workloads; w; w = w->owner_next)
        count++;
    *facts = ARENA_ARRAY(&loop->arena, count + 1, struct workload_facts);
    for (struct workload_record *w = record->workloads; w; w = w->owner_next)
        workload_facts(w, workload_tree(w), &(*facts)[i++]);
    if (count > 1)
        qsort(*facts, count, sizeof(**facts), by_age);
    return count;
}

static void find_priority(struct loop *loop, struct job_facts *facts)
{
    const struct job *job = facts->job;
    const struct priority_record *found = NULL, *best = NULL;
    struct map_entry entry;

    facts->priority_group = facts->priority_kind = facts->priority_name = "";
    facts->priority_known = true;
    if (*job->priority_class || *job->pod_priority_class) {
        bool ours = *job->priority_class != '\0';

        facts->priority_name = ours ? job->priority_class : job->pod_priority_class;
        facts->priority_group = ours ? PRIORITY_GROUP_WORKLOAD : PRIORITY_GROUP_POD;
        facts->priority_kind = ours ? PRIORITY_KIND_WORKLOAD : PRIORITY_KIND_POD;
        found = map_get(ours ? loop->workload_priority_classes : loop->priority_classes,
                        str_of(facts->priority_name));
        facts->priority_known = found != NULL;
        facts->priority = found ? found->value : 0;
        return;
    }
    for (size_t at = 0; map_next(loop->priority_classes, &at, &entry);) {
        found = entry.value;
        if (!found->global_default ||
            (best &&
             (best->value < found->value ||
              (best->value == found->value && strcmp(facts->priority_name, entry.key.text) < 0))))
            continue;
        best = found;
        facts->priority_name = entry.key.text;
    }
    if (best) {
        facts->priority = best->value;
        facts->priority_group = PRIORITY_GROUP_POD;
        facts->priority_kind = PRIORITY_KIND_POD;
    }
}

static void find_facts(struct loop *loop, struct job_record *record, struct job_facts *facts)
{
    struct workload_facts *workloads;
    const struct namespace_record *namespace;
    struct workload_record *prebuilt;

    *facts = (struct job_facts){ .job = record->job, .is_top_level = true };
    facts->workload_count = collect(loop, record, &workloads);
    facts->workloads = workloads;
    if (!record->job)
        return;
    namespace = map_get(loop->namespaces, str_of(record->job->namespace));
    facts->namespace_exists = namespace != NULL;
    facts->namespace_managed = namespace && namespace->is_managed;
    find_ancestor(loop, record->job, facts);
    find_priority(loop, facts);
    prebuilt = *record->job->prebuilt_name
                   ? workload_find(loop, record->job->namespace, record->job->prebuilt_name)
                   : NULL;
    if (prebuilt) {
        struct workload_facts *f = ARENA_NEW(&loop->arena, struct workload_facts);

        workload_facts(prebuilt, workload_tree(prebuilt), f);
        facts->prebuilt = f;
    }
}

static void drop_facts(const struct job_facts *facts)
{
    for (size_t i = 0; i < facts->workload_count; i++)
        json_decref((json_t *)(uintptr_t)facts->workloads[i].object);
    if (facts->prebuilt)
        json_decref((json_t *)(uintptr_t)facts->prebuilt->object);
}

/* ---- carrying out ---- */

static struct workload_record *record_of(struct loop *loop, const struct job_record *record,
                                         const struct workload_facts *facts)
{
    const char *namespace = json_string_at(json_object_get(facts->object, "metadata"), "namespace");

    (void)record;
    return workload_find(loop, namespace, facts->name);
}

static bool flavor_find(void *context, const char *flavor, const json_t **node_labels,
                        const json_t **tolerations)
{
    struct loop *loop = context;
    struct object_record *record = object_find(loop, OBJECT_FLAVOR, "", flavor);
    json_t *spec = record && record->text ? json_loads(record->text, 0, NULL) : NULL;

    if (!record || !record->text)
        return false;
    /* Kept by the arena-long list of this step: see step_trees. */
    json_array_append_new(loop->step_trees, spec ? spec : json_object());
    *node_labels = json_object_get(spec, "nodeLabels");
    *tolerations = json_object_get(spec, "tolerations");
    return true;
}

static void act_start(struct loop *loop, struct job_record *record, const struct job_choice *choice)
{
    const struct workload_facts *workload = choice->workload;
    struct pod_set_info *infos =
        ARENA_ARRAY(&loop->arena, workload->pod_set_count + 1, struct pod_set_info);
    struct job_patch patch = { 0 };
    struct err e = { 0 };
    int result = workload_infos(workload, loop->settings, flavor_find, loop, infos, &e);

    if (result == 0)
        result = record->job->kind->start(record->job, infos, workload->pod_set_count, &patch, &e);
    pod_set_info_finish(infos, workload->pod_set_count);
    json_array_clear(loop->step_trees);
    if (result == 0) {
        job_patch_send(loop, record, &patch, choice);
    } else if (e.code == ERR_INVALID) {
        workload_finish_send(loop, record_of(loop, record, workload), "FailedToStart", e.text);
    } else {
        LOG(LOG_WARN, "a job cannot be started yet", KS("job", record->key), KS("error", e.text));
        look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
    }
}

static void act(struct loop *loop, struct job_record *record, const struct job_facts *facts,
                struct job_choice *choice);

static void act_stop(struct loop *loop, struct job_record *record, const struct job_facts *facts,
                     struct job_choice *choice)
{
    const struct workload_facts *workload = choice->workload;
    size_t count = workload ? workload->pod_set_count : 0;
    struct pod_set_info *infos = ARENA_ARRAY(&loop->arena, count + 1, struct pod_set_info);
    struct job_patch patch = { 0 };
    struct job_choice next;

    for (size_t i = 0; i < count; i++)
        pod_set_info_from_injected(&infos[i], workload->pod_sets[i].name,
                                   workload->pod_sets[i].count, workload->pod_sets[i].injected);
    record->job->kind->stop(record->job, workload ? infos : NULL, count, &patch, NULL);
    pod_set_info_finish(infos, count);
    if (patch.body) {
        job_patch_send(loop, record, &patch, patch.suspends ? choice : NULL);
        return;
    }
    job_step_stopped(facts, loop->settings, workload, loop_now(), &loop->arena, &next);
    next.next = next.next == TIME_NONE ? choice->next : next.next;
    act(loop, record, facts, &next);
    *choice = next;
}

/* A Workload that our last write has not reached yet is left until it has; its news mark this
 * job. */
static bool may_write(struct loop *loop, struct workload_record *workload)
{
    if (!workload || workload->is_writing || workload_is_awaited(loop, workload))
        return false;
    if (pace_allows(&workload->pace, loop_now()))
        return true;
    LOG(LOG_WARN, "a workload does not keep what is written to it", KS("workload", workload->key));
    look_at(loop, &workload->look, pace_next(&workload->pace));
    return false;
}

static void act_write_tree(struct loop *loop, struct job_record *record,
                           const struct job_choice *choice)
{
    struct workload_record *workload = record_of(loop, record, choice->workload);
    struct write_op *op;

    if (!may_write(loop, workload))
        return;
    op = workload_status_op(loop, workload, WRITE_WORKLOAD_STATUS,
                            (json_t *)(uintptr_t)choice->workload->object, choice->tree);
    if (!op)
        return;
    job_note(op, record, choice);
    workload->is_writing = true;
    write_op_send(op);
}

static void send_workload_op(struct job_record *record, struct workload_record *workload,
                             struct write_op *op, const struct job_choice *choice)
{
    if (!op)
        return;
    job_note(op, record, choice);
    workload->is_writing = true;
    write_op_send(op);
}

static void act_on_workload(struct loop *loop, struct job_record *record, struct job_choice *choice)
{
    struct workload_record *workload = record_of(loop, record, choice->workload);
    const json_t *tree = choice->workload->object;
    struct write_op *op = NULL;

    if (!may_write(loop, workload))
        return;
    switch (choice->action) {
    case JOB_PATCH_WORKLOAD:
        op = workload_patch_op(loop, workload, json_incref(choice->patch));
        break;
    case JOB_RESIZE_WORKLOAD:
        op = workload_json_patch_op(loop, workload, json_incref(choice->patch));
        break;
    case JOB_REMOVE_FINALIZER:
        op = workload_finalizer_op(loop, workload, tree);
        break;
    case JOB_DELETE_WORKLOAD:
        op = workload_finalizer_op(loop, workload, tree);
        if (!op && !workload->is_deleting)
            op = workload_delete_op(loop, workload);
        break;
    case JOB_ADOPT_WORKLOAD:
        op = workload_patch_op(loop, workload, adoption_patch(record->job, tree));
        break;
    default:
        break;
    }
    send_workload_op(record, workload, op, choice);
}

/* Something that needs the whole job object: take it from the event, or read it. */
static void act_with_object(struct loop *loop, struct job_record *record,
                            const struct job_facts *facts, const struct job_choice *choice)
{
    struct workload_record *workload =
        choice->workload ? record_of(loop, record, choice->workload) : NULL;
    json_t *object;
    struct err e = { 0 };
    int result;

    if (record->raw.length == 0) {
        if (!record->is_fetching)
            fetch_object(loop, EVENT_JOB, record->kind, record->job->namespace, record->job->name,
                         record->job->uid);
        record->is_fetching = true;
        return;
    }
    if (choice->workload && !may_write(loop, workload))
        return;
    object = json_loadb(record->raw.text, record->raw.length, 0, NULL);
    if (choice->action == JOB_CREATE_WORKLOAD)
        result = workload_create_send(loop, record, facts, object, choice, &e);
    else
        result = workload_update_send(loop, record, facts, object, workload, choice, &e);
    json_decref(object);
    if (result < 0) {
        LOG(LOG_ERROR, "no Workload can be made of a job", KS("job", record->key),
            KS("error", e.text));
        job_event(loop, record, true, "InvalidJob", e.text);
        look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
    }
}

static void act_missing_class(struct loop *loop, struct job_record *record,
                              const struct job_facts *facts)
{
    AUTO_FREE char *note =
        mem_format("%s \"%s\" not found", facts->priority_kind, facts->priority_name);
    AUTO_FREE char *reason = mem_format("%sNotFound", facts->priority_kind);

    if (record->failures == 0)
        job_event(loop, record, true, reason, note);
    look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
}

/* An owner that is not there, or too many of them: as for any error, tried again ever more
 * rarely. */
static void act_ancestor_problem(struct loop *loop, struct job_record *record,
                                 const struct job_facts *facts)
{
    LOG(LOG_WARN, "a job's owners cannot be told", KS("job", record->key),
        KS("error", facts->ancestor_problem));
    if (record->failures == 0 && facts->is_nested_too_deep)
        job_event(loop, record, true, "JobNestingTooDeep",
                  "Terminated search for Kueue-managed Job because ancestor depth exceeded limit "
                  "of 10");
    look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
}

static void act(struct loop *loop, struct job_record *record, const struct job_facts *facts,
                struct job_choice *choice)
{
    switch (choice->action) {
    case JOB_NOTHING:
        if (choice->event_reason)
            job_event_once(loop, record, choice->event_reason, choice->event_note);
        break;
    case JOB_STOP:
        act_stop(loop, record, facts, choice);
        break;
    case JOB_START:
        act_start(loop, record, choice);
        break;
    case JOB_SUSPEND_CHILD:
        job_suspend_send(loop, record, choice);
        break;
    case JOB_CREATE_WORKLOAD:
    case JOB_UPDATE_WORKLOAD:
        act_with_object(loop, record, facts, choice);
        break;
    case JOB_WRITE_WORKLOAD:
        act_write_tree(loop, record, choice);
        break;
    case JOB_DELETE_JOB:
        job_delete_send(loop, record, choice);
        break;
    case JOB_ANCESTOR_PROBLEM:
        act_ancestor_problem(loop, record, facts);
        break;
    case JOB_MISSING_CLASS:
        act_missing_class(loop, record, facts);
        break;
    default:
        act_on_workload(loop, record, choice);
        break;
    }
}

static bool is_reconciled(const struct loop *loop, const struct job_record *record)
{
    return record->kind < loop->settings->owners.built &&
           (loop->settings->job_reconcilers & (1u << record->kind));
}

void step_job(struct loop *loop, struct job_record *record)
{
    struct job_facts facts;
    struct job_choice choice;

    if (!loop->is_leading || record->is_writing || !is_reconciled(loop, record) ||
        (record->failures > 0 && record->look.at != TIME_NONE))
        return;
    arena_reset(&loop->arena);
    find_facts(loop, record, &facts);
    job_step(&facts, loop->settings, loop_now(), &loop->arena, &choice);
    act(loop, record, &facts, &choice);
    if (choice.next != TIME_NONE)
        look_at(loop, &record->look, choice.next);
    json_decref(choice.tree);
    json_decref(choice.patch);
    drop_facts(&facts);
    job_forget_if_unused(loop, record);
}
