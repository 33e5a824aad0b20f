#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct claim_template claim_template;
};

static void selectors_read(struct decoder *d, void *target)
{
    struct device_request *request = target;

    request->selectors = decode_device_selectors(d, &request->selector_count);
}

static void capacity_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("requests", decode_resources, struct device_request, capacities),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void exactly_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("deviceClassName", decode_text, struct device_request, device_class),
        DECODE_FIELD("allocationMode", decode_text, struct device_request, allocation_mode),
        DECODE_FIELD("count", decode_int64, struct device_request, count),
        DECODE_WHOLE("selectors", selectors_read),
        DECODE_WHOLE("capacity", capacity_read),
        DECODE_FIELD("adminAccess", decode_bool, struct device_request, admin_access),
        DECODE_END,
    };
    struct device_request *request = target;

    if (decode_absent(d))
        return;
    request->is_exact = true;
    decode_record(d, fields, request);
}

/* Which alternatives there are does not matter: none is supported. */
static void alternatives_read(struct decoder *d, void *target)
{
    struct device_request *request = target;

    if (decode_absent(d))
        return;
    json_skip(&d->reader);
    request->has_alternatives = true;
}

static void request_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("exactly", exactly_read),
        DECODE_WHOLE("firstAvailable", alternatives_read),
        DECODE_END,
    };
    struct device_request *request = target;

    *request =
        (struct device_request){ .device_class = "", .allocation_mode = "ExactCount", .count = 1 };
    decode_record(d, fields, request);
}

static void requests_read(struct decoder *d, void *target)
{
    struct claim_template *claim_template = target;

    claim_template->requests =
        decode_list(d, sizeof(struct device_request), request_read, &claim_template->request_count);
}

static void devices_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("requests", requests_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void claim_spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("devices", devices_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("spec", claim_spec_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int claim_template_decode(struct str json, struct arena *a, struct claim_template *out,
                          struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, claim_template),
        DECODE_END,
    };
    struct document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.claim_template.namespace =
        *document.meta.namespace ? document.meta.namespace : "default";
    document.claim_template.name = document.meta.name;
    *out = document.claim_template;
    return 0;
}
