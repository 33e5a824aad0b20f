/* workload_validate_private.h - what the two files that validate Workloads share. */
#pragma once

#include "admitter/objects/admission.h"

const json_t *workload_pod_sets(const json_t *object);
json_t *workload_pod_set(const json_t *object, const char *name); /* NULL */
bool workload_is_elastic(const json_t *object, const struct object_gates *gates);
/* The rules that compare with the old object (workload_update.c). */
void workload_update_validate(const json_t *old_object, const json_t *object,
                              const struct object_gates *gates, struct field_errors *errors);
