/* admission_gates.h - the annotation kueue.x-k8s.io/admission-gated-by of jobs and Workloads.
 *
 * A comma-separated list of "domain/path" names; a blank value equals none. Errors are at
 * metadata.annotations[kueue.x-k8s.io/admission-gated-by]. Pure. Rules: spec/api.md 3.8. */
#pragma once

#include "admitter/objects/field_error.h"

/* The format of a value; NULL is none. */
void admission_gates_check(const char *value, struct field_errors *errors);
/* Gates may only be taken away after creation; then the format of the new value. */
void admission_gates_check_update(const char *old_value, const char *value,
                                  struct field_errors *errors);
