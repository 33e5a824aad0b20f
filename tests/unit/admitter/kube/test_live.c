/* The client, the reflector and the writer against a real API server. Skipped without
 * SLUICE_TEST_KUBECONFIG; tests that kill servers also need SLUICE_TEST_CLUSTER. */
#include "tests/unit/admitter/kube/support.h"

#define MANY 5000

static char *map_path(const struct live *l, const char *name)
{
    return kube_path(&config_maps, l->namespace, name, NULL);
}

static void answers_become_error_codes(void **state)
{
    struct live *l = *state;
    AUTO_FREE char *all = map_path(l, NULL), *one = map_path(l, "one");
    const char *stale = "{\"metadata\":{\"resourceVersion\":\"1\"},\"data\":{\"a\":\"b\"}}";

    assert_int_equal(live_request(l, "GET", one, NULL, NULL), ERR_NOT_FOUND);
    assert_int_equal(live_request(l, "POST", all, "{\"metadata\":{\"name\":\"one\"}}", NULL),
                     ERR_NONE);
    assert_int_equal(live_request(l, "POST", all, "{\"metadata\":{\"name\":\"one\"}}", NULL),
                     ERR_EXISTS);
    assert_int_equal(live_request(l, "PATCH", one, stale, NULL), ERR_CONFLICT);
    assert_int_equal(live_request(l, "POST", all, "{\"metadata\":{\"name\":\"A_B\"}}", NULL),
                     ERR_INVALID);
    assert_int_equal(live_request(l, "POST", all, "{", NULL), ERR_INVALID);
    assert_int_equal(live_request(l, "DELETE", one, NULL, NULL), ERR_NONE);
}

static void a_limited_client_takes_its_time(void **state)
{
    struct live *l = *state;
    struct kube_client_options options = { .burst = 3, .refill_us = 20000 };
    struct kube_request request = { .class = KUBE_CLASS_READ, .method = "GET", .path = "/version" };
    struct kube_client *limited = kube_client_create(l->config, &options, NULL);
    int64_t began = kube_now_ms();
    struct err e;

    for (int i = 0; i < 10; i++)
        assert_int_equal(kube_request_wait(limited, &request, NULL, NULL, &e), 0);
    assert_true(kube_now_ms() - began >= 7 * 20 - 1); /* never faster than the bucket fills */
    kube_client_destroy(limited);
}

struct pair {
    struct mirror *a, *b;
};

static bool both_have_all(void *context)
{
    struct pair *p = context;

    return mirror_has_all(p->a) && mirror_has_all(p->b);
}

static void create_many(struct live *l, struct storm *s, unsigned count)
{
    int64_t start = kube_now_ms();
    struct kube_writer_counts counts;

    for (unsigned i = 0; i < count; i++)
        storm_push(s, KUBE_CREATE, map_path(l, NULL), NULL,
                   "{\"metadata\":{\"name\":\"m-%u\"},\"data\":{\"n\":\"0\"}}", i);
    assert_true(live_until(l->client, storm_over, s, 120000));
    if (s->failed)
        fail_msg("%u writes failed: %s", s->failed, s->first_failure.text);
    counts = kube_writer_count(s->writer);
    print_message("%u creates in %lld ms, window %u, latency %lld us, repeated %llu\n", count,
                  (long long)(kube_now_ms() - start), counts.window,
                  (long long)counts.latency_ns / 1000, (unsigned long long)counts.repeated);
}

static void five_thousand_objects_are_streamed_and_paged(void **state)
{
    struct live *l = *state;
    struct storm s = { .writer = kube_writer_create(l->client) };
    struct mirror streamed, paged;
    struct pair pair = { &streamed, &paged };
    struct kube_reflector *stream, *pages;
    int64_t start;

    create_many(l, &s, MANY);
    start = kube_now_ms();
    stream = mirror_start(l->client, &streamed, &config_maps, l->namespace, false);
    streamed.want = MANY;
    assert_true(live_until(l->client, mirror_has_all, &streamed, 30000));
    print_message("streaming list of %d: %lld ms\n", MANY, (long long)(kube_now_ms() - start));
    start = kube_now_ms();
    pages = mirror_start(l->client, &paged, &config_maps, l->namespace, true);
    paged.want = MANY;
    assert_true(live_until(l->client, mirror_has_all, &paged, 30000));
    print_message("paged list of %d: %lld ms\n", MANY, (long long)(kube_now_ms() - start));
    assert_true(kube_reflector_count(stream).lists == 1 && kube_reflector_count(pages).lists == 1);

    storm_push(&s, KUBE_DELETE, map_path(l, "m-7"), NULL, "%s", "");
    streamed.want = paged.want = MANY - 1;
    assert_true(live_until(l->client, both_have_all, &pair, 10000));
    assert_true(streamed.deleted == 1 && streamed.gone_empty == 0);
    kube_reflector_destroy(stream);
    kube_reflector_destroy(pages);
    kube_writer_destroy(s.writer);
    mirror_finish(&streamed);
    mirror_finish(&paged);
}

static bool saw_last(void *context)
{
    struct mirror *m = context;

    return m->modified >= m->want;
}

static void writes_of_one_key_keep_their_order_in_a_patch_storm(void **state)
{
    struct live *l = *state;
    struct storm s = { .writer = kube_writer_create(l->client) };
    struct mirror m;
    struct kube_reflector *reflector;
    struct kube_writer_counts counts;
    int64_t start;

    create_many(l, &s, 50);
    reflector = mirror_start(l->client, &m, &config_maps, l->namespace, false);
    m.want = 50;
    assert_true(live_until(l->client, mirror_has_all, &m, 10000));
    start = kube_now_ms();
    for (unsigned n = 1; n <= 100; n++)
        for (unsigned i = 0; i < 50; i++) {
            AUTO_FREE char *name = mem_format("m-%u", i);

            storm_push(&s, KUBE_MERGE_PATCH, map_path(l, name), name, "{\"data\":{\"n\":\"%u\"}}",
                       n);
        }
    assert_true(live_until(l->client, storm_over, &s, 120000));
    assert_int_equal(s.failed, 0);
    counts = kube_writer_count(s.writer);
    print_message("5000 patches of 50 objects: %lld ms, window %u, latency %lld us\n",
                  (long long)(kube_now_ms() - start), counts.window,
                  (long long)counts.latency_ns / 1000);
    m.want = 5000;
    assert_true(live_until(l->client, saw_last, &m, 10000));
    assert_int_equal(m.backwards, 0);
    kube_reflector_destroy(reflector);
    kube_writer_destroy(s.writer);
    mirror_finish(&m);
}

static void a_newer_status_replaces_a_waiting_one(void **state)
{
    struct live *l = *state;
    struct storm s = { .writer = kube_writer_create(l->client) };
    AUTO_FREE char *path = map_path(l, "m-0");
    AUTO_STRBUF struct strbuf answer = STRBUF_INIT;

    create_many(l, &s, 1);
    for (unsigned n = 1; n <= 20; n++) {
        struct strbuf body = STRBUF_INIT;
        struct kube_write *write;

        strbuf_printf(&body, "{\"data\":{\"n\":\"%u\"}}", n);
        write = kube_write_create(KUBE_MERGE_PATCH, mem_dup(path), &body);
        write->order = mem_dup("x");
        write->newest_only = true;
        kube_writer_push(s.writer, write);
    }
    while (kube_writer_count(s.writer).waiting || kube_writer_count(s.writer).in_flight)
        kube_client_step(l->client, 50);
    assert_true(kube_writer_count(s.writer).superseded >= 18);
    assert_int_equal(live_request(l, "GET", path, NULL, &answer), ERR_NONE);
    assert_non_null(strstr(answer.text, "\"n\":\"20\""));
    kube_writer_destroy(s.writer);
}

static void a_kind_the_server_does_not_have_counts_as_synced(void **state)
{
    struct live *l = *state;
    struct kube_resource moons = { "moons.example.com", "v1", "moons" };
    struct mirror m;
    struct kube_reflector *reflector = mirror_start(l->client, &m, &moons, NULL, false);

    assert_true(live_until(l->client, mirror_is_synced, &m, 5000));
    assert_int_equal(m.absent, 1);
    live_run(l->client, 6000);
    assert_int_equal(m.absent, 1);
    kube_reflector_destroy(reflector);
    mirror_finish(&m);
}

static void a_reflector_survives_kill_9_of_the_server(void **state)
{
    struct live *l = *state;
    struct storm s = { .writer = kube_writer_create(l->client) };
    struct mirror m;
    struct kube_reflector *reflector;
    int64_t start;

    if (!l->folder)
        skip();
    create_many(l, &s, 200);
    reflector = mirror_start(l->client, &m, &config_maps, l->namespace, false);
    m.want = 200;
    assert_true(live_until(l->client, mirror_has_all, &m, 10000));
    live_cluster(l, "kill", "apiserver");
    for (unsigned i = 0; i < 100; i++)
        storm_push(&s, KUBE_CREATE, map_path(l, NULL), NULL,
                   "{\"metadata\":{\"name\":\"late-%u\"}}", i);
    live_run(l->client, 1500);
    assert_int_equal(s.done, 200);
    live_cluster(l, "start", "apiserver");
    start = kube_now_ms();
    m.want = 300;
    assert_true(live_until(l->client, mirror_has_all, &m, 30000));
    assert_true(live_until(l->client, storm_over, &s, 30000));
    print_message("caught up %lld ms after the server was back\n",
                  (long long)(kube_now_ms() - start));
    /* A write that the server did before it died may be answered with "exists" when repeated. */
    assert_true(s.failed == 0 || s.first_failure.code == ERR_EXISTS);
    assert_int_equal(m.deleted, 0);
    kube_reflector_destroy(reflector);
    kube_writer_destroy(s.writer);
    mirror_finish(&m);
}

static void an_expired_version_means_a_new_list_without_losing_state(void **state)
{
    struct live *l = *state;
    struct storm s = { .writer = kube_writer_create(l->client) };
    struct mirror streamed, paged;
    struct pair pair = { &streamed, &paged };
    struct kube_reflector *stream, *pages;

    if (!l->folder)
        skip();
    create_many(l, &s, 1200);
    stream = mirror_start(l->client, &streamed, &config_maps, l->namespace, false);
    pages = mirror_start(l->client, &paged, &config_maps, l->namespace, true);
    streamed.want = paged.want = 1200;
    assert_true(live_until(l->client, both_have_all, &pair, 20000));
    storm_push(&s, KUBE_DELETE, map_path(l, "m-5"), NULL, "%s", "");
    storm_push(&s, KUBE_MERGE_PATCH, map_path(l, "m-6"), NULL, "{\"data\":{\"n\":\"9\"}}");
    while (!storm_over(&s)) /* the reflectors' connections are not read meanwhile */
        kube_client_step(l->client, 10);
    live_cluster(l, "compact", "--restart");
    streamed.want = paged.want = 1199;
    assert_true(live_until(l->client, both_have_all, &pair, 30000));
    while (kube_reflector_count(stream).gone == 0 || kube_reflector_count(pages).gone == 0)
        kube_client_step(l->client, 100);
    assert_true(live_until(l->client, both_have_all, &pair, 30000));
    live_run(l->client, 3000);
    assert_true(kube_reflector_count(stream).lists == 2 && kube_reflector_count(pages).lists == 2);
    assert_true(streamed.deleted == 1 && streamed.added == 1200 && streamed.synced == 2);
    assert_true(paged.deleted == 1 && paged.added == 1200 && paged.synced == 2);
    kube_reflector_destroy(stream);
    kube_reflector_destroy(pages);
    kube_writer_destroy(s.writer);
    mirror_finish(&streamed);
    mirror_finish(&paged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_become_error_codes, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(a_limited_client_takes_its_time, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(five_thousand_objects_are_streamed_and_paged, live_setup,
                                        live_teardown),
        cmocka_unit_test_setup_teardown(writes_of_one_key_keep_their_order_in_a_patch_storm,
                                        live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(a_newer_status_replaces_a_waiting_one, live_setup,
                                        live_teardown),
        cmocka_unit_test_setup_teardown(a_kind_the_server_does_not_have_counts_as_synced,
                                        live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(a_reflector_survives_kill_9_of_the_server, live_setup,
                                        live_teardown),
        cmocka_unit_test_setup_teardown(an_expired_version_means_a_new_list_without_losing_state,
                                        live_setup, live_teardown),
    };

    if (!live_has_server()) {
        printf("skip: SLUICE_TEST_KUBECONFIG is not set\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
