#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct local_queue queue;
    struct weight weight;
};

static void stop_read(struct decoder *d, void *target)
{
    int choice = stop_policy_read(d);

    if (choice >= 0)
        *(enum stop_policy *)target = (enum stop_policy)choice;
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("clusterQueue", decode_text, struct document, queue.cluster_queue),
        DECODE_FIELD("stopPolicy", stop_read, struct document, queue.stop_policy),
        DECODE_FIELD("fairSharing", weight_read, struct document, weight),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* ---- status: what the queue had consumed, the seed after a restart ---- */

static void consumption_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("consumedResources", decode_resources, struct local_queue, consumed),
        DECODE_FIELD("lastUpdate", decode_time, struct local_queue, consumed_updated),
        DECODE_END,
    };
    struct local_queue *queue = target;

    if (decode_absent(d))
        return;
    queue->has_consumed = true;
    decode_record(d, fields, queue);
}

static void fair_sharing_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("admissionFairSharingStatus", consumption_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void status_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("fairSharing", fair_sharing_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void finish(struct document *document)
{
    struct local_queue *queue = &document->queue;

    queue->namespace = *document->meta.namespace ? document->meta.namespace : "default";
    queue->name = document->meta.name;
    queue->created = document->meta.created;
    queue->has_weight = document->weight.present;
    queue->weight =
        document->weight.present ? document->weight.value : quantity_of(1, QUANTITY_DECIMAL);
}

int local_queue_decode(struct str json, struct arena *a, struct local_queue *out,
                       struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_WHOLE("spec", spec_read),
        DECODE_FIELD("status", status_read, struct document, queue),
        DECODE_END,
    };
    struct document document = {
        .queue = { .cluster_queue = "", .consumed_updated = TIME_NONE },
    };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    finish(&document);
    *out = document.queue;
    return 0;
}
