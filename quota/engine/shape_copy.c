#include "quota/engine/shape_private.h"

static void *take(struct packer *p, size_t size, size_t align)
{
    size_t at = (p->used + align - 1) & ~(align - 1);

    p->used = at + size;
    return p->memory ? p->memory + at : NULL;
}

void *pack_take(struct packer *p, size_t size)
{
    return size ? take(p, size, 16) : NULL;
}

static const char *pack_text(struct packer *p, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? take(p, size, 1) : NULL;

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static struct resource_list pack_list(struct packer *p, struct resource_list from)
{
    struct resource_list to = { pack_take(p, from.count * sizeof(*to.items)), from.count };

    for (size_t i = 0; i < from.count; i++) {
        const char *name = pack_text(p, from.items[i].name);

        if (to.items)
            to.items[i] = (struct resource_quantity){ name, from.items[i].quantity };
    }
    return to;
}

static struct container *pack_containers(struct packer *p, const struct container *from,
                                         size_t count)
{
    struct container *to = pack_take(p, count * sizeof(*to));

    for (size_t i = 0; i < count; i++) {
        struct container copy = {
            .name = pack_text(p, from[i].name),
            .requests = pack_list(p, from[i].requests),
            .limits = pack_list(p, from[i].limits),
            .is_sidecar = from[i].is_sidecar,
            .ports = pack_text(p, from[i].ports),
            .claims = pack_text(p, from[i].claims),
        };

        if (to)
            to[i] = copy;
    }
    return to;
}

static struct label *pack_labels(struct packer *p, const struct label *from, size_t count)
{
    struct label *to = pack_take(p, count * sizeof(*to));

    for (size_t i = 0; i < count; i++) {
        struct label copy = { pack_text(p, from[i].key), pack_text(p, from[i].value) };

        if (to)
            to[i] = copy;
    }
    return to;
}

/* An empty list that was written down stays different from an absent one. */
static const char **pack_values(struct packer *p, const char **from, size_t count)
{
    const char **to = from ? pack_take(p, (count + 1) * sizeof(*to)) : NULL;

    for (size_t i = 0; from && i < count; i++) {
        const char *copy = pack_text(p, from[i]);

        if (to)
            to[i] = copy;
    }
    return to;
}

static struct label_requirement *
pack_expressions(struct packer *p, const struct label_requirement *from, size_t count)
{
    struct label_requirement *to = pack_take(p, count * sizeof(*to));

    for (size_t i = 0; i < count; i++) {
        struct label_requirement copy = {
            .key = pack_text(p, from[i].key),
            .operator= from[i].operator,
            .operator_text = pack_text(p, from[i].operator_text),
            .values = pack_values(p, from[i].values, from[i].value_count),
            .value_count = from[i].value_count,
        };

        if (to)
            to[i] = copy;
    }
    return to;
}

static struct node_selector_term *pack_terms(struct packer *p,
                                             const struct node_selector_term *from, size_t count)
{
    struct node_selector_term *to = pack_take(p, count * sizeof(*to));

    for (size_t i = 0; i < count; i++) {
        struct label_requirement *expressions =
            pack_expressions(p, from[i].expressions, from[i].expression_count);

        if (to)
            to[i] = (struct node_selector_term){ expressions, from[i].expression_count };
    }
    return to;
}

static struct toleration *pack_tolerations(struct packer *p, const struct toleration *from,
                                           size_t count)
{
    struct toleration *to = pack_take(p, count * sizeof(*to));

    for (size_t i = 0; i < count; i++) {
        struct toleration copy = {
            .key = pack_text(p, from[i].key),
            .operator= pack_text(p, from[i].operator),
            .value = pack_text(p, from[i].value),
            .effect = pack_text(p, from[i].effect),
            .seconds = pack_text(p, from[i].seconds),
        };

        if (to)
            to[i] = copy;
    }
    return to;
}

static struct pod_claim *pack_claims(struct packer *p, const struct pod_claim *from, size_t count)
{
    struct pod_claim *to = pack_take(p, count * sizeof(*to));

    for (size_t i = 0; i < count; i++) {
        struct pod_claim copy = { pack_text(p, from[i].claim),
                                  pack_text(p, from[i].claim_template) };

        if (to)
            to[i] = copy;
    }
    return to;
}

void pack_template(struct packer *p, const struct pod_template *from, struct pod_template *to)
{
    struct pod_template copy = *from; /* counts and flags; pointers follow */

    copy.containers = pack_containers(p, from->containers, from->container_count);
    copy.init_containers = pack_containers(p, from->init_containers, from->init_container_count);
    copy.pod_requests = pack_list(p, from->pod_requests);
    copy.pod_limits = pack_list(p, from->pod_limits);
    copy.overhead = pack_list(p, from->overhead);
    copy.runtime_class = pack_text(p, from->runtime_class);
    copy.node_selector = pack_labels(p, from->node_selector, from->node_selector_count);
    copy.affinity_terms = pack_terms(p, from->affinity_terms, from->affinity_term_count);
    copy.tolerations = pack_tolerations(p, from->tolerations, from->toleration_count);
    copy.affinity = pack_text(p, from->affinity);
    copy.topology_spread = pack_text(p, from->topology_spread);
    copy.resource_claims = pack_text(p, from->resource_claims);
    copy.claims = pack_claims(p, from->claims, from->claim_count);
    if (to)
        *to = copy;
}

static struct topology_request pack_topology(struct packer *p, const struct topology_request *from)
{
    struct topology_request copy = *from;

    copy.required = pack_text(p, from->required);
    copy.preferred = pack_text(p, from->preferred);
    copy.slice_required = pack_text(p, from->slice_required);
    copy.pod_set_group = pack_text(p, from->pod_set_group);
    copy.pod_index_label = pack_text(p, from->pod_index_label);
    copy.sub_group_index_label = pack_text(p, from->sub_group_index_label);
    copy.slice_constraints = pack_text(p, from->slice_constraints);
    return copy;
}

void pack_pod_set(struct packer *p, const struct pod_set *from, struct pod_set *to)
{
    const char *name = pack_text(p, from->name);
    struct topology_request topology = pack_topology(p, &from->topology);

    pack_template(p, &from->pod, to ? &to->pod : NULL);
    if (!to)
        return;
    to->name = name;
    to->count = 0;
    to->min_count = from->min_count;
    to->topology = topology;
}
