#include "quota/engine/cel.h"

#include <string.h>

#include "quota/engine/cel_private.h"

#define STEPS_MOST 1000000 /* as many as the API server grants such an expression */

struct evaluation {
    const struct device *device;
    struct arena *arena;
    const struct cel_scope *scope;
    size_t *steps; /* nodes that were looked at so far */
};

static const struct cel_value failure = { .type = CEL_ERROR };

static struct cel_value evaluate(const struct evaluation *v, const struct cel_node *node);

static struct cel_value truth(bool value)
{
    return (struct cel_value){ CEL_BOOL, { .boolean = value } };
}

/* ---- the device ---- */

static struct cel_value attribute_value(const struct evaluation *v,
                                        const struct device_attribute *attribute)
{
    struct cel_value value = { .type = CEL_VERSION };

    switch (attribute->type) {
    case ATTRIBUTE_BOOL:
        return truth(attribute->boolean);
    case ATTRIBUTE_INT:
        return (struct cel_value){ CEL_INT, { .integer = attribute->integer } };
    case ATTRIBUTE_TEXT:
        return (struct cel_value){ CEL_TEXT, { .text = attribute->text } };
    case ATTRIBUTE_VERSION:
        return cel_version_parse(attribute->text, v->arena, &value.version) ? value : failure;
    default:
        return failure;
    }
}

/* An entry of device.attributes["domain"] or device.capacity["domain"]; CEL_ERROR: there is none.
 */
static struct cel_value domain_entry(const struct evaluation *v, const struct cel_value *domain,
                                     const char *name)
{
    const struct device *device = domain->of.device;

    for (size_t i = 0; !domain->of.capacities && i < device->attribute_count; i++)
        if (strcmp(device->attributes[i].domain, domain->of.domain) == 0 &&
            strcmp(device->attributes[i].name, name) == 0)
            return attribute_value(v, &device->attributes[i]);
    for (size_t i = 0; domain->of.capacities && i < device->capacity_count; i++)
        if (strcmp(device->capacities[i].domain, domain->of.domain) == 0 &&
            strcmp(device->capacities[i].name, name) == 0)
            return (struct cel_value){ CEL_QUANTITY, { .quantity = device->capacities[i].value } };
    return failure;
}

static bool has_domain(const struct cel_value *domains, const char *name)
{
    const struct device *device = domains->of.device;

    for (size_t i = 0; !domains->of.capacities && i < device->attribute_count; i++)
        if (strcmp(device->attributes[i].domain, name) == 0)
            return true;
    for (size_t i = 0; domains->of.capacities && i < device->capacity_count; i++)
        if (strcmp(device->capacities[i].domain, name) == 0)
            return true;
    return false;
}

static struct cel_value device_member(const struct device *device, const char *name)
{
    struct cel_value domains = { CEL_DOMAINS, { .of = { .device = device } } };

    domains.of.capacities = strcmp(name, "capacity") == 0;
    if (domains.of.capacities || strcmp(name, "attributes") == 0)
        return domains;
    if (strcmp(name, "driver") == 0)
        return (struct cel_value){ CEL_TEXT, { .text = device->driver } };
    if (strcmp(name, "allowMultipleAllocations") == 0)
        return truth(device->allows_multiple);
    return failure;
}

static struct cel_value member(const struct evaluation *v, const struct cel_value *target,
                               const char *name)
{
    struct cel_value domain = *target;

    switch (target->type) {
    case CEL_DEVICE:
        return device_member(target->of.device, name);
    case CEL_DOMAINS: /* a domain without entries is an empty one */
        domain.type = CEL_DOMAIN;
        domain.of.domain = name;
        return domain;
    case CEL_DOMAIN:
        return domain_entry(v, target, name);
    default:
        return failure;
    }
}

/* ---- operators that look into the device or need not evaluate everything ---- */

static bool is_map(const struct cel_value *value)
{
    return value->type == CEL_DOMAINS || value->type == CEL_DOMAIN;
}

static struct cel_value is_in(const struct evaluation *v, const struct cel_value *args)
{
    if (args[0].type != CEL_TEXT)
        return failure;
    if (args[1].type == CEL_DOMAINS)
        return truth(has_domain(&args[1], args[0].text));
    return truth(domain_entry(v, &args[1], args[0].text).type != CEL_ERROR);
}

/* One decisive operand is enough, whatever the other one is. */
static struct cel_value either(const struct evaluation *v, const struct cel_node *node,
                               bool decisive)
{
    struct cel_value left = evaluate(v, node->args[0]), right;

    if (left.type == CEL_BOOL && left.boolean == decisive)
        return left;
    right = evaluate(v, node->args[1]);
    if (right.type != CEL_BOOL || right.boolean == decisive)
        return right.type == CEL_BOOL ? right : failure;
    return left.type == CEL_BOOL ? right : failure;
}

static struct cel_value choice(const struct evaluation *v, const struct cel_node *node)
{
    struct cel_value condition = evaluate(v, node->args[0]);

    if (condition.type != CEL_BOOL)
        return failure;
    return evaluate(v, node->args[condition.boolean ? 1 : 2]);
}

static struct cel_value call(const struct evaluation *v, const struct cel_node *node)
{
    struct cel_value args[2] = { { 0 } };

    if (strcmp(node->name, "_?_:_") == 0)
        return choice(v, node);
    if (!node->function)
        return either(v, node, strcmp(node->name, "_||_") == 0);
    for (size_t i = 0; i < node->count; i++) {
        args[i] = evaluate(v, node->args[i]);
        if (args[i].type == CEL_ERROR)
            return failure;
    }
    if (strcmp(node->name, "@in") == 0 && is_map(&args[1]))
        return is_in(v, args);
    if (strcmp(node->name, "_[_]") == 0 && args[1].type == CEL_TEXT)
        return is_map(&args[0]) ? member(v, &args[0], args[1].text) : failure;
    return node->function(args, v->arena);
}

/* ---- macros ---- */

static struct cel_value macro(const struct evaluation *v, const struct cel_node *node)
{
    struct cel_value list = evaluate(v, node->args[0]);
    size_t hits = 0;

    if (list.type != CEL_LIST)
        return failure;
    for (size_t i = 0; i < list.list.count; i++) {
        struct cel_scope inner = { node->variable, list.list.items[i], v->scope };
        struct evaluation deeper = { v->device, v->arena, &inner, v->steps };
        struct cel_value hit = evaluate(&deeper, node->args[1]);

        hits += hit.type == CEL_BOOL && hit.boolean;
    }
    if (strcmp(node->name, "exists_one") == 0)
        return truth(hits == 1);
    return truth(strcmp(node->name, "all") == 0 ? hits == list.list.count : hits > 0);
}

/* ---- trees ---- */

static struct cel_value variable(const struct evaluation *v, const char *name)
{
    for (const struct cel_scope *s = v->scope; s; s = s->outer)
        if (strcmp(s->name, name) == 0)
            return s->value;
    return (struct cel_value){ CEL_DEVICE, { .of = { .device = v->device } } };
}

static struct cel_value items(const struct evaluation *v, const struct cel_node *node)
{
    struct cel_value *list = ARENA_ARRAY(v->arena, node->count + 1, struct cel_value);

    for (size_t i = 0; i < node->count; i++) {
        list[i] = evaluate(v, node->args[i]);
        if (list[i].type == CEL_ERROR)
            return failure;
    }
    return (struct cel_value){ CEL_LIST, { .list = { list, node->count } } };
}

static struct cel_value evaluate(const struct evaluation *v, const struct cel_node *node)
{
    struct cel_value target;

    if (++*v->steps > STEPS_MOST)
        return failure;
    switch (node->kind) {
    case CEL_LITERAL:
        return node->value;
    case CEL_NAME:
        return variable(v, node->name);
    case CEL_ITEMS:
        return items(v, node);
    case CEL_CALL:
        return call(v, node);
    case CEL_MACRO:
        return macro(v, node);
    default:
        target = evaluate(v, node->args[0]);
        if (node->kind == CEL_SELECT || target.type == CEL_ERROR)
            return member(v, &target, node->name);
        if (target.type == CEL_DOMAINS)
            return truth(has_domain(&target, node->name));
        return truth(member(v, &target, node->name).type != CEL_ERROR);
    }
}

bool cel_selects(const struct cel_node *expression, const struct device *device, struct arena *a)
{
    size_t steps = 0;
    struct evaluation v = { device, a, NULL, &steps };
    struct cel_value value = evaluate(&v, expression);

    return value.type == CEL_BOOL && value.boolean && steps <= STEPS_MOST;
}
