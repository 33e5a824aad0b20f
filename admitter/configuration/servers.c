#include "admitter/configuration/object.h"

#include <ctype.h>
#include <string.h>
#include "quota/base/mem.h"

#define LABELS_MAX 20
#define LABELS_PER_KIND 6
#define LABELS_PER_WORKLOAD 2
#define TRACKED_MAX 16
#define TRACKED_WORKLOAD_MAX 12

/* ---- rule 11: TLS ---- */

/* IANA names, as far as Go's library knows them; the last two are old spellings. */
static const char *const cipher_suites[] = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
};

/* P-256, P-384, P-521, X25519, and the groups with ML-KEM. */
static const int32_t curves[] = { 23, 24, 25, 29, 4587, 4588, 4589 };

static const char *unknown_cipher(const struct given_texts *names)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t k = 0;

        while (k < ARRAY_COUNT(cipher_suites) && strcmp(cipher_suites[k], names->items[i]) != 0)
            k++;
        if (k == ARRAY_COUNT(cipher_suites))
            return names->items[i];
    }
    return NULL;
}

static const char *curve_problem(const struct given_ints *numbers, size_t index)
{
    int32_t curve = numbers->items[index];

    if (curve < 1 || curve > UINT16_MAX)
        return "must be between 1 and 65535";
    for (size_t i = 0; i < index; i++)
        if (numbers->items[i] == curve)
            return "is listed twice";
    for (size_t i = 0; i < ARRAY_COUNT(curves); i++)
        if (curves[i] == curve)
            return NULL;
    return "is not known";
}

/* Answers whether the texts and numbers mean something. */
static bool check_tls_values(struct reading *r, const char *minimum)
{
    const struct given_ints *numbers = &r->object.tls.curves;
    const char *unknown = unknown_cipher(&r->object.tls.cipher_suites);

    if (*minimum && strcmp(minimum, "VersionTLS12") != 0 && strcmp(minimum, "VersionTLS13") != 0) {
        field_error_invalid_text(&r->errors, "tls", minimum,
                                 "invalid minVersion. Please use VersionTLS12 or VersionTLS13");
        return false;
    }
    if (unknown) {
        field_error_invalid_text(&r->errors, "tls", unknown,
                                 "invalid cipher suites: %s is not known", unknown);
        return false;
    }
    for (size_t i = 0; i < numbers->count; i++) {
        const char *problem = curve_problem(numbers, i);

        if (problem) {
            field_error_invalid_int(&r->errors, "tls", numbers->items[i],
                                    "invalid curve preferences: %d %s", numbers->items[i], problem);
            return false;
        }
    }
    return true;
}

void configuration_validate_tls(struct reading *r)
{
    const char *minimum = r->object.tls.minimum ? r->object.tls.minimum : "";
    const struct given_texts *names = &r->object.tls.cipher_suites;

    if (!r->object.tls.given || !check_tls_values(r, minimum))
        return;
    if (names->count > 0 && strcmp(minimum, "VersionTLS13") == 0)
        field_error_invalid_text(&r->errors, "tls.cipherSuites", names->items[0],
                                 "may not be specified when `minVersion` is 'VersionTLS13'");
}

/* ---- rule 13: custom labels ---- */

static const char *const kinds[] = { "ClusterQueue", "Cohort", "LocalQueue", "Workload" };

static const char *kind_of(const struct custom_label_row *row)
{
    return row->kind ? row->kind : "ClusterQueue";
}

static bool is_metric_name(const char *name)
{
    if (!isalpha((unsigned char)*name))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static void check_label_name(struct reading *r, const char *path, size_t index)
{
    const struct custom_label_row *rows = r->object.metrics.custom_labels.items;
    const char *name = text_of(rows[index].name);

    path = field_path(&r->errors, "%s.name", path);
    if (!is_metric_name(name))
        field_error_invalid_text(&r->errors, path, name, "must match ^[a-zA-Z][a-zA-Z0-9_]*$");
    for (size_t i = 0; i < index; i++) {
        if (strcmp(text_of(rows[i].name), name) == 0) {
            field_error_duplicate_text(&r->errors, path, name);
            break;
        }
    }
}

static void check_label_source(struct reading *r, const char *path,
                               const struct custom_label_row *row)
{
    const char *label = text_of(row->label), *annotation = text_of(row->annotation);

    if (*label && *annotation)
        field_error_invalid_text(&r->errors, path, text_of(row->name),
                                 "sourceLabelKey and sourceAnnotationKey are mutually exclusive");
    if (*label)
        field_check_qualified_name(&r->errors, field_path(&r->errors, "%s.sourceLabelKey", path),
                                   label);
    else if (*annotation)
        field_check_qualified_name(
            &r->errors, field_path(&r->errors, "%s.sourceAnnotationKey", path), annotation);
    else
        field_check_qualified_name(&r->errors, field_path(&r->errors, "%s.name", path),
                                   text_of(row->name));
}

static void check_tracked(struct reading *r, const char *path, const struct custom_label_row *row)
{
    bool is_workload = strcmp(kind_of(row), "Workload") == 0;
    int64_t count = (int64_t)row->tracked.count;

    path = field_path(&r->errors, "%s.trackedValues", path);
    if (is_workload && count == 0)
        field_error_invalid_int(&r->errors, path, count,
                                "must not be empty when sourceKind is 'Workload'");
    else if (is_workload && count > TRACKED_WORKLOAD_MAX)
        field_error_invalid_int(&r->errors, path, count,
                                "must not be greater than 12 when sourceKind is 'Workload'");
    else if (!is_workload && count > TRACKED_MAX)
        configuration_too_many(r, path, row->tracked.count, TRACKED_MAX);
    for (size_t i = 0; i < row->tracked.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(row->tracked.items[i], row->tracked.items[k]) == 0) {
                field_error_invalid_text(&r->errors, path, row->tracked.items[i],
                                         "must not contain duplicates");
                return;
            }
        }
    }
}

static bool is_kind(const char *kind)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

static void check_kind_counts(struct reading *r)
{
    const struct given_rows *rows = &r->object.metrics.custom_labels;
    const struct custom_label_row *items = rows->items;
    const char *path = "metrics.customLabels";

    for (size_t i = 0; i < rows->count; i++)
        if (!is_kind(kind_of(&items[i])))
            field_error_invalid_text(&r->errors, path, kind_of(&items[i]),
                                     "unknown source kind: %s", kind_of(&items[i]));
    for (size_t k = 0; k < ARRAY_COUNT(kinds); k++) {
        int64_t found = 0, limit = k == LABEL_FROM_WORKLOAD ? LABELS_PER_WORKLOAD : LABELS_PER_KIND;

        for (size_t i = 0; i < rows->count; i++)
            found += strcmp(kind_of(&items[i]), kinds[k]) == 0;
        if (found > limit)
            field_error_invalid_int(
                &r->errors, path, found,
                "too many custom labels for source kind %s: found %d, expected <= %d", kinds[k],
                (int)found, (int)limit);
    }
}

void configuration_validate_metrics(struct reading *r)
{
    const struct given_rows *rows = &r->object.metrics.custom_labels;
    const struct custom_label_row *items = rows->items;

    if (rows->count > LABELS_MAX)
        configuration_too_many(r, "metrics.customLabels", rows->count, LABELS_MAX);
    for (size_t i = 0; i < rows->count; i++) {
        const char *path = field_path(&r->errors, "metrics.customLabels[%zu]", i);

        check_label_name(r, path, i);
        check_label_source(r, path, &items[i]);
        check_tracked(r, path, &items[i]);
    }
    check_kind_counts(r);
}
