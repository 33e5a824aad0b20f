#include "tests/unit/webhook/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "quota/base/mem.h"

static const struct webhook_server_options defaults;

/* Whatever was done to the server before: it still answers. */
static void assert_alive(const struct rig *rig)
{
    AUTO_FREE char *body = review_text("alive");
    struct reply reply =
        call_once(rig, (struct call){ .method = "POST", .path = "/review", .body = str_of(body) });

    if (reply.status != 200 || !strstr(reply.body.text, "\"allowed\":true"))
        fail_msg("status %ld, curl %d", reply.status, reply.problem);
    reply_finish(&reply);
}

static void garbage_instead_of_tls_harms_nobody(void **state)
{
    static const char *const garbage[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "\x16\x03\x01\xff\xff\x01",
        "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
        "\x80\x2e\x01\x03\x01",
        "\x15\x03\x03\x00\x02\x02\x28",
        "\x17\x03\x03\x40\x01 and so on",
        "\n",
    };
    struct rig rig;

    (void)state;
    rig_start(&rig, true, defaults);
    for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
        char answer[256];
        int fd = raw_connect(&rig);

        raw_send(fd, garbage[i], strlen(garbage[i]) + 1);
        shutdown(fd, SHUT_WR);
        assert_true(raw_read(fd, answer, sizeof(answer), 5000) >= 0); /* hangs up */
        close(fd);
    }
    assert_alive(&rig);
    rig_stop(&rig);
}

static void random_bytes_harm_nobody(void **state)
{
    uint32_t seed = 11;
    struct rig rigs[2];

    (void)state;
    rig_start(&rigs[0], true, defaults);
    rig_start(&rigs[1], false, defaults);
    for (int i = 0; i < 200; i++) {
        char bytes[300], answer[256];
        int fd = raw_connect(&rigs[i % 2]);

        for (size_t k = 0; k < sizeof(bytes); k++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[k] = (char)(seed >> 24);
        }
        raw_send(fd, bytes, sizeof(bytes));
        shutdown(fd, SHUT_WR);
        raw_read(fd, answer, sizeof(answer), 50); /* or not at all */
        close(fd);
    }
    assert_alive(&rigs[0]);
    assert_alive(&rigs[1]);
    rig_stop(&rigs[0]);
    rig_stop(&rigs[1]);
}

static void odd_http_is_answered_or_hung_up_on(void **state)
{
    static const struct {
        const char *request, *answer; /* NULL: anything, so long as it ends */
    } cases[] = {
        { "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200" },
        { "GET /hello HTTP/1.0\r\n\r\n", "HTTP/1.1 200" },
        { "GET /hello\r\n\r\n", NULL },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
          "\r\n\r\n",
          "HTTP/1.1 411" },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
          "\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 4" },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
          "\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
          "HTTP/1.1 4" },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
          "\r\nContent-Length: 9223372036854775807\r\n\r\n",
          "HTTP/1.1 413" },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
          "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          NULL },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
          "\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
          NULL },
        { "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json"
          "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
          "HTTP/1.1 200" },
        { "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /hello HTTP/1.1\r\n\r\n",
          "HTTP/1.1 200" },
        { "GET /under/%00%ff%zz?a=%&&=&b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", NULL },
    };
    struct rig rig;

    (void)state;
    rig_start(&rig, false, defaults);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char answer[2048];
        int fd = raw_connect(&rig);
        ssize_t n;

        raw_send(fd, cases[i].request, strlen(cases[i].request));
        if (!cases[i].answer)
            shutdown(fd, SHUT_WR);
        n = raw_read(fd, answer, sizeof(answer) - 1, 30000);
        answer[n > 0 ? n : 0] = '\0';
        if (n < 0 || (cases[i].answer && !strstr(answer, cases[i].answer)))
            fail_msg("%s\nwas answered (%zd) %s", cases[i].request, n, answer);
        close(fd);
    }
    assert_alive(&rig);
    rig_stop(&rig);
}

static void endless_headers_are_refused(void **state)
{
    struct rig rig;
    char line[1000], answer[2048];
    int fd;

    (void)state;
    rig_start(&rig, false, defaults);
    fd = raw_connect(&rig);
    memset(line, 'a', sizeof(line));
    memcpy(line + sizeof(line) - 4, ":b\r\n", 4);
    raw_send(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n", 30);
    for (int i = 0; i < 100; i++)
        raw_send(fd, line, sizeof(line));
    assert_true(raw_read(fd, answer, sizeof(answer), 5000) >= 0);
    close(fd);
    assert_alive(&rig);
    rig_stop(&rig);
}

static void half_requests_hold_nothing_after_the_client_left(void **state)
{
    static const char half[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n{\"a\":";
    struct rig rig;

    (void)state;
    rig_start(&rig, false, defaults);
    for (size_t cut = 1; cut <= sizeof(half) - 1; cut += 7) {
        int fd = raw_connect(&rig);

        raw_send(fd, half, cut);
        close(fd);
    }
    sleep_ms(200); /* all are accepted */
    for (int i = 0; i < 200 && webhook_server_count(rig.server).connections > 1; i++) {
        sleep_ms(250);
        assert_alive(&rig); /* a server that is used tidies up; this one may still be there */
    }
    assert_true(webhook_server_count(rig.server).connections <= 1);
    assert_int_equal(webhook_server_count(rig.server).flight_bytes, 0);
    rig_stop(&rig);
}

/* One byte at a time keeps libmicrohttpd's own time-out away for ever. */
static void a_dripping_client_is_cut(void **state)
{
    static const char *const begins[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n",               /* drips its body */
        "POST /echo HTTP/1.1\r\nHost: x\r\nX-Slow: ", /* drips its headers */
    };
    struct webhook_server_options options = { .request_seconds = 1 };
    struct rig rig;

    (void)state;
    rig_start(&rig, false, options);
    for (size_t i = 0; i < ARRAY_COUNT(begins); i++) {
        int fd = raw_connect(&rig);
        int64_t begin = steady_ms();
        char answer[64];
        bool ended = false;

        raw_send(fd, begins[i], strlen(begins[i]));
        while (!ended && steady_ms() - begin < 60000) {
            raw_send(fd, " ", 1);
            assert_alive(&rig); /* others are served, and their arrival is what finds the slow */
            ended = raw_read(fd, answer, sizeof(answer), 100) >= 0;
        }
        assert_true(ended);
        close(fd);
    }
    rig_stop(&rig);
}

static void a_client_that_says_nothing_is_let_go(void **state)
{
    struct webhook_server_options options = { .idle_seconds = 1 };
    struct rig rigs[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        char answer[64];
        int fd;

        rig_start(&rigs[i], i == 1, options);
        fd = raw_connect(&rigs[i]);
        assert_true(raw_read(fd, answer, sizeof(answer), 60000) >= 0); /* TLS says goodbye */
        close(fd);
        rig_stop(&rigs[i]);
    }
}

static void above_the_connection_limit_the_idle_make_room(void **state)
{
    struct webhook_server_options options = { .connection_limit = 8 };
    struct rig rig;
    int fds[8], gone = 0;
    char answer[64];

    (void)state;
    rig_start(&rig, false, options);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
        fds[i] = raw_connect(&rig);
    sleep_ms(1200);
    assert_alive(&rig);
    for (int i = 0; i < 100 && !gone; i++)
        for (size_t k = 0; k < ARRAY_COUNT(fds); k++)
            gone += raw_read(fds[k], answer, sizeof(answer), 20) == 0;
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
        close(fds[i]);
    assert_true(gone >= 1 && gone <= 2);
    rig_stop(&rig);
}

/* -- many at once -- */

struct load {
    const struct rig *rig;
    unsigned rounds;
    bool reconnect;
    atomic_bool stop;
    atomic_uint good, bad;
};

static void *load_thread(void *context)
{
    struct load *load = context;
    struct client *client = client_create(load->rig);
    AUTO_FREE char *body = review_text("load");

    for (unsigned i = 0; i < load->rounds && !atomic_load(&load->stop); i++) {
        struct reply reply = client_call(
            client,
            (struct call){ .method = "POST", .path = "/review?timeout=10s", .body = str_of(body) });

        if (reply.status == 200)
            atomic_fetch_add(&load->good, 1);
        else
            atomic_fetch_add(&load->bad, 1);
        reply_finish(&reply);
        if (load->reconnect) {
            client_destroy(client);
            client = client_create(load->rig);
        }
    }
    client_destroy(client);
    return NULL;
}

static void many_clients_are_all_answered(void **state)
{
    struct rig rig;
    struct load load = { .rig = &rig, .rounds = 20 };
    pthread_t threads[40];

    (void)state;
    rig_start(&rig, true, defaults);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_thread, &load), 0);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(load.good, ARRAY_COUNT(threads) * load.rounds);
    assert_int_equal(load.bad, 0);
    rig_stop(&rig);
}

/* Certificates change every few milliseconds while clients reconnect for each request. */
static void rotation_under_load_refuses_nobody(void **state)
{
    struct rig rig;
    struct load load = { .rig = &rig, .rounds = UINT32_MAX, .reconnect = true };
    pthread_t threads[4];
    unsigned rotations = 0;

    (void)state;
    rig_start(&rig, true, defaults);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_thread, &load), 0);
    while (load.bad == 0 && (rotations < 100 || load.good < 100)) {
        struct certificate_pair leaf = { 0 };

        assert_int_equal(certificate_leaf_create(&loopback_store()->authority, &loopback_names,
                                                 wall_seconds(), 90, &leaf, NULL),
                         0);
        assert_int_equal(
            certificate_source_set(rig.source, str_of(leaf.certificate), str_of(leaf.key), NULL),
            0);
        certificate_pair_finish(&leaf);
        rotations++;
        sleep_ms(5);
    }
    atomic_store(&load.stop, true);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(load.bad, 0);
    assert_int_equal(webhook_self_check(rig.server, wall_seconds(), 2000, NULL), 0);
    rig_stop(&rig);
}

static void a_stop_with_idle_clients_is_quick_and_tells_busy_ones(void **state)
{
    struct rig rig;
    struct client *client;
    struct reply reply;
    int64_t begin;
    int idle;

    (void)state;
    rig_start(&rig, true, defaults);
    idle = raw_connect(&rig);
    client = client_create(&rig);
    reply = client_call(client, (struct call){ .method = "GET", .path = "/hello" });
    assert_int_equal(reply.status, 200);
    assert_null(strstr(reply.headers.text, "Connection: close"));
    reply_finish(&reply);
    begin = steady_ms();
    webhook_server_stop(rig.server, 120000);
    rig.server = NULL;
    assert_true(steady_ms() - begin < 60000); /* the grace is for busy ones */
    close(idle);
    client_destroy(client);
    rig_stop(&rig);
}

struct stopper {
    struct webhook_server *server;
    unsigned grace_ms;
};

static void *stop_thread(void *context)
{
    struct stopper *stopper = context;

    webhook_server_stop(stopper->server, stopper->grace_ms);
    return NULL;
}

static void a_request_under_way_is_answered_during_the_stop(void **state)
{
    static const char begin[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{";
    struct rig rig;
    struct stopper stopper = { .grace_ms = 60000 };
    pthread_t thread;
    char answer[1024] = "";
    int fd;
    ssize_t n;

    (void)state;
    rig_start(&rig, false, defaults);
    stopper.server = rig.server;
    fd = raw_connect(&rig);
    raw_send(fd, begin, sizeof(begin) - 1);
    for (int i = 0; i < 2000 && !webhook_server_count(rig.server).flight_bytes; i++)
        sleep_ms(10);
    assert_int_equal(pthread_create(&thread, NULL, stop_thread, &stopper), 0);
    sleep_ms(800); /* longer than idle ones are kept */
    raw_send(fd, "}", 1);
    n = raw_read(fd, answer, sizeof(answer) - 1, 30000);
    answer[n > 0 ? n : 0] = '\0';
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_non_null(strstr(answer, "Connection: close"));
    assert_non_null(strstr(answer, "\r\n\r\n{}"));
    close(fd);
    pthread_join(thread, NULL);
    rig.server = NULL;
    rig_stop(&rig);
}

static void a_request_that_never_ends_is_cut_by_the_grace(void **state)
{
    static const char begin[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{";
    struct rig rig;
    int64_t start;
    int fd;

    (void)state;
    rig_start(&rig, false, defaults);
    fd = raw_connect(&rig);
    raw_send(fd, begin, sizeof(begin) - 1);
    for (int i = 0; i < 2000 && !webhook_server_count(rig.server).flight_bytes; i++)
        sleep_ms(10);
    start = steady_ms();
    webhook_server_stop(rig.server, 300);
    rig.server = NULL;
    assert_true(steady_ms() - start >= 300);
    close(fd);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_instead_of_tls_harms_nobody),
        cmocka_unit_test(random_bytes_harm_nobody),
        cmocka_unit_test(odd_http_is_answered_or_hung_up_on),
        cmocka_unit_test(endless_headers_are_refused),
        cmocka_unit_test(half_requests_hold_nothing_after_the_client_left),
        cmocka_unit_test(a_dripping_client_is_cut),
        cmocka_unit_test(a_client_that_says_nothing_is_let_go),
        cmocka_unit_test(above_the_connection_limit_the_idle_make_room),
        cmocka_unit_test(many_clients_are_all_answered),
        cmocka_unit_test(rotation_under_load_refuses_nobody),
        cmocka_unit_test(a_stop_with_idle_clients_is_quick_and_tells_busy_ones),
        cmocka_unit_test(a_request_under_way_is_answered_during_the_stop),
        cmocka_unit_test(a_request_that_never_ends_is_cut_by_the_grace),
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
