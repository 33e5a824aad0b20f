/* pod_set_info.h - what starting adds to a pod template, and what stopping puts back.
 *
 * Five fields of a template are touched: labels, annotations, nodeSelector, tolerations and
 * schedulingGates. "Injected JSON" is an object with these five members, as the template has them.
 * Pure. Rules: spec/integrations.md 1.14. */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include "quota/base/err.h"
#include "quota/engine/model.h"

struct pod_set_info {
    const char *name;
    int32_t count;
    json_t *labels, *annotations, *node_selector; /* objects of strings */
    json_t *tolerations, *gates;                  /* arrays */
};

void pod_set_info_init(struct pod_set_info *info, const char *name, int32_t count);
void pod_set_info_finish(struct pod_set_info *infos, size_t count);

/* The five fields of a PodTemplateSpec, canonical compact JSON; caller frees. */
char *pod_template_injected(const json_t *pod_template);
/* Give a PodTemplateSpec these five fields instead of its own. */
void pod_template_inject(json_t *pod_template, const char *injected);
/* An info made of injected JSON, for restoring. */
void pod_set_info_from_injected(struct pod_set_info *info, const char *name, int32_t count,
                                const char *injected);

/* Union of one label-like map into another. ERR_INVALID: "invalid admission check PodSetUpdate:
 * conflict for <field>: conflict for key=K, value1=A, value2=B", whoever asked for 'from'. */
MUST_USE int pod_set_map_merge(json_t *into, const json_t *from, const char *field, struct err *e);
/* Append tolerations that are not there yet (key, operator, value and effect compare). */
void pod_set_tolerations_merge(json_t *into, const json_t *from);

/* A merge patch for spec.template of a job whose template now has 'injected': merges 'info' in.
 * NULL and ERR_INVALID on a conflict. New reference. */
json_t *pod_set_merge_patch(const char *injected, const struct pod_set_info *info, struct err *e);
/* A merge patch that makes the five fields equal to 'info'; NULL when they are equal already. Label
 * keys in the NULL-terminated list 'keep' stay as they are in the job. New reference. */
json_t *pod_set_restore_patch(const char *injected, const struct pod_set_info *info,
                              const char *const *keep);
