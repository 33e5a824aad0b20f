#include "admitter/kube/lease_record.h"

#include <jansson.h>
#include <stdlib.h>
#include "admitter/kube/yaml.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

void lease_record_finish(struct lease_record *record)
{
    free(record->holder);
    free(record->version);
    *record = (struct lease_record){ .acquire_time = TIME_NONE, .renew_time = TIME_NONE };
}

static char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));

    return mem_dup(text ? text : "");
}

/* A time we cannot read is as good as none: it is only ever shown or compared for equality. */
static int64_t time_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    int64_t time;

    return text && time_parse(str_of(text), &time, NULL) == 0 ? time : TIME_NONE;
}

int lease_record_parse(struct str json, struct lease_record *record, struct err *e)
{
    json_error_t problem;
    AUTO_JSON json_t *root = json_loadb(json.text ? json.text : "", json.length, 0, &problem);
    const json_t *spec = json_object_get(root, "spec");

    if (!root)
        return err_set(e, ERR_INVALID, "lease: %s at byte %d", problem.text, problem.position);
    if (!json_is_object(json_object_get(root, "metadata")))
        return err_set(e, ERR_INVALID, "lease: metadata: is required");
    *record = (struct lease_record){
        .holder = text_of(spec, "holderIdentity"),
        .version = text_of(json_object_get(root, "metadata"), "resourceVersion"),
        .duration_seconds = json_integer_value(json_object_get(spec, "leaseDurationSeconds")),
        .transitions = json_integer_value(json_object_get(spec, "leaseTransitions")),
        .acquire_time = time_of(spec, "acquireTime"),
        .renew_time = time_of(spec, "renewTime"),
    };
    return 0;
}

bool lease_record_same(const struct lease_record *a, const struct lease_record *b)
{
    return a->renew_time == b->renew_time && a->acquire_time == b->acquire_time &&
           a->transitions == b->transitions && a->duration_seconds == b->duration_seconds &&
           !strcmp(a->holder, b->holder) && !strcmp(a->version, b->version);
}

void lease_record_json(const struct lease_record *record, const char *name, struct strbuf *out)
{
    char acquired[TIME_TEXT], renewed[TIME_TEXT];

    if (name) {
        strbuf_puts(out, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
                         "\"metadata\":{\"name\":");
        strbuf_json(out, str_of(name));
    } else {
        strbuf_puts(out, "{\"metadata\":{\"resourceVersion\":");
        strbuf_json(out, str_of(record->version));
    }
    strbuf_puts(out, "},\"spec\":{\"holderIdentity\":");
    strbuf_json(out, str_of(record->holder));
    strbuf_printf(out,
                  ",\"leaseDurationSeconds\":%lld,\"leaseTransitions\":%lld,"
                  "\"acquireTime\":\"%s\",\"renewTime\":\"%s\"}}",
                  (long long)record->duration_seconds, (long long)record->transitions,
                  time_print_micro(record->acquire_time, acquired),
                  time_print_micro(record->renew_time, renewed));
}
