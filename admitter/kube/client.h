/* client.h - requests to one API server, on one thread's event loop.
 *
 * libcurl's multi interface with plain HTTP/1.1 connections. One thread (the kube thread) owns a
 * client and everything made with it: requests, timers, reflectors, the writer, the lease. All
 * callbacks run on that thread, from kube_client_run, kube_client_step or kube_client_wait. What
 * other threads may call says so: kube_client_post, kube_client_stop.
 *
 * A request counts as done well only when its status is 2xx and its body arrived whole. A request
 * that dies on a reused connection before an answer may be sent again by libcurl, writes included:
 * every write must be safe to repeat (resourceVersion, fixed names, apply). Rules: libraries.md
 * 2. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "admitter/kube/config.h"
#include "quota/base/err.h"
#include "quota/base/heap.h"
#include "quota/base/queue.h"
#include "quota/base/str.h"

struct kube_client;
struct kube_call;

/* Requests of a class wait for each other, not for those of another class. */
enum kube_class { KUBE_CLASS_WATCH, KUBE_CLASS_READ, KUBE_CLASS_WRITE, KUBE_CLASSES };

/* Told of every request that ended; status 0: no answer came. Kube thread, must be quick. */
typedef void kube_observer(void *context, const char *method, unsigned status);

struct kube_client_options {        /* zero means the default in brackets */
    const char *user_agent;         /* ["sluice/<version>"] */
    unsigned at_once[KUBE_CLASSES]; /* requests in flight [no limit, 4, 64] */
    unsigned burst;                 /* reads and writes at once, as long as [no limit] */
    int64_t refill_us;              /* one more may go after so long; with 'burst' only */
    unsigned http_version;          /* 1 or 2 [1]; 2 needs libcurl 8.2 or later */
    size_t body_limit;              /* bytes of an answer that is not streamed [64 MiB] */
    kube_observer *observe;         /* [none] */
    void *observe_context;          /* borrowed */
};

/* Main thread, before other threads; may be repeated. Makes the process ignore SIGPIPE. */
void kube_global_init(void);
/* After kube_global_init. 'config' is borrowed until destroy. NULL and *e: ERR_INVALID (HTTP/2 with
 * an old libcurl, unreadable certificate, ...), ERR_IO. */
struct kube_client *kube_client_create(const struct kube_config *config,
                                       const struct kube_client_options *options, struct err *e);
/* Drops requests in flight without calling back. Destroy reflectors, writers, leases and recorders
 * first. Commands still waiting are dropped. NULL is fine. */
void kube_client_destroy(struct kube_client *client);

/* ---- the loop ---- */

void kube_client_run(struct kube_client *client);  /* until kube_client_stop */
void kube_client_stop(struct kube_client *client); /* any thread; also a signal-free wake-up */
/* Wait for something at most 'timeout_ms' (0: do not wait) and handle it. */
void kube_client_step(struct kube_client *client, int timeout_ms);

/* Something to do on the kube thread. Begin your own struct with it. */
struct kube_command {
    struct message message; /* message.drop releases it when it is never run */
    void (*run)(struct kube_command *command, struct kube_client *client); /* owns 'command' */
};
/* Any thread. Never fails; commands of one thread run in the order posted. */
void kube_client_post(struct kube_client *client, struct kube_command *command);

/* Call 'ready' on the kube thread whenever 'fd' becomes readable (level-triggered). The fd stays
 * the caller's; at most 8. */
void kube_client_listen(struct kube_client *client, int fd, void (*ready)(void *context),
                        void *context);
void kube_client_unlisten(struct kube_client *client, int fd);

/* A timer lives in its owner's struct; zeroed with kube_timer_init first. It fires once. */
struct kube_timer {
    int64_t at_ms; /* kube_now_ms when it fires */
    uint32_t place;
    void (*fire)(void *context);
    void *context;
};
void kube_timer_init(struct kube_timer *timer, void (*fire)(void *context), void *context);
void kube_timer_set(struct kube_client *client, struct kube_timer *timer, int64_t delay_ms);
void kube_timer_cancel(struct kube_client *client, struct kube_timer *timer);
int64_t kube_now_ms(void); /* CLOCK_MONOTONIC; any thread */
/* A number in [0, below); for jitter only. */
uint64_t kube_random(struct kube_client *client, uint64_t below);

/* ---- requests ---- */

struct kube_result {
    unsigned status;        /* HTTP status; 0 when no complete answer came */
    struct err error;       /* code ERR_NONE: done well, else as in status.h */
    char reason[40];        /* Status.reason of the server ("AlreadyExists"), or "" */
    struct str body;        /* whole body, valid during the callback; empty when streamed */
    int64_t retry_after_ms; /* -1: the server did not say */
    int64_t latency_ns;     /* from sending to the end of the answer */
    bool outcome_unknown;   /* sent, but no complete answer: the server may have done it */
};

/* Called exactly once, unless the call is cancelled or the client destroyed. */
typedef void kube_done_fn(void *context, const struct kube_result *result);
/* A piece of a 2xx body as it arrives. False gives the request up (error ERR_IO). */
typedef bool kube_data_fn(void *context, struct str piece);

struct kube_request { /* texts are copied; 'body' too */
    enum kube_class class;
    const char *method;       /* "GET" */
    const char *path;         /* "/api/v1/pods", as kube_path builds it */
    const char *query;        /* without '?', as kube_query builds it; NULL: none */
    const char *content_type; /* of the body */
    const char *accept;       /* ["application/json"] */
    struct str body;
    int64_t timeout_ms; /* whole request [15 s write, 60 s read, none watch] */
    int64_t silence_ms; /* give up (ERR_BUSY) when nothing arrives for so long [never] */
    kube_data_fn *data; /* NULL: the body is collected */
    kube_done_fn *done;
    void *context;
};
#define KUBE_ACCEPT_METADATA "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define KUBE_ACCEPT_METADATA_LIST                                                                  \
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

/* Kube thread, callbacks included. Never fails: what goes wrong reaches 'done', later. */
struct kube_call *kube_request_start(struct kube_client *client,
                                     const struct kube_request *request);
/* Before 'done' only; 'done' is then not called. Allowed in callbacks, its own 'data' included. */
void kube_request_cancel(struct kube_call *call);

/* For start-up and the command line: send, run the loop until the answer is there, give its body
 * in 'body' (appended; may be NULL) and the result ('result->body' is empty; may be NULL). The
 * owner thread, not inside a callback; request->done, data and context are ignored. */
MUST_USE int kube_request_wait(struct kube_client *client, const struct kube_request *request,
                               struct strbuf *body, struct kube_result *result, struct err *e);

struct kube_client_counts {
    uint64_t requests, failures, retries_after, connections, bytes_in;
    uint64_t status[6]; /* answers 1xx .. 5xx by [1] .. [5]; [0]: none */
    uint64_t in_flight[KUBE_CLASSES], waiting[KUBE_CLASSES];
};
/* Any thread. */
void kube_client_count(const struct kube_client *client, struct kube_client_counts *counts);
