#include "admitter/loop/writes.h"

#include <stdio.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/kube/path.h"
#include "admitter/loop/intents.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define KUEUE_VERSION "v1beta2"
/* Short enough that a write sent by a leader has ended before another replica may lead (lease 15 s,
 * renewed within 10 s). */
#define WRITE_DEADLINE_MS 4500

static void drop(struct message *m)
{
    write_op_destroy((struct write_op *)m);
}

struct write_op *write_op_create(struct loop *loop, enum write_purpose purpose, const char *key,
                                 const char *uid)
{
    struct write_op *op = mem_alloc(sizeof(*op));

    op->event.message.drop = drop;
    op->event.kind = EVENT_WRITE_DONE;
    arena_init(&op->event.arena);
    op->loop = loop;
    op->purpose = purpose;
    op->key = mem_dup(key);
    op->uid = mem_dup(uid);
    op->began = loop_now();
    return op;
}

static unsigned *writes_of_kind(const struct write_op *op)
{
    bool object = op->purpose == WRITE_OBJECT_STATUS || op->purpose == WRITE_OBJECT_FINALIZER;

    return object ? &op->loop->object_writes : &op->loop->other_writes;
}

void write_op_destroy(struct write_op *op)
{
    if (!op)
        return;
    if (op->is_sent)
        (*writes_of_kind(op))--;
    for (unsigned i = 0; i < op->note_count; i++) {
        struct write_note *n = &op->notes[i];

        free(n->api_version);
        free(n->kind);
        free(n->namespace);
        free(n->name);
        free(n->uid);
        free(n->reason);
        free(n->note);
        free(n->controller);
    }
    kube_write_destroy(op->write);
    json_decref(op->tree);
    json_decref(op->says);
    free((void *)(uintptr_t)op->body.text);
    free(op->key);
    free(op->uid);
    arena_finish(&op->event.arena);
    free(op);
}

void write_op_note(struct write_op *op, const struct kube_note *note)
{
    struct write_note *n;

    if (op->note_count == WRITE_NOTES)
        return;
    n = &op->notes[op->note_count++];
    *n = (struct write_note){ mem_dup(note->api_version), mem_dup(note->kind),
                              mem_dup(note->namespace),   mem_dup(note->name),
                              mem_dup(note->uid),         note->warning,
                              mem_dup(note->reason),      mem_dup(note->note),
                              mem_dup(note->controller) };
}

void post_notes(struct write_op *op)
{
    for (unsigned i = 0; i < op->note_count; i++) {
        const struct write_note *n = &op->notes[i];
        struct kube_note note = { .api_version = n->api_version,
                                  .kind = n->kind,
                                  .namespace = n->namespace,
                                  .name = n->name,
                                  .uid = n->uid,
                                  .warning = n->warning,
                                  .reason = n->reason,
                                  .note = n->note,
                                  .controller = n->controller };

        kube_recorder_post(op->loop->parts.recorder, &note);
    }
}

static void read_answer(struct write_op *op, const struct kube_result *result)
{
    json_t *answer;

    op->error = result->error;
    op->outcome_unknown = result->outcome_unknown;
    snprintf(op->reason, sizeof(op->reason), "%s", result->reason);
    if (result->error.code != ERR_NONE || result->body.length == 0)
        return;
    op->body =
        (struct str){ mem_dup_n(result->body.text, result->body.length), result->body.length };
    answer = json_loadb(result->body.text, result->body.length, 0, NULL);
    str_to_int64(str_of(json_string_at(json_object_get(answer, "metadata"), "resourceVersion")),
                 &op->resource_version);
    json_decref(answer);
}

/* Kube thread. */
static void write_done(struct kube_write *write, const struct kube_result *result)
{
    struct write_op *op = write->context;

    read_answer(op, result);
    op->event.kind = EVENT_WRITE_DONE;
    loop_push(op->loop, &op->event);
}

/* The writer ends first: nobody will hear of this write any more. */
static void write_dropped(struct kube_write *write)
{
    write_op_destroy(write->context);
}

void write_op_request(struct write_op *op, enum kube_write_kind kind, char *path, json_t *body,
                      const char *query)
{
    struct strbuf text = STRBUF_INIT;
    AUTO_FREE char *dumped = body ? json_dumps(body, JSON_COMPACT) : NULL;

    if (dumped)
        strbuf_puts(&text, dumped);
    json_decref(body);
    op->write = kube_write_create(kind, path, &text);
    /* The server gives a reservation up in time, too. */
    op->write->query =
        query ? mem_format("%s%s", query, op->purpose == WRITE_RESERVATION ? "&timeout=4s" : "")
              : NULL;
    op->write->order = mem_format(
        "%u/%s", (unsigned)op->purpose <= WRITE_WORKLOAD_OTHER ? 0 : (unsigned)op->purpose,
        op->key);
    op->write->deadline_ms = WRITE_DEADLINE_MS;
    op->write->once = op->purpose == WRITE_RESERVATION; /* in doubt, read and decide again */
    op->write->dropped = write_dropped;
    op->write->done = write_done;
    op->write->context = op;
}

void write_op_push(struct write_op *op)
{
    struct kube_write *write = op->write;

    op->write = NULL;
    if (op->loop->parts.may_write &&
        !op->loop->parts.may_write(op->loop->parts.may_write_context)) {
        kube_write_destroy(write);
        err_set(&op->error, ERR_BUSY, "this replica does not lead any more");
        op->event.kind = EVENT_WRITE_DONE;
        loop_push(op->loop, &op->event);
        return;
    }
    kube_writer_push(op->loop->parts.writer, write);
}

void write_op_send(struct write_op *op)
{
    op->is_sent = true;
    (*writes_of_kind(op))++;
    if (op->purpose == WRITE_RESERVATION && intent_submit(op))
        return;
    write_op_push(op);
}

/* ---- reading again ---- */

struct fetch {
    struct kube_command command;
    struct loop *loop;
    enum event_kind kind;
    unsigned job_kind;
    char *namespace, *name, *uid, *path;
};

static void fetch_destroy(struct fetch *f)
{
    free(f->namespace);
    free(f->name);
    free(f->uid);
    free(f->path);
    free(f);
}

static void fetch_drop(struct message *m)
{
    fetch_destroy((struct fetch *)m);
}

static void fetch_done(void *context, const struct kube_result *result)
{
    struct fetch *f = context;
    struct loop_event *event = NULL;
    struct err e = { 0 };

    if (result->error.code == ERR_NOT_FOUND) {
        event =
            event_gone(f->kind, f->job_kind, str_of(f->namespace), str_of(f->name), str_of(f->uid));
    } else if (result->error.code != ERR_NONE) {
        e = result->error;
    } else {
        event = event_decode(f->kind, f->job_kind, &f->loop->settings->jobs, result->body, &e);
    }
    if (!event) {
        LOG(LOG_WARN, "reading an object again failed", KS("path", f->path), KS("error", e.text));
        event =
            event_gone(f->kind, f->job_kind, str_of(f->namespace), str_of(f->name), str_of(f->uid));
        event->deleted = false; /* nothing learnt: the record decides what to do */
        event->resource_version = -1;
    }
    event->fetched = true;
    event->message.key = NULL;
    loop_push(f->loop, event);
    fetch_destroy(f);
}

static void fetch_run(struct kube_command *command, struct kube_client *client)
{
    struct fetch *f = (struct fetch *)command;
    struct kube_request request = {
        .class = KUBE_CLASS_READ, .method = "GET", .path = f->path, .done = fetch_done, .context = f
    };

    kube_request_start(client, &request);
}

void fetch_object(struct loop *loop, enum event_kind kind, unsigned job_kind, const char *namespace,
                  const char *name, const char *uid)
{
    struct fetch *f = mem_alloc(sizeof(*f));
    struct kube_resource resource;

    f->command.message.drop = fetch_drop;
    f->command.run = fetch_run;
    f->loop = loop;
    f->kind = kind;
    f->job_kind = job_kind;
    f->namespace = mem_dup(namespace);
    f->name = mem_dup(name);
    f->uid = mem_dup(uid);
    f->path = kube_path(event_resource(kind, job_kind, &resource), namespace, name, NULL);
    kube_client_post(loop->parts.client, &f->command);
}

/* ---- paths ---- */

const struct kube_resource *event_resource(enum event_kind kind, unsigned job_kind,
                                           struct kube_resource *buffer)
{
    static const struct kube_resource resources[] = {
        [EVENT_WORKLOAD] = { KUEUE_GROUP, KUEUE_VERSION, "workloads" },
        [EVENT_CLUSTER_QUEUE] = { KUEUE_GROUP, KUEUE_VERSION, "clusterqueues" },
        [EVENT_LOCAL_QUEUE] = { KUEUE_GROUP, KUEUE_VERSION, "localqueues" },
        [EVENT_COHORT] = { KUEUE_GROUP, KUEUE_VERSION, "cohorts" },
        [EVENT_FLAVOR] = { KUEUE_GROUP, KUEUE_VERSION, "resourceflavors" },
        [EVENT_CHECK] = { KUEUE_GROUP, KUEUE_VERSION, "admissionchecks" },
        [EVENT_TOPOLOGY] = { KUEUE_GROUP, KUEUE_VERSION, "topologies" },
        [EVENT_NAMESPACE] = { "", "v1", "namespaces" },
        [EVENT_LIMIT_RANGE] = { "", "v1", "limitranges" },
        [EVENT_RUNTIME_CLASS] = { "node.k8s.io", "v1", "runtimeclasses" },
        [EVENT_DEVICE_CLASS] = { "resource.k8s.io", "v1", "deviceclasses" },
        [EVENT_CLAIM_TEMPLATE] = { "resource.k8s.io", "v1", "resourceclaimtemplates" },
        [EVENT_DEVICE_SLICE] = { "resource.k8s.io", "v1", "resourceslices" },
        [EVENT_PRIORITY_CLASS] = { PRIORITY_GROUP_POD, "v1", "priorityclasses" },
        [EVENT_POD] = { "", "v1", "pods" },
        [EVENT_WORKLOAD_PRIORITY_CLASS] = { KUEUE_GROUP, KUEUE_VERSION, "workloadpriorityclasses" },
    };

    if (kind != EVENT_JOB)
        return &resources[kind];
    *buffer = (struct kube_resource){ job_kinds()[job_kind]->group, job_kinds()[job_kind]->version,
                                      job_kinds()[job_kind]->resource };
    return buffer;
}

char *workload_path(const char *namespace, const char *name, const char *subresource)
{
    return kube_path(event_resource(EVENT_WORKLOAD, 0, NULL), namespace, name, subresource);
}

char *pod_path(const char *namespace, const char *name)
{
    return kube_path(event_resource(EVENT_POD, 0, NULL), namespace, name, NULL);
}

char *job_path(unsigned kind, const char *namespace, const char *name, const char *subresource)
{
    struct kube_resource resource;

    return kube_path(event_resource(EVENT_JOB, kind, &resource), namespace, name, subresource);
}

char *object_path(enum object_kind kind, const char *namespace, const char *name,
                  const char *subresource)
{
    static const enum event_kind events[] = {
        EVENT_CLUSTER_QUEUE, EVENT_LOCAL_QUEUE, EVENT_COHORT,
        EVENT_FLAVOR,        EVENT_CHECK,       EVENT_TOPOLOGY
    };
    struct kube_resource resource;

    return kube_path(event_resource(events[kind], 0, &resource), *namespace ? namespace : NULL,
                     name, subresource);
}
