#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

int namespace_decode(struct str json, struct arena *a, struct namespace_labels *out,
                     struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("metadata", object_meta_read),
        DECODE_END,
    };
    struct object_meta own;

    if (document_decode(json, a, fields, &own, meta, e) < 0)
        return -1;
    *out = (struct namespace_labels){ own.name, own.labels, own.label_count };
    return 0;
}
