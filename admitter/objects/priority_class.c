#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

/* WorkloadPriorityClass, and the PriorityClass of pods. */

struct document {
    struct object_meta meta;
    struct priority_class class;
};

static int decode(struct str json, struct arena *a, const struct decode_field *fields,
                  struct priority_class *out, struct object_meta *meta, struct err *e)
{
    struct document document = { .class = { .preemption = "PreemptLowerPriority" } };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.class.name = document.meta.name;
    *out = document.class;
    return 0;
}

int workload_priority_class_decode(struct str json, struct arena *a, struct priority_class *out,
                                   struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("value", decode_int32, struct document, class.value),
        DECODE_END,
    };

    return decode(json, a, fields, out, meta, e);
}

int priority_class_decode(struct str json, struct arena *a, struct priority_class *out,
                          struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("value", decode_int32, struct document, class.value),
        DECODE_FIELD("globalDefault", decode_bool, struct document, class.global_default),
        DECODE_FIELD("preemptionPolicy", decode_text, struct document, class.preemption),
        DECODE_END,
    };

    return decode(json, a, fields, out, meta, e);
}
