/* device_measure.h - what devices cost when something of them is charged instead of their number.
 *
 * Which of the matching devices a pod will get is not known before, so the dearest one counts.
 * Pure. Private to the engine. Rules: spec/lifecycle.md 14.3, 14.4. */
#pragma once

#include "quota/engine/model.h"

enum measure {
    MEASURE_OK,
    MEASURE_UNKNOWN,     /* none of the devices has it */
    MEASURE_UNSATISFIED, /* none of those that have it can give as much as is asked for */
};

/* The most that one of the devices takes of a shared counter, over all its counter sets. Never
 * negative. */
enum measure device_counter_most(const struct device *const *devices, size_t count,
                                 const char *counter, int64_t *most);
/* The most that one of the devices would hand out of a capacity: what the request asks for, else
 * the device's default, else all of it, as the device's policy rounds it up. 'dimension' and the
 * names in 'asked' are "domain/name", or a name in the driver's own domain. */
enum measure device_capacity_most(const struct device *const *devices, size_t count,
                                  const char *dimension, const struct resource_list *asked,
                                  int64_t *most);
