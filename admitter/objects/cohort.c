#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct cohort cohort;
    struct weight weight;
};

static void groups_read(struct decoder *d, void *target)
{
    struct cohort *cohort = target;

    cohort->groups = resource_groups_read(d, &cohort->group_count);
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("parentName", decode_text, struct document, cohort.parent),
        DECODE_FIELD("resourceGroups", groups_read, struct document, cohort),
        DECODE_FIELD("fairSharing", weight_read, struct document, weight),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int cohort_decode(struct str json, struct arena *a, struct cohort *out, struct object_meta *meta,
                  struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_WHOLE("spec", spec_read),
        DECODE_END,
    };
    struct document document = { .cohort = { .parent = "" } };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.cohort.name = document.meta.name;
    document.cohort.has_weight = document.weight.present;
    document.cohort.weight =
        document.weight.present ? document.weight.value : quantity_of(1, QUANTITY_DECIMAL);
    *out = document.cohort;
    return 0;
}
