#include "admitter/loop/job_writes.h"

#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/jobs/pod_set_info.h"
#include "admitter/jobs/workload_name.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/job_slices.h"
#include "admitter/loop/report.h"
#include "admitter/loop/workload_writes.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define LABEL_VALUE_LIMIT 63

/* ---- Events ---- */

static char *api_version_of(const struct job_kind *kind)
{
    return mem_format("%s%s%s", kind->group, *kind->group ? "/" : "", kind->version);
}

static void fill_note(const struct job_record *record, struct kube_note *note, char **api_version,
                      char **controller)
{
    const struct job *job = record->job;

    *api_version = api_version_of(job->kind);
    *controller = mem_format("%s-kueue-controller", job->kind->framework);
    *note = (struct kube_note){ .api_version = *api_version,
                                .kind = job->kind->kind,
                                .namespace = job->namespace,
                                .name = job->name,
                                .uid = job->uid,
                                .controller = *controller };
}

void job_event(struct loop *loop, const struct job_record *record, bool warning, const char *reason,
               const char *text)
{
    AUTO_FREE char *api_version = NULL;
    AUTO_FREE char *controller = NULL;
    struct kube_note note;

    if (!record->job)
        return;
    fill_note(record, &note, &api_version, &controller);
    note.warning = warning;
    note.reason = reason;
    note.note = text;
    kube_recorder_post(loop->parts.recorder, &note);
}

void job_event_once(struct loop *loop, struct job_record *record, const char *reason,
                    const char *note)
{
    uint64_t hash = hash_text(0, note);

    if (record->last_event == hash)
        return;
    record->last_event = hash;
    job_event(loop, record, false, reason, note);
}

void job_note(struct write_op *op, const struct job_record *record, const struct job_choice *choice)
{
    AUTO_FREE char *api_version = NULL;
    AUTO_FREE char *controller = NULL;
    struct kube_note note;

    if (!choice || !choice->event_reason || !record->job)
        return;
    fill_note(record, &note, &api_version, &controller);
    note.reason = choice->event_reason;
    note.note = choice->event_note;
    write_op_note(op, &note);
}

/* ---- the job itself ---- */

static struct write_op *job_op(struct loop *loop, struct job_record *record)
{
    struct write_op *op = write_op_create(loop, WRITE_JOB, record->key, record->job->uid);

    op->kind = record->kind;
    return op;
}

void job_patch_send(struct loop *loop, struct job_record *record, struct job_patch *patch,
                    const struct job_choice *choice)
{
    struct write_op *op;

    if (!pace_allows(&record->pace, loop_now())) {
        LOG(LOG_WARN, "a job does not keep what is written to it", KS("job", record->key));
        json_decref(patch->body);
        look_at(loop, &record->look, pace_next(&record->pace));
        return;
    }
    op = job_op(loop, record);
    job_note(op, record, choice);
    write_op_request(
        op, KUBE_MERGE_PATCH,
        job_path(record->kind, record->job->namespace, record->job->name, patch->subresource),
        patch->body, "fieldManager=kueue");
    op->write->want_object = true;
    record->is_writing = true;
    write_op_send(op);
}

void job_suspend_send(struct loop *loop, struct job_record *record, const struct job_choice *choice)
{
    struct job_patch patch = { 0 };

    patch.body = json_pack("{s:{s:o}, s:{s:b}}", "metadata", "resourceVersion",
                           json_sprintf("%lld", (long long)record->job->resource_version), "spec",
                           "suspend", 1);
    job_patch_send(loop, record, &patch, choice);
}

void job_delete_send(struct loop *loop, struct job_record *record, const struct job_choice *choice)
{
    struct write_op *op = job_op(loop, record);

    job_note(op, record, choice);
    write_op_request(
        op, KUBE_DELETE, job_path(record->kind, record->job->namespace, record->job->name, NULL),
        json_pack("{s:s, s:s, s:s, s:{s:s}}", "kind", "DeleteOptions", "apiVersion", "v1",
                  "propagationPolicy", "Background", "preconditions", "uid", record->job->uid),
        NULL);
    record->is_writing = true;
    write_op_send(op);
}

static void read_again(struct loop *loop, struct job_record *record)
{
    if (record->is_fetching)
        return;
    record->is_fetching = true;
    fetch_object(loop, EVENT_JOB, record->kind, record->job->namespace, record->job->name,
                 record->job->uid);
}

static void job_refused(struct loop *loop, struct job_record *record, const struct write_op *op)
{
    metrics_write_failed(job_kinds()[record->kind]->kind, err_name(op->error.code));
    if (op->error.code == ERR_CONFLICT) { /* somebody was faster: decide again on what is there */
        read_again(loop, record);
        return;
    }
    record->failures++;
    if (op->error.code == ERR_INVALID || op->error.code == ERR_FORBIDDEN) {
        LOG(LOG_ERROR, "the API server refused a change of a job", KS("job", record->key),
            KS("error", op->error.text));
        if (record->failures == 1)
            job_event(loop, record, true, "UpdateRefused", op->error.text);
    } else if (op->error.code != ERR_NOT_FOUND) {
        LOG(LOG_WARN, "a change of a job failed", KS("job", record->key),
            KS("error", op->error.text));
    }
    if (op->error.code == ERR_NOT_FOUND || op->outcome_unknown)
        read_again(loop, record);
    look_at(loop, &record->look, loop_now() + retry_delay(record->failures));
}

/* Somebody else's Workload has the name; until it goes, or changes hands, nothing is to be done. */
static void name_taken(struct loop *loop, const struct job_record *record, const char *name)
{
    AUTO_FREE char *note = mem_format("Workload %s/%s exists already and is not owned by this %s",
                                      record->job->namespace, name, record->job->kind->kind);

    want_workload(loop, record, name);
    if (record->failures == 0)
        job_event(loop, record, true, "WorkloadNameConflict", note);
}

/* The Workload's own watch event brings it in and marks the job; until then nothing is to be done.
 * One of that name that is there already is ours from an earlier try, or its event says more. */
static void workload_created(struct loop *loop, struct job_record *record, struct write_op *op)
{
    const struct workload_record *workload;
    bool is_ours;

    if (op->error.code == ERR_NONE) {
        record->failures = 0;
        report_created(record->job);
    } else if (op->error.code != ERR_EXISTS) {
        job_refused(loop, record, op);
        return;
    }
    workload = workload_find(loop, record->job->namespace, op->creates_workload);
    is_ours = workload && workload->owner_key && strcmp(workload->owner_key, record->key) == 0;
    if (is_ours && !workload->is_deleting) {
        record->failures = 0; /* the event was faster than the answer */
        mark_job(loop, record);
        return;
    }
    if (workload && !is_ours)
        name_taken(loop, record, op->creates_workload);
    /* In case the event does not come: the Workload may have been deleted at once. */
    look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
}

void job_write_done(struct loop *loop, struct write_op *op)
{
    struct job_record *record = map_get(loop->jobs, str_of(op->key));
    struct loop_event *event;

    if (op->error.code == ERR_NONE) /* also when the watch saw the end of the job first */
        post_notes(op);
    if (!record)
        return;
    record->is_writing = false;
    if (!record->job || strcmp(record->job->uid, op->uid) != 0) {
        mark_job(loop, record);
        return;
    }
    if (op->creates_workload) {
        workload_created(loop, record, op);
        return;
    }
    if (op->error.code != ERR_NONE) {
        job_refused(loop, record, op);
        return;
    }
    record->failures = 0;
    event = event_decode(EVENT_JOB, op->kind, &loop->settings->jobs, op->body, NULL);
    if (event) /* the answer of a delete is no job */
        handle_job(loop, event);
    record = map_get(loop->jobs, str_of(op->key));
    if (record)
        mark_job(loop, record);
}

/* ---- the Workload of a job ---- */

static json_t *owner_reference(const struct job *job)
{
    AUTO_FREE char *api_version = api_version_of(job->kind);

    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion", api_version, "kind",
                     job->kind->kind, "name", job->name, "uid", job->uid, "controller", 1,
                     "blockOwnerDeletion", 1);
}

static bool is_label_value(const char *text)
{
    return *text && strlen(text) <= LABEL_VALUE_LIMIT;
}

static void copy_keys(json_t *to, const json_t *from, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_object_set(to, keys[i],
                        json_object_get(from, keys[i])); /* an absent one is left out */
}

static json_t *workload_labels(const struct loop_settings *settings, const struct job *job,
                               const json_t *object)
{
    json_t *labels = json_object();

    copy_keys(labels, json_at(object, "metadata", "labels", NULL), settings->label_keys_to_copy,
              settings->label_key_count);
    if (is_label_value(job->uid))
        json_object_set_new(labels, LABEL_JOB_UID, json_string(job->uid));
    return labels;
}

static json_t *workload_annotations(const struct loop_settings *settings, const struct job *job,
                                    const json_t *object)
{
    json_t *annotations = json_object(), *from = json_at(object, "metadata", "annotations", NULL),
           *value;
    const char *key;

    json_object_foreach(from, key, value)
        if (strncmp(key, ANNOTATION_PROVISIONING_PREFIX, strlen(ANNOTATION_PROVISIONING_PREFIX)) ==
            0)
            json_object_set(annotations, key, value);
    copy_keys(annotations, from, settings->annotation_keys_to_copy, settings->annotation_key_count);
    if (*job->admission_gated_by)
        json_object_set_new(annotations, ANNOTATION_ADMISSION_GATED_BY,
                            json_string(job->admission_gated_by));
    return annotations;
}

static json_t *workload_spec(struct loop *loop, const struct job_facts *facts, const json_t *object,
                             struct err *e)
{
    const struct job *job = facts->job;
    json_t *pod_sets = job->kind->pod_sets(object, &loop->settings->jobs, e);
    json_t *spec;

    if (!pod_sets)
        return NULL;
    spec = json_pack("{s:s, s:o, s:i}", "queueName", job->queue_name, "podSets", pod_sets,
                     "priority", (int)facts->priority);
    if (*facts->priority_name)
        json_object_set_new(spec, "priorityClassRef",
                            json_pack("{s:s, s:s, s:s}", "group", facts->priority_group, "kind",
                                      facts->priority_kind, "name", facts->priority_name));
    if (job->maximum_execution_seconds > 0)
        json_object_set_new(spec, "maximumExecutionTimeSeconds",
                            json_integer(job->maximum_execution_seconds));
    if (!*job->queue_name)
        json_object_del(spec, "queueName");
    return spec;
}

/* The chain of slices that the new Workload is a part of (1.20). */
static void slice_annotate(json_t *annotations, const char *name, const struct job *job,
                           const struct workload_facts *replaced)
{
    json_object_set_new(annotations, ANNOTATION_ELASTIC_JOB, json_string("true"));
    json_object_set_new(annotations, ANNOTATION_SLICE_NAME,
                        json_string(replaced ? slice_chain(replaced->object) : name));
    if (replaced)
        json_object_set_new(annotations, ANNOTATION_SLICE_REPLACEMENT_FOR,
                            json_sprintf("%s/%s", job->namespace, replaced->name));
}

/* The job runs with what its slice's flavor added; the new slice describes it as it was before. */
static void slice_take_templates(json_t *spec, const struct workload_facts *replaced)
{
    json_t *list = json_object_get(spec, "podSets");

    for (size_t i = 0; i < json_array_size(list) && i < replaced->pod_set_count; i++)
        pod_template_inject(json_object_get(json_array_get(list, i), "template"),
                            replaced->pod_sets[i].injected);
}

int workload_create_send(struct loop *loop, struct job_record *record,
                         const struct job_facts *facts, const json_t *object,
                         const struct job_choice *choice, struct err *e)
{
    const struct job *job = facts->job;
    json_t *spec = workload_spec(loop, facts, object, e), *metadata;
    struct job_choice created = { .event_reason = "CreatedWorkload" };
    json_t *annotations;
    struct write_op *op;
    char *name;

    if (!spec)
        return -1;
    name = workload_name(
        &loop->arena, job->kind->kind, job->kind->group, job->name, job->uid,
        job->is_elastic ? arena_format(&loop->arena, "%lld", (long long)job->generation) : NULL,
        loop->settings->jobs.short_workload_names);
    annotations = workload_annotations(loop->settings, job, object);
    if (job->is_elastic)
        slice_annotate(annotations, name, job, choice->workload);
    if (choice->workload)
        slice_take_templates(spec, choice->workload);
    metadata = json_pack("{s:s, s:s, s:o, s:o, s:[s], s:[o]}", "name", name, "namespace",
                         job->namespace, "labels", workload_labels(loop->settings, job, object),
                         "annotations", annotations, "finalizers", FINALIZER_RESOURCE_IN_USE,
                         "ownerReferences", owner_reference(job));
    op = write_op_create(loop, WRITE_JOB, record->key, job->uid);
    op->kind = record->kind;
    op->creates_workload = arena_strdup(&op->event.arena, name);
    created.event_note =
        arena_format(&loop->arena, "Created Workload: %s/%s", job->namespace, name);
    job_note(op, record, &created);
    write_op_request(op, KUBE_CREATE, workload_path(job->namespace, NULL, NULL),
                     json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", KUEUE_V1BETA2, "kind",
                               "Workload", "metadata", metadata, "spec", spec),
                     "fieldManager=kueue");
    record->is_writing = true;
    write_op_send(op);
    return 0;
}

int workload_update_send(struct loop *loop, struct job_record *record,
                         const struct job_facts *facts, const json_t *object,
                         struct workload_record *workload, const struct job_choice *choice,
                         struct err *e)
{
    json_t *spec = workload_spec(loop, facts, object, e);
    json_t *tree = workload ? workload_tree(workload) : NULL;
    json_t *active = json_at(tree, "spec", "active", NULL);
    struct write_op *op;

    if (!spec || !workload) {
        json_decref(spec);
        json_decref(tree);
        return spec ? 0 : -1;
    }
    if (active)
        json_object_set(spec, "active", active);
    if (!json_object_get(spec, "priorityClassRef"))
        json_object_set_new(spec, "priorityClassRef", json_null());
    if (!json_object_get(spec, "maximumExecutionTimeSeconds"))
        json_object_set_new(spec, "maximumExecutionTimeSeconds", json_null());
    json_decref(tree);
    op = workload_patch_op(loop, workload, json_pack("{s:o}", "spec", spec));
    job_note(op, record, choice);
    workload->is_writing = true;
    write_op_send(op);
    return 0;
}

void workload_finish_send(struct loop *loop, struct workload_record *workload, const char *reason,
                          const char *message)
{
    json_t *before, *after;
    struct write_op *op;

    if (!workload || workload->is_writing || workload_is_awaited(loop, workload))
        return;
    before = workload_tree(workload);
    after = json_deep_copy(before);
    condition_put(
        after,
        &(struct condition_change){ "Finished", "True", reason, message, workload->generation },
        loop_now());
    op = workload_status_op(loop, workload, WRITE_WORKLOAD_STATUS, before, after);
    if (op) {
        workload->is_writing = true;
        write_op_send(op);
    }
    json_decref(before);
    json_decref(after);
}

json_t *adoption_patch(const struct job *job, const json_t *tree)
{
    json_t *owners = json_at(tree, "metadata", "ownerReferences", NULL);
    json_t *list = owners ? json_deep_copy(owners) : json_array(), *metadata;

    json_array_append_new(list, owner_reference(job));
    metadata = json_pack("{s:o}", "ownerReferences", list);
    if (is_label_value(job->uid))
        json_object_set_new(metadata, "labels", json_pack("{s:s}", LABEL_JOB_UID, job->uid));
    return json_pack("{s:o}", "metadata", metadata);
}
