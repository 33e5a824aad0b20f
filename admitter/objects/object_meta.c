#include "admitter/objects/object_meta.h"

#include <string.h>
#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

static void owner_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("apiVersion", decode_text, struct owner_reference, api_version),
        DECODE_FIELD("kind", decode_text, struct owner_reference, kind),
        DECODE_FIELD("name", decode_text, struct owner_reference, name),
        DECODE_FIELD("uid", decode_text, struct owner_reference, uid),
        DECODE_FIELD("controller", decode_bool, struct owner_reference, controller),
        DECODE_END,
    };
    struct owner_reference *owner = target;

    owner->api_version = owner->kind = owner->name = owner->uid = "";
    decode_record(d, fields, owner);
}

static void owners_read(struct decoder *d, void *target)
{
    struct object_meta *meta = target;

    meta->owners = decode_list(d, sizeof(*meta->owners), owner_read, &meta->owner_count);
}

static void labels_read(struct decoder *d, void *target)
{
    struct object_meta *meta = target;

    meta->labels = decode_labels(d, &meta->label_count);
}

static void annotations_read(struct decoder *d, void *target)
{
    struct object_meta *meta = target;

    meta->annotations = decode_labels(d, &meta->annotation_count);
}

static void finalizers_read(struct decoder *d, void *target)
{
    struct object_meta *meta = target;

    meta->finalizers = decode_texts(d, &meta->finalizer_count);
}

static void object_meta_init(struct object_meta *meta)
{
    *meta = (struct object_meta){ .namespace = "",
                                  .name = "",
                                  .uid = "",
                                  .resource_version = "",
                                  .created = TIME_NONE,
                                  .deleted = TIME_NONE };
}

void object_meta_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("namespace", decode_text, struct object_meta, namespace),
        DECODE_FIELD("name", decode_text, struct object_meta, name),
        DECODE_FIELD("uid", decode_text, struct object_meta, uid),
        DECODE_FIELD("resourceVersion", decode_text, struct object_meta, resource_version),
        DECODE_FIELD("generation", decode_int64, struct object_meta, generation),
        DECODE_FIELD("creationTimestamp", decode_time, struct object_meta, created),
        DECODE_FIELD("deletionTimestamp", decode_time, struct object_meta, deleted),
        DECODE_WHOLE("labels", labels_read),
        DECODE_WHOLE("annotations", annotations_read),
        DECODE_WHOLE("finalizers", finalizers_read),
        DECODE_WHOLE("ownerReferences", owners_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int object_meta_decode(struct str json, struct arena *a, struct object_meta *out, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("metadata", object_meta_read),
        DECODE_END,
    };

    object_meta_init(out);
    return decode_document(json, a, fields, out, e);
}

int document_decode(struct str json, struct arena *a, const struct decode_field *fields,
                    struct object_meta *own, struct object_meta *meta, struct err *e)
{
    object_meta_init(own);
    if (decode_document(json, a, fields, own, e) < 0)
        return -1;
    if (!*own->name)
        return err_set(e, ERR_INVALID, "metadata.name: Required value");
    if (meta)
        *meta = *own;
    return 0;
}

struct object_type {
    const char *api_version, *kind;
};

int object_type_decode(struct str json, struct arena *a, const char **api_version,
                       const char **kind, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("apiVersion", decode_text, struct object_type, api_version),
        DECODE_FIELD("kind", decode_text, struct object_type, kind),
        DECODE_END,
    };
    struct object_type type = { "", "" };

    if (decode_document(json, a, fields, &type, e) < 0)
        return -1;
    *api_version = type.api_version;
    *kind = type.kind;
    return 0;
}

static const char *find(const struct label *labels, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(labels[i].key, key) == 0)
            return labels[i].value;
    return NULL;
}

const char *object_meta_label(const struct object_meta *meta, const char *key)
{
    return find(meta->labels, meta->label_count, key);
}

const char *object_meta_annotation(const struct object_meta *meta, const char *key)
{
    return find(meta->annotations, meta->annotation_count, key);
}
