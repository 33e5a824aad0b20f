#include "webhook/webhook_private.h"

#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>

#include "quota/base/clock.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

/* A refused body of at most this many times the limit is read and thrown away, so that the client
 * gets to read the answer; a longer one is answered at once and the connection closed. */
#define SWALLOW_FACTOR 4
#define BODY_FIRST_BYTES ((size_t)4096)

/* One request, from its request line to the end of its answer. */
struct exchange {
    struct webhook_server *server;
    struct connection *connection;
    struct MHD_Connection *mhd;
    int64_t began;
    bool headers_seen;
    struct response response;
    bool refused;    /* 'response' is final; the body does not matter any more */
    bool self_check; /* the server asks itself: not counted, not observed */
    struct route route;
    struct request request;
    char *body;
    size_t length, capacity; /* bytes held; 'length' of them count in server->flight */
    size_t swallowed;        /* bytes thrown away */
};

void *exchange_begin(void *closure, const char *uri, struct MHD_Connection *mhd)
{
    struct webhook_server *server = closure;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *exchange = mem_alloc(sizeof(*exchange));

    (void)uri;
    exchange->server = server;
    exchange->connection = info->socket_context;
    exchange->mhd = mhd;
    exchange->began = monotonic_now();
    response_init(&exchange->response);
    connection_busy(exchange->connection);
    connections_sweep(&server->connections, server_idle_limit(server), server_busy_limit(server));
    return exchange;
}

static void body_release(struct exchange *exchange)
{
    atomic_fetch_sub(&exchange->server->flight, exchange->length);
    free(exchange->body);
    exchange->body = NULL;
    exchange->length = exchange->capacity = 0;
}

void exchange_end(void *closure, struct MHD_Connection *mhd, void **context,
                  enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;

    (void)closure, (void)mhd, (void)code;
    if (!exchange)
        return;
    *context = NULL;
    body_release(exchange);
    response_finish(&exchange->response);
    connection_idle(exchange->connection);
    free(exchange);
}

/* -- refusing -- */

#define REFUSE(exchange, status, ...)                                                              \
    do {                                                                                           \
        (exchange)->refused = true;                                                                \
        response_text(&(exchange)->response, (status), __VA_ARGS__);                               \
    } while (0)

static const char *header_of(struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
}

static void refuse_method(struct exchange *exchange, const char *path, const char *method)
{
    struct route ignored;
    bool get =
        route_find(exchange->server->options.routes, ROUTE_GET, path, &ignored) == ROUTE_FOUND;
    bool post =
        route_find(exchange->server->options.routes, ROUTE_POST, path, &ignored) == ROUTE_FOUND;

    REFUSE(exchange, 405, "method %s is not allowed here", method);
    response_header(&exchange->response, "Allow",
                    get && post ? "GET, HEAD, POST"
                    : get       ? "GET, HEAD"
                                : "POST");
}

static void find_route(struct exchange *exchange, const char *path, const char *method)
{
    const struct route_table *routes = exchange->server->options.routes;
    bool post = strcmp(method, "POST") == 0;
    bool known = post || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    enum route_match match;

    exchange->request.method = post ? ROUTE_POST : ROUTE_GET;
    match = route_find(routes, exchange->request.method, path, &exchange->route);
    if (match == ROUTE_NO_PATH)
        REFUSE(exchange, 404, "no such path: %s", path);
    else if (match == ROUTE_NO_METHOD || !known)
        refuse_method(exchange, path, method);
}

/* "application/json", perhaps with parameters. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";

    return type && strncasecmp(type, json, sizeof(json) - 1) == 0 &&
           strchr("; \t", type[sizeof(json) - 1]);
}

static void check_type(struct exchange *exchange)
{
    const char *type = header_of(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);

    if (!is_json(type))
        REFUSE(exchange, 415, "content type is \"%s\", expected \"application/json\"",
               type ? type : "");
}

/* Announced length: -1 for a chunked body, INT64_MAX when absurd. */
static int64_t announced_length(struct exchange *exchange)
{
    const char *text = header_of(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t length;

    if (header_of(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING) || !text)
        return -1;
    return str_to_int64(str_of(text), &length) && length >= 0 ? length : INT64_MAX;
}

static void refuse_length(struct exchange *exchange)
{
    REFUSE(exchange, 413, "the body is larger than %zu bytes",
           exchange->server->options.body_limit);
}

static void check_length(struct exchange *exchange)
{
    int64_t length = announced_length(exchange);

    if (length < 0 && !header_of(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING))
        REFUSE(exchange, 411, "the request has neither a Content-Length nor a chunked body");
    else if (length > 0 && (uint64_t)length > exchange->server->options.body_limit)
        refuse_length(exchange);
}

/* The API server names its own deadline: "?timeout=10s". */
static void read_deadline(struct exchange *exchange)
{
    const char *text = request_query(&exchange->request, "timeout");
    int64_t timeout;

    exchange->request.deadline = INT64_MAX;
    if (!text || exchange->request.method != ROUTE_POST)
        return;
    if (duration_parse(str_of(text), &timeout, NULL) < 0 || timeout < 0)
        REFUSE(exchange, 400, "timeout: \"%s\" is not a duration", text);
    else if (timeout > 0)
        exchange->request.deadline =
            timeout < INT64_MAX - exchange->began ? exchange->began + timeout : INT64_MAX;
}

/* -- reading -- */

static bool flight_reserve(struct exchange *exchange, size_t more)
{
    struct webhook_server *server = exchange->server;

    if (atomic_fetch_add(&server->flight, more) + more <= server->options.flight_limit)
        return true;
    atomic_fetch_sub(&server->flight, more);
    return false;
}

/* The announced length at once (untouched pages cost nothing), else doubling. */
static bool body_grow(struct exchange *exchange, size_t wanted)
{
    int64_t announced = announced_length(exchange);
    size_t capacity = exchange->capacity ? exchange->capacity : BODY_FIRST_BYTES;
    char *larger;

    if (wanted <= exchange->capacity)
        return true;
    while (capacity < wanted)
        capacity *= 2;
    if (announced >= 0 && (size_t)announced >= wanted)
        capacity = (size_t)announced;
    larger = realloc(exchange->body, capacity);
    if (!larger)
        return false;
    exchange->body = larger;
    exchange->capacity = capacity;
    return true;
}

static void refuse_busy(struct exchange *exchange)
{
    REFUSE(exchange, 429, "too many bytes in flight, try again");
    response_header(&exchange->response, "Retry-After", "1");
}

static void body_add(struct exchange *exchange, const char *data, size_t size)
{
    size_t wanted = exchange->length + size;

    if (wanted > exchange->server->options.body_limit)
        refuse_length(exchange);
    else if (!flight_reserve(exchange, size))
        refuse_busy(exchange);
    else if (!body_grow(exchange, wanted)) {
        atomic_fetch_sub(&exchange->server->flight, size);
        refuse_busy(exchange);
    } else {
        memcpy(exchange->body + exchange->length, data, size);
        exchange->length = wanted;
    }
    if (exchange->refused)
        body_release(exchange);
}

static void take_piece(struct exchange *exchange, const char *data, size_t size)
{
    if (!exchange->refused && exchange->request.method == ROUTE_POST)
        body_add(exchange, data, size);
    else
        exchange->swallowed += size;
}

/* A body that drips in for ever, or is thrown away for ever, is not waited for. */
static bool is_worth_waiting(const struct exchange *exchange)
{
    const struct webhook_server *server = exchange->server;

    return monotonic_now() - exchange->began <= server_busy_limit(server) &&
           exchange->swallowed / SWALLOW_FACTOR <= server->options.body_limit;
}

/* -- answering -- */

static enum MHD_Result send_response(struct exchange *exchange)
{
    struct webhook_server *server = exchange->server;
    struct response *response = &exchange->response;
    size_t length = response->body.length;
    struct MHD_Response *mhd = MHD_create_response_from_buffer(length, strbuf_take(&response->body),
                                                               MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!mhd)
        return MHD_NO;
    if (length)
        MHD_add_response_header(mhd, MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type);
    for (unsigned i = 0; i < response->header_count; i++)
        MHD_add_response_header(mhd, response->headers[i].name, response->headers[i].value);
    if (atomic_load(&server->draining))
        MHD_add_response_header(mhd, MHD_HTTP_HEADER_CONNECTION, "close");
    result = MHD_queue_response(exchange->mhd, response->status, mhd);
    MHD_destroy_response(mhd);
    return result;
}

static enum MHD_Result answer(struct exchange *exchange)
{
    struct webhook_server *server = exchange->server;
    unsigned status = exchange->response.status;
    enum MHD_Result result = send_response(exchange);

    body_release(exchange);
    if (exchange->self_check)
        return result;
    atomic_fetch_add(&server->requests, 1);
    if (server->options.observe)
        server->options.observe(server->options.observe_context, exchange->route.path, status,
                                monotonic_now() - exchange->began);
    return result;
}

static const char *request_find(void *source, enum request_part part, const char *name)
{
    enum MHD_ValueKind kind = part == REQUEST_HEADER ? MHD_HEADER_KIND : MHD_GET_ARGUMENT_KIND;
    const char *value = NULL;

    if (MHD_lookup_connection_value_n(source, kind, name, strlen(name), &value, NULL) != MHD_YES)
        return NULL;
    return value ? value : ""; /* "?verbose" has none */
}

static struct str peer_certificate(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0;
    const gnutls_datum_t *list =
        info && info->tls_session ? gnutls_certificate_get_peers(info->tls_session, &count) : NULL;

    return list && count ? (struct str){ (const char *)list[0].data, list[0].size }
                         : (struct str){ NULL, 0 };
}

static void serve(struct exchange *exchange)
{
    struct request *request = &exchange->request;

    if (request->deadline < monotonic_now()) {
        REFUSE(exchange, 504, "the deadline of the request has passed");
        return;
    }
    request->body = (struct str){ exchange->body, exchange->length };
    if (exchange->server->options.ask_client_certificate)
        request->peer = peer_certificate(exchange);
    exchange->route.function(exchange->route.context, request, &exchange->response,
                             &exchange->connection->arena);
}

/* -- the steps of one request -- */

/* Headers are known, the body is not: decide whether it is wanted. */
static void look_at_headers(struct exchange *exchange, const char *url, const char *method)
{
    exchange->headers_seen = true;
    exchange->request.path = url;
    exchange->request.find = request_find;
    exchange->request.source = exchange->mhd;
    exchange->self_check = strcmp(url, SELF_CHECK_PATH) == 0;
    if (exchange->self_check) {
        exchange->refused = true;
        exchange->response.status = 204;
        return;
    }
    find_route(exchange, url, method);
    if (!exchange->refused)
        read_deadline(exchange);
    if (!exchange->refused && exchange->request.method == ROUTE_POST)
        check_type(exchange);
    if (!exchange->refused && exchange->request.method == ROUTE_POST)
        check_length(exchange);
}

/* Answer before the body? Only when the client waits for that or reading on would be a waste;
 * libmicrohttpd closes the connection then. */
static bool is_answered_early(struct exchange *exchange)
{
    int64_t length = announced_length(exchange);

    return exchange->refused && (header_of(exchange, MHD_HTTP_HEADER_EXPECT) ||
                                 (length > 0 && (uint64_t)length / SWALLOW_FACTOR >
                                                    exchange->server->options.body_limit));
}

enum MHD_Result exchange_handle(void *closure, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *size, void **context)
{
    struct exchange *exchange = *context;

    (void)closure, (void)mhd, (void)version;
    if (!exchange->headers_seen) {
        look_at_headers(exchange, url, method);
        return is_answered_early(exchange) ? answer(exchange) : MHD_YES;
    }
    if (*size) {
        take_piece(exchange, data, *size);
        *size = 0;
        return is_worth_waiting(exchange) ? MHD_YES : MHD_NO;
    }
    if (!exchange->refused)
        serve(exchange);
    return answer(exchange);
}
