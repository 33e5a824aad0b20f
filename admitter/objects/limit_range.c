#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct limit_range limits;
};

/* An item as it stands; types other than Container and Pod are dropped afterwards. */
struct item {
    const char *type;
    struct limit_range_item values;
};

static void item_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("type", decode_text, struct item, type),
        DECODE_FIELD("max", decode_resources, struct item, values.max),
        DECODE_FIELD("min", decode_resources, struct item, values.min),
        DECODE_FIELD("default", decode_resources, struct item, values.defaults),
        DECODE_FIELD("defaultRequest", decode_resources, struct item, values.default_requests),
        DECODE_FIELD("maxLimitRequestRatio", decode_resources, struct item, values.max_ratio),
        DECODE_END,
    };
    struct item *item = target;

    item->type = "";
    decode_record(d, fields, item);
}

static void items_read(struct decoder *d, void *target)
{
    struct limit_range *limits = target;
    size_t count;
    struct item *items = decode_list(d, sizeof(struct item), item_read, &count);

    limits->items = ARENA_ARRAY(d->arena, count + 1, struct limit_range_item);
    limits->item_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_pod = strcmp(items[i].type, "Pod") == 0;

        if (!is_pod && strcmp(items[i].type, "Container") != 0)
            continue;
        items[i].values.type = is_pod ? LIMIT_POD : LIMIT_CONTAINER;
        limits->items[limits->item_count++] = items[i].values;
    }
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("limits", items_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int limit_range_decode(struct str json, struct arena *a, struct limit_range *out,
                       struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, limits),
        DECODE_END,
    };
    struct document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.limits.namespace = *document.meta.namespace ? document.meta.namespace : "default";
    document.limits.name = document.meta.name;
    *out = document.limits;
    return 0;
}
