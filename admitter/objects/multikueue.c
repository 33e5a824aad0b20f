#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

/* ---- MultiKueueConfig ---- */

struct config_document {
    struct object_meta meta;
    struct multikueue_config config;
};

static void clusters_read(struct decoder *d, void *target)
{
    struct multikueue_config *config = target;

    config->clusters = decode_texts(d, &config->cluster_count);
}

static void quota_management_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "Manual", "Automated", NULL };
    int choice = decode_choice(d, names, -1);

    if (choice >= 0)
        *(const char **)target = names[choice];
}

static void config_spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("clusters", clusters_read),
        { "quotaManagement", quota_management_read,
          offsetof(struct multikueue_config, quota_management), DECODE_V1BETA2 },
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int multikueue_config_decode(struct str json, struct arena *a, struct multikueue_config *out,
                             struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct config_document, meta),
        DECODE_FIELD("spec", config_spec_read, struct config_document, config),
        DECODE_END,
    };
    struct config_document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.config.name = document.meta.name;
    *out = document.config;
    return 0;
}

/* ---- MultiKueueCluster: v1beta1 has the sources in the spec itself ---- */

struct cluster_document {
    struct object_meta meta;
    struct multikueue_cluster cluster;
};

static void location_type_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "Secret", "Path", NULL };

    *(bool *)target = decode_choice(d, names, 0) == 1;
}

static void kube_config_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("location", decode_text, struct multikueue_cluster, location),
        DECODE_FIELD("locationType", location_type_read, struct multikueue_cluster,
                     location_is_path),
        DECODE_END,
    };
    struct multikueue_cluster *cluster = target;

    decode_record(d, fields, cluster);
    if (cluster->location && !*cluster->location)
        cluster->location = NULL;
}

static void profile_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("name", decode_text),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void source_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("kubeConfig", kube_config_read),
        DECODE_FIELD("clusterProfileRef", profile_read, struct multikueue_cluster, cluster_profile),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void cluster_spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("clusterSource", source_read),
        DECODE_END,
    };

    if (d->v1beta1)
        source_read(d, target);
    else
        decode_record(d, fields, target);
}

static void cluster_status_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("conditions", active_condition_read, struct multikueue_cluster, active),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int multikueue_cluster_decode(struct str json, struct arena *a, struct multikueue_cluster *out,
                              struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct cluster_document, meta),
        DECODE_FIELD("spec", cluster_spec_read, struct cluster_document, cluster),
        DECODE_FIELD("status", cluster_status_read, struct cluster_document, cluster),
        DECODE_END,
    };
    struct cluster_document document = { 0 };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.cluster.name = document.meta.name;
    *out = document.cluster;
    return 0;
}
