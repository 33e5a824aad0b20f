/* json_read.h - short ways to read jansson trees of Kubernetes objects. Pure; results are borrowed.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Follow member names up to a NULL: json_at(object, "spec", "template", NULL). NULL when absent. */
json_t *json_at(const json_t *object, ...) __attribute__((sentinel));
const char *json_string_at(const json_t *object, const char *key); /* "" when absent or no string */
int64_t json_integer_at(const json_t *object, const char *key, int64_t otherwise);
/* RFC 3339 text as nanoseconds since 1970; TIME_NONE when absent or malformed. */
int64_t json_time_at(const json_t *object, const char *key);
void json_time_put(json_t *object, const char *key, int64_t time); /* whole seconds */

/* Label or annotation of an object; "" when absent. */
const char *object_label(const json_t *object, const char *key);
const char *object_annotation(const json_t *object, const char *key);
bool object_has_label(const json_t *object, const char *key);
/* The labels of an object, made when absent. */
json_t *object_labels_make(json_t *object);
