/* What other threads may do while the kube thread runs: push, post, count, ask, stop. Made for
 * ThreadSanitizer. Skipped without SLUICE_TEST_KUBECONFIG. */
#include "tests/unit/admitter/kube/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include "admitter/kube/event.h"
#include "admitter/kube/lease.h"

#define PUSHERS 4
#define EACH 250

struct scene {
    struct live *live;
    struct kube_writer *writer;
    struct kube_recorder *recorder;
    struct kube_lease *lease;
    _Atomic unsigned done, failed, ran;
};

static void counted(struct kube_write *write, const struct kube_result *result)
{
    struct scene *s = write->context;

    s->failed += result->error.code != ERR_NONE;
    s->done++;
}

struct order {
    struct kube_command command;
    struct scene *scene;
};

static void order_run(struct kube_command *command, struct kube_client *client)
{
    struct order *o = (struct order *)command;

    (void)client;
    o->scene->ran++;
    free(o);
}

static void order_drop(struct message *message)
{
    free(message);
}

static void *push(void *context)
{
    struct scene *s = context;

    for (unsigned i = 0; i < EACH; i++) {
        struct strbuf body = STRBUF_INIT;
        struct kube_note note = { .api_version = "v1",
                                  .kind = "ConfigMap",
                                  .name = "x",
                                  .namespace = s->live->namespace,
                                  .reason = "R",
                                  .note = "n",
                                  .controller = "c" };
        struct order *o = mem_alloc(sizeof(*o));
        struct kube_write *write;

        strbuf_printf(&body, "{\"data\":{\"n\":\"%u\"}}", i);
        write = kube_write_create(KUBE_MERGE_PATCH,
                                  kube_path(&config_maps, s->live->namespace, "x", NULL), &body);
        write->order = mem_format("%u", i % 40);
        write->done = counted;
        write->context = s;
        write->deadline_ms = 10 * 60000;
        kube_writer_push(s->writer, write);
        kube_recorder_post(s->recorder, &note);
        o->command.run = order_run;
        o->command.message.drop = order_drop;
        o->scene = s;
        kube_client_post(s->live->client, &o->command);
    }
    return NULL;
}

static void *run(void *client)
{
    kube_client_run(client);
    return NULL;
}

static void other_threads_may_push_and_ask(void **state)
{
    struct live *l = *state;
    struct scene s = { .live = l, .writer = kube_writer_create(l->client) };
    struct kube_lease_options options = { .namespace = l->namespace, .name = "l" };
    AUTO_FREE char *all = kube_path(&config_maps, l->namespace, NULL, NULL);
    pthread_t kube, pushers[PUSHERS];
    struct kube_client_counts counts;
    bool led = false;

    assert_int_equal(live_request(l, "POST", all, "{\"metadata\":{\"name\":\"x\"}}", NULL), 0);
    s.recorder = kube_recorder_create(l->client, s.writer, NULL);
    s.lease = kube_lease_create(l->client, &options, NULL);
    assert_int_equal(pthread_create(&kube, NULL, run, l->client), 0);
    for (unsigned i = 0; i < PUSHERS; i++)
        assert_int_equal(pthread_create(&pushers[i], NULL, push, &s), 0);
    for (unsigned i = 0; i < PUSHERS; i++)
        pthread_join(pushers[i], NULL);
    for (unsigned i = 0; i < 60000 && !(led && s.done == PUSHERS * EACH); i++) {
        struct kube_writer_counts c = kube_writer_count(s.writer);

        assert_true(c.waiting + c.in_flight <= PUSHERS * EACH + 50);
        kube_client_count(l->client, &counts);
        led = led || kube_lease_leading(s.lease);
        usleep(10000);
    }
    kube_client_stop(l->client);
    pthread_join(kube, NULL);
    assert_true(s.done == PUSHERS * EACH && s.failed == 0 && led);
    assert_int_equal(s.ran, PUSHERS * EACH);
    assert_int_equal(kube_recorder_count(s.recorder).posted, PUSHERS * EACH);
    kube_lease_destroy(s.lease);
    kube_recorder_destroy(s.recorder);
    kube_writer_destroy(s.writer);
}

/* The order in which things end must not matter to what is still on its way. */
static void what_is_on_its_way_is_dropped_with_its_owner(void **state)
{
    struct live *l = *state;
    struct scene s = { .live = l, .writer = kube_writer_create(l->client) };

    s.recorder = kube_recorder_create(l->client, s.writer, NULL);
    push(&s);
    kube_client_step(l->client, 0);
    push(&s);
    kube_recorder_destroy(s.recorder);
    kube_writer_destroy(s.writer);
    kube_client_step(l->client, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(other_threads_may_push_and_ask, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(what_is_on_its_way_is_dropped_with_its_owner, live_setup,
                                        live_teardown),
    };

    if (!live_has_server()) {
        printf("skip: SLUICE_TEST_KUBECONFIG is not set\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
