#include "quota/base/quantity.h"

#include <stdio.h>

bool resource_is_cpu(struct str resource)
{
    return str_is(resource, "cpu");
}

static bool resource_is_bytes(struct str resource)
{
    return str_is(resource, "memory") || str_is(resource, "ephemeral-storage") ||
           str_starts(resource, "hugepages-");
}

int64_t amount_of_quota(struct str resource, struct quantity q)
{
    int64_t most = resource_is_cpu(resource) ? INT64_MAX / 1000 : INT64_MAX;

    if (quantity_compare(q, quantity_of(most, QUANTITY_DECIMAL)) >= 0)
        return AMOUNT_UNLIMITED;
    return amount_of_request(resource, q);
}

int64_t amount_of_request(struct str resource, struct quantity q)
{
    return resource_is_cpu(resource) ? quantity_ceil_milli(q) : quantity_ceil(q);
}

int64_t amount_mul(int64_t amount, int64_t count)
{
    int64_t product;

    if (__builtin_mul_overflow(amount, count, &product))
        return (amount < 0) == (count < 0) ? INT64_MAX : INT64_MIN;
    return product;
}

const char *amount_print(struct str resource, int64_t amount, bool request, char *buffer)
{
    if (amount == AMOUNT_UNLIMITED && !request)
        return memcpy(buffer, "<unlimited>", sizeof("<unlimited>"));
    if (resource_is_cpu(resource))
        return quantity_print(quantity_milli(amount), buffer);
    /* Bytes that are whole Ki print in binary form, all others as decimals. */
    if (resource_is_bytes(resource) && amount % 1024 == 0)
        return quantity_print(quantity_of(amount, QUANTITY_BINARY), buffer);
    return quantity_print(quantity_of(amount, QUANTITY_DECIMAL), buffer);
}
