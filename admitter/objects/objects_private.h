/* objects_private.h - readers that several kinds of this room share. Targets as in decoder.h. */
#pragma once

#include "admitter/objects/decoder.h"
#include "admitter/objects/object_meta.h"

/* ---- object_meta.c ---- */
decode_function object_meta_read; /* (struct object_meta), initialised */
/* Read a whole document into a struct that begins with its metadata 'own'; a copy of that goes to
 * 'meta' unless NULL. ERR_INVALID also when metadata.name is absent. */
MUST_USE int document_decode(struct str json, struct arena *a, const struct decode_field *fields,
                             struct object_meta *own, struct object_meta *meta, struct err *e);

/* ---- pod_template.c ---- */
decode_function pod_template_read; /* (struct pod_template) */

/* ---- common_decode.c ---- */
decode_function toleration_read; /* (struct toleration) */
decode_function selector_read;   /* (struct label_selector): present is set */
decode_function condition_read;  /* (struct condition) */
/* A list of label_requirement, node selector operators included. */
struct label_requirement *requirements_read(struct decoder *d, size_t *count);
/* Is the condition of this type True? */
bool conditions_have(const struct condition *conditions, size_t count, const char *type);

/* ---- admission_check.c ---- */
decode_function active_condition_read; /* (bool) of a list of conditions: is Active True? */

/* ---- device_class.c ---- */
/* The expressions of a list of device selectors; "" for one without. */
const char **decode_device_selectors(struct decoder *d, size_t *count);

/* ---- quota_decode.c ---- */
struct resource_group *resource_groups_read(struct decoder *d, size_t *count);
struct weight { /* spec.fairSharing */
    bool present;
    struct quantity value; /* 1 when not given */
};
decode_function weight_read;             /* (struct weight) */
int stop_policy_read(struct decoder *d); /* an enum stop_policy, -1 after an error */
