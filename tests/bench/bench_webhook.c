/* How long the webhook takes to answer, over TLS on loopback with connections kept open: inside the
 * server, from the request line to the answer being handed over, and as a client sees it. Every row
 * also runs while another thread changes the snapshot without pause, as the engine thread does in a
 * burst of events. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "admitter/loop/hooks.h"
#include "admitter/loop/snapshot.h"
#include "quota/base/mem.h"
#include "tests/bench/measure.h"
#include "webhook/certificate_store.h"
#include "webhook/server.h"

enum { CLIENTS = 8, POD_SETS = 18 };

static void insist(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* ---- the server ---- */

struct stage {
    struct loop_settings settings;
    struct snapshot *snapshot;
    struct hooks *hooks;
    struct route_table *routes;
    struct certificate_source *source;
    struct webhook_server *server;
    double *seen; /* nanoseconds inside the server, one per answer */
    size_t capacity;
    atomic_size_t count;
};

static void note(void *context, const char *route, unsigned status, int64_t nanoseconds)
{
    struct stage *stage = context;
    size_t at = atomic_fetch_add(&stage->count, 1);

    (void)route;
    insist(status == 200, "a review is not answered with 200");
    if (at < stage->capacity)
        stage->seen[at] = (double)nanoseconds;
}

static void certificate_make(struct stage *stage)
{
    static const char *const addresses[] = { "127.0.0.1" };
    const struct certificate_names names = { .ip = addresses, .ip_count = 1 };
    struct certificate_store store = { 0 };
    enum certificate_action action;

    stage->source = certificate_source_create();
    insist(certificate_store_step(&store, &names, time(NULL), 0, &action, NULL) == 0 &&
               certificate_source_set(stage->source, str_of(store.leaf.certificate),
                                      str_of(store.leaf.key), NULL) == 0,
           "no certificate");
    certificate_store_finish(&store);
}

static void stage_start(struct stage *stage)
{
    struct webhook_server_options options = { .host = "127.0.0.1",
                                              .observe = note,
                                              .observe_context = stage };

    loop_settings_default(&stage->settings);
    job_options_default(&stage->settings.jobs);
    stage->snapshot = snapshot_create();
    snapshot_namespace_put(stage->snapshot, "ns", true);
    snapshot_local_queue_put(stage->snapshot, "ns", "q", "queue");
    stage->hooks = hooks_create(&stage->settings, stage->snapshot);
    stage->routes = route_table_create();
    insist(hooks_register(stage->hooks, stage->routes, NULL) == 0, "no routes");
    certificate_make(stage);
    options.certificates = stage->source;
    options.routes = stage->routes;
    stage->server = webhook_server_start(&options, NULL);
    insist(stage->server, "the server does not start");
}

static void stage_stop(struct stage *stage)
{
    webhook_server_stop(stage->server, 100);
    hooks_destroy(stage->hooks);
    route_table_destroy(stage->routes);
    certificate_source_destroy(stage->source);
    snapshot_destroy(stage->snapshot);
    free(stage->seen);
}

/* ---- what is asked ---- */

#define REVIEW                                                                                     \
    "{\"apiVersion\":\"admission.k8s.io/"                                                          \
    "v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\","                                \
    "\"kind\":{\"group\":\"g\",\"version\":\"v\",\"kind\":\"K\"},\"resource\":{\"group\":\"g\","   \
    "\"version\":\"v\",\"resource\":\"k\"},\"namespace\":\"ns\",\"operation\":\"%s\","             \
    "\"object\":%s,\"oldObject\":%s}}"
#define CONTAINERS                                                                                 \
    "\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":"       \
    "{\"requests\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}}}]}}"
#define QUEUE                                                                                      \
    "{\"metadata\":{\"name\":\"q\"},\"spec\":{\"cohortName\":\"c\",\"resourceGroups\":["           \
    "{\"coveredResources\":[\"cpu\",\"memory\"],\"flavors\":[{\"name\":\"f\",\"resources\":["      \
    "{\"name\":\"cpu\",\"nominalQuota\":9,\"borrowingLimit\":1},{\"name\":\"memory\","             \
    "\"nominalQuota\":\"36Gi\"}]}]}]}}"
#define JOB                                                                                        \
    "{\"metadata\":{\"name\":\"j\",\"namespace\":\"ns\",\"labels\":{\"kueue.x-k8s.io/"             \
    "queue-name\":"                                                                                \
    "\"q\"}},\"spec\":{\"parallelism\":3," CONTAINERS "}}"

static char *workload_text(unsigned pod_sets)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_puts(&text, "{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\",\"kind\":\"Workload\","
                       "\"metadata\":{\"name\":\"w\"},\"spec\":{\"queueName\":\"q\",\"podSets\":[");
    for (unsigned i = 0; i < pod_sets; i++)
        strbuf_printf(&text, "%s{\"name\":\"s%u\",\"count\":3," CONTAINERS "}", i ? "," : "", i);
    strbuf_puts(&text, "]}}");
    return strbuf_take(&text);
}

struct question {
    const char *title, *path;
    char *body; /* heap */
};

/* ---- clients ---- */

struct client {
    const struct stage *stage;
    const struct question *question;
    unsigned rounds;
    struct samples samples;
};

static size_t swallow(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)context;
    return size * count;
}

static void *client_run(void *context)
{
    struct client *client = context;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    AUTO_FREE char *url =
        mem_format("https://127.0.0.1:%u%s", webhook_server_port(client->stage->server),
                   client->question->path);

    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, client->question->body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L); /* speed is measured here, not trust */
    insist(curl_easy_perform(curl) == CURLE_OK, "no connection");
    for (unsigned i = 0; i < client->rounds; i++) {
        int64_t begin = measure_now();

        insist(curl_easy_perform(curl) == CURLE_OK, "a request fails");
        samples_add(&client->samples, (double)(measure_now() - begin));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return NULL;
}

static void *events_run(void *context)
{
    struct stage *stage = ((void **)context)[0];
    atomic_bool *stop = ((void **)context)[1];
    char name[32];

    for (unsigned i = 0; !atomic_load(stop); i++) {
        snprintf(name, sizeof(name), "q%u", i % 5000);
        snapshot_local_queue_put(stage->snapshot, "ns", name, "queue");
    }
    return NULL;
}

/* ---- rows ---- */

static void gather(struct stage *stage, struct client *clients, unsigned count, struct samples *in,
                   struct samples *out)
{
    for (size_t i = 0; i < atomic_load(&stage->count); i++)
        samples_add(in, stage->seen[i]);
    for (unsigned i = 0; i < count; i++) {
        for (size_t k = 0; k < clients[i].samples.count; k++)
            samples_add(out, clients[i].samples.ns[k]);
        samples_finish(&clients[i].samples);
    }
}

static void row(struct stage *stage, const struct question *question, unsigned count, bool events)
{
    unsigned rounds = (measure_quickly() ? 400 : 8000) / count;
    struct client clients[CLIENTS] = { 0 };
    struct samples in = { 0 }, out = { 0 };
    pthread_t threads[CLIENTS], other;
    atomic_bool stop = false;
    void *both[] = { stage, &stop };

    free(stage->seen);
    stage->capacity = (size_t)count * (rounds + 1);
    stage->seen = mem_array(stage->capacity, sizeof(*stage->seen));
    atomic_store(&stage->count, 0);
    if (events)
        pthread_create(&other, NULL, events_run, both);
    for (unsigned i = 0; i < count; i++) {
        clients[i] = (struct client){ .stage = stage, .question = question, .rounds = rounds };
        pthread_create(&threads[i], NULL, client_run, &clients[i]);
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, true);
    if (events)
        pthread_join(other, NULL);
    gather(stage, clients, count, &in, &out);
    printf("%-28s %7u %6s %9.1f %9.1f %9.1f %9.1f\n", question->title, count, events ? "yes" : "no",
           samples_at(&in, 0.5) / 1e3, samples_at(&in, 0.99) / 1e3, samples_at(&out, 0.5) / 1e3,
           samples_at(&out, 0.99) / 1e3);
    samples_finish(&in);
    samples_finish(&out);
}

int main(void)
{
    struct stage stage = { 0 };
    AUTO_FREE char *small = workload_text(1);
    AUTO_FREE char *large = workload_text(POD_SETS);
    struct question questions[] = {
        { "ClusterQueue, update", "/validate-kueue-x-k8s-io-v1beta2-clusterqueue",
          mem_format(REVIEW, "UPDATE", QUEUE, QUEUE) },
        { "ClusterQueue, defaults", "/mutate-kueue-x-k8s-io-v1beta2-clusterqueue",
          mem_format(REVIEW, "CREATE", QUEUE, "null") },
        { "Workload, update", "/validate-kueue-x-k8s-io-v1beta2-workload",
          mem_format(REVIEW, "UPDATE", small, small) },
        { "Workload, 18 pod sets", "/validate-kueue-x-k8s-io-v1beta2-workload",
          mem_format(REVIEW, "UPDATE", large, large) },
        { "Job, defaults", "/mutate-batch-v1-job", mem_format(REVIEW, "CREATE", JOB, "null") },
        { "Workload, to v1beta1", "/convert",
          mem_format("{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"ConversionReview\","
                     "\"request\":{\"uid\":\"u\",\"desiredAPIVersion\":\"kueue.x-k8s.io/v1beta1\","
                     "\"objects\":[%s]}}",
                     small) },
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    stage_start(&stage);
    printf("%-28s %7s %6s %19s %19s\n", "", "", "", "inside, us", "round trip, us");
    printf("%-28s %7s %6s %9s %9s %9s %9s\n", "", "clients", "events", "median", "p99", "median",
           "p99");
    for (size_t i = 0; i < ARRAY_COUNT(questions); i++) {
        row(&stage, &questions[i], 1, false);
        row(&stage, &questions[i], 1, true);
        row(&stage, &questions[i], CLIENTS, false);
        free(questions[i].body);
    }
    stage_stop(&stage);
    curl_global_cleanup();
    return 0;
}
