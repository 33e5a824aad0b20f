#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

static void expression_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        { "expression", decode_text, 0, DECODE_ALWAYS },
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void device_selector_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("cel", expression_read),
        DECODE_END,
    };

    *(const char **)target = "";
    decode_record(d, fields, target);
}

const char **decode_device_selectors(struct decoder *d, size_t *count)
{
    return decode_list(d, sizeof(const char *), device_selector_read, count);
}

struct document {
    struct object_meta meta;
    struct device_class class;
};

static void selectors_read(struct decoder *d, void *target)
{
    struct device_class *class = target;

    class->selectors = decode_device_selectors(d, &class->selector_count);
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("selectors", selectors_read),
        DECODE_FIELD("extendedResourceName", decode_text, struct device_class, extended_resource),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int device_class_decode(struct str json, struct arena *a, struct device_class *out,
                        struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, class),
        DECODE_END,
    };
    struct document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.class.name = document.meta.name;
    document.class.created = document.meta.created;
    *out = document.class;
    return 0;
}
