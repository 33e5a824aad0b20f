#include "webhook/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "quota/base/clock.h"
#include "quota/base/file.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "webhook/webhook_private.h"

#define BODY_LIMIT ((size_t)8 << 20)
#define FLIGHT_LIMIT ((size_t)64 << 20)
#define CONNECTION_LIMIT 1000
#define CONNECTION_SPARE 32 /* above our limit, so that the newcomer can be judged */
#define IDLE_SECONDS 120
#define IDLE_SPARE_SECONDS 10 /* after libmicrohttpd's own time-out, for clients that drip */
#define REQUEST_SECONDS 30
#define LISTEN_BACKLOG 1024
#define THREAD_STACK_BYTES ((size_t)1 << 20)
#define EVICT_IDLE NANOSECONDS_PER_SECOND
#define DRAIN_IDLE (500 * NANOSECONDS_PER_MILLISECOND)
#define DRAIN_STEP_NANOSECONDS (10 * NANOSECONDS_PER_MILLISECOND)

int64_t server_idle_limit(const struct webhook_server *server)
{
    return (int64_t)(server->options.idle_seconds + IDLE_SPARE_SECONDS) * NANOSECONDS_PER_SECOND;
}

int64_t server_busy_limit(const struct webhook_server *server)
{
    return (int64_t)server->options.request_seconds * NANOSECONDS_PER_SECOND;
}

/* -- connections come and go -- */

static gnutls_session_t session_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return info ? info->tls_session : NULL;
}

/* The client's hello is read and the version settled: only now is it known which list counts. */
static int session_negotiate(gnutls_session_t session)
{
    const struct webhook_server *server = gnutls_db_get_ptr(session);

    if (gnutls_protocol_get_version(session) == GNUTLS_TLS1_2)
        gnutls_priority_set(session, server->older);
    return 0;
}

/* Before the handshake. The session's "database" pointer is free, since we resume no sessions; it
 * leads the certificate callback, which has no argument of its own, to its server. */
static void session_prepare(struct webhook_server *server, struct MHD_Connection *mhd)
{
    gnutls_session_t session = session_of(mhd);

    if (!session)
        return;
    gnutls_db_set_ptr(session, server);
    if (server->older)
        gnutls_handshake_set_post_client_hello_function(session, session_negotiate);
    if (server->options.ask_client_certificate)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

static void connection_begin(struct webhook_server *server, struct MHD_Connection *mhd,
                             void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = connection_open(&server->connections, info->connect_fd);

    *context = connection;
    log_thread_name(server->name);
    session_prepare(server, mhd);
    connections_sweep(&server->connections, server_idle_limit(server), server_busy_limit(server));
    if (connections_count(&server->connections) <= server->options.connection_limit)
        return;
    LOG(LOG_WARN, "too many connections, closing the one idle longest",
        KI("limit", server->options.connection_limit));
    if (!connections_cut_oldest(&server->connections, EVICT_IDLE))
        connection_cut(connection);
}

static void connection_notify(void *closure, struct MHD_Connection *mhd, void **context,
                              enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_begin(closure, mhd, context);
    } else if (*context) {
        connection_close(*context);
        *context = NULL;
    }
}

static int certificate_callback(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                                gnutls_pcert_st **chain, unsigned *chain_length,
                                gnutls_ocsp_data_st **ocsp, unsigned *ocsp_length,
                                gnutls_privkey_t *key, unsigned *flags)
{
    const struct webhook_server *server = gnutls_db_get_ptr(session);

    (void)info;
    *ocsp = NULL;
    *ocsp_length = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return certificate_source_handshake(server->options.certificates, chain, chain_length, key);
}

/* What libmicrohttpd wants to say is about single connections: handshakes that failed and such. */
static void log_daemon(void *closure, const char *fmt, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void log_daemon(void *closure, const char *fmt, va_list arguments)
{
    char text[256], *line = text;

    (void)closure;
    if (!log_enabled(LOG_DEBUG))
        return;
    vsnprintf(text, sizeof(text), fmt, arguments);
    line[strcspn(line, "\r\n")] = '\0';
    LOG(LOG_DEBUG, "http server", KS("detail", line));
}

/* -- sockets -- */

/* What we listen on, for messages: "127.0.0.1:9443", "[::1]:9443", "*:9443". */
static const char *address_text(const struct webhook_server *server, char *buffer, size_t size)
{
    const char *host = server->host && *server->host ? server->host : "*";

    snprintf(buffer, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, server->options.port);
    return buffer;
}

static int listen_error(const struct webhook_server *server, const char *what, struct err *e)
{
    char text[300];
    int code = errno;

    return err_set(e, ERR_IO, "listen on %s: %s%s%s", address_text(server, text, sizeof(text)),
                   what, *what ? ": " : "", strerror(code));
}

/* All addresses: one socket for both families, or IPv4 alone where there is no IPv6. */
static void address_any(struct webhook_server *server, int family)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
    struct sockaddr_in four = { .sin_family = AF_INET };

    six.sin6_port = four.sin_port = htons(server->options.port);
    server->address_length = family == AF_INET6 ? sizeof(six) : sizeof(four);
    if (family == AF_INET6)
        memcpy(&server->address, &six, sizeof(six));
    else
        memcpy(&server->address, &four, sizeof(four));
}

/* A name that has addresses of both families means the IPv4 one: "localhost" is 127.0.0.1, as in
 * Go. */
static int address_resolve(struct webhook_server *server, struct err *e)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list, *chosen;
    char service[8];
    int code;

    snprintf(service, sizeof(service), "%u", server->options.port);
    code = getaddrinfo(server->host, service, &hints, &list);
    if (code != 0)
        return err_set(e, ERR_INVALID, "listen on \"%s\": %s", server->host, gai_strerror(code));
    chosen = list;
    while (chosen->ai_family != AF_INET && chosen->ai_next)
        chosen = chosen->ai_next;
    chosen = chosen->ai_family == AF_INET ? chosen : list;
    memcpy(&server->address, chosen->ai_addr, chosen->ai_addrlen);
    server->address_length = chosen->ai_addrlen;
    freeaddrinfo(list);
    return 0;
}

static int socket_create(const struct webhook_server *server)
{
    int family = server->address.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    return fd;
}

static int bind_and_listen(const struct webhook_server *server, int fd)
{
    if (bind(fd, (const struct sockaddr *)&server->address, server->address_length) < 0)
        return -1;
    return listen(fd, LISTEN_BACKLOG);
}

/* Sockets that share a port through SO_REUSEPORT would also share it, silently, with another
 * process of the same user. So the port is first taken by a socket without that option. */
static int probe(struct webhook_server *server)
{
    AUTO_CLOSE int fd = socket_create(server);

    if (fd < 0 || bind_and_listen(server, fd) < 0)
        return -1;
    server->address_length = sizeof(server->address);
    return getsockname(fd, (struct sockaddr *)&server->address, &server->address_length);
}

static int address_choose(struct webhook_server *server, struct err *e)
{
    bool any = !server->host || !*server->host;

    if (!any && address_resolve(server, e) < 0)
        return -1;
    if (any)
        address_any(server, AF_INET6);
    if (probe(server) == 0)
        return 0;
    if (any && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        address_any(server, AF_INET);
        if (probe(server) == 0)
            return 0;
    }
    return listen_error(server, "", e);
}

/* One listening socket of the final address; -1 with errno. */
static int socket_listen(const struct webhook_server *server)
{
    int fd = socket_create(server);
    int on = 1, code;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
        bind_and_listen(server, fd) == 0)
        return fd;
    code = errno;
    close(fd);
    errno = code;
    return -1;
}

/* -- start -- */

static struct MHD_Daemon *daemon_create(struct webhook_server *server, int fd)
{
    const struct webhook_server_options *o = &server->options;
    unsigned limit = o->connection_limit + CONNECTION_SPARE;
    struct MHD_OptionItem tls[] = { { MHD_OPTION_HTTPS_CERT_CALLBACK2, 0,
                                      (void *)(uintptr_t)certificate_callback },
                                    { MHD_OPTION_HTTPS_PRIORITIES, 0, server->priorities },
                                    { MHD_OPTION_END, 0, NULL } };
    struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
    /* Without the inter-thread channel MHD_quiesce_daemon refuses. */
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                     (o->certificates ? (unsigned)MHD_USE_TLS : 0);

    return MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_handle, server, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, server,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server, MHD_OPTION_NOTIFY_CONNECTION,
        connection_notify, server, MHD_OPTION_CONNECTION_LIMIT, limit,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds, MHD_OPTION_THREAD_STACK_SIZE,
        THREAD_STACK_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
        o->certificates ? tls : plain, MHD_OPTION_END);
}

static int daemons_start(struct webhook_server *server, struct err *e)
{
    while (server->daemon_count < server->options.threads) {
        int fd = socket_listen(server);
        struct MHD_Daemon *daemon;

        if (fd < 0)
            return listen_error(server, "", e);
        daemon = daemon_create(server, fd);
        if (!daemon)
            return err_set(e, ERR_IO, "%s: the HTTP server does not start", server->name);
        server->daemons[server->daemon_count++] = daemon;
    }
    return 0;
}

static int choose_tls(struct webhook_server *server, struct err *e)
{
    AUTO_STRBUF struct strbuf all = STRBUF_INIT, older = STRBUF_INIT;
    const char *place;
    int code;

    if (!server->options.certificates)
        return 0;
    tls_choice_priorities(server->options.tls, &all);
    tls_choice_priorities_1_2(server->options.tls, &older);
    server->priorities = mem_dup(all.text);
    if (older.length == 0)
        return 0;
    code = gnutls_priority_init(&server->older, older.text, &place);
    if (code != 0)
        return err_set(e, ERR_INVALID, "%s: cipher suites: %s", server->name,
                       gnutls_strerror(code));
    return 0;
}

static void options_default(struct webhook_server_options *o)
{
    o->threads = o->threads ? o->threads : 2;
    o->body_limit = o->body_limit ? o->body_limit : BODY_LIMIT;
    o->flight_limit = o->flight_limit ? o->flight_limit : FLIGHT_LIMIT;
    o->connection_limit = o->connection_limit ? o->connection_limit : CONNECTION_LIMIT;
    o->idle_seconds = o->idle_seconds ? o->idle_seconds : IDLE_SECONDS;
    o->request_seconds = o->request_seconds ? o->request_seconds : REQUEST_SECONDS;
}

static int options_check(const struct webhook_server_options *o, const char *name, struct err *e)
{
    if (!o->routes)
        return err_set(e, ERR_INVALID, "%s: no routes", name);
    if (o->threads > SERVER_THREADS_MAX)
        return err_set(e, ERR_INVALID, "%s: %u threads, at most %d", name, o->threads,
                       SERVER_THREADS_MAX);
    if (o->certificates && !certificate_source_ready(o->certificates))
        return err_set(e, ERR_INVALID, "%s: no serving certificate yet", name);
    return 0;
}

static struct webhook_server *server_create(const struct webhook_server_options *options)
{
    struct webhook_server *server = mem_alloc(sizeof(*server));

    server->options = *options;
    options_default(&server->options);
    server->name = mem_dup(options->name ? options->name : "webhook");
    server->host = options->host ? mem_dup(options->host) : NULL;
    connections_init(&server->connections);
    return server;
}

static void server_free(struct webhook_server *server)
{
    connections_finish(&server->connections);
    if (server->older)
        gnutls_priority_deinit(server->older);
    free(server->priorities);
    free(server->name);
    free(server->host);
    free(server);
}

struct webhook_server *webhook_server_start(const struct webhook_server_options *options,
                                            struct err *e)
{
    struct webhook_server *server = server_create(options);

    if (options_check(&server->options, server->name, e) == 0 && choose_tls(server, e) == 0 &&
        address_choose(server, e) == 0 && daemons_start(server, e) == 0)
        return server;
    webhook_server_stop(server, 0);
    return NULL;
}

/* -- stop -- */

static void daemons_quiesce(struct webhook_server *server)
{
    for (unsigned i = 0; i < server->daemon_count; i++) {
        MHD_socket fd = MHD_quiesce_daemon(server->daemons[i]);

        if (fd != MHD_INVALID_SOCKET)
            close(fd);
    }
}

static void drain(struct webhook_server *server, unsigned grace_ms)
{
    int64_t end = monotonic_now() + (int64_t)grace_ms * NANOSECONDS_PER_MILLISECOND;
    struct timespec step = { .tv_nsec = (long)DRAIN_STEP_NANOSECONDS };

    while (connections_count(&server->connections) && monotonic_now() < end) {
        connections_cut(&server->connections, DRAIN_IDLE, server_busy_limit(server));
        nanosleep(&step, NULL);
    }
}

void webhook_server_stop(struct webhook_server *server, unsigned grace_ms)
{
    if (!server)
        return;
    atomic_store(&server->draining, true);
    daemons_quiesce(server);
    drain(server, grace_ms);
    for (unsigned i = 0; i < server->daemon_count; i++)
        MHD_stop_daemon(server->daemons[i]);
    server_free(server);
}

/* -- questions -- */

uint16_t webhook_server_port(const struct webhook_server *server)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    memcpy(&six, &server->address, sizeof(six));
    memcpy(&four, &server->address, sizeof(four));
    return ntohs(server->address.ss_family == AF_INET6 ? six.sin6_port : four.sin_port);
}

struct webhook_server_counts webhook_server_count(const struct webhook_server *server)
{
    return (struct webhook_server_counts){
        .connections = connections_count(&server->connections),
        .requests = atomic_load(&server->requests),
        .flight_bytes = atomic_load(&server->flight),
        .cut = atomic_load(&server->connections.cut),
    };
}
