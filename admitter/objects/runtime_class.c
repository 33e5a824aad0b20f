#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct runtime_class class;
};

static void overhead_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("podFixed", decode_resources, struct runtime_class, overhead),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int runtime_class_decode(struct str json, struct arena *a, struct runtime_class *out,
                         struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("overhead", overhead_read, struct document, class),
        DECODE_END,
    };
    struct document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.class.name = document.meta.name;
    *out = document.class;
    return 0;
}
