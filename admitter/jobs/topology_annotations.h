/* topology_annotations.h - topology annotations of pod templates: checks, and the request they
 * make. Pure. Rules: spec/integrations.md 1.6. */
#pragma once

#include <jansson.h>
#include "admitter/jobs/job.h"

/* validateTAS on template metadata at 'path' ("spec.template.metadata"). */
void topology_annotations_check(const char *path, const json_t *metadata,
                                const struct job_options *options, struct field_errors *errors);
/* validateSliceUpperBound for a pod set of 'count' pods. */
void topology_slice_bound_check(const char *path, const json_t *metadata, int64_t count,
                                const struct job_options *options, struct field_errors *errors);
/* Build topologyRequest from the template's annotations and add it to 'pod_set' when there is one.
 * ERR_INVALID when an annotation cannot be parsed. */
MUST_USE int topology_request_add(json_t *pod_set, const char *pod_index_label,
                                  const struct job_options *options, struct err *e);
