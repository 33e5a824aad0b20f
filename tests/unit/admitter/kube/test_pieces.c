/* The small pure pieces: status, path, cutter, known, window, bucket, exec credential, lease
 * record, Event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "quota/base/base64.h"
#include "admitter/kube/bucket.h"
#include "admitter/kube/cutter.h"
#include "admitter/kube/event_json.h"
#include "admitter/kube/exec.h"
#include "admitter/kube/known.h"
#include "admitter/kube/lease_record.h"
#include "admitter/kube/object_head.h"
#include "admitter/kube/path.h"
#include "admitter/kube/status.h"
#include "admitter/kube/window.h"
#include "admitter/kube/yaml.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

#define STATUS(reason, code)                                                                       \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"m\","         \
    "\"reason\":\"" reason "\",\"code\":" code "}"

static const struct {
    unsigned status;
    const char *body;
    enum err_code code;
    const char *text;
} answers[] = {
    { 404, STATUS("NotFound", "404"), ERR_NOT_FOUND, "GET /p: m (404)" },
    { 404, "404 page not found\n", ERR_NOT_FOUND, "GET /p: 404 page not found (404)" },
    { 409, STATUS("AlreadyExists", "409"), ERR_EXISTS, "GET /p: m (409)" },
    { 409, STATUS("Conflict", "409"), ERR_CONFLICT, "GET /p: m (409)" },
    { 410, STATUS("Expired", "410"), ERR_GONE, "GET /p: m (410)" },
    { 504, STATUS("Expired", "504"), ERR_GONE, "GET /p: m (504)" },
    { 400, STATUS("BadRequest", "400"), ERR_INVALID, "GET /p: m (400)" },
    { 422, STATUS("Invalid", "422"), ERR_INVALID, "GET /p: m (422)" },
    { 401, STATUS("Unauthorized", "401"), ERR_FORBIDDEN, "GET /p: m (401)" },
    { 403, STATUS("Forbidden", "403"), ERR_FORBIDDEN, "GET /p: m (403)" },
    { 429, STATUS("TooManyRequests", "429"), ERR_BUSY, "GET /p: m (429)" },
    { 503, "", ERR_BUSY, "GET /p: no message (503)" },
    { 500, "{\"kind\":\"Pod\"}", ERR_IO, "GET /p: {\"kind\":\"Pod\"} (500)" },
    { 500, "{\"kind\":\"Status\"", ERR_IO, "GET /p: {\"kind\":\"Status\" (500)" },
};

static void answers_have_codes_and_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
        struct err e;

        assert_int_equal(kube_status_error(answers[i].status, str_of(answers[i].body), "GET", "/p",
                                           NULL, NULL, &e),
                         answers[i].code);
        assert_int_equal(e.code, answers[i].code);
        assert_string_equal(e.text, answers[i].text);
    }
}

static void a_status_says_when_to_come_back(void **state)
{
    char reason[40];
    int64_t seconds = 0;

    (void)state;
    kube_status_error(429,
                      STR("{\"kind\":\"Status\",\"reason\":\"TooManyRequests\","
                          "\"details\":{\"x\":1,\"retryAfterSeconds\":7}}"),
                      "GET", "/p", reason, &seconds, NULL);
    assert_int_equal(seconds, 7);
    assert_string_equal(reason, "TooManyRequests");
}

static void paths_are_built_and_escaped(void **state)
{
    struct kube_resource pods = { "", "v1", "pods" }, jobs = { "batch", "v1", "jobs" };
    AUTO_FREE char *a = kube_path(&pods, NULL, NULL, NULL);
    AUTO_FREE char *b = kube_path(&jobs, "team", "x", "status");
    AUTO_FREE char *c = kube_path(&jobs, "../..", "a/b?c", NULL);
    AUTO_FREE char *d = kube_path(&jobs, "..", ".", NULL);
    AUTO_STRBUF struct strbuf query = STRBUF_INIT;

    (void)state;
    assert_string_equal(a, "/api/v1/pods");
    assert_string_equal(b, "/apis/batch/v1/namespaces/team/jobs/x/status");
    assert_string_equal(c, "/apis/batch/v1/namespaces/..%2F../jobs/a%2Fb%3Fc");
    assert_string_equal(d, "/apis/batch/v1/namespaces/%2E%2E/jobs/%2E");
    kube_query(&query, "labelSelector", "a=b,c in (d)");
    kube_query(&query, "limit", "5");
    assert_string_equal(query.text, "labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=5");
}

/* ---- cutter ---- */

struct pieces {
    struct strbuf text; /* "key=value;" each */
    size_t stop_after;
    size_t count;
};

static bool piece_take(void *context, struct str key, struct str value)
{
    struct pieces *p = context;

    strbuf_printf(&p->text, "%.*s=%.*s;", STR_ARGS(key), STR_ARGS(value));
    return ++p->count != p->stop_after;
}

static void expect_cut(enum cutter_form form, const char *text, const char *expected, bool whole)
{
    size_t length = strlen(text);

    for (size_t step = 1; step <= length; step++) {
        struct pieces p = { .text = STRBUF_INIT };
        struct cutter c;
        bool well = true;

        cutter_init(&c, form, 1000, piece_take, &p);
        for (size_t at = 0; well && at < length; at += step)
            well =
                cutter_feed(&c, (struct str){ text + at, length - at < step ? length - at : step });
        assert_string_equal(p.text.text ? p.text.text : "", expected);
        assert_int_equal(well && cutter_complete(&c), whole);
        cutter_finish(&c);
        strbuf_finish(&p.text);
    }
}

static void streams_are_cut_wherever_the_pieces_end(void **state)
{
    (void)state;
    expect_cut(CUTTER_VALUES, "{\"a\":\"}\\\"\"}\n{\"b\":[1,2]}\n",
               "={\"a\":\"}\\\"\"};={\"b\":[1,2]};", true);
    expect_cut(CUTTER_VALUES, "{\"a\":1}{\"b\":", "={\"a\":1};", false);
    expect_cut(
        CUTTER_LIST,
        "{\"kind\":\"L\",\"metadata\":{\"x\":\"]\"},\"items\":[{\"a\":1}, {\"b\":{}}],\"z\":5}\n",
        "kind=\"L\";metadata={\"x\":\"]\"};={\"a\":1};={\"b\":{}};z=5;", true);
    expect_cut(CUTTER_LIST, "{\"items\":[]}", "", true);
    expect_cut(CUTTER_LIST, "{\"items\":null,\"a\":true}", "items=null;a=true;", true);
    expect_cut(CUTTER_LIST, "{\"items\":[{\"a\":1}", "={\"a\":1};", false);
    expect_cut(CUTTER_LIST, "{\"items\":[{\"a\":1}]", "={\"a\":1};", false);
    expect_cut(CUTTER_LIST, "[1]", "", false);
    expect_cut(CUTTER_LIST, "{}x", "", false);
}

static void a_huge_object_is_refused(void **state)
{
    struct pieces p = { .text = STRBUF_INIT };
    struct cutter c;

    (void)state;
    cutter_init(&c, CUTTER_VALUES, 10, piece_take, &p);
    assert_true(cutter_feed(&c, STR("{\"a\":")));
    assert_false(cutter_feed(&c, STR("\"0123456789\"}")));
    assert_string_equal(c.problem, "one object is larger than the limit");
    cutter_finish(&c);
    strbuf_finish(&p.text);
}

static void heads_and_events_are_found(void **state)
{
    struct object_head head;
    struct watch_event event;

    (void)state;
    assert_true(object_head_read(
        STR("{\"kind\":\"X\",\"metadata\":{\"name\":\"n\",\"labels\":{\"name\":\"no\"},"
            "\"namespace\":\"s\",\"uid\":\"u\",\"resourceVersion\":\"7\","
            "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}"),
        &head));
    assert_true(str_is(head.name, "n") && str_is(head.namespace, "s") && str_is(head.uid, "u"));
    assert_true(str_is(head.resource_version, "7") && head.is_initial_end);
    assert_false(object_head_read(STR("{\"spec\":{}}"), &head));
    assert_false(object_head_read(STR("[]"), &head));
    assert_true(watch_event_read(STR("{\"type\":\"DELETED\",\"object\":{\"a\":1}}"), &event));
    assert_true(event.kind == WATCH_DELETED && str_is(event.object, "{\"a\":1}"));
    assert_false(watch_event_read(STR("{\"type\":\"OTHER\",\"object\":{}}"), &event));
    assert_false(watch_event_read(STR("{\"type\":\"ADDED\"}"), &event));
}

/* ---- known ---- */

static void count_gone(void *context, struct str key, const char *uid)
{
    struct strbuf *out = context;

    strbuf_printf(out, "%.*s %s;", STR_ARGS(key), uid);
}

static void known_objects_are_told_apart(void **state)
{
    static const char first[] = "01234567-89ab-cdef-0123-456789abcdef";
    static const char second[] = "11234567-89ab-cdef-0123-456789abcdef";
    struct known *k = known_create();
    AUTO_STRBUF struct strbuf gone = STRBUF_INIT;
    char old[KNOWN_UID];

    (void)state;
    assert_int_equal(known_put(k, STR("a/b"), STR(first), STR("5"), 1, old), KNOWN_NEW);
    assert_int_equal(known_put(k, STR("a/b"), STR(first), STR("5"), 1, old), KNOWN_SAME);
    assert_int_equal(known_put(k, STR("a/b"), STR(first), STR("6"), 1, old), KNOWN_CHANGED);
    assert_int_equal(known_put(k, STR("a/b"), STR(second), STR("6"), 1, old), KNOWN_REPLACED);
    assert_string_equal(old, first);
    assert_int_equal(known_put(k, STR("a/b"), STR("odd"), STR("x"), 1, old), KNOWN_REPLACED);
    assert_string_equal(old, second);
    assert_int_equal(known_put(k, STR("a/b"), STR("odd"), STR("y"), 1, old), KNOWN_CHANGED);
    assert_int_equal(known_put(k, STR("c/d"), STR(first), STR("6"), 2, old), KNOWN_NEW);
    known_sweep(k, 2, count_gone, &gone);
    assert_string_equal(gone.text, "a/b odd;");
    assert_int_equal(known_count(k), 1);
    assert_true(known_remove(k, STR("c/d")) && !known_remove(k, STR("c/d")));
    known_destroy(k);
}

/* ---- window and bucket ---- */

#define MS INT64_C(1000000)

static void the_window_grows_by_one_per_round_and_halves_once_per_trouble(void **state)
{
    struct window w;
    int64_t now = 1000 * MS;

    (void)state;
    window_init(&w);
    for (unsigned i = 0; i < 16; i++)
        window_good(&w, now, now + 5 * MS);
    assert_int_equal(w.size, 17);
    for (unsigned i = 0; i < 10000; i++, now += MS)
        window_good(&w, now, now + 5 * MS);
    assert_int_equal(w.size, WINDOW_MAX);
    window_bad(&w, false, now, now + MS);
    assert_int_equal(w.size, 32);
    window_bad(&w, false, now, now + 2 * MS); /* sent before the halving: old news */
    assert_int_equal(w.size, 32);
    window_bad(&w, false, now + 3 * MS, now + 4 * MS);
    window_bad(&w, false, now + 5 * MS, now + 6 * MS);
    assert_int_equal(w.size, WINDOW_MIN);
    for (unsigned i = 10; i < 20; i++)
        window_bad(&w, true, now + i * MS, now + i * MS);
    assert_int_equal(w.size, 1); /* 429 again and again */
    window_bad(&w, false, now + 30 * MS, now + 30 * MS);
    assert_int_equal(w.size, 1);
    window_good(&w, now + 31 * MS, now + 32 * MS);
    assert_int_equal(w.size, 2);
}

static void the_window_halves_when_latency_doubles(void **state)
{
    struct window w;
    int64_t now = 1000 * MS;
    unsigned before;

    (void)state;
    window_init(&w);
    for (unsigned i = 0; i < 2000; i++, now += MS)
        window_good(&w, now, now + 15 * MS);
    before = w.size;
    assert_true(before > 40);
    for (unsigned i = 0; i < before; i++, now += MS)
        window_good(&w, now, now + 60 * MS);
    assert_true(w.size <= before / 2 + 1);
}

static void a_bucket_gives_a_burst_and_then_one_per_period(void **state)
{
    struct bucket b;
    unsigned got = 0;

    (void)state;
    bucket_init(&b, 25, 300000, 0);
    for (int i = 0; i < 100; i++)
        got += bucket_take(&b, 1000);
    assert_int_equal(got, 25);
    assert_false(bucket_take(&b, 1000 + 299999));
    assert_true(bucket_take(&b, 1000 + 300000));
    assert_false(bucket_take(&b, 1000 + 300001));
    assert_false(bucket_is_full(&b, 1000 + 300000 * 25));
    assert_true(bucket_is_full(&b, 1000 + 300000 * 26));
    bucket_init(&b, 1, 300, 0);
    assert_true(bucket_take(&b, 1000));
    assert_int_equal(bucket_wait(&b, 1100), 200);
    assert_int_equal(bucket_wait(&b, 2000), 0);
}

static void http_2_needs_a_libcurl_without_its_defects(void **state)
{
    struct kube_config config = { .server = (char *)(uintptr_t) "https://127.0.0.1:1" };
    struct kube_client_options options = { .http_version = 2 };
    struct kube_client *client;
    struct err e = { .code = ERR_NONE };

    (void)state;
    kube_global_init();
    client = kube_client_create(&config, &options, &e);
    if (curl_version_info(CURLVERSION_NOW)->version_num < 0x080200) {
        assert_null(client);
        assert_int_equal(e.code, ERR_INVALID);
    } else {
        assert_non_null(client);
    }
    kube_client_destroy(client);
}

/* ---- credentials, leases, Events ---- */

#define V1 "client.authentication.k8s.io/v1"
#define CREDENTIAL(status)                                                                         \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":" status "}"

static const struct {
    const char *text, *message; /* NULL: accepted */
} credentials[] = {
    { CREDENTIAL("{\"token\":\"t\"}"), NULL },
    { CREDENTIAL("{\"token\":\"t\",\"expirationTimestamp\":\"2026-01-02T03:04:05Z\"}"), NULL },
    { CREDENTIAL("{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\"}"), NULL },
    { "", "ExecCredential: not JSON: '[' or '{' expected near end of file at byte 0" },
    { "{}", "ExecCredential: kind: \"\" must be ExecCredential" },
    { "{\"kind\":\"ExecCredential\",\"apiVersion\":\"v2\"}",
      "ExecCredential: apiVersion: \"v2\" must be " V1 },
    { CREDENTIAL("null"), "ExecCredential: status: is required" },
    { CREDENTIAL("{}"), "ExecCredential: status: has neither token nor certificate" },
    { CREDENTIAL("{\"token\":5}"), "ExecCredential: status.token: must be text" },
    { CREDENTIAL("{\"token\":\"a\\nb\"}"), "ExecCredential: status.token: holds a line break" },
    { CREDENTIAL("{\"clientKeyData\":\"k\"}"),
      "ExecCredential: status.clientCertificateData and clientKeyData must come together" },
};

static void what_a_plugin_prints_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(credentials); i++) {
        struct exec_credential c;
        struct err e = { .code = ERR_NONE };
        int result = exec_credential_parse(str_of(credentials[i].text), V1, &c, &e);

        assert_int_equal(result, credentials[i].message ? -1 : 0);
        if (credentials[i].message)
            assert_string_equal(e.text, credentials[i].message);
        exec_credential_finish(&c);
    }
}

static void a_lease_is_written_as_it_is_read(void **state)
{
    struct lease_record a = { .acquire_time = INT64_C(1700000000123456000),
                              .renew_time = INT64_C(1700000001000000000),
                              .duration_seconds = 15,
                              .transitions = 3,
                              .holder = mem_dup("me_1"),
                              .version = mem_dup("77") };
    struct lease_record b;
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    (void)state;
    lease_record_json(&a, NULL, &text);
    assert_int_equal(lease_record_parse(strbuf_view(&text), &b, NULL), 0);
    assert_true(lease_record_same(&a, &b));
    b.renew_time++;
    assert_false(lease_record_same(&a, &b));
    lease_record_finish(&a);
    lease_record_finish(&b);
    assert_int_equal(lease_record_parse(STR("{}"), &b, NULL), -1);
}

static void an_event_fits_the_servers_limits(void **state)
{
    char name[300], note[1100];
    struct kube_note n = { .api_version = "v1",
                           .kind = "Pod",
                           .name = name,
                           .reason = "R",
                           .note = note,
                           .controller = "c" };
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    AUTO_FREE char *event = NULL;
    AUTO_JSON json_t *root = NULL;

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    name[235] = '.';
    memset(note, 'x', sizeof(note) - 1);
    memcpy(note + 1018, "\xe2\x82\xac", 3); /* three bytes over the border */
    note[sizeof(note) - 1] = '\0';
    event = event_name(&n, 0xabc);
    assert_true(strlen(event) <= 253 && strstr(event, "a.0000000000000abc"));
    assert_null(strstr(event, ".."));
    event_json(&n, event, "host", 1700000000 * NANOSECONDS_PER_SECOND, &out);
    root = json_loadb(out.text, out.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(root, "metadata"), "namespace")),
        "default");
    assert_int_equal(json_string_length(json_object_get(root, "note")), 1022);
    assert_string_equal(json_string_value(json_object_get(root, "note")) + 1018, " ...");
    assert_string_equal(json_string_value(json_object_get(root, "eventTime")),
                        "2023-11-14T22:13:20.000000Z");
}

static void base64_is_strict(void **state)
{
    static const struct {
        const char *text, *bytes;
    } cases[] = { { "", "" },           { "YQ==", "a" },  { "YWI=", "ab" },    { "YWJj", "abc" },
                  { "YW Jj\n", "abc" }, { "YQ", NULL },   { "Y", NULL },       { "Y===", NULL },
                  { "YQ=", NULL },      { "Y*Jj", NULL }, { "YQ==YQ==", NULL } };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_STRBUF struct strbuf out = STRBUF_INIT;

        assert_int_equal(base64_decode(str_of(cases[i].text), &out), cases[i].bytes != NULL);
        if (cases[i].bytes)
            assert_true(str_is(strbuf_view(&out), cases[i].bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_have_codes_and_texts),
        cmocka_unit_test(a_status_says_when_to_come_back),
        cmocka_unit_test(paths_are_built_and_escaped),
        cmocka_unit_test(streams_are_cut_wherever_the_pieces_end),
        cmocka_unit_test(a_huge_object_is_refused),
        cmocka_unit_test(heads_and_events_are_found),
        cmocka_unit_test(known_objects_are_told_apart),
        cmocka_unit_test(the_window_grows_by_one_per_round_and_halves_once_per_trouble),
        cmocka_unit_test(the_window_halves_when_latency_doubles),
        cmocka_unit_test(a_bucket_gives_a_burst_and_then_one_per_period),
        cmocka_unit_test(http_2_needs_a_libcurl_without_its_defects),
        cmocka_unit_test(what_a_plugin_prints_is_checked),
        cmocka_unit_test(a_lease_is_written_as_it_is_read),
        cmocka_unit_test(an_event_fits_the_servers_limits),
        cmocka_unit_test(base64_is_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
