/* kube_private.h - what the files of this room share and nobody else sees: the client's insides,
 * its credentials and its calls. Kube thread only, where not said otherwise. */
#pragma once

#include <curl/curl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "admitter/kube/bucket.h"
#include "admitter/kube/client.h"
#include "admitter/kube/exec.h"

/* ---- credentials ---- */

/* A file that is read again when it changes. */
struct watched_file {
    const char *path; /* borrowed; NULL: none */
    char *text;       /* last content that could be read */
    struct stat seen;
};

enum credentials_state { CREDENTIALS_READY, CREDENTIALS_PENDING, CREDENTIALS_FAILED };

struct credentials {
    const struct kube_config *config;
    struct watched_file authority, certificate, key, token;
    int64_t checked_at_ms;
    uint64_t generation; /* counts changes of who we are */
    /* of the plugin */
    struct exec_credential plugin;
    struct exec_run run; /* run.fd < 0: not running */
    struct kube_timer timer;
    int64_t run_ended_ms, retry_at_ms;
    bool refused; /* the server refused what the plugin gave */
    struct err problem;
};

int credentials_init(struct credentials *c, const struct kube_config *config, struct err *e);
void credentials_finish(struct kube_client *client);
/* May requests be sent now? Re-reads files once a minute, starts the plugin when it is due. */
enum credentials_state credentials_prepare(struct kube_client *client);
/* The server said 401 to a request sent with 'generation'. True: try again, there is something
 * new, or there will be. */
bool credentials_refused(struct kube_client *client, uint64_t generation);
/* Certificates and keys of the next connection. */
void credentials_apply(const struct credentials *c, CURL *easy);
/* "Authorization: ..." appended; nothing when there is no token. */
void credentials_header(const struct credentials *c, struct strbuf *out);

/* ---- calls ---- */

enum call_state { CALL_WAITING, CALL_RUNNING };

struct kube_call {
    struct kube_call *previous, *next; /* in the client's list of its state and class */
    struct kube_client *client;
    enum kube_class class;
    enum call_state state;
    char *method, *path, *url, *content_type, *accept, *body;
    size_t body_length;
    int64_t timeout_ms, silence_ms;
    kube_data_fn *data;
    kube_done_fn *done;
    void *context;

    CURL *easy;
    struct curl_slist *headers;
    struct strbuf answer;
    struct kube_timer silence;
    int64_t heard_at_ms, sent_at_ns;
    uint64_t generation; /* credentials it was sent with */
    unsigned status;     /* 0 until the first byte of the body */
    bool tried_again;    /* after a 401 */
    bool cancelled, given_up, too_big;
    char problem[CURL_ERROR_SIZE];
};

struct call_list {
    struct kube_call *first, *last;
    _Atomic uint64_t count;
};

/* Start what may start; fail what cannot. */
void calls_start(struct kube_client *client);
/* Hand the finished ones to their owners. */
void calls_collect(struct kube_client *client);
void calls_drop(struct kube_client *client);

/* Headers of the call, credentials included; freed with the call. */
struct curl_slist *call_headers(const struct kube_call *call);
/* Set everything on call->easy but where the answer goes. call->headers must be there. */
void call_options(struct kube_call *call);

/* ---- the client ---- */

#define LISTENERS_MAX 8
struct listener {
    int fd;
    void (*ready)(void *context);
    void *context;
};

struct client_tally {
    _Atomic uint64_t requests, failures, retries_after, connections, bytes_in, status[6];
};

struct kube_client {
    const struct kube_config *config;
    struct kube_client_options options;
    char *user_agent;
    char *base_url; /* server, with tls_server_name as its host when there is one */
    char *host;     /* Host header when base_url names another, else NULL */
    struct curl_slist *connect_to;
    CURLM *multi;
    struct queue *commands;
    struct heap timers;
    struct listener listeners[LISTENERS_MAX];
    unsigned listener_count;
    atomic_bool stop;
    bool performing; /* inside curl_multi_perform: handles must not be touched */
    bool sweep;      /* calls were cancelled meanwhile */
    uint64_t random;
    struct credentials credentials;
    struct bucket bucket;     /* of options.burst */
    struct kube_timer refill; /* wakes the loop when calls wait for the bucket */
    struct call_list waiting[KUBE_CLASSES], running[KUBE_CLASSES];
    CURL *spare[64]; /* easy handles to use again */
    unsigned spare_count;
    struct client_tally tally;
};

int64_t kube_now_ns(void); /* CLOCK_MONOTONIC */
