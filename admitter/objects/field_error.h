/* field_error.h - what is wrong with which field, collected in order and rendered as Kubernetes
 * does.
 *
 * One error reads "<path>: <kind>: <value>: <detail>"; several read "[e1, e2]" in the order found,
 * equal texts once. Paths are texts: "spec.resourceGroups[0].flavors[1].name". Everything is copied
 * into the arena given at the start. One thread at a time.
 * Rules: spec/api.md 3.2, spec/integrations.md 1.24. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/arena.h"

enum field_error_kind {
    FIELD_INVALID,
    FIELD_DUPLICATE,
    FIELD_NOT_SUPPORTED,
    FIELD_NOT_FOUND,
    FIELD_REQUIRED,
    FIELD_FORBIDDEN,
    FIELD_TOO_LONG,
    FIELD_TOO_MANY
};

struct field_error {
    enum field_error_kind kind;
    const char *path;
    const char *text; /* the whole error, as printed */
    const char *body; /* the text without the path: status.details.causes[].message */
};

struct field_errors {
    struct arena *arena;
    struct field_error *items;
    size_t count, capacity;
    size_t bytes; /* of all texts; beyond FIELD_ERROR_BYTES further errors are dropped */
};
#define FIELD_ERROR_BYTES (1 << 20) /* absurd input must not make an absurd answer */

void field_errors_init(struct field_errors *errors, struct arena *arena);
size_t field_errors_count(const struct field_errors *errors);
/* All errors in one text; NULL when there are none. Lives in the arena. */
const char *field_errors_text(const struct field_errors *errors);
/* The reason that a status cause of this kind carries: "FieldValueInvalid" and so on. */
const char *field_error_reason(enum field_error_kind kind);

/* A path in the arena: field_path(errors, "%s.flavors[%zu]", path, i). */
char *field_path(struct field_errors *errors, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));

/* ---- one error; the detail is a format ---- */
void field_error_invalid_text(struct field_errors *errors, const char *path, const char *value,
                              const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void field_error_invalid_int(struct field_errors *errors, const char *path, int64_t value,
                             const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void field_error_invalid_bool(struct field_errors *errors, const char *path, bool value,
                              const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The value as compact JSON; strings quoted, NULL as "null" in quotes (an absent pointer). */
void field_error_invalid_json(struct field_errors *errors, const char *path, const json_t *value,
                              const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Without a value. */
void field_error_invalid_omitted(struct field_errors *errors, const char *path, const char *fmt,
                                 ...) __attribute__((format(printf, 3, 4)));
void field_error_forbidden(struct field_errors *errors, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void field_error_required(struct field_errors *errors, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void field_error_duplicate_text(struct field_errors *errors, const char *path, const char *value);
void field_error_duplicate_json(struct field_errors *errors, const char *path, const json_t *value,
                                const char *detail);
void field_error_not_found(struct field_errors *errors, const char *path, const char *value);
void field_error_not_supported(struct field_errors *errors, const char *path, const char *value,
                               const char *const *supported, size_t count);
void field_error_too_long(struct field_errors *errors, const char *path, size_t limit_bytes);

/* ---- syntax checks of Kubernetes (field_check.c): one Invalid per problem ---- */
void field_check_dns_subdomain(struct field_errors *errors, const char *path, const char *value);
void field_check_dns_label(struct field_errors *errors, const char *path, const char *value);
/* A label key: optional DNS subdomain and "/", then a name of up to 63 bytes. */
void field_check_qualified_name(struct field_errors *errors, const char *path, const char *value);
void field_check_label_value(struct field_errors *errors, const char *path, const char *value);
/* As one error, problems joined by ";". */
void field_check_label_value_joined(struct field_errors *errors, const char *path,
                                    const char *value);
/* "acme.io/foo". */
void field_check_domain_path(struct field_errors *errors, const char *path, const char *value);
/* Maps of strings; anything else in them is left to the schema. NULL is fine. */
void field_check_labels(struct field_errors *errors, const char *path, const json_t *labels);
void field_check_annotations(struct field_errors *errors, const char *path,
                             const json_t *annotations);
/* metav1.LabelSelector; NULL is fine. */
void field_check_label_selector(struct field_errors *errors, const char *path,
                                const json_t *selector);
/* []metav1.Condition; NULL is fine. */
void field_check_conditions(struct field_errors *errors, const char *path,
                            const json_t *conditions);
