/* ungate.h - the change that lets a pod of an elastic job through its gate. Pure.
 *
 * Rules: spec/integrations.md 1.20 "Pod gating". */
#pragma once

#include <jansson.h>

/* 'injected': the pod's own fields (pod_set_info.h); 'slice': the Workload whose check updates it
 * takes over. A merge patch with a "metadata" member, NULL when the pod has other values
 * already. */
json_t *ungate_patch(const char *injected, const json_t *slice, const char *pod_set);
