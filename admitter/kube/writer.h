/* writer.h - writes to the API server, as many at once as it takes well.
 *
 * Writes with the same 'order' text go one after another, in the order pushed; others go side by
 * side. The number in flight adapts between 16 and 64 (down to 1 when the server answers 429): one
 * more per window of good answers, half on 429, 5xx or when latency doubles. 429, 5xx and network
 * errors are repeated with backoff (and after Retry-After) until the write's deadline; 409, 404,
 * 422, 403 and the like come back at once. Every write may reach the server twice: carry a
 * resourceVersion or uid, a fixed name, or apply.
 *
 * Any thread may push. 'done' runs on the kube thread. Rules: design.md, libraries.md 7. */
#pragma once

#include "admitter/kube/client.h"

enum kube_write_kind {
    KUBE_MERGE_PATCH,
    KUBE_JSON_PATCH,
    KUBE_STRATEGIC_PATCH,
    KUBE_APPLY,   /* server-side apply; 'query' must name the fieldManager */
    KUBE_CREATE,  /* POST */
    KUBE_REPLACE, /* PUT */
    KUBE_DELETE,  /* body: DeleteOptions or empty */
};

struct kube_write {
    struct kube_command command; /* the writer's */
    enum kube_write_kind kind;
    char *path;  /* heap, owned; as kube_path builds it */
    char *query; /* heap, owned, or NULL */
    char *body;  /* heap, owned, or NULL */
    size_t body_length;
    char *order;      /* heap, owned; NULL: no order. For example "workload/<uid>" */
    bool background;  /* behind all others: Events, statistics */
    bool newest_only; /* replaces a waiting, unsent newest_only write of the same order, whose done
                         gets ERR_CONFLICT "superseded" */
    bool once;        /* never repeated: every failure comes back at once */
    bool want_object; /* answer with the whole object; else PartialObjectMetadata */
    int64_t deadline_ms; /* from push to giving up [30 s] */
    /* May be NULL. Called exactly once, on the kube thread, unless dropped. May push. The write is
     * destroyed afterwards. result->body is the answer. */
    void (*done)(struct kube_write *write, const struct kube_result *result);
    /* May be NULL. Called instead of 'done' when the writer or the client ends first; only there to
     * release 'context'. */
    void (*dropped)(struct kube_write *write);
    void *context;
    uint64_t tag; /* the caller's */
    /* below: the writer's */
    struct kube_writer *writer;
    struct kube_write *previous, *next;
    struct kube_lane *lane;
    struct kube_call *call;
    struct kube_timer timer;
    int64_t pushed_at_ms, sent_at_ns;
    unsigned tries;
};

/* Takes over 'path' and 'body' (heap). Fill in the rest, then push. */
struct kube_write *kube_write_create(enum kube_write_kind kind, char *path, struct strbuf *body);
void kube_write_destroy(struct kube_write *write); /* one that was never pushed; NULL is fine */

struct kube_writer;
struct kube_writer *kube_writer_create(struct kube_client *client); /* kube thread */
/* Kube thread. Writes not yet answered are dropped. NULL is fine. */
void kube_writer_destroy(struct kube_writer *writer);
/* Any thread, as long as the writer lives. Takes ownership. */
void kube_writer_push(struct kube_writer *writer, struct kube_write *write);

struct kube_writer_counts {
    uint64_t pushed, done, failed, repeated, superseded;
    uint64_t waiting, in_flight; /* pushed and not done = waiting + in_flight */
    unsigned window;
    int64_t latency_ns; /* smoothed */
};
/* Any thread: for back-pressure ("the engine stops starting new admissions") and metrics. */
struct kube_writer_counts kube_writer_count(const struct kube_writer *writer);
