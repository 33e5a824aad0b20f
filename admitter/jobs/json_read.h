/* json_read.h - short ways to read jansson trees of Kubernetes objects. Pure; borrowed results. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Follow member names; ends with NULL: json_at(object, "spec", "template", NULL). NULL when
 * absent. */
json_t *json_at(const json_t *object, ...) __attribute__((sentinel));
const char *json_string_at(const json_t *object, const char *key); /* "" when absent or no string */
int64_t json_integer_at(const json_t *object, const char *key, int64_t otherwise);
/* Label or annotation of an object; "" when absent. */
const char *object_label(const json_t *object, const char *key);
const char *object_annotation(const json_t *object, const char *key);
bool object_has_label(const json_t *object, const char *key);
/* The annotations (labels) of an object, made when absent. */
json_t *object_annotations_make(json_t *object);
json_t *object_labels_make(json_t *object);
/* Go's strconv.ParseBool and strconv.Atoi / ParseInt(…, 10, 32). */
bool text_is_bool(const char *text, bool *value);
bool text_is_int(const char *text, int64_t *value);
