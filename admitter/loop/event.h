/* event.h - news for the engine thread: objects that changed, writes that came back, commands.
 *
 * Built on the kube thread (or any other), pushed on the loop's queue, owned and released by the
 * engine thread. An object event that waits is replaced by a newer one of the same object. */
#pragma once

#include <jansson.h>
#include "admitter/jobs/ancestor.h"
#include "admitter/jobs/job.h"
#include "admitter/kube/client.h"
#include "admitter/rules/job_rules.h"
#include "admitter/objects/object_meta.h"
#include "quota/base/arena.h"
#include "quota/base/queue.h"
#include "quota/engine/model.h"

enum event_kind {
    EVENT_WORKLOAD,
    EVENT_JOB,
    EVENT_CLUSTER_QUEUE,
    EVENT_LOCAL_QUEUE,
    EVENT_COHORT,
    EVENT_FLAVOR,
    EVENT_CHECK,
    EVENT_TOPOLOGY,
    EVENT_NAMESPACE,
    EVENT_LIMIT_RANGE,
    EVENT_RUNTIME_CLASS,
    EVENT_DEVICE_CLASS,
    EVENT_CLAIM_TEMPLATE,
    EVENT_DEVICE_SLICE,
    EVENT_PRIORITY_CLASS,
    EVENT_WORKLOAD_PRIORITY_CLASS,
    EVENT_POD,   /* of started jobs; only while there are elastic ones */
    EVENT_OWNER, /* metadata of a kind that may own jobs and is not built here */
    EVENT_OBJECT_KINDS,
    EVENT_SYNCED = EVENT_OBJECT_KINDS, /* all objects of 'synced_kind' were reported once */
    EVENT_WRITE_DONE,                  /* begins a struct write_op (writes.h) */
    EVENT_LEDGER_DONE,                 /* begins a struct write_op whose intent is committed */
    EVENT_LEADING,                     /* this replica leads from now on */
    EVENT_CALL,                        /* run 'call' on the engine thread */
    EVENT_STOP,
};

struct loop;
struct ledger;

struct loop_event {
    struct message message; /* message.key: "<kind>/<namespace>/<name>" for objects */
    enum event_kind kind;
    bool deleted;
    bool fetched;       /* the answer to a read or a write of ours, not a watch event */
    struct arena arena; /* holds everything below */
    const char *namespace, *name, *uid;
    int64_t resource_version, generation;
    bool deleting, has_finalizer;
    union {
        struct workload *workload;
        struct job *job;
        struct cluster_queue *cluster_queue;
        struct local_queue *local_queue;
        struct cohort *cohort;
        struct resource_flavor *flavor;
        struct admission_check *check;
        struct topology *topology;
        struct namespace_labels *labels;
        struct limit_range *limits;
        struct runtime_class *runtime_class;
        struct device_class *device_class;
        struct claim_template *claim_template;
        struct device_slice *device_slice;
        int32_t priority_value;    /* both kinds of priority class */
        struct owner_facts *owner; /* EVENT_OWNER */
        struct pod_facts *pod;
    };
    bool global_default; /* PriorityClass */
    const char
        *text; /* Workload: without templates; queues: their status; flavors: their spec. JSON */
    struct object_meta meta;           /* queues and cohorts */
    const char *finalizers;            /* metadata.finalizers, JSON; NULL: none */
    struct str raw;                    /* Job: the whole object */
    struct workload_pod_set *pod_sets; /* Workload */
    size_t pod_set_count;
    const char *owner_kind, *owner_name, *owner_api_version,
        *owner_uid;    /* Workload: its controller, else its first owner; "" when none */
    unsigned job_kind; /* EVENT_JOB: index in job_kinds(), EVENT_OWNER: in the owner kinds */
    unsigned synced_kind, synced_job;
    bool ledger_is_new;    /* EVENT_LEADING: the file was made just now, or there is none */
    struct ledger *ledger; /* EVENT_LEADING: borrowed until the loop is destroyed; NULL: none */
    void (*call)(struct loop *loop, void *context);
    void *call_context;
};

struct loop_event *event_create(enum event_kind kind) __attribute__((returns_nonnull));
void event_destroy(struct loop_event *event);

/* Decode one object of 'kind' (EVENT_JOB: of job_kinds()[job_kind]). NULL and *e when the bytes are
 * not such an object; the text names the field. */
struct loop_event *event_decode(enum event_kind kind, unsigned job_kind,
                                const struct job_options *options, struct str object,
                                struct err *e);
/* An event that says "this object is gone". */
struct loop_event *event_gone(enum event_kind kind, unsigned job_kind, struct str namespace,
                              struct str name, struct str uid);
