/* loop_private.h - what the files of the loop share. Engine thread only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include "admitter/loop/loop.h"
#include "admitter/metrics/metrics.h"
#include "admitter/loop/status_pace.h"
#include "quota/base/heap.h"
#include "quota/base/map.h"
#include "quota/engine/engine.h"

/* Records that may need something, first come, first served. */
struct dirty_list {
    struct dirty_link *first, **last;         /* 'last' points to where the next one goes */
    _Atomic uint64_t added, waiting, stepped; /* read by any thread: loop_work */
};
struct dirty_link {
    struct dirty_link *next, **at; /* 'at' points to what points here */
    struct dirty_list *list;       /* NULL: in none */
};

/* When to look at a record again. */
struct look {
    int64_t at;
    uint32_t place; /* in the loop's heap of looks */
    void (*wake)(struct loop *loop, struct look *look);
};

/* How often the rules wrote one object lately: a server that takes a write and shows something else
 * must not be argued with at full speed. */
struct pace {
    int64_t since;
    unsigned writes;
};

/* How long a write whose result only the watch will show keeps the next one back: a watch that lags
 * must not hold up an object for ever. */
#define AWAIT_AT_MOST (5 * NANOSECONDS_PER_SECOND)

struct tally; /* tally.c */

struct workload_record {
    struct dirty_link dirty;
    struct look look;
    struct pace pace;
    char *key, *namespace, *name, *uid;
    int64_t resource_version, generation, created;
    int64_t taken_version;   /* of the last event that the engine was told of */
    int64_t awaited_version; /* of a write whose result only the watch will show; 0: none */
    int64_t awaited_until;
    char *class_name;   /* of spec.priorityClassRef when it is a WorkloadPriorityClass, else NULL */
    bool is_class_news; /* ... whose value this Workload has not been given yet */
    char *chain;        /* of slices, when it is one; NULL */
    char *text;         /* the object without templates, JSON */
    struct workload_pod_set *pod_sets; /* one piece of memory */
    size_t pod_set_count;
    char *queue_key;                    /* "ns/queue" of spec.queueName */
    char *owner_key;                    /* "<job kind>/ns/name", NULL without a known owner */
    struct workload_record *owner_next; /* others of the same owner */
    struct workload_record *queue_next, **queue_at; /* others of the same LocalQueue */
    bool is_finished, is_reserved, is_admitted, is_deleting, is_active;
    bool is_writing;    /* a write of ours is in flight */
    bool is_admitting;  /* ... and it is a reservation: events wait in 'stash' */
    bool is_resolving;  /* the outcome of that reservation is being read */
    bool is_recovering; /* ... and it was one of the process before this one */
    struct loop_event *stash;
    unsigned failures;      /* refused writes in a row */
    unsigned refused;       /* refused reservations or evictions in a row */
    int64_t not_before;     /* no further one before this time */
    json_t *owed;           /* what the scheduler said last and no write has carried yet; NULL */
    uint64_t intent;        /* open in the ledger; 0: none */
    uint64_t last_decision; /* digests of what the ledger was told last */
    uint64_t last_seen;
    /* What the metrics were told (report.h): */
    bool is_known, was_finished;
    char *label_values;       /* of the custom labels of Workloads; NULL without */
    char *held_in;            /* the ClusterQueue whose quota it held, NULL: none */
    struct tally *tallies[2]; /* of the ClusterQueue and of the LocalQueue it is counted in */
};

struct job_record {
    struct dirty_link dirty;
    struct look look;
    struct pace pace;
    char *key;        /* "<kind>/ns/name" */
    unsigned kind;    /* of the owner kinds; those that are built here have a 'job' */
    struct job *job;  /* NULL: only known through its Workloads */
    char *parent_uid; /* of the controller owner, while among its children */
    struct job_record *child_next, **child_at; /* others of the same owner */
    struct str raw;                    /* the object while its event is being handled; else empty */
    struct workload_record *workloads; /* owned by it, any order */
    bool is_writing, is_fetching;
    unsigned failures;
    uint64_t last_event; /* hash of the note of the last event that would repeat */
};

enum object_kind {
    OBJECT_CLUSTER_QUEUE,
    OBJECT_LOCAL_QUEUE,
    OBJECT_COHORT,
    OBJECT_FLAVOR,
    OBJECT_CHECK,
    OBJECT_TOPOLOGY,
    OBJECT_KINDS
};

struct object_record {
    struct dirty_link dirty;
    struct look look;
    enum object_kind kind;
    char *key, *namespace, *name, *uid;
    int64_t resource_version, generation;
    bool deleting, has_finalizer;
    char *text;          /* status, or a flavor's spec */
    char *finalizers;    /* JSON array, NULL when there are none */
    char *cluster_queue; /* LocalQueue: its ClusterQueue, "" when it names none */
    struct object_record *target_next,
        **target_at; /* LocalQueue: others of the same ClusterQueue */
    char **flavors;  /* ClusterQueue: names it uses; NULL-terminated */
    char **checks;
    char *topology; /* flavor */
    enum stop_policy stop_policy;
    bool is_writing;
    bool has_cohort;         /* ClusterQueue: spec.cohortName is set */
    bool was_active;         /* ClusterQueue: as its LocalQueues know it */
    int64_t sent_version;    /* resource_version that the write in flight goes out from */
    int64_t awaited_version; /* of a write whose result only the watch will show; 0: none */
    int64_t awaited_until;
    struct status_pace pace;
    struct look walk; /* ClusterQueue: look again at what waits there, for gauges */
    int64_t walked;
    uint64_t demand_print; /* ClusterQueue: digest of the resources that its gauges show */
    unsigned failures;
};

/* Workloads that name a LocalQueue, whether it exists or not. */
struct queue_entry {
    char *key;
    struct workload_record *workloads;
};

/* LocalQueues that name a ClusterQueue, whether it exists or not. */
struct target_entry {
    char *name;
    struct object_record *queues;
};

struct namespace_record {
    bool is_managed;
};

struct priority_record {
    int32_t value;
    bool global_default;
};

struct loop {
    const struct loop_settings *settings;
    struct loop_parts parts;
    struct queue *queue;
    struct engine *engine;
    _Atomic(struct ledger *) ledger; /* since this replica leads; NULL: none */
    bool ledger_is_new;              /* it holds nothing of an earlier process */
    pthread_t thread;
    bool is_started;
    atomic_bool is_synced, is_stopping;
    struct map *wanted_workloads; /* see want_workload: "ns/name" -> key of the job (heap) */
    struct map *chains, *pods;    /* of elastic jobs (elastic.c) */
    struct watch_set *watches;
    struct map *children; /* uid of an owner -> child_list (owners.c) */
    bool may_lead;        /* this replica holds the lease, or needs none */
    bool is_fresh;        /* every list was complete after it began to lead */
    bool is_leading;      /* ... and knows everything: it writes */
    uint64_t random;
    unsigned synced_kinds; /* bits of enum event_kind */
    unsigned synced_jobs;  /* bits of job kinds */
    unsigned wanted_kinds, wanted_jobs;
    unsigned admissions; /* reservations being written */
    /* Reservations of an earlier process in doubt: no cycle before they are settled. */
    unsigned recovering;
    int64_t quiet_until;   /* no cycle before this, see intents_recover; TIME_NONE */
    int64_t cycle;         /* number of the last one */
    bool has_news;         /* something the engine knows changed since the last cycle */
    int64_t blocked_until; /* without news, no cycle before this */
    struct map *workloads; /* "ns/name" */
    struct map *jobs;      /* "<kind>/ns/name" */
    struct map *queues;    /* "ns/name" -> queue_entry */
    struct map *targets;   /* name of a ClusterQueue -> target_entry */
    struct map *objects[OBJECT_KINDS];
    struct map *tallies; /* tally.c */
    struct map *namespaces;
    struct map *priority_classes, *workload_priority_classes;
    struct dirty_list dirty_workloads, dirty_jobs, dirty_chains, dirty_objects;
    /* Writes on their way: to queues and the like, and to Workloads and jobs. The writer sends 64
     * side by side at most; with more of them waiting, records keep what they have to say. */
#define OBJECT_WRITES_MOST 64
#define OTHER_WRITES_MOST 256
    unsigned object_writes, other_writes;
    struct heap looks;
    struct look devices;  /* slices of devices changed: who claims some is looked at then */
    struct arena arena;   /* of one step */
    struct arena scratch; /* of one gauge's queue (report_gauges.c) */
    json_t *step_trees;   /* array: trees that live as long as one step */
};

int64_t loop_now(void); /* wall time that never jumps, nanoseconds; engine thread only */
/* A digest of texts, for noticing repeats: start with any seed, feed one text after another. */
uint64_t hash_text(uint64_t seed, const char *text);

/* ---- lists (dirty.c) ---- */
void dirty_init(struct dirty_list *list);
void dirty_push(struct dirty_list *list, struct dirty_link *link); /* no-op when it is in one */
struct dirty_link *dirty_pop(struct dirty_list *list);             /* NULL when empty */
void dirty_remove(struct dirty_link *link);                        /* no-op when it is not listed */
void look_init(struct look *look, void (*wake)(struct loop *loop, struct look *look));
void look_at(struct loop *loop, struct look *look, int64_t at); /* TIME_NONE: not */
int64_t looks_run(struct loop *loop,
                  int64_t now); /* wake what is due; when the next is, TIME_NONE */
/* Delay before the next try after 'failures' refusals: a quarter of a second, doubling to 5 min. */
int64_t retry_delay(unsigned failures);
/* May this object be written now? Counts the write when it may. */
bool pace_allows(struct pace *pace, int64_t now);
/* When it may again. */
int64_t pace_next(const struct pace *pace);

/* ---- records (records.c) ---- */
struct workload_record *workload_find(struct loop *loop, const char *namespace, const char *name);
struct workload_record *workload_get(struct loop *loop,
                                     const struct loop_event *event); /* made when absent */
void workload_forget(struct loop *loop, struct workload_record *record);
/* Take over the facts of an event (not the event). */
void workload_learn(struct loop *loop, struct workload_record *record,
                    const struct loop_event *event);
/* A write of ours went through: the tree is the object now. */
void workload_replace(struct loop *loop, struct workload_record *record, json_t *tree,
                      int64_t resource_version);
json_t *workload_tree(const struct workload_record *record); /* new reference, never NULL */
void workload_facts(const struct workload_record *record, json_t *tree,
                    struct workload_facts *facts);

struct job_record *job_find(struct loop *loop, unsigned kind, const char *namespace,
                            const char *name);
struct job_record *job_get(struct loop *loop, unsigned kind, const char *namespace,
                           const char *name);
void job_forget_if_unused(struct loop *loop, struct job_record *record);
struct object_record *object_find(struct loop *loop, enum object_kind kind, const char *namespace,
                                  const char *name);
struct object_record *object_get(struct loop *loop, enum object_kind kind, const char *namespace,
                                 const char *name);
void object_forget(struct loop *loop, struct object_record *record);
/* The LocalQueue names this ClusterQueue now ("": none). */
void local_queue_aim(struct loop *loop, struct object_record *record, const char *cluster_queue);
struct object_record *local_queues_of(struct loop *loop, const char *cluster_queue); /* a list */
void objects_destroy(struct loop *loop);
void records_destroy(struct loop *loop); /* all of them */

/* ---- what changed (one file per kind of thing) ---- */
void handle_workload(struct loop *loop, struct loop_event *event); /* may keep the event */
void handle_job(struct loop *loop, struct loop_event *event);
void handle_object(struct loop *loop, struct loop_event *event);
void step_workload(struct loop *loop, struct workload_record *record);
void step_job(struct loop *loop, struct job_record *record);
void step_object(struct loop *loop, struct object_record *record);
void mark_workload(struct loop *loop, struct workload_record *record);
void mark_owner(struct loop *loop, struct workload_record *record);
/* A reservation did not come about: the engine takes it back and leaves the Workload alone for as
 * long as record->not_before says. */
void workload_unreserved(struct loop *loop, struct workload_record *record, bool gone);
/* After a reservation is settled: the event that waited for that. */
void workload_settled(struct loop *loop, struct workload_record *record);
/* A reservation that an earlier process may have sent: make sure that it cannot land any more. */
void workload_recover(struct loop *loop, struct workload_record *record, uint64_t intent);
void workload_unstash(struct loop *loop, struct workload_record *record);
bool workload_is_awaited(struct loop *loop, struct workload_record *record);
void mark_job(struct loop *loop, struct job_record *record);
/* News of the Workload of this name are news for the job, though it does not own it: it is its
 * prebuilt one, or has the name that its own is to have. */
void want_workload(struct loop *loop, const struct job_record *record, const char *name);
void mark_object(struct loop *loop, struct object_record *record);
void mark_queue_workloads(struct loop *loop, const char *queue_key);
void mark_cluster_queue_workloads(struct loop *loop, const char *name); /* and its LocalQueues */
void devices_wake(struct loop *loop, struct look *look);                /* of loop->devices */
void devices_settle(struct loop *loop);      /* ... now, when it is due at all */
int64_t run_cycles(struct loop *loop);       /* when to run again without news; TIME_NONE */
int64_t refresh_statuses(struct loop *loop); /* when something delayed is due; TIME_NONE */
