#include "admitter/objects/objects_private.h"

/* What ClusterQueues, Cohorts and LocalQueues declare alike: groups of quotas, weights, stops. */

struct quota { /* a resource's quota, and whether the required member was given */
    struct resource_quota out;
    bool has_nominal;
};

static void nominal_read(struct decoder *d, void *target)
{
    struct quota *quota = target;

    if (decode_absent(d))
        return;
    quota->has_nominal = true;
    decode_quantity(d, &quota->out.nominal);
}

static void borrowing_read(struct decoder *d, void *target)
{
    struct resource_quota *quota = target;

    if (decode_absent(d))
        return;
    quota->has_borrowing = true;
    decode_quantity(d, &quota->borrowing);
}

static void lending_read(struct decoder *d, void *target)
{
    struct resource_quota *quota = target;

    if (decode_absent(d))
        return;
    quota->has_lending = true;
    decode_quantity(d, &quota->lending);
}

static void quota_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct quota, out.resource),
        DECODE_WHOLE("nominalQuota", nominal_read),
        DECODE_FIELD("borrowingLimit", borrowing_read, struct quota, out),
        DECODE_FIELD("lendingLimit", lending_read, struct quota, out),
        DECODE_END,
    };
    struct quota quota = { 0 };

    decode_record(d, fields, &quota);
    if (!quota.out.resource)
        decode_problem(d, ".name", "Required value");
    if (!quota.has_nominal)
        decode_problem(d, ".nominalQuota", "Required value");
    *(struct resource_quota *)target = quota.out;
}

static void resources_read(struct decoder *d, void *target)
{
    struct flavor_quotas *flavor = target;

    flavor->resources =
        decode_list(d, sizeof(struct resource_quota), quota_read, &flavor->resource_count);
}

static void flavor_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct flavor_quotas, flavor),
        DECODE_WHOLE("resources", resources_read),
        DECODE_END,
    };
    struct flavor_quotas *flavor = target;

    decode_record(d, fields, flavor);
    if (!flavor->flavor)
        decode_problem(d, ".name", "Required value");
}

static void flavors_read(struct decoder *d, void *target)
{
    struct resource_group *group = target;

    group->flavors =
        decode_list(d, sizeof(struct flavor_quotas), flavor_read, &group->flavor_count);
}

static void covered_read(struct decoder *d, void *target)
{
    struct resource_group *group = target;

    group->covered_resources = decode_texts(d, &group->covered_count);
}

static void group_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("coveredResources", covered_read),
        DECODE_WHOLE("flavors", flavors_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

struct resource_group *resource_groups_read(struct decoder *d, size_t *count)
{
    return decode_list(d, sizeof(struct resource_group), group_read, count);
}

void weight_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("weight", decode_quantity, struct weight, value),
        DECODE_END,
    };
    struct weight *weight = target;

    if (decode_absent(d))
        return;
    weight->present = true;
    weight->value = quantity_of(1, QUANTITY_DECIMAL);
    decode_record(d, fields, weight);
}

int stop_policy_read(struct decoder *d)
{
    static const char *const names[] = { "None", "Hold", "HoldAndDrain", NULL };

    return decode_choice(d, names, STOP_NONE);
}
