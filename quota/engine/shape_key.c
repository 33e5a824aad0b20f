#include "quota/engine/shape_private.h"

/* Fields follow each other in a fixed order; texts carry their length, lists their count, so that
 * different facts never give the same bytes. */

static void key_number(struct strbuf *key, int64_t number)
{
    strbuf_str(key, (struct str){ (const char *)&number, sizeof(number) });
}

void key_text(struct strbuf *key, const char *text)
{
    key_number(key, text ? (int64_t)strlen(text) : -1);
    if (text)
        strbuf_puts(key, text);
}

static void key_quantity(struct strbuf *key, struct quantity q)
{
    strbuf_str(key, (struct str){ (const char *)&q.nano, sizeof(q.nano) });
    key_number(key, (int64_t)q.format);
}

static void key_list(struct strbuf *key, struct resource_list list)
{
    key_number(key, (int64_t)list.count);
    for (size_t i = 0; i < list.count; i++) {
        key_text(key, list.items[i].name);
        key_quantity(key, list.items[i].quantity);
    }
}

static void key_containers(struct strbuf *key, const struct container *containers, size_t count)
{
    key_number(key, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        key_list(key, containers[i].requests);
        key_list(key, containers[i].limits);
        key_number(key, containers[i].is_sidecar);
        key_text(key, containers[i].ports);
        key_text(key, containers[i].claims);
    }
}

static void key_labels(struct strbuf *key, const struct label *labels, size_t count)
{
    key_number(key, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        key_text(key, labels[i].key);
        key_text(key, labels[i].value);
    }
}

static void key_term(struct strbuf *key, const struct node_selector_term *term)
{
    key_number(key, (int64_t)term->expression_count);
    for (size_t i = 0; i < term->expression_count; i++) {
        const struct label_requirement *expression = &term->expressions[i];

        key_text(key, expression->key);
        key_number(key, (int64_t)expression->operator);
        key_text(key, expression->operator_text);
        key_number(key, expression->values ? (int64_t)expression->value_count : -1);
        for (size_t j = 0; expression->values && j < expression->value_count; j++)
            key_text(key, expression->values[j]);
    }
}

static void key_tolerations(struct strbuf *key, const struct toleration *tolerations, size_t count)
{
    key_number(key, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        key_text(key, tolerations[i].key);
        key_text(key, tolerations[i].operator);
        key_text(key, tolerations[i].value);
        key_text(key, tolerations[i].effect);
        key_text(key, tolerations[i].seconds);
    }
}

/* What the pod brings to scheduling besides resources, as far as both keys agree. */
static void key_placement(struct strbuf *key, const struct pod_template *pod)
{
    key_tolerations(key, pod->tolerations, pod->toleration_count);
    key_text(key, pod->runtime_class);
    key_number(key, pod->has_priority);
    key_number(key, pod->has_priority ? pod->priority : 0);
    key_text(key, pod->affinity);
    key_text(key, pod->topology_spread);
    key_text(key, pod->resource_claims);
}

void key_template(struct strbuf *key, const struct pod_template *pod)
{
    key_containers(key, pod->containers, pod->container_count);
    key_containers(key, pod->init_containers, pod->init_container_count);
    key_number(key, pod->has_pod_resources);
    key_list(key, pod->pod_requests);
    key_list(key, pod->pod_limits);
    key_list(key, pod->overhead);
    key_labels(key, pod->node_selector, pod->node_selector_count);
    key_number(key, pod->has_required_affinity);
    key_number(key, (int64_t)pod->affinity_term_count);
    for (size_t i = 0; i < pod->affinity_term_count; i++)
        key_term(key, &pod->affinity_terms[i]);
    key_placement(key, pod);
}

static void key_topology(struct strbuf *key, const struct topology_request *topology)
{
    key_number(key, topology->present);
    if (!topology->present)
        return;
    key_text(key, topology->required);
    key_text(key, topology->preferred);
    key_number(key, topology->has_unconstrained);
    key_number(key, topology->unconstrained);
    key_text(key, topology->slice_required);
    key_number(key, topology->slice_size);
    key_text(key, topology->pod_set_group);
    key_text(key, topology->pod_index_label);
    key_text(key, topology->sub_group_index_label);
    key_number(key, topology->sub_group_count);
    key_text(key, topology->slice_constraints);
}

void key_pod_set(struct strbuf *key, const struct pod_set *pod_set)
{
    key_text(key, pod_set->name);
    key_number(key, pod_set->min_count);
    key_topology(key, &pod_set->topology);
    key_template(key, &pod_set->pod);
}

void key_devices(struct strbuf *key, const struct device_requests *devices)
{
    key_number(key, devices ? (int64_t)devices->replaced_count : -1);
    for (size_t i = 0; devices && i < devices->replaced_count; i++)
        key_text(key, devices->replaced[i]);
    if (devices)
        key_list(key, devices->added);
}

/* ---- 3.9: maps regardless of order, quantities as they print ---- */

/* The item with the smallest name above 'after' (NULL: of all). */
static const struct resource_quantity *list_next(struct resource_list list, const char *after)
{
    const struct resource_quantity *next = NULL;

    for (size_t i = 0; i < list.count; i++) {
        const struct resource_quantity *item = &list.items[i];

        if ((!after || strcmp(item->name, after) > 0) &&
            (!next || strcmp(item->name, next->name) < 0))
            next = item;
    }
    return next;
}

static void equivalence_list(struct strbuf *key, struct resource_list list)
{
    char text[QUANTITY_TEXT];

    key_number(key, (int64_t)list.count);
    for (const struct resource_quantity *item = list_next(list, NULL); item;
         item = list_next(list, item->name)) {
        key_text(key, item->name);
        key_text(key, quantity_print(item->quantity, text));
    }
}

static void equivalence_containers(struct strbuf *key, const struct container *containers,
                                   size_t count)
{
    key_number(key, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        equivalence_list(key, containers[i].requests);
        key_text(key, containers[i].ports);
    }
}

static const struct label *label_next(const struct pod_template *pod, const char *after)
{
    const struct label *next = NULL;

    for (size_t i = 0; i < pod->node_selector_count; i++) {
        const struct label *label = &pod->node_selector[i];

        if ((!after || strcmp(label->key, after) > 0) &&
            (!next || strcmp(label->key, next->key) < 0))
            next = label;
    }
    return next;
}

static void equivalence_node_selector(struct strbuf *key, const struct pod_template *pod)
{
    key_number(key, (int64_t)pod->node_selector_count);
    for (const struct label *label = label_next(pod, NULL); label;
         label = label_next(pod, label->key))
        key_labels(key, label, 1);
}

void key_equivalence(struct strbuf *key, const struct pod_set *pod_set,
                     const struct pod_template *adjusted, struct amounts requests,
                     const char *allowed_flavors)
{
    key_text(key, pod_set->name);
    key_number(key, pod_set->min_count);
    key_topology(key, &pod_set->topology);
    key_text(key, allowed_flavors);
    key_number(key, (int64_t)requests.count);
    for (size_t i = 0; i < requests.count; i++) {
        key_text(key, requests.items[i].resource);
        key_number(key, requests.items[i].amount);
    }
    equivalence_containers(key, adjusted->containers, adjusted->container_count);
    equivalence_containers(key, adjusted->init_containers, adjusted->init_container_count);
    key_number(key, adjusted->has_pod_resources);
    if (adjusted->has_pod_resources)
        equivalence_list(key, adjusted->pod_requests);
    equivalence_list(key, adjusted->overhead);
    equivalence_node_selector(key, adjusted);
    key_placement(key, adjusted);
}
