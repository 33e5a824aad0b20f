/* Random lives of Workloads on a real API server with a real controller
 * (tests/e2e/37-random-lives.sh).
 *
 * This program is everybody else: users, job controllers, check controllers, administrators. What
 * it does follows from SLUICE_SEED; SLUICE_STEPS is how often it does something. Somebody else
 * watches. */
#include "tests/unit/admitter/rules/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "admitter/objects/json_read.h"
#include "admitter/kube/client.h"

#define WORKLOADS "/apis/kueue.x-k8s.io/v1beta2/namespaces/t/workloads"
#define NAMES 12
#define LOOKS 20

static struct kube_client *client;
static uint64_t state_of_chance;

static unsigned chance(unsigned below)
{
    state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state_of_chance >> 33) % below;
}

/* ---- requests; refusals are part of life ---- */

static json_t *ask(const char *method, const char *path, const char *type, json_t *body)
{
    AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    AUTO_STRBUF struct strbuf answer = STRBUF_INIT;
    struct kube_request request = { .class = KUBE_CLASS_WRITE,
                                    .method = method,
                                    .path = path,
                                    .content_type = type,
                                    .body = str_of(text),
                                    .query = body ? "fieldManager=test" : NULL };
    struct err e;

    json_decref(body);
    if (kube_request_wait(client, &request, &answer, NULL, &e) < 0)
        return NULL;
    return json_loadb(answer.text, answer.length, 0, NULL);
}

static void send(const char *method, const char *path, const char *type, json_t *body)
{
    json_decref(ask(method, path, type, body));
}

static void write_status(json_t *object)
{
    AUTO_FREE char *path = mem_format(WORKLOADS "/%s/status",
                                      json_string_at(json_object_get(object, "metadata"), "name"));

    send("PUT", path, "application/json", json_incref(object));
}

static void merge(const char *path, const char *patch)
{
    send("PATCH", path, "application/merge-patch+json", json_loads(patch, 0, NULL));
}

static bool set_condition(json_t *object, const char *type, const char *status, const char *reason)
{
    return condition_put(object, &(struct condition_change){ type, status, reason, "by test", 0 },
                         (int64_t)time(NULL) * NANOSECONDS_PER_SECOND);
}

/* ---- what others do ---- */

static void user_makes(const char *name)
{
    bool gated = chance(6) == 0;
    AUTO_FREE char *text = mem_format(
        "{\"apiVersion\":\"kueue.x-k8s.io/v1beta2\",\"kind\":\"Workload\",\"metadata\":{\"name\":"
        "\"%s\"%s},\"spec\":{\"queueName\":\"%s\",\"priority\":%u,\"podSets\":[{\"name\":\"main\","
        "\"count\":%u,\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\","
        "\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}}}]}}",
        name, gated ? ",\"annotations\":{\"kueue.x-k8s.io/admission-gated-by\":\"x.io/g\"}" : "",
        chance(2) ? "q" : "r", chance(3), chance(4) + 1);

    send("POST", WORKLOADS, "application/json", json_loads(text, 0, NULL));
}

/* A controller that stops an evicted job says all that there is to say, or takes the quota only. */
static void job_stops(json_t *object)
{
    const char *reason = condition_reason(object, "Evicted");
    bool again = strcmp(reason, "Preempted") == 0;

    if (!condition_true(object, "Evicted") || !condition_true(object, "QuotaReserved"))
        return;
    set_condition(object, "QuotaReserved", "False", "Pending");
    set_condition(object, "Admitted", "False", "NoReservation");
    if (chance(3)) {
        set_condition(object, "Requeued", again ? "True" : "False", reason);
        json_object_del(object_status(object), "admission");
    }
    write_status(object);
}

static void check_answers(json_t *object)
{
    static const char *const states[] = { "Ready", "Ready", "Ready", "Retry", "Rejected" };
    json_t *check = json_array_get(json_at(object, "status", "admissionChecks", NULL), 0);

    if (!check)
        return;
    json_object_set_new(check, "state", json_string(states[chance(5)]));
    json_time_put(check, "lastTransitionTime", (int64_t)time(NULL) * NANOSECONDS_PER_SECOND);
    if (chance(3) == 0)
        json_object_set_new(check, "requeueAfterSeconds", json_integer(1));
    write_status(object);
}

static void pods_change(json_t *object)
{
    if (!condition_true(object, "Admitted") || condition_true(object, "Evicted"))
        return;
    if (condition_true(object, "PodsReady") && chance(2))
        set_condition(object, "PodsReady", "False", "WaitForRecovery");
    else
        set_condition(object, "PodsReady", "True", "Started");
    write_status(object);
}

static void job_ends(json_t *object)
{
    set_condition(object, "Finished", "True", "Succeeded");
    write_status(object);
}

/* Quota that is not given back yet would be counted a second time: nobody activates before that. */
static void user_switches(json_t *object, const char *path)
{
    if (!json_is_false(json_at(object, "spec", "active", NULL)))
        merge(path, "{\"spec\":{\"active\":false}}");
    else if (!condition_true(object, "QuotaReserved"))
        merge(path, "{\"spec\":{\"active\":true}}");
}

static void administrator_acts(void)
{
    static const char *const policies[] = { "None", "None", "None", "Hold", "HoldAndDrain" };
    AUTO_FREE char *patch = mem_format("{\"spec\":{\"stopPolicy\":\"%s\"}}", policies[chance(5)]);
    AUTO_FREE char *path =
        mem_format("/apis/kueue.x-k8s.io/v1beta2/%s/%s",
                   chance(2) ? "clusterqueues" : "namespaces/t/localqueues", chance(2) ? "q" : "r");

    merge(path, patch);
}

static void act(json_t *object, const char *path)
{
    switch (chance(16)) {
    case 0:
        job_ends(object);
        break;
    case 1:
        send("DELETE", path, NULL, NULL);
        break;
    case 2:
        user_switches(object, path);
        break;
    case 3:
        merge(path, chance(2) ? "{\"spec\":{\"priority\":3}}" : "{\"spec\":{\"priority\":0}}");
        break;
    case 4:
        merge(path, "{\"metadata\":{\"annotations\":null}}");
        break;
    case 5:
    case 6:
        pods_change(object);
        break;
    case 7:
    case 8:
    case 9:
        check_answers(object);
        break;
    default:
        job_stops(object);
        break;
    }
}

static void live_a_little(void)
{
    AUTO_FREE char *name = mem_format("w-%u", chance(NAMES));
    AUTO_FREE char *path = mem_format(WORKLOADS "/%s", name);
    json_t *object;

    if (chance(20) == 0) {
        administrator_acts();
        return;
    }
    object = ask("GET", path, NULL, NULL);
    if (object)
        act(object, path);
    else
        user_makes(name);
    json_decref(object);
}

/* ---- coming to rest ---- */

static void open_queues(void)
{
    static const char *const paths[] = { "clusterqueues/q", "clusterqueues/r",
                                         "namespaces/t/localqueues/q",
                                         "namespaces/t/localqueues/r" };

    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        AUTO_FREE char *path = mem_format("/apis/kueue.x-k8s.io/v1beta2/%s", paths[i]);

        merge(path, "{\"spec\":{\"stopPolicy\":\"None\"}}");
    }
}

/* Does nothing concern this one any more? What others owe it is done. */
static bool rests(json_t *object)
{
    bool admitted = condition_true(object, "Admitted");

    if (condition_true(object, "Finished"))
        return true;
    if (condition_true(object, "Evicted") && condition_true(object, "QuotaReserved")) {
        job_stops(object);
        return false;
    }
    if (admitted && !condition_true(object, "PodsReady")) {
        set_condition(object, "PodsReady", "True", "Started");
        write_status(object);
        return false;
    }
    return !json_at(object, "status", "requeueState", "requeueAt", NULL) &&
           (condition_true(object, "QuotaReserved") ||
            (condition_is(object, "QuotaReserved", "False") &&
             !json_at(object, "status", "admission", NULL) && !admitted));
}

static bool all_rest(void)
{
    json_t *list = ask("GET", WORKLOADS, NULL, NULL), *object;
    bool rest = list != NULL;
    size_t i;

    json_array_foreach(json_object_get(list, "items"), i, object) {
        json_object_set_new(object, "apiVersion", json_string("kueue.x-k8s.io/v1beta2"));
        json_object_set_new(object, "kind", json_string("Workload"));
        rest = rests(object) && rest;
    }
    json_decref(list);
    return rest;
}

static void random_lives_come_to_rest(void **state)
{
    const char *steps = getenv("SLUICE_STEPS"), *seed = getenv("SLUICE_SEED");
    int rest = 0; /* looks in a row: one that is queued again may be admitted after the first */

    (void)state;
    state_of_chance = seed ? (uint64_t)atoll(seed) : 1;
    for (int i = steps ? atoi(steps) : 1000; i > 0; i--)
        live_a_little();
    open_queues();
    for (int i = 0; i < 1000 && rest < LOOKS; i++) {
        rest = all_rest() ? rest + 1 : 0;
        usleep(100000);
    }
    assert_int_equal(rest, LOOKS);
}

int main(void)
{
    struct kube_config_source source = { .path = getenv("SLUICE_TEST_KUBECONFIG") };
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_lives_come_to_rest) };
    struct kube_config *config;
    struct err e;
    int failed;

    if (!source.path) {
        printf("skip: SLUICE_TEST_KUBECONFIG is not set\n");
        return 0;
    }
    kube_global_init();
    config = kube_config_load(&source, &e);
    if (!config || !(client = kube_client_create(config, NULL, &e))) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    kube_client_destroy(client);
    kube_config_destroy(config);
    return failed;
}
