/* writes.h - writes of the loop on their way to the API server and back.
 *
 * A struct write_op is made by the engine thread, travels through the ledger (reservations) and the
 * writer, and comes back to the engine thread as an event. */
#pragma once

#include "admitter/loop/loop_private.h"
#include "admitter/rules/workload_rules.h"

struct ledger_record;

enum write_purpose {
    WRITE_WORKLOAD_STATUS, /* of the rules; 'tree' is the new state */
    WRITE_RESERVATION,
    WRITE_FENCE,          /* settles a reservation in doubt */
    WRITE_PREEMPTION,     /* of a victim */
    WRITE_WORKLOAD_OTHER, /* spec, metadata, create, delete */
    WRITE_JOB,
    WRITE_POD,
    WRITE_OBJECT_STATUS,
    WRITE_OBJECT_FINALIZER,
};

#define WRITE_NOTES 4
struct write_note {
    char *api_version, *kind, *namespace, *name, *uid;
    bool warning;
    char *reason, *note, *controller;
};

struct write_op {
    struct loop_event event; /* first: travels on the loop's queue */
    struct loop *loop;
    enum write_purpose purpose;
    struct kube_write *write; /* until it is pushed */
    char *key;                /* of the record concerned */
    char *uid;                /* "" : not checked */
    unsigned kind;            /* job kind or object kind */
    json_t *tree; /* what the object becomes; NULL: learn it from the answer or the watch */
    struct write_note notes[WRITE_NOTES]; /* Events to post on success */
    unsigned note_count;
    bool is_sent;                        /* counted among the writes on their way */
    json_t *says;                        /* the refusal that it carries; NULL */
    const char *creates_workload;        /* its name; "already exists" is success. NULL */
    uint64_t intent;                     /* ledger id of a reservation; 0: none */
    struct ledger_record *intent_record; /* until it is submitted; in the event's arena */
    /* For the metrics (report.h); texts in the event's arena, NULL when there are none. */
    unsigned news;
    const char *eviction_reason, *eviction_cause;
    const char *preempting_queue, *preemption_reason;
    const char *ungated_in; /* the ClusterQueue that let a pod through its gate */
    int64_t ungated_since;  /* the admission it waited for */
    /* the answer */
    struct err error;
    char reason[40];
    bool outcome_unknown;
    int64_t resource_version;
    struct str body; /* heap, owned */
    int64_t began;   /* loop_now when made */
};

struct write_op *write_op_create(struct loop *loop, enum write_purpose purpose, const char *key,
                                 const char *uid);
void write_op_destroy(struct write_op *op);
/* An Event to post when the write has succeeded; texts are copied. */
void write_op_note(struct write_op *op, const struct kube_note *note);
/* Give op its request. 'body' is stolen (NULL: empty). 'path' is heap, taken over. */
void write_op_request(struct write_op *op, enum kube_write_kind kind, char *path, json_t *body,
                      const char *query);
/* Off it goes: through the ledger when it carries an intent. Ownership passes. */
void write_op_send(struct write_op *op);
void write_op_push(struct write_op *op); /* past the ledger */
void post_notes(struct write_op *op);
/* Write what the scheduler said last (record->owed), and that it has been written. */
void workload_say_owed(struct loop *loop, struct workload_record *record);
void workload_said(struct workload_record *record, const struct write_op *op);

/* Read an object again; its event comes with 'fetched' set, and with 'uid' when it is not there. */
void fetch_object(struct loop *loop, enum event_kind kind, unsigned job_kind, const char *namespace,
                  const char *name, const char *uid);

/* Paths. Heap; the caller frees or hands over. */
char *workload_path(const char *namespace, const char *name, const char *subresource);
char *pod_path(const char *namespace, const char *name);
char *job_path(unsigned kind, const char *namespace, const char *name, const char *subresource);
char *object_path(enum object_kind kind, const char *namespace, const char *name,
                  const char *subresource);
/* 'buffer' holds the answer for EVENT_JOB; NULL will do for a kind that is known to be another. */
const struct kube_resource *event_resource(enum event_kind kind, unsigned job_kind,
                                           struct kube_resource *buffer);
