#include "tests/unit/webhook/support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "quota/base/clock.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"
#include "webhook/review.h"

static const char *const loopback_dns[] = { "localhost" };
static const char *const loopback_ip[] = { "127.0.0.1" };
const struct certificate_names loopback_names = { loopback_dns, 1, loopback_ip, 1 };

int64_t wall_seconds(void)
{
    return (int64_t)time(NULL);
}

int64_t steady_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
    struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&time, NULL);
}

static struct certificate_store shared_store;

static void shared_store_finish(void)
{
    certificate_store_finish(&shared_store);
}

struct certificate_store *loopback_store(void)
{
    enum certificate_action action;
    struct err e = { 0 };

    if (shared_store.leaf.key)
        return &shared_store;
    if (certificate_store_step(&shared_store, &loopback_names, wall_seconds(), 0, &action, &e) < 0)
        fail_msg("%s", e.text);
    atexit(shared_store_finish);
    return &shared_store;
}

/* -- the server -- */

static void serve_echo(void *context, const struct request *request, struct response *response,
                       struct arena *arena)
{
    (void)context, (void)arena;
    response->content_type = "application/json";
    strbuf_str(&response->body, request->body);
}

static void serve_hello(void *context, const struct request *request, struct response *response,
                        struct arena *arena)
{
    (void)context, (void)request, (void)arena;
    response_text(response, 200, "hello");
    response_header(response, "X-Test", "yes");
}

static void serve_late(void *context, const struct request *request, struct response *response,
                       struct arena *arena)
{
    int64_t rest = request->deadline;

    (void)context, (void)arena;
    if (rest != INT64_MAX)
        rest = rest / NANOSECONDS_PER_MILLISECOND - steady_ms();
    response_text(response, 200, "%lld", (long long)rest);
}

static void serve_path(void *context, const struct request *request, struct response *response,
                       struct arena *arena)
{
    const char *query = request_query(request, "q"), *header = request_header(request, "x-ask");

    (void)context, (void)arena;
    response_text(response, 200, "%s q=%s x-ask=%s", request->path, query ? query : "-",
                  header ? header : "-");
}

static void serve_peer(void *context, const struct request *request, struct response *response,
                       struct arena *arena)
{
    (void)context, (void)arena;
    strbuf_str(&response->body, request->peer);
}

static void routes_fill(struct route_table *routes)
{
    static const struct {
        enum route_method method;
        const char *path;
        route_function *function;
    } all[] = {
        { ROUTE_POST, "/echo", serve_echo },  { ROUTE_GET, "/hello", serve_hello },
        { ROUTE_POST, "/late", serve_late },  { ROUTE_GET, "/under/*", serve_path },
        { ROUTE_POST, "/both", serve_hello }, { ROUTE_GET, "/both", serve_hello },
        { ROUTE_GET, "/peer", serve_peer },
    };

    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        assert_int_equal(route_add(routes, all[i].method, all[i].path, all[i].function, NULL, NULL),
                         0);
    assert_int_equal(review_route_add(routes, "/review", review_allow, NULL, NULL), 0);
}

void rig_start(struct rig *rig, bool tls, struct webhook_server_options options)
{
    struct certificate_store *store = loopback_store();
    struct err e = { 0 };

    memset(rig, 0, sizeof(*rig));
    rig->routes = route_table_create();
    routes_fill(rig->routes);
    if (tls) {
        rig->source = certificate_source_create();
        if (certificate_source_set(rig->source, str_of(store->leaf.certificate),
                                   str_of(store->leaf.key), &e) < 0)
            fail_msg("%s", e.text);
    }
    options.certificates = rig->source;
    options.routes = rig->routes;
    options.host = options.host ? options.host : "127.0.0.1";
    rig->server = webhook_server_start(&options, &e);
    if (!rig->server)
        fail_msg("%s", e.text);
}

void rig_stop(struct rig *rig)
{
    webhook_server_stop(rig->server, 2000);
    route_table_destroy(rig->routes);
    certificate_source_destroy(rig->source);
    memset(rig, 0, sizeof(*rig));
}

/* -- the client -- */

struct client {
    CURL *curl;
    bool tls;
    uint16_t port;
};

struct client *client_create(const struct rig *rig)
{
    struct client *client = mem_alloc(sizeof(*client));

    client->curl = curl_easy_init();
    assert_non_null(client->curl);
    client->tls = rig->source != NULL;
    client->port = webhook_server_port(rig->server);
    return client;
}

void client_destroy(struct client *client)
{
    curl_easy_cleanup(client->curl);
    free(client);
}

static size_t collect(char *bytes, size_t size, size_t count, void *out)
{
    strbuf_add(out, bytes, size * count);
    return size * count;
}

struct upload {
    struct str rest;
};

static size_t upload_read(char *out, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t n = size * count < upload->rest.length ? size * count : upload->rest.length;

    memcpy(out, upload->rest.text, n);
    upload->rest.text += n;
    upload->rest.length -= n;
    return n;
}

static struct curl_slist *call_headers(const struct call *call)
{
    AUTO_FREE char *type =
        mem_format("Content-Type: %s", call->type ? call->type : "application/json");
    struct curl_slist *list = curl_slist_append(NULL, type);

    if (call->header)
        list = curl_slist_append(list, call->header);
    if (call->chunked)
        list = curl_slist_append(list, "Transfer-Encoding: chunked");
    if (call->no_expect)
        list = curl_slist_append(list, "Expect:");
    return list;
}

static void call_body(CURL *curl, const struct call *call, struct upload *upload)
{
    if (strcmp(call->method, "GET") == 0)
        return;
    if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (call->chunked) {
        upload->rest = call->body;
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, upload_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    } else {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.text ? call->body.text : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.length);
    }
    if (strcmp(call->method, "POST") != 0)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
}

static void call_identity(CURL *curl, const struct certificate_pair *identity)
{
    struct curl_blob certificate = { identity->certificate, strlen(identity->certificate),
                                     CURL_BLOB_COPY };
    struct curl_blob key = { identity->key, strlen(identity->key), CURL_BLOB_COPY };

    curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
}

static void call_trust(CURL *curl, const struct call *call, struct strbuf *bundle)
{
    struct curl_blob blob;

    if (call->authority)
        strbuf_puts(bundle, call->authority);
    else
        certificate_store_bundle(loopback_store(), bundle);
    blob = (struct curl_blob){ bundle->text, bundle->length, CURL_BLOB_COPY };
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    if (call->tls_version)
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, call->tls_version);
    if (call->identity)
        call_identity(curl, call->identity);
}

struct reply client_call(struct client *client, struct call call)
{
    struct reply reply = { 0 };
    struct upload upload = { { NULL, 0 } };
    struct curl_slist *headers = call_headers(&call);
    AUTO_STRBUF struct strbuf bundle = STRBUF_INIT;
    AUTO_FREE char *url =
        mem_format("%s://127.0.0.1:%u%s", client->tls ? "https" : "http", client->port, call.path);

    curl_easy_reset(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &reply.body);
    curl_easy_setopt(client->curl, CURLOPT_HEADERFUNCTION, collect);
    curl_easy_setopt(client->curl, CURLOPT_HEADERDATA, &reply.headers);
    call_body(client->curl, &call, &upload);
    if (client->tls)
        call_trust(client->curl, &call, &bundle);
    reply.problem = (int)curl_easy_perform(client->curl);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_slist_free_all(headers);
    strbuf_puts(&reply.body, ""); /* never NULL */
    strbuf_puts(&reply.headers, "");
    return reply;
}

struct reply call_once(const struct rig *rig, struct call call)
{
    struct client *client = client_create(rig);
    struct reply reply = client_call(client, call);

    client_destroy(client);
    return reply;
}

void reply_finish(struct reply *reply)
{
    strbuf_finish(&reply->body);
    strbuf_finish(&reply->headers);
}

/* -- raw sockets -- */

int raw_connect(const struct rig *rig)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct timeval limit = { .tv_sec = 10 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(webhook_server_port(rig->server));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

void raw_send(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the server hung up: the reader finds out */
        bytes += n;
        length -= (size_t)n;
    }
}

ssize_t raw_read(int fd, char *buffer, size_t limit, int wait_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    size_t have = 0;

    while (have < limit) {
        ssize_t n;

        if (poll(&poll_fd, 1, wait_ms) <= 0)
            return have ? (ssize_t)have : -1;
        n = recv(fd, buffer + have, limit - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* -- files -- */

char *folder_create(void)
{
    const char *base = getenv("TMPDIR");
    char *folder = mem_format("%s/webhook-test-XXXXXX", base && *base ? base : "/tmp");

    assert_non_null(mkdtemp(folder));
    return folder;
}

void folder_write(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *path = mem_format("%s/%s", folder, name);

    assert_int_equal(file_write(path, str_of(text), 0600, NULL), 0);
}

void folder_remove(char *folder)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        AUTO_FREE char *path = mem_format("%s/%s", folder, entry->d_name);

        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (directory)
        closedir(directory);
    rmdir(folder);
    free(folder);
}

char *review_text(const char *uid)
{
    return mem_format(
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
        "\"uid\":\"%s\",\"kind\":{\"group\":\"batch\",\"version\":\"v1\",\"kind\":\"Job\"},"
        "\"resource\":{\"group\":\"batch\",\"version\":\"v1\",\"resource\":\"jobs\"},"
        "\"name\":\"train\",\"namespace\":\"team-a\",\"operation\":\"CREATE\","
        "\"userInfo\":{\"username\":\"ada\",\"groups\":[\"g1\",\"g2\"]},"
        "\"object\":{\"kind\":\"Job\",\"spec\":{\"suspend\":false}},\"oldObject\":null,"
        "\"dryRun\":true,\"options\":{\"kind\":\"CreateOptions\"}}}",
        uid);
}
