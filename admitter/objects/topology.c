#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct topology topology;
};

static void level_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("nodeLabel", decode_text),
        DECODE_END,
    };
    const char **level = target;

    decode_record(d, fields, level);
    if (!*level)
        decode_problem(d, ".nodeLabel", "Required value");
}

static void levels_read(struct decoder *d, void *target)
{
    struct topology *topology = target;

    topology->levels =
        decode_list(d, sizeof(*topology->levels), level_read, &topology->level_count);
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("levels", levels_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int topology_decode(struct str json, struct arena *a, struct topology *out,
                    struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, topology),
        DECODE_END,
    };
    struct document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.topology.name = document.meta.name;
    *out = document.topology;
    return 0;
}
