/* webhook_private.h - what the server's own files share: server.c (start and stop), connection.c
 * (who is connected and how long for), exchange.c (one request), self_check.c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "webhook/server.h"

#define SERVER_THREADS_MAX 16
#define SELF_CHECK_PATH "/.self-check" /* answered by the server itself, with 204 */

/* One TCP connection. Made and freed by the server thread that owns the socket; 'busy' and 'since'
 * are read by others under the list's lock. */
struct connection {
    struct connection *next, **link;
    struct connections *list;
    int fd;
    bool busy;          /* between a request line and the end of its answer */
    bool cut;           /* has been shut down, waits for libmicrohttpd to notice */
    int64_t since;      /* when it became busy or idle, CLOCK_MONOTONIC nanoseconds */
    struct arena arena; /* of the request being answered; the owner thread's */
};

struct connections {
    pthread_mutex_t lock; /* held for a walk at most; sockets stay open while it is held */
    struct connection *first;
    unsigned count;
    int64_t swept; /* last time */
    atomic_uint_fast64_t cut;
};

int64_t monotonic_now(void); /* nanoseconds */
void connections_init(struct connections *list);
void connections_finish(struct connections *list);
struct connection *connection_open(struct connections *list, int fd);
void connection_close(struct connection *connection);
void connection_busy(struct connection *connection);
void connection_idle(struct connection *connection);
/* Shut down whoever is idle or busy for longer than that, or has left half-way. Returns how
 * many. */
unsigned connections_cut(struct connections *list, int64_t idle, int64_t busy);
/* The same, at most once a second; cheap enough for every request. */
void connections_sweep(struct connections *list, int64_t idle, int64_t busy);
/* Shut down the connection that has been idle longest, but at least 'idle'. False: none is. */
bool connections_cut_oldest(struct connections *list, int64_t idle);
void connection_cut(struct connection *connection);
unsigned connections_count(const struct connections *list);

struct webhook_server {
    struct webhook_server_options options; /* with the defaults filled in */
    char *name, *host;
    struct MHD_Daemon *daemons[SERVER_THREADS_MAX];
    unsigned daemon_count;
    struct sockaddr_storage address; /* bound, with the real port */
    socklen_t address_length;
    struct connections connections;
    atomic_size_t flight; /* body bytes held */
    atomic_uint_fast64_t requests;
    atomic_bool draining;             /* answers end their connection */
    char *priorities;                 /* GnuTLS's words; NULL for plain HTTP */
    struct gnutls_priority_st *older; /* for sessions of TLS 1.2; NULL: the same */
};

int64_t server_idle_limit(const struct webhook_server *server); /* nanoseconds */
int64_t server_busy_limit(const struct webhook_server *server);

/* libmicrohttpd's callbacks for one request; 'server' is the closure. */
void *exchange_begin(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_handle(void *server, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **exchange);
void exchange_end(void *server, struct MHD_Connection *connection, void **exchange,
                  enum MHD_RequestTerminationCode code);
