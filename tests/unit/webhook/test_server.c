#include "tests/unit/webhook/support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "quota/base/mem.h"

#define MIB ((size_t)1 << 20)

static const struct webhook_server_options defaults;

static struct call post(const char *path, const char *body)
{
    return (struct call){ .method = "POST", .path = path, .body = str_of(body) };
}

static struct call get(const char *path)
{
    return (struct call){ .method = "GET", .path = path };
}

static void assert_reply(struct reply reply, long status, const char *says)
{
    if (reply.status != status)
        fail_msg("status %ld (curl %d), expected %ld; body: %s", reply.status, reply.problem,
                 status, reply.body.text);
    if (says && !strstr(reply.body.text, says))
        fail_msg("\"%s\" does not say \"%s\"", reply.body.text, says);
    reply_finish(&reply);
}

static void a_review_is_answered_over_tls(void **state)
{
    struct rig rig;
    AUTO_FREE char *body = review_text("u-42");

    (void)state;
    rig_start(&rig, true, defaults);
    assert_reply(call_once(&rig, post("/review", body)), 200,
                 "\"response\":{\"uid\":\"u-42\",\"allowed\":true}");
    assert_reply(call_once(&rig, post("/review", "{\"kind\":\"AdmissionReview\"}")), 400,
                 "apiVersion is \"\"");
    assert_reply(call_once(&rig, post("/review", "{")), 400, "byte");
    assert_reply(call_once(&rig, post("/review", "")), 400, NULL);
    rig_stop(&rig);
}

static void a_plain_server_answers_get_and_head(void **state)
{
    struct rig rig;
    struct reply reply;

    (void)state;
    rig_start(&rig, false, defaults);
    reply = call_once(&rig, get("/hello"));
    assert_non_null(strstr(reply.headers.text, "X-Test: yes"));
    assert_non_null(strstr(reply.headers.text, "text/plain"));
    assert_reply(reply, 200, "hello");
    reply = call_once(&rig, (struct call){ .method = "HEAD", .path = "/hello" });
    assert_int_equal(reply.body.length, 0);
    assert_non_null(strstr(reply.headers.text, "Content-Length: 6"));
    assert_reply(reply, 200, NULL);
    rig_stop(&rig);
}

static void unknown_paths_and_methods_get_404_and_405(void **state)
{
    static const struct {
        const char *method, *path, *allow;
        long status;
    } cases[] = {
        { "GET", "/nowhere", NULL, 404 },
        { "POST", "/nowhere", NULL, 404 },
        { "GET", "/", NULL, 404 },
        { "POST", "//echo", NULL, 404 },
        { "GET", "/echo", "Allow: POST", 405 },
        { "PUT", "/echo", "Allow: POST", 405 },
        { "DELETE", "/echo", "Allow: POST", 405 },
        { "POST", "/hello", "Allow: GET, HEAD\r", 405 },
        { "PATCH", "/both", "Allow: GET, HEAD, POST", 405 },
        { "OPTIONS", "/hello", "Allow: GET, HEAD\r", 405 },
        { "BREW", "/hello", "Allow: GET, HEAD\r", 405 },
    };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, defaults);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct reply reply = call_once(
            &rig,
            (struct call){ .method = cases[i].method, .path = cases[i].path, .body = STR("{}") });

        if (cases[i].allow && !strstr(reply.headers.text, cases[i].allow))
            fail_msg("%s %s: no \"%s\" in %s", cases[i].method, cases[i].path, cases[i].allow,
                     reply.headers.text);
        assert_reply(reply, cases[i].status, NULL);
    }
    rig_stop(&rig);
}

static void the_path_and_the_query_are_handed_over_apart(void **state)
{
    struct rig rig;
    struct call call = get("/under/a%20b?q=1%2B1&timeout=x");

    (void)state;
    rig_start(&rig, false, defaults);
    call.header = "X-Ask: me";
    assert_reply(call_once(&rig, call), 200, "/under/a b q=1+1 x-ask=me");
    assert_reply(call_once(&rig, get("/under/a?q")), 200, "/under/a q= x-ask=-");
    assert_reply(call_once(&rig, get("/under/a")), 200, "/under/a q=- x-ask=-");
    rig_stop(&rig);
}

static void only_json_is_taken(void **state)
{
    static const struct {
        const char *type;
        long status;
    } cases[] = {
        { "application/json", 200 },
        { "Application/JSON; charset=utf-8", 200 },
        { "application/json ;x", 200 },
        { "application/jsonx", 415 },
        { "application/x-www-form-urlencoded", 415 },
        { "application/vnd.kubernetes.protobuf", 415 },
        { "text/json", 415 },
    };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, defaults);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct call call = post("/echo", "{\"a\":1}");

        call.type = cases[i].type;
        assert_reply(call_once(&rig, call), cases[i].status, NULL);
    }
    rig_stop(&rig);
}

static char *filled(size_t length)
{
    char *body = mem_alloc(length + 1);

    memset(body, ' ', length);
    return body;
}

static void bodies_up_to_the_limit_come_through_whole(void **state)
{
    static const size_t sizes[] = { 1, 4095, 4096, 4097, 40000, 8 * MIB };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, defaults);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        for (int chunked = 0; chunked < 2; chunked++) {
            AUTO_FREE char *body = filled(sizes[i]);
            struct call call = post("/echo", body);
            struct reply reply;

            body[sizes[i] - 1] = 'x';
            call.chunked = chunked;
            reply = call_once(&rig, call);
            assert_int_equal(reply.body.length, sizes[i]);
            assert_memory_equal(reply.body.text, body, sizes[i]);
            assert_reply(reply, 200, NULL);
        }
    }
    assert_int_equal(webhook_server_count(rig.server).flight_bytes, 0);
    rig_stop(&rig);
}

static void larger_bodies_get_413_however_they_are_sent(void **state)
{
    AUTO_FREE char *body = filled(8 * MIB + 1);
    AUTO_FREE char *huge = filled(40 * MIB);
    struct rig rig;

    (void)state;
    rig_start(&rig, true, defaults);
    for (int way = 0; way < 4; way++) {
        struct call call = post("/echo", body);

        call.chunked = way & 1;
        call.no_expect = way & 2;
        assert_reply(call_once(&rig, call), 413, "8388608 bytes");
    }
    /* Far too long: no promise that the answer can be read, but the server lives on. */
    for (int way = 0; way < 2; way++) {
        struct call call = post("/echo", huge);
        struct reply reply;

        call.chunked = way;
        call.no_expect = true;
        reply = call_once(&rig, call);
        assert_true(reply.status == 413 || reply.problem != 0);
        reply_finish(&reply);
    }
    assert_reply(call_once(&rig, post("/echo", "{}")), 200, "{}");
    assert_int_equal(webhook_server_count(rig.server).flight_bytes, 0);
    rig_stop(&rig);
}

static void a_refused_small_body_keeps_the_connection(void **state)
{
    struct rig rig;
    struct client *client;
    long connects = 0;

    (void)state;
    rig_start(&rig, true, defaults);
    client = client_create(&rig);
    assert_reply(client_call(client, post("/nowhere", "{}")), 404, NULL);
    assert_reply(client_call(client, post("/echo", "{}")), 200, "{}");
    connects = webhook_server_count(rig.server).connections;
    assert_int_equal(connects, 1);
    client_destroy(client);
    rig_stop(&rig);
}

static void the_bytes_in_flight_are_bounded(void **state)
{
    struct webhook_server_options options = { .flight_limit = 4000 };
    AUTO_FREE char *body = filled(5000);
    struct rig rig;
    struct reply reply;
    int fd;
    static const char half[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 4000\r\n\r\n";

    (void)state;
    rig_start(&rig, false, options);
    reply = call_once(&rig, post("/echo", body));
    assert_non_null(strstr(reply.headers.text, "Retry-After: 1"));
    assert_reply(reply, 429, NULL);
    fd = raw_connect(&rig); /* holds 3000 of the 4000 bytes */
    raw_send(fd, half, sizeof(half) - 1);
    raw_send(fd, body, 3000);
    for (int i = 0; i < 2000 && webhook_server_count(rig.server).flight_bytes < 3000; i++)
        sleep_ms(10);
    assert_int_equal(webhook_server_count(rig.server).flight_bytes, 3000);
    body[2000] = '\0';
    assert_reply(call_once(&rig, post("/echo", body)), 429, NULL);
    body[900] = '\0';
    assert_reply(call_once(&rig, post("/echo", body)), 200, NULL);
    close(fd);
    for (int i = 0; i < 2000 && webhook_server_count(rig.server).flight_bytes; i++)
        sleep_ms(10);
    assert_int_equal(webhook_server_count(rig.server).flight_bytes, 0);
    rig_stop(&rig);
}

static void the_timeout_of_the_query_is_the_deadline(void **state)
{
    struct rig rig;
    struct reply reply;
    long rest;

    (void)state;
    rig_start(&rig, true, defaults);
    reply = call_once(&rig, post("/late?timeout=10s", "{}"));
    rest = strtol(reply.body.text, NULL, 10);
    assert_true(rest > 5000 && rest <= 10000);
    assert_reply(reply, 200, NULL);
    assert_reply(call_once(&rig, post("/late", "{}")), 200, "9223372036854775807");
    assert_reply(call_once(&rig, post("/late?timeout=1ns", "{}")), 504, "deadline");
    assert_reply(call_once(&rig, post("/late?timeout=soon", "{}")), 400, "soon");
    assert_reply(call_once(&rig, post("/late?timeout=-1s", "{}")), 400, "-1s");
    rig_stop(&rig);
}

static void old_tls_is_refused(void **state)
{
    struct rig rig;
    struct call call = get("/hello");

    (void)state;
    rig_start(&rig, true, defaults);
    call.tls_version = CURL_SSLVERSION_TLSv1_1 | CURL_SSLVERSION_MAX_TLSv1_1;
    assert_reply(call_once(&rig, call), 0, NULL);
    call.tls_version = CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2;
    assert_reply(call_once(&rig, call), 200, NULL);
    call.tls_version = CURL_SSLVERSION_TLSv1_3;
    assert_reply(call_once(&rig, call), 200, NULL);
    rig_stop(&rig);
}

static void a_stranger_authority_is_not_trusted_by_clients(void **state)
{
    struct certificate_pair stranger = { 0 };
    struct rig rig;
    struct call call = get("/hello");
    struct reply reply;

    (void)state;
    rig_start(&rig, true, defaults);
    assert_int_equal(certificate_authority_create("x", wall_seconds(), 10, &stranger, NULL), 0);
    call.authority = stranger.certificate;
    reply = call_once(&rig, call);
    assert_int_equal(reply.problem, CURLE_PEER_FAILED_VERIFICATION);
    reply_finish(&reply);
    certificate_pair_finish(&stranger);
    rig_stop(&rig);
}

static void a_client_certificate_is_handed_to_the_handler(void **state)
{
    struct webhook_server_options options = { .ask_client_certificate = true };
    struct certificate_source *source = certificate_source_create();
    AUTO_STRBUF struct strbuf der = STRBUF_INIT;
    struct certificate_pair identity = { 0 };
    struct call call = get("/peer");
    struct rig rig;
    struct reply reply;

    (void)state;
    assert_int_equal(certificate_leaf_create(&loopback_store()->authority, &loopback_names,
                                             wall_seconds(), 1, &identity, NULL),
                     0);
    assert_int_equal(
        certificate_source_set(source, str_of(identity.certificate), str_of(identity.key), NULL),
        0);
    assert_true(certificate_source_leaf(source, &der));
    rig_start(&rig, true, options);
    reply = call_once(&rig, call);
    assert_int_equal(reply.body.length, 0);
    assert_reply(reply, 200, NULL);
    call.identity = &identity;
    reply = call_once(&rig, call);
    assert_int_equal(reply.status, 200);
    assert_true(str_equal(strbuf_view(&reply.body), strbuf_view(&der)));
    reply_finish(&reply);
    rig_stop(&rig);
    certificate_pair_finish(&identity);
    certificate_source_destroy(source);
}

struct seen {
    atomic_int count, status;
    char route[32];
};

static void observe(void *context, const char *route, unsigned status, int64_t nanoseconds)
{
    struct seen *seen = context;

    if (nanoseconds <= 0)
        return;
    snprintf(seen->route, sizeof(seen->route), "%s", route);
    atomic_store(&seen->status, (int)status);
    atomic_fetch_add(&seen->count, 1);
}

static void answers_are_observed_with_their_route(void **state)
{
    struct seen seen = { 0 };
    struct webhook_server_options options = { .observe = observe,
                                              .observe_context = &seen,
                                              .threads = 1 };
    struct rig rig;

    (void)state;
    rig_start(&rig, false, options);
    assert_reply(call_once(&rig, get("/under/a/b")), 200, NULL);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.status, 200);
    assert_string_equal(seen.route, "/under/*");
    assert_reply(call_once(&rig, get("/nowhere")), 404, NULL);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.route, "");
    assert_int_equal(webhook_server_count(rig.server).requests, 2);
    assert_int_equal(webhook_self_check(rig.server, wall_seconds(), 2000, NULL), 0);
    assert_int_equal(seen.count, 2);
    rig_stop(&rig);
}

static void the_self_check_sees_what_a_client_would(void **state)
{
    struct certificate_store *store = loopback_store();
    struct rig rig;
    struct err e = { 0 };

    (void)state;
    rig_start(&rig, true, defaults);
    if (webhook_self_check(rig.server, wall_seconds(), 2000, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(webhook_self_check(rig.server, wall_seconds() + 91 * 86400, 2000, &e), -1);
    assert_non_null(strstr(e.text, "expired"));
    assert_int_equal(certificate_source_set(rig.source, str_of(store->leaf.certificate),
                                            str_of(store->leaf.key), NULL),
                     0);
    assert_int_equal(webhook_self_check(rig.server, wall_seconds(), 2000, NULL), 0);
    rig_stop(&rig);
    rig_start(&rig, false, (struct webhook_server_options){ .host = "localhost" });
    assert_reply(call_once(&rig, get("/hello")), 200, "hello"); /* to 127.0.0.1 */
    rig_stop(&rig);
    rig_start(&rig, false, (struct webhook_server_options){ .host = "" }); /* all addresses */
    if (webhook_self_check(rig.server, 0, 2000, &e) < 0)
        fail_msg("%s", e.text);
    assert_reply(call_once(&rig, get("/hello")), 200, NULL);
    rig_stop(&rig);
}

static void ipv6_is_listened_on_where_there_is_any(void **state)
{
    struct route_table *routes = route_table_create();
    struct webhook_server_options options = { .host = "::1", .routes = routes };
    struct err e = { 0 };
    struct webhook_server *server = webhook_server_start(&options, &e);

    (void)state;
    if (server)
        assert_int_equal(webhook_self_check(server, 0, 2000, NULL), 0);
    else
        assert_non_null(strstr(e.text, "listen on [::1]:0: "));
    webhook_server_stop(server, 0);
    route_table_destroy(routes);
}

static void a_taken_port_and_bad_options_are_clear_errors(void **state)
{
    struct rig rig;
    struct webhook_server_options options = { .host = "127.0.0.1" };
    struct certificate_source *empty = certificate_source_create();
    struct err e = { 0 };
    AUTO_FREE char *address = NULL;

    (void)state;
    assert_null(webhook_server_start(&options, &e));
    assert_non_null(strstr(e.text, "no routes"));
    rig_start(&rig, false, defaults);
    options.routes = rig.routes;
    options.port = webhook_server_port(rig.server);
    address = mem_format("127.0.0.1:%u", options.port);
    assert_null(webhook_server_start(&options, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.text, address));
    assert_non_null(strstr(e.text, "in use"));
    options.port = 0;
    options.host = "192.0.2.1";
    assert_null(webhook_server_start(&options, &e));
    assert_non_null(strstr(e.text, "192.0.2.1"));
    options.host = "not an address";
    assert_null(webhook_server_start(&options, &e));
    assert_int_equal(e.code, ERR_INVALID);
    options.host = "127.0.0.1";
    options.certificates = empty;
    assert_null(webhook_server_start(&options, &e));
    assert_non_null(strstr(e.text, "certificate"));
    options.certificates = NULL;
    options.threads = 17;
    assert_null(webhook_server_start(&options, &e));
    certificate_source_destroy(empty);
    rig_stop(&rig);
}

static void a_port_is_free_again_after_the_stop(void **state)
{
    struct webhook_server_options options = { 0 };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, defaults);
    options.port = webhook_server_port(rig.server);
    assert_reply(call_once(&rig, get("/hello")), 200, NULL);
    rig_stop(&rig);
    rig_start(&rig, true, options);
    assert_int_equal(webhook_server_port(rig.server), options.port);
    assert_reply(call_once(&rig, get("/hello")), 200, NULL);
    rig_stop(&rig);
}

static void *stop_with_grace(void *server)
{
    webhook_server_stop(server, 60000);
    return NULL;
}

/* Is the port closed to newcomers in the end? */
static bool newcomers_are_refused(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 2000; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int rc = connect(fd, (struct sockaddr *)&address, sizeof(address));

        close(fd);
        if (rc < 0)
            return true;
        sleep_ms(10);
    }
    return false;
}

static void while_stopping_a_request_is_finished_and_newcomers_are_refused(void **state)
{
    static const char begin[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 4\r\n\r\nab";
    char answer[512];
    pthread_t stopper;
    struct rig rig;
    ssize_t n;
    int fd;

    (void)state;
    rig_start(&rig, false, defaults);
    fd = raw_connect(&rig);
    raw_send(fd, begin, sizeof(begin) - 1);
    for (int i = 0; i < 2000 && !webhook_server_count(rig.server).flight_bytes; i++)
        sleep_ms(10);
    assert_int_equal(pthread_create(&stopper, NULL, stop_with_grace, rig.server), 0);
    assert_true(newcomers_are_refused(webhook_server_port(rig.server)));
    raw_send(fd, "cd", 2);
    n = raw_read(fd, answer, sizeof(answer) - 1, 30000);
    assert_true(n > 0);
    answer[n] = '\0';
    assert_non_null(strstr(answer, "200 OK"));
    close(fd);
    pthread_join(stopper, NULL);
    rig.server = NULL;
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_review_is_answered_over_tls),
        cmocka_unit_test(a_plain_server_answers_get_and_head),
        cmocka_unit_test(unknown_paths_and_methods_get_404_and_405),
        cmocka_unit_test(the_path_and_the_query_are_handed_over_apart),
        cmocka_unit_test(only_json_is_taken),
        cmocka_unit_test(bodies_up_to_the_limit_come_through_whole),
        cmocka_unit_test(larger_bodies_get_413_however_they_are_sent),
        cmocka_unit_test(a_refused_small_body_keeps_the_connection),
        cmocka_unit_test(the_bytes_in_flight_are_bounded),
        cmocka_unit_test(the_timeout_of_the_query_is_the_deadline),
        cmocka_unit_test(old_tls_is_refused),
        cmocka_unit_test(a_stranger_authority_is_not_trusted_by_clients),
        cmocka_unit_test(a_client_certificate_is_handed_to_the_handler),
        cmocka_unit_test(answers_are_observed_with_their_route),
        cmocka_unit_test(the_self_check_sees_what_a_client_would),
        cmocka_unit_test(ipv6_is_listened_on_where_there_is_any),
        cmocka_unit_test(a_taken_port_and_bad_options_are_clear_errors),
        cmocka_unit_test(a_port_is_free_again_after_the_stop),
        cmocka_unit_test(while_stopping_a_request_is_finished_and_newcomers_are_refused),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
