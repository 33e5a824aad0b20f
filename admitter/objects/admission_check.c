#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct admission_check check;
};

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("controllerName", decode_text, struct admission_check, controller),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

void active_condition_read(struct decoder *d, void *target)
{
    size_t count;
    struct condition *conditions = decode_list(d, sizeof(struct condition), condition_read, &count);

    *(bool *)target = conditions_have(conditions, count, "Active");
}

static void status_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("conditions", active_condition_read, struct admission_check, active),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int admission_check_decode(struct str json, struct arena *a, struct admission_check *out,
                           struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, check),
        DECODE_FIELD("status", status_read, struct document, check),
        DECODE_END,
    };
    struct document document = { .check = { .controller = "" } };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.check.name = document.meta.name;
    *out = document.check;
    return 0;
}
