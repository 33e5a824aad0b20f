/* room: admitter/loop. The webhook of every kind and /convert, as the server calls them.
 *
 * The first byte chooses the path, the second the operation and the gates, the rest is the object
 * and, after a NUL, the old object. Whatever comes in gets an answer that is JSON: a decision with
 * the uid and, when it is allowed, a patch that is a list of operations; or a conversion; or a
 * plain refusal of an envelope that is none. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "admitter/loop/hooks.h"
#include "admitter/loop/snapshot.h"
#include "quota/base/base64.h"
#include "quota/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
    "/mutate-kueue-x-k8s-io-v1beta2-clusterqueue",
    "/mutate-kueue-x-k8s-io-v1beta2-resourceflavor",
    "/mutate-kueue-x-k8s-io-v1beta2-workload",
    "/mutate-batch-v1-job",
    "/validate-kueue-x-k8s-io-v1beta2-clusterqueue",
    "/validate-kueue-x-k8s-io-v1beta2-cohort",
    "/validate-kueue-x-k8s-io-v1beta2-resourceflavor",
    "/validate-kueue-x-k8s-io-v1beta2-workload",
    "/validate-batch-v1-job",
    "/convert",
};

static void insist(bool truth)
{
    if (!truth)
        abort();
}

struct stage {
    struct loop_settings settings;
    struct snapshot *snapshot;
    struct hooks *hooks;
    struct route_table *routes;
};

/* One for each setting of the gates, made once. */
static struct stage *stage_of(bool strict)
{
    static struct stage stages[2];
    struct stage *stage = &stages[strict];

    if (stage->routes)
        return stage;
    loop_settings_default(&stage->settings);
    job_options_default(&stage->settings.jobs);
    stage->settings.objects.concurrent_admission = stage->settings.objects.priority_boost = strict;
    stage->settings.objects.partial_admission = stage->settings.objects.elastic_slices = !strict;
    stage->snapshot = snapshot_create();
    snapshot_namespace_put(stage->snapshot, "ns", true);
    snapshot_local_queue_put(stage->snapshot, "ns", "default", "q");
    snapshot_priority_class_put(stage->snapshot, "default");
    stage->hooks = hooks_create(&stage->settings, stage->snapshot);
    stage->routes = route_table_create();
    insist(hooks_register(stage->hooks, stage->routes, NULL) == 0);
    return stage;
}

static void write_review(struct strbuf *out, bool updates, struct str object, struct str old_object)
{
    strbuf_printf(
        out,
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":"
        "{\"uid\":\"u\",\"kind\":{\"group\":\"g\",\"version\":\"v\",\"kind\":\"K\"},"
        "\"resource\":{\"group\":\"g\",\"version\":\"v\",\"resource\":\"k\"},"
        "\"namespace\":\"ns\",\"operation\":\"%s\",\"object\":%.*s,\"oldObject\":%.*s}}",
        updates ? "UPDATE" : "CREATE", STR_ARGS(object), STR_ARGS(old_object));
}

static void write_conversion(struct strbuf *out, bool up, struct str object)
{
    strbuf_printf(out,
                  "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"ConversionReview\","
                  "\"request\":{\"uid\":\"u\",\"desiredAPIVersion\":\"kueue.x-k8s.io/%s\","
                  "\"objects\":[%.*s]}}",
                  up ? "v1beta2" : "v1beta1", STR_ARGS(object));
}

static void check_patch(const json_t *response)
{
    const char *encoded = json_string_value(json_object_get(response, "patch"));
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    json_t *patch;

    if (!encoded)
        return;
    insist(json_is_true(json_object_get(response, "allowed")));
    insist(base64_decode(str_of(encoded), &text));
    patch = json_loadb(text.text, text.length, 0, NULL);
    insist(json_array_size(patch) > 0);
    json_decref(patch);
}

static void check_answer(const struct response *response)
{
    json_t *tree, *inner;

    if (response->status != 200)
        return;
    tree = json_loadb(response->body.text, response->body.length, 0, NULL);
    inner = json_object_get(tree, "response");
    insist(inner && strcmp(json_string_value(json_object_get(inner, "uid")), "u") == 0);
    check_patch(inner);
    json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA struct arena arena = ARENA_INIT;
    AUTO_STRBUF struct strbuf body = STRBUF_INIT;
    struct request request = { .method = ROUTE_POST, .deadline = INT64_MAX };
    struct str object, old_object = STR("null");
    struct response response;
    const char *end;
    struct route route;

    if (size < 3)
        return 0;
    object = (struct str){ (const char *)data + 2, size - 2 };
    end = memchr(object.text, '\0', object.length);
    if (end) {
        old_object = (struct str){ end + 1, object.length - (size_t)(end + 1 - object.text) };
        object.length = (size_t)(end - object.text);
    }
    request.path = paths[data[0] % ARRAY_COUNT(paths)];
    if (strcmp(request.path, "/convert") == 0)
        write_conversion(&body, data[1] & 1, object);
    else
        write_review(&body, data[1] & 1, object, old_object);
    request.body = strbuf_view(&body);
    insist(route_find(stage_of(data[1] & 2)->routes, ROUTE_POST, request.path, &route) ==
           ROUTE_FOUND);
    response_init(&response);
    route.function(route.context, &request, &response, &arena);
    check_answer(&response);
    response_finish(&response);
    return 0;
}
