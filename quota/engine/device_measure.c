#include "quota/engine/device_measure.h"

#include <string.h>

/* ---- counters ---- */

static bool takes_counter(const struct device *device, const char *counter, int64_t *amount)
{
    bool found = false;

    *amount = 0;
    for (size_t i = 0; i < device->counter_count; i++) {
        if (strcmp(device->counters[i].counter, counter) != 0)
            continue;
        *amount = amount_add(*amount, quantity_ceil(device->counters[i].value));
        found = true;
    }
    return found;
}

enum measure device_counter_most(const struct device *const *devices, size_t count,
                                 const char *counter, int64_t *most)
{
    enum measure result = MEASURE_UNKNOWN;
    int64_t amount;

    *most = 0;
    for (size_t i = 0; i < count; i++) {
        if (!takes_counter(devices[i], counter, &amount))
            continue;
        result = MEASURE_OK;
        if (amount > *most)
            *most = amount;
    }
    return result;
}

/* ---- capacities ---- */

/* Is 'name' ("domain/name" or "name") this one? */
static bool names_capacity(const char *name, const char *driver,
                           const struct device_capacity *capacity)
{
    struct str domain = str_of(driver), own = str_of(name), head, tail;

    if (str_cut(own, '/', &head, &tail)) {
        domain = head;
        own = tail;
    }
    return str_is(domain, capacity->domain) && str_is(own, capacity->name);
}

static __int128 smallest_valid(const struct device_capacity *capacity, __int128 base)
{
    __int128 best = -1;

    for (size_t i = 0; i < capacity->valid_count; i++)
        if (capacity->valid[i].nano >= base && (best < 0 || capacity->valid[i].nano < best))
            best = capacity->valid[i].nano;
    return best;
}

static __int128 next_in_range(const struct device_capacity *capacity, __int128 base)
{
    __int128 minimum = capacity->minimum.nano, step = capacity->step.nano;

    if (base < minimum)
        base = minimum;
    else if (step > 0)
        base = minimum + (base - minimum + step - 1) / step * step;
    return capacity->has_maximum && base > capacity->maximum.nano ? -1 : base;
}

/* In billionths; -1: the device cannot give as much. */
static __int128 handed_out(const struct device *device, const struct device_capacity *capacity,
                           const struct resource_list *asked)
{
    __int128 amount = capacity->has_default ? capacity->by_default.nano : capacity->value.nano;

    for (size_t i = 0; i < asked->count; i++)
        if (names_capacity(asked->items[i].name, device->driver, capacity))
            amount = asked->items[i].quantity.nano;
    if (capacity->valid_count > 0)
        amount = smallest_valid(capacity, amount);
    else if (capacity->has_range)
        amount = next_in_range(capacity, amount);
    return amount > capacity->value.nano ? -1 : amount;
}

enum measure device_capacity_most(const struct device *const *devices, size_t count,
                                  const char *dimension, const struct resource_list *asked,
                                  int64_t *most)
{
    enum measure result = MEASURE_UNKNOWN;

    *most = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < devices[i]->capacity_count; k++) {
            const struct device_capacity *capacity = &devices[i]->capacities[k];
            struct quantity amount = { .nano = 0 };

            if (!names_capacity(dimension, devices[i]->driver, capacity))
                continue;
            amount.nano = handed_out(devices[i], capacity, asked);
            if (amount.nano < 0 && result == MEASURE_UNKNOWN)
                result = MEASURE_UNSATISFIED;
            if (amount.nano < 0)
                continue;
            result = MEASURE_OK;
            if (quantity_ceil(amount) > *most)
                *most = quantity_ceil(amount);
        }
    }
    return result;
}
