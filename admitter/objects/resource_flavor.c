#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct resource_flavor flavor;
};

static void node_labels_read(struct decoder *d, void *target)
{
    struct resource_flavor *flavor = target;

    flavor->node_labels = decode_labels(d, &flavor->node_label_count);
}

static void taint_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("key", decode_text, struct taint, key),
        DECODE_FIELD("value", decode_text, struct taint, value),
        DECODE_FIELD("effect", decode_text, struct taint, effect),
        DECODE_FIELD("timeAdded", decode_text, struct taint, time_added),
        DECODE_END,
    };
    struct taint *taint = target;

    taint->key = taint->value = taint->effect = "";
    decode_record(d, fields, taint);
}

static void taints_read(struct decoder *d, void *target)
{
    struct resource_flavor *flavor = target;

    flavor->taints = decode_list(d, sizeof(struct taint), taint_read, &flavor->taint_count);
}

static void tolerations_read(struct decoder *d, void *target)
{
    struct resource_flavor *flavor = target;

    flavor->tolerations =
        decode_list(d, sizeof(struct toleration), toleration_read, &flavor->toleration_count);
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("nodeLabels", node_labels_read),
        DECODE_WHOLE("nodeTaints", taints_read),
        DECODE_WHOLE("tolerations", tolerations_read),
        DECODE_FIELD("topologyName", decode_text, struct resource_flavor, topology),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int resource_flavor_decode(struct str json, struct arena *a, struct resource_flavor *out,
                           struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, flavor),
        DECODE_END,
    };
    struct document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.flavor.name = document.meta.name;
    *out = document.flavor;
    return 0;
}
