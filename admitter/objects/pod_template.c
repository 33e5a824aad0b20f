#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

/* ---- containers ---- */

struct pod_resources {
    struct resource_list requests, limits;
    const char *claims;
    bool present;
};

static void resources_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("requests", decode_resources, struct pod_resources, requests),
        DECODE_FIELD("limits", decode_resources, struct pod_resources, limits),
        DECODE_FIELD("claims", decode_canonical, struct pod_resources, claims),
        DECODE_END,
    };
    struct pod_resources *resources = target;

    if (decode_absent(d))
        return;
    resources->present = true;
    decode_record(d, fields, resources);
}

static void container_resources_read(struct decoder *d, void *target)
{
    struct pod_resources resources = { 0 };
    struct container *container = target;

    resources_read(d, &resources);
    container->requests = resources.requests;
    container->limits = resources.limits;
    container->claims = resources.claims;
}

static void restart_policy_read(struct decoder *d, void *target)
{
    const char *policy = NULL;

    decode_text(d, &policy);
    *(bool *)target = policy && strcmp(policy, "Always") == 0;
}

static void container_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct container, name),
        DECODE_WHOLE("resources", container_resources_read),
        DECODE_FIELD("ports", decode_canonical, struct container, ports),
        DECODE_FIELD("restartPolicy", restart_policy_read, struct container, is_sidecar),
        DECODE_END,
    };
    struct container *container = target;

    container->name = "";
    decode_record(d, fields, container);
}

static void containers_read(struct decoder *d, void *target)
{
    struct pod_template *pod = target;

    pod->containers =
        decode_list(d, sizeof(struct container), container_read, &pod->container_count);
    for (size_t i = 0; i < pod->container_count; i++)
        pod->containers[i].is_sidecar = false; /* only an init container can be one */
}

static void init_containers_read(struct decoder *d, void *target)
{
    struct pod_template *pod = target;

    pod->init_containers =
        decode_list(d, sizeof(struct container), container_read, &pod->init_container_count);
}

static void pod_resources_read(struct decoder *d, void *target)
{
    struct pod_resources resources = { 0 };
    struct pod_template *pod = target;

    resources_read(d, &resources);
    pod->has_pod_resources = resources.present;
    pod->pod_requests = resources.requests;
    pod->pod_limits = resources.limits;
}

/* ---- placement ---- */

static void expressions_read(struct decoder *d, void *target)
{
    struct node_selector_term *term = target;

    term->expressions = requirements_read(d, &term->expression_count);
}

static void term_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("matchExpressions", expressions_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void terms_read(struct decoder *d, void *target)
{
    struct pod_template *pod = target;

    pod->affinity_terms =
        decode_list(d, sizeof(struct node_selector_term), term_read, &pod->affinity_term_count);
}

static void required_affinity_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("nodeSelectorTerms", terms_read),
        DECODE_END,
    };
    struct pod_template *pod = target;

    if (decode_absent(d))
        return;
    pod->has_required_affinity = true;
    decode_record(d, fields, pod);
}

static void node_affinity_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("requiredDuringSchedulingIgnoredDuringExecution", required_affinity_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* Read twice: the required terms to decide on, the whole for the equivalence hash. */
static void affinity_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("nodeAffinity", node_affinity_read),
        DECODE_END,
    };
    struct json_reader start = d->reader;
    struct pod_template *pod = target;
    struct str raw;

    if (decode_absent(d))
        return;
    raw = json_raw(&d->reader);
    if (json_failed(&d->reader, NULL))
        return;
    decode_piece(d, raw, fields, pod);
    if (d->failed)
        return;
    d->reader = start;
    decode_canonical(d, &pod->affinity);
}

static void tolerations_read(struct decoder *d, void *target)
{
    struct pod_template *pod = target;

    pod->tolerations =
        decode_list(d, sizeof(struct toleration), toleration_read, &pod->toleration_count);
}

static void node_selector_read(struct decoder *d, void *target)
{
    struct pod_template *pod = target;

    pod->node_selector = decode_labels(d, &pod->node_selector_count);
}

static void priority_read(struct decoder *d, void *target)
{
    struct pod_template *pod = target;

    if (decode_absent(d))
        return;
    pod->has_priority = true;
    decode_int32(d, &pod->priority);
}

/* ---- claims ---- */

static void claim_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("resourceClaimName", decode_text, struct pod_claim, claim),
        DECODE_FIELD("resourceClaimTemplateName", decode_text, struct pod_claim, claim_template),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* Read twice: the names to decide on, the whole for the equivalence hash. */
static void claims_read(struct decoder *d, void *target)
{
    struct json_reader start = d->reader;
    struct pod_template *pod = target;

    if (decode_absent(d))
        return;
    decode_canonical(d, &pod->resource_claims);
    if (d->failed)
        return;
    d->reader = start;
    pod->claims = decode_list(d, sizeof(struct pod_claim), claim_read, &pod->claim_count);
}

/* ---- the whole ---- */

static void pod_spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("containers", containers_read),
        DECODE_WHOLE("initContainers", init_containers_read),
        DECODE_WHOLE("resources", pod_resources_read),
        DECODE_FIELD("overhead", decode_resources, struct pod_template, overhead),
        DECODE_FIELD("runtimeClassName", decode_text, struct pod_template, runtime_class),
        DECODE_WHOLE("nodeSelector", node_selector_read),
        DECODE_WHOLE("affinity", affinity_read),
        DECODE_WHOLE("tolerations", tolerations_read),
        DECODE_WHOLE("priority", priority_read),
        DECODE_FIELD("topologySpreadConstraints", decode_canonical, struct pod_template,
                     topology_spread),
        DECODE_WHOLE("resourceClaims", claims_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static const struct decode_field template_fields[] = {
    DECODE_WHOLE("spec", pod_spec_read),
    DECODE_END,
};

void pod_template_read(struct decoder *d, void *target)
{
    decode_record(d, template_fields, target);
}

int pod_template_decode(struct str json, struct arena *a, struct pod_template *out, struct err *e)
{
    *out = (struct pod_template){ 0 };
    return decode_document(json, a, template_fields, out, e);
}
