#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

struct document {
    struct object_meta meta;
    struct provisioning_request_config config;
};

static void parameters_read(struct decoder *d, void *target)
{
    struct provisioning_request_config *config = target;

    config->parameters = decode_labels(d, &config->parameter_count);
}

static void managed_resources_read(struct decoder *d, void *target)
{
    struct provisioning_request_config *config = target;

    config->managed_resources = decode_texts(d, &config->managed_resource_count);
}

static void retry_strategy_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("backoffLimitCount", decode_int32, struct provisioning_request_config,
                     backoff_limit_count),
        DECODE_FIELD("backoffBaseSeconds", decode_int32, struct provisioning_request_config,
                     backoff_base_seconds),
        DECODE_FIELD("backoffMaxSeconds", decode_int32, struct provisioning_request_config,
                     backoff_max_seconds),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void selector_entry_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("key", decode_text, struct label, key),
        DECODE_FIELD("valueFromProvisioningClassDetail", decode_text, struct label, value),
        DECODE_END,
    };
    struct label *entry = target;

    entry->key = entry->value = "";
    decode_record(d, fields, entry);
}

static void node_selector_read(struct decoder *d, void *target)
{
    struct provisioning_request_config *config = target;

    config->node_selector =
        decode_list(d, sizeof(struct label), selector_entry_read, &config->node_selector_count);
}

static void pod_set_updates_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("nodeSelector", node_selector_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void merge_policy_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "IdenticalPodTemplates",
                                         "IdenticalWorkloadSchedulingRequirements", NULL };
    int choice = decode_choice(d, names, -1);

    if (choice >= 0)
        *(const char **)target = names[choice];
}

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("provisioningClassName", decode_text, struct provisioning_request_config,
                     class_name),
        DECODE_WHOLE("parameters", parameters_read),
        DECODE_WHOLE("managedResources", managed_resources_read),
        DECODE_WHOLE("retryStrategy", retry_strategy_read),
        DECODE_WHOLE("podSetUpdates", pod_set_updates_read),
        DECODE_FIELD("podSetMergePolicy", merge_policy_read, struct provisioning_request_config,
                     merge_policy),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

int provisioning_request_config_decode(struct str json, struct arena *a,
                                       struct provisioning_request_config *out,
                                       struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_FIELD("spec", spec_read, struct document, config),
        DECODE_END,
    };
    struct document document = { .config = { .class_name = "",
                                             .backoff_limit_count = 3,
                                             .backoff_base_seconds = 60,
                                             .backoff_max_seconds = 1800 } };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    document.config.name = document.meta.name;
    *out = document.config;
    return 0;
}
