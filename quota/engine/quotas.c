/* Declared quota: from resource groups to the cells of a node. */
#include <string.h>

#include "quota/engine/engine_private.h"

static int64_t limit_amount(const char *resource, bool present, struct quantity quantity)
{
    return present ? amount_of_quota(str_of(resource), quantity) : LIMIT_ABSENT;
}

static void flavor_declare(struct engine *engine, struct node *node,
                           const struct flavor_quotas *quotas)
{
    struct flavor_record *flavor = catalog_flavor(engine, quotas->flavor);

    for (size_t i = 0; i < quotas->resource_count; i++) {
        const struct resource_quota *q = &quotas->resources[i];
        uint32_t fr = catalog_fr(engine, flavor, catalog_resource(engine, q->resource));

        node_declare(node, fr, amount_of_quota(str_of(q->resource), q->nominal),
                     limit_amount(q->resource, q->has_borrowing, q->borrowing),
                     limit_amount(q->resource, q->has_lending, q->lending));
    }
}

void quotas_declare(struct engine *engine, struct node *node, const struct resource_group *groups,
                    size_t count)
{
    node_undeclare(node);
    for (size_t g = 0; g < count; g++)
        for (size_t f = 0; f < groups[g].flavor_count; f++)
            flavor_declare(engine, node, &groups[g].flavors[f]);
}

static bool quota_equal(const struct resource_quota *a, const struct resource_quota *b)
{
    return strcmp(a->resource, b->resource) == 0 && quantity_compare(a->nominal, b->nominal) == 0 &&
           a->has_borrowing == b->has_borrowing && a->has_lending == b->has_lending &&
           (!a->has_borrowing || quantity_compare(a->borrowing, b->borrowing) == 0) &&
           (!a->has_lending || quantity_compare(a->lending, b->lending) == 0);
}

static bool flavor_quotas_equal(const struct flavor_quotas *a, const struct flavor_quotas *b)
{
    if (strcmp(a->flavor, b->flavor) != 0 || a->resource_count != b->resource_count)
        return false;
    for (size_t i = 0; i < a->resource_count; i++)
        if (!quota_equal(&a->resources[i], &b->resources[i]))
            return false;
    return true;
}

static bool group_equal(const struct resource_group *a, const struct resource_group *b)
{
    if (a->covered_count != b->covered_count || a->flavor_count != b->flavor_count)
        return false;
    for (size_t i = 0; i < a->covered_count; i++)
        if (strcmp(a->covered_resources[i], b->covered_resources[i]) != 0)
            return false;
    for (size_t i = 0; i < a->flavor_count; i++)
        if (!flavor_quotas_equal(&a->flavors[i], &b->flavors[i]))
            return false;
    return true;
}

bool groups_equal(const struct resource_group *a, size_t a_count, const struct resource_group *b,
                  size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!group_equal(&a[i], &b[i]))
            return false;
    return true;
}

uint64_t weight_nano(bool present, struct quantity weight)
{
    if (!present)
        return UINT64_C(1000000000);
    if (weight.nano <= 0)
        return 0;
    return weight.nano > (__int128)UINT64_MAX ? UINT64_MAX : (uint64_t)weight.nano;
}
