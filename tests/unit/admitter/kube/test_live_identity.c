/* Tokens, plugins, certificates, leases and Events against a real API server. Skipped without
 * SLUICE_TEST_KUBECONFIG. */
#include "tests/unit/admitter/kube/support.h"

#include <jansson.h>
#include <sys/stat.h>
#include "admitter/kube/event.h"
#include "admitter/kube/lease.h"
#include "admitter/kube/yaml.h"
#include "quota/base/file.h"

/* ---- identities ---- */

/* A service account that may read ConfigMaps, and a fresh token of it. */
static char *token_make(struct live *l)
{
    AUTO_FREE char *accounts = mem_format("/api/v1/namespaces/%s/serviceaccounts", l->namespace);
    AUTO_FREE char *request = mem_format("%s/reader/token", accounts);
    AUTO_FREE char *bindings =
        mem_format("/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings", l->namespace);
    AUTO_FREE char *binding = mem_format(
        "{\"metadata\":{\"name\":\"reader\"},\"roleRef\":{\"apiGroup\":"
        "\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"cluster-admin\"},"
        "\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"reader\","
        "\"namespace\":\"%s\"}]}",
        l->namespace);
    AUTO_STRBUF struct strbuf answer = STRBUF_INIT;
    AUTO_JSON json_t *root = NULL;

    (void)live_request(l, "POST", accounts, "{\"metadata\":{\"name\":\"reader\"}}", NULL);
    (void)live_request(l, "POST", bindings, binding, NULL);
    assert_int_equal(
        live_request(l, "POST", request, "{\"spec\":{\"expirationSeconds\":600}}", &answer),
        ERR_NONE);
    root = json_loadb(answer.text, answer.length, 0, NULL);
    return mem_dup(json_string_value(json_object_get(json_object_get(root, "status"), "token")));
}

static char *authority_path(void)
{
    return mem_format("/tmp/kube-ca-%d.pem", (int)getpid());
}

/* A client like the administrator's, with 'user' (YAML, indented by 4) as its user. */
static struct kube_client *client_as(struct live *l, const char *user, struct kube_config **config)
{
    AUTO_STRBUF struct strbuf authority = STRBUF_INIT;
    AUTO_FREE char *path = authority_path();
    AUTO_FREE char *text = NULL;
    struct kube_client *client;
    struct err e = { .code = ERR_NONE };

    assert_int_equal(file_write(path, str_of(l->config->authority), 0600, &e), 0);
    text = mem_format("apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: a\n"
                      "  cluster:\n    server: %s/\n    certificate-authority: %s\ncontexts:\n"
                      "- name: c\n  context: {cluster: a, user: b, namespace: %s}\nusers:\n"
                      "- name: b\n  user:\n%s",
                      l->config->server, path, l->namespace, user);
    *config = kube_config_parse(str_of(text), "test", "/tmp", NULL, &e);
    if (!*config)
        fail_msg("%s", e.text);
    client = kube_client_create(*config, NULL, &e);
    if (!client)
        fail_msg("%s", e.text);
    return client;
}

static enum err_code read_maps(struct kube_client *client, const char *namespace)
{
    AUTO_FREE char *path = kube_path(&config_maps, namespace, NULL, NULL);
    struct kube_request request = { .class = KUBE_CLASS_READ, .method = "GET", .path = path };
    struct err e;

    return kube_request_wait(client, &request, NULL, NULL, &e) == 0 ? ERR_NONE : e.code;
}

static void put(const char *path, const char *text, unsigned mode)
{
    assert_int_equal(file_write(path, str_of(text), mode, NULL), 0);
}

static void a_replaced_token_file_is_used_at_once_after_401(void **state)
{
    struct live *l = *state;
    AUTO_FREE char *token = token_make(l);
    AUTO_FREE char *path = mem_format("/tmp/kube-token-%d", (int)getpid());
    AUTO_FREE char *user = mem_format("    tokenFile: %s\n", path);
    struct kube_config *config;
    struct kube_client *client;
    struct kube_client_counts counts;

    put(path, "not-a-token\n", 0600);
    client = client_as(l, user, &config);
    assert_int_equal(read_maps(client, l->namespace), ERR_FORBIDDEN);
    put(path, token, 0600);
    assert_int_equal(read_maps(client, l->namespace), ERR_NONE);
    assert_int_equal(read_maps(client, "default"), ERR_FORBIDDEN); /* 403: RBAC */
    unlink(path);
    assert_int_equal(read_maps(client, l->namespace), ERR_NONE); /* the old one stays in use */
    kube_client_count(client, &counts);
    assert_int_equal(counts.requests, 5); /* one more than asked for: the repeated one */
    kube_client_destroy(client);
    kube_config_destroy(config);
}

/* A plugin that prints the token in a file and counts its runs in another. */
static void plugin_make(const char *script, const char *token_path, int expires_in)
{
    AUTO_FREE char *text = mem_format(
        "#!/bin/sh\necho run >> %s.runs\nexpires=$(date -u -d '+%d seconds' "
        "+%%Y-%%m-%%dT%%H:%%M:%%SZ)\ncat <<X\n{\"apiVersion\":\"client.authentication.k8s.io/v1\","
        "\"kind\":\"ExecCredential\",\"status\":{\"token\":\"$(cat %s)\","
        "\"expirationTimestamp\":\"$expires\"}}\nX\n",
        script, expires_in, token_path);

    put(script, text, 0755);
}

static unsigned runs_of(const char *script)
{
    AUTO_FREE char *path = mem_format("%s.runs", script);
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    assert_int_equal(file_read(path, 4096, &text, NULL), 0);
    return (unsigned)(text.length / 4);
}

static void a_credential_plugin_is_run_when_needed(void **state)
{
    struct live *l = *state;
    AUTO_FREE char *token = token_make(l);
    AUTO_FREE char *path = mem_format("/tmp/kube-token-%d", (int)getpid());
    AUTO_FREE char *script = mem_format("/tmp/kube-plugin-%d", (int)getpid());
    AUTO_FREE char *runs = mem_format("%s.runs", script);
    AUTO_FREE char *user =
        mem_format("    exec:\n      apiVersion: client.authentication.k8s.io/v1\n"
                   "      command: %s\n      interactiveMode: Never\n",
                   script);
    struct kube_config *config;
    struct kube_client *client;

    put(path, token, 0600);
    plugin_make(script, path, 3600);
    client = client_as(l, user, &config);
    assert_int_equal(read_maps(client, l->namespace), ERR_NONE);
    assert_int_equal(read_maps(client, l->namespace), ERR_NONE);
    assert_int_equal(runs_of(script), 1);
    kube_client_destroy(client);

    plugin_make(script, path, 2);
    client = kube_client_create(config, NULL, NULL);
    assert_int_equal(read_maps(client, l->namespace), ERR_NONE);
    live_run(client, 2500);
    assert_int_equal(read_maps(client, l->namespace), ERR_NONE);
    assert_true(runs_of(script) >= 3);
    kube_client_destroy(client);

    put(script, "#!/bin/sh\nexit 3\n", 0755);
    client = kube_client_create(config, NULL, NULL);
    assert_int_equal(read_maps(client, l->namespace), ERR_FORBIDDEN);
    kube_client_destroy(client);
    kube_config_destroy(config);
    unlink(path);
    unlink(script);
    unlink(runs);
}

static int ask_version(struct kube_client *client, struct err *e)
{
    struct kube_request request = { .class = KUBE_CLASS_READ, .method = "GET", .path = "/version" };

    return kube_request_wait(client, &request, NULL, NULL, e);
}

static void the_servers_certificate_is_checked(void **state)
{
    struct live *l = *state;
    struct kube_config config = *l->config;
    struct kube_client *client;
    struct err e;

    config.tls_server_name = (char *)(uintptr_t) "kubernetes.default.svc";
    client = kube_client_create(&config, NULL, &e);
    assert_int_equal(ask_version(client, &e), 0);
    kube_client_destroy(client);

    config.tls_server_name = (char *)(uintptr_t) "wrong.example.com";
    client = kube_client_create(&config, NULL, &e);
    assert_int_equal(ask_version(client, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    kube_client_destroy(client);

    config.tls_server_name = NULL;
    config.authority = config.certificate; /* somebody, but not the server's authority */
    client = kube_client_create(&config, NULL, &e);
    assert_int_equal(ask_version(client, &e), -1);
    kube_client_destroy(client);

    config.authority = NULL;
    config.insecure = true;
    client = kube_client_create(&config, NULL, &e);
    assert_int_equal(ask_version(client, &e), 0);
    kube_client_destroy(client);
}

/* ---- leases ---- */

struct candidate {
    struct kube_lease *lease;
    unsigned started, stopped, news;
    char leader[64];
};

static void started(void *context)
{
    ((struct candidate *)context)->started++;
}

static void stopped(void *context)
{
    ((struct candidate *)context)->stopped++;
}

static void told(void *context, const char *identity)
{
    struct candidate *c = context;

    c->news++;
    snprintf(c->leader, sizeof(c->leader), "%s", identity);
}

#define LEASE_MS 6000
#define RENEW_MS 5000 /* on a loaded machine a renewal takes its time, too */

/* 'lease_ms' is how long others wait for the lease when the candidate does not renew it. */
static void candidate_start(struct candidate *c, struct kube_client *client, const char *namespace,
                            const char *identity, int64_t lease_ms)
{
    struct kube_lease_options options = { .namespace = namespace,
                                          .name = "test",
                                          .identity = identity,
                                          .lease_duration_ms = lease_ms,
                                          .renew_deadline_ms = RENEW_MS,
                                          .retry_period_ms = 400,
                                          .started_leading = started,
                                          .stopped_leading = stopped,
                                          .new_leader = told,
                                          .context = c };
    struct err e;

    *c = (struct candidate){ .lease = NULL };
    c->lease = kube_lease_create(client, &options, &e);
    assert_non_null(c->lease);
}

/* Step until 'c' leads; at no moment may both. Milliseconds it took. */
static int64_t wait_leading(struct kube_client *client, struct candidate *c,
                            const struct candidate *other)
{
    int64_t begin = kube_now_ms();

    while (!kube_lease_leading(c->lease)) {
        assert_true(kube_now_ms() - begin < 60000);
        kube_client_step(client, 5);
        if (other && other->lease)
            assert_false(kube_lease_leading(other->lease) && kube_lease_leading(c->lease));
    }
    return kube_now_ms() - begin;
}

static void flag_set(void *context)
{
    *(bool *)context = true;
}

static void leadership_fails_over(void **state)
{
    struct live *l = *state;
    struct candidate a, b;
    bool released = false;
    int64_t took;

    candidate_start(&a, l->client, l->namespace, "a", 10 * 60000); /* goes by a release only */
    took = wait_leading(l->client, &a, NULL);
    assert_int_equal(a.started, 1);
    candidate_start(&b, l->client, l->namespace, "b", LEASE_MS);
    live_run(l->client, LEASE_MS + 1000); /* longer than a lease: it is renewed */
    assert_true(kube_lease_leading(a.lease) && !kube_lease_leading(b.lease));
    assert_string_equal(b.leader, "a");

    kube_lease_stop(a.lease, 1000, flag_set, &released);
    assert_false(kube_lease_leading(a.lease));
    took = wait_leading(l->client, &b, &a);
    print_message("taken over %lld ms after a release\n", (long long)took);
    assert_true(released && a.stopped == 1 && a.started == 1);
    kube_lease_destroy(a.lease);

    candidate_start(&a, l->client, l->namespace, "a", LEASE_MS);
    live_run(l->client, 1000);
    kube_lease_destroy(b.lease); /* as if killed */
    b.lease = NULL;
    took = wait_leading(l->client, &a, NULL);
    print_message("taken over %lld ms after a death\n", (long long)took);
    assert_true(took >= LEASE_MS - 1000); /* its last renewal may be some periods old */
    kube_lease_destroy(a.lease);
}

static void nobody_leads_longer_than_the_renew_deadline_without_a_server(void **state)
{
    struct live *l = *state;
    struct candidate a;
    int64_t killed, asked;

    if (!l->folder)
        skip();
    candidate_start(&a, l->client, l->namespace, "a", LEASE_MS);
    (void)wait_leading(l->client, &a, NULL);
    live_cluster(l, "kill", "apiserver");
    killed = kube_now_ms();
    for (asked = killed; kube_lease_leading(a.lease); asked = kube_now_ms()) {
        assert_true(asked - killed <= RENEW_MS);
        kube_client_step(l->client, 5);
    }
    live_run(l->client, 20);
    assert_int_equal(a.stopped, 1);
    live_cluster(l, "start", "apiserver");
    (void)wait_leading(l->client, &a, NULL); /* the lease is still ours to take */
    assert_int_equal(a.started, 2);
    kube_lease_destroy(a.lease);
}

/* A record that somebody renews with a clock of its own: only changes count. */
static void a_holder_with_a_wrong_clock_keeps_the_lease_while_it_renews(void **state)
{
    struct live *l = *state;
    AUTO_FREE char *all =
        mem_format("/apis/coordination.k8s.io/v1/namespaces/%s/leases", l->namespace);
    AUTO_FREE char *one = mem_format("%s/test", all);
    struct candidate b;

    assert_int_equal(
        live_request(l, "POST", all,
                     "{\"metadata\":{\"name\":\"test\"},\"spec\":{\"holderIdentity\":\"a\","
                     "\"leaseDurationSeconds\":1,\"renewTime\":\"2001-01-01T00:00:00.000000Z\"}}",
                     NULL),
        ERR_NONE);
    candidate_start(&b, l->client, l->namespace, "b", LEASE_MS);
    for (unsigned i = 1; i <= 20; i++) {
        AUTO_FREE char *body =
            mem_format("{\"spec\":{\"renewTime\":\"2001-01-01T00:00:%02u.000000Z\"}}", i);

        assert_int_equal(live_request(l, "PATCH", one, body, NULL), ERR_NONE);
        live_run(l->client, 200);
        assert_false(kube_lease_leading(b.lease));
    }
    (void)wait_leading(l->client, &b, NULL);
    kube_lease_destroy(b.lease);
}

/* ---- events ---- */

struct written {
    const struct kube_recorder *recorder;
    uint64_t want;
};

static bool all_are_written(void *context)
{
    const struct written *written = context;

    return kube_recorder_count(written->recorder).written >= written->want;
}

static json_t *events_get(struct live *l, const char *group_path)
{
    AUTO_FREE char *path = mem_format("%s/namespaces/%s/events", group_path, l->namespace);
    AUTO_STRBUF struct strbuf answer = STRBUF_INIT;

    assert_int_equal(live_request(l, "GET", path, NULL, &answer), ERR_NONE);
    return json_loadb(answer.text, answer.length, 0, NULL);
}

static void events_are_written_merged_and_limited(void **state)
{
    struct live *l = *state;
    struct kube_writer *writer = kube_writer_create(l->client);
    struct kube_recorder_options options = { .burst = 3, .instance = "test-0" };
    struct kube_recorder *recorder = kube_recorder_create(l->client, writer, &options);
    struct written written = { recorder, 1 };
    struct kube_note note = { .api_version = "v1",
                              .kind = "ConfigMap",
                              .namespace = l->namespace,
                              .name = "one",
                              .uid = "11111111-2222-3333-4444-555555555555",
                              .reason = "Started",
                              .note = "it has begun \xf0\x9f\x9a\xa6",
                              .controller = "kueue-admission" };
    AUTO_JSON json_t *list = NULL, *old = NULL;
    struct kube_recorder_counts counts;
    json_t *event, *series;

    for (int i = 0; i < 5; i++)
        kube_recorder_post(recorder, &note);
    assert_true(live_until(l->client, all_are_written, &written, 5000));
    list = events_get(l, "/apis/events.k8s.io/v1");
    assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
    event = json_array_get(json_object_get(list, "items"), 0);
    series = json_object_get(event, "series");
    assert_string_equal(json_string_value(json_object_get(event, "note")), note.note);
    assert_string_equal(json_string_value(json_object_get(event, "reportingController")),
                        "kueue-admission");
    assert_string_equal(json_string_value(json_object_get(event, "action")), "Started");
    assert_int_equal(json_integer_value(json_object_get(series, "count")), 5);

    for (int i = 0; i < 9; i++) { /* different notes: the bucket has two left */
        AUTO_FREE char *text = mem_format("number %d", i);

        note.note = text;
        note.warning = true;
        kube_recorder_post(recorder, &note);
    }
    written.want = 3;
    assert_true(live_until(l->client, all_are_written, &written, 5000));
    live_run(l->client, 300);       /* no more of them */
    old = events_get(l, "/api/v1"); /* what kubectl reads */
    assert_int_equal(json_array_size(json_object_get(old, "items")), 3);
    counts = kube_recorder_count(recorder);
    assert_true(counts.posted == 14 && counts.merged == 4 && counts.limited == 7);
    assert_true(counts.failed == 0 && counts.dropped == 0);
    kube_recorder_destroy(recorder);
    kube_writer_destroy(writer);
}

static void events_are_dropped_when_too_many_wait(void **state)
{
    struct live *l = *state;
    struct kube_writer *writer = kube_writer_create(l->client);
    struct kube_recorder_options options = { .limit = 50 };
    struct kube_recorder *recorder = kube_recorder_create(l->client, writer, &options);
    struct written written = { recorder, 50 };

    for (int i = 0; i < 200; i++) {
        AUTO_FREE char *name = mem_format("object-%d", i);
        struct kube_note note = { .api_version = "v1",
                                  .kind = "ConfigMap",
                                  .name = name,
                                  .namespace = l->namespace,
                                  .reason = "R",
                                  .note = "n",
                                  .controller = "c" };

        kube_recorder_post(recorder, &note);
    }
    assert_int_equal(kube_recorder_count(recorder).dropped, 150);
    assert_true(live_until(l->client, all_are_written, &written, 5000));
    live_run(l->client, 100);
    assert_int_equal(kube_recorder_count(recorder).written, 50);
    kube_recorder_destroy(recorder);
    kube_writer_destroy(writer);
}

static int authority_remove(void **state)
{
    AUTO_FREE char *path = authority_path();

    (void)state;
    unlink(path);
    return 0;
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_replaced_token_file_is_used_at_once_after_401),
        LIVE(a_credential_plugin_is_run_when_needed),
        LIVE(the_servers_certificate_is_checked),
        LIVE(leadership_fails_over),
        LIVE(nobody_leads_longer_than_the_renew_deadline_without_a_server),
        LIVE(a_holder_with_a_wrong_clock_keeps_the_lease_while_it_renews),
        LIVE(events_are_written_merged_and_limited),
        LIVE(events_are_dropped_when_too_many_wait),
    };

    if (!live_has_server()) {
        printf("skip: SLUICE_TEST_KUBECONFIG is not set\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, authority_remove);
}
