/* server.h - the TLS server for webhooks; without certificates, the plain server for health and
 * metrics.
 *
 * libmicrohttpd with one epoll thread per listening socket (SO_REUSEPORT spreads connections). The
 * certificate is read from the source at each handshake, so it rotates without a restart. What the
 * server answers by itself, always one line of plain text:
 *   400 bad "timeout" parameter    404 no such path         405 wrong method (with Allow)
 *   411 POST without a length      413 body over the limit  415 not application/json
 *   429 too many bytes in flight (with Retry-After)         504 the client's deadline has passed
 * A client that needs longer than 'request_seconds' for one request, or is silent for longer than
 * 'idle_seconds', is cut. Nothing a client sends ends the process or holds up other clients.
 * Start and stop from one thread; handlers run on the server's. Sources: libraries.md 0 and 1. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/base/err.h"
#include "webhook/certificate_source.h"
#include "webhook/route.h"
#include "webhook/tls_choice.h"

struct webhook_server;

/* Seen after each answer, on a server thread; must be quick. 'route' is the registered path, or ""
 * when none matched. 'nanoseconds': from the request line to the answer being handed over. */
typedef void webhook_observer(void *context, const char *route, unsigned status,
                              int64_t nanoseconds);

/* Zero or NULL means the default in brackets. Everything pointed to is borrowed until stop, except
 * 'name' and 'host', which are copied. */
struct webhook_server_options {
    const char *name;                        /* thread name and log key ["webhook"] */
    const char *host;                        /* address or host name [all addresses] */
    uint16_t port;                           /* 0: the kernel chooses, see webhook_server_port */
    unsigned threads;                        /* 1 to 16 [2] */
    struct certificate_source *certificates; /* [NULL: plain HTTP] */
    const struct tls_choice *tls;            /* read at start only [TLS 1.2 and 1.3] */
    const struct route_table *routes;        /* required */
    bool ask_client_certificate;             /* fills request.peer; the handler verifies */
    size_t body_limit;                       /* bytes of one request [8 MiB] */
    size_t flight_limit;                     /* bytes of all requests being received [64 MiB] */
    unsigned connection_limit;               /* over all threads [1000] */
    unsigned idle_seconds;                   /* [120] above the 90 s of Go's client */
    unsigned request_seconds;                /* [30] the longest timeoutSeconds of a webhook */
    webhook_observer *observe;               /* [none] */
    void *observe_context;
};

/* Bind, start the threads, answer at once. NULL and *e: ERR_INVALID (options, no certificate in the
 * source yet), ERR_IO (the address is taken or not ours; the text names it). */
struct webhook_server *webhook_server_start(const struct webhook_server_options *options,
                                            struct err *e);

/* Stop: refuse new connections, answer what has begun with "Connection: close", wait at most
 * 'grace_ms' for connections to end, cut the rest, free everything. Idle clients are let go first,
 * so that a quiet server stops in about a second at most. NULL is fine. The caller makes readiness
 * false beforehand and gives endpoints time to follow. */
void webhook_server_stop(struct webhook_server *server, unsigned grace_ms);

uint16_t webhook_server_port(const struct webhook_server *server);

struct webhook_server_counts {
    unsigned connections; /* open now */
    uint64_t requests;    /* answered since the start, whatever the status */
    size_t flight_bytes;  /* of requests being received now */
    uint64_t cut;         /* connections cut: slow, deserted, or to make room */
};
/* Any thread. */
struct webhook_server_counts webhook_server_count(const struct webhook_server *server);

/* Does the listener answer right now? Opens a connection, does the TLS handshake (if it is a TLS
 * server), compares the certificate with the source's current one, checks that it is valid at 'now'
 * (seconds since 1970), sends one GET and reads the status line. Takes about 3 ms, at most
 * 'timeout_ms'. Any thread but the server's own. For /readyz: the caller keeps the result for a few
 * seconds. ERR_IO or ERR_BUSY (timeout) says at which step it failed. */
MUST_USE int webhook_self_check(const struct webhook_server *server, int64_t now_seconds,
                                unsigned timeout_ms, struct err *e);
