#include "admitter/jobs/topology_annotations.h"

#include <stdio.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/field_error.h"
#include "admitter/objects/names.h"
#include "quota/base/mem.h"
#include "quota/base/str.h"

#define PATH_BYTES 256
#define CONSTRAINT_LIMIT 3
#define UINT64_DIGITS 20

struct annotations {
    const char *path; /* of the metadata */
    const json_t *map;
    struct field_errors *errors;
};

static const char *value_of(const struct annotations *a, const char *key)
{
    return json_string_value(json_object_get(a->map, key));
}

static const char *path_of(const struct annotations *a, const char *key, char buffer[PATH_BYTES])
{
    snprintf(buffer, PATH_BYTES, "%s.annotations[%s]", a->path, key);
    return buffer;
}

static void forbid_beside(const struct annotations *a, const char *key, const char *other)
{
    char path[PATH_BYTES];

    if (value_of(a, other))
        field_error_forbidden(a->errors, path_of(a, key, path),
                              "may not be set when '%s' is specified", other);
}

static void check_only_one(const struct annotations *a)
{
    char path[PATH_BYTES];
    int count = (value_of(a, ANNOTATION_POD_SET_REQUIRED_TOPOLOGY) != NULL) +
                (value_of(a, ANNOTATION_POD_SET_PREFERRED_TOPOLOGY) != NULL) +
                (value_of(a, ANNOTATION_POD_SET_UNCONSTRAINED_TOPOLOGY) != NULL);

    snprintf(path, sizeof(path), "%s.annotations", a->path);
    if (count > 1)
        field_error_invalid_omitted(
            a->errors, path,
            "must not contain more than one topology annotation: [\"%s\", \"%s\", \"%s\"]",
            ANNOTATION_POD_SET_REQUIRED_TOPOLOGY, ANNOTATION_POD_SET_PREFERRED_TOPOLOGY,
            ANNOTATION_POD_SET_UNCONSTRAINED_TOPOLOGY);
}

static void check_level_names(const struct annotations *a)
{
    static const char *const keys[] = { ANNOTATION_POD_SET_REQUIRED_TOPOLOGY,
                                        ANNOTATION_POD_SET_PREFERRED_TOPOLOGY,
                                        ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY };
    char path[PATH_BYTES];

    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (value_of(a, keys[i]))
            field_check_qualified_name(a->errors, path_of(a, keys[i], path), value_of(a, keys[i]));
}

static bool is_unsigned_number(const char *text)
{
    size_t zeros = strspn(text, "0");
    size_t digits = strspn(text + zeros, "0123456789");

    if (zeros + digits == 0 || text[zeros + digits] != '\0')
        return false;
    return digits < UINT64_DIGITS ||
           (digits == UINT64_DIGITS && strcmp(text + zeros, "18446744073709551615") <= 0);
}

static void check_group(const struct annotations *a)
{
    const char *key = ANNOTATION_POD_SET_GROUP_NAME, *value = value_of(a, key);
    char path[PATH_BYTES];

    if (!value)
        return;
    if (is_unsigned_number(value))
        field_error_invalid_text(a->errors, path_of(a, key, path), value, "must not be a number");
    forbid_beside(a, key, ANNOTATION_POD_SET_SLICE_SIZE);
    forbid_beside(a, key, ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY);
    if (!value_of(a, ANNOTATION_POD_SET_PREFERRED_TOPOLOGY) &&
        !value_of(a, ANNOTATION_POD_SET_REQUIRED_TOPOLOGY))
        field_error_forbidden(a->errors, path_of(a, key, path),
                              "may not be set when neither '%s' nor '%s' is specified",
                              ANNOTATION_POD_SET_PREFERRED_TOPOLOGY,
                              ANNOTATION_POD_SET_REQUIRED_TOPOLOGY);
}

static void check_unconstrained(const struct annotations *a)
{
    const char *key = ANNOTATION_POD_SET_UNCONSTRAINED_TOPOLOGY, *value = value_of(a, key);
    char path[PATH_BYTES];
    bool parsed;

    if (value && !str_to_bool(str_of(value), &parsed))
        field_error_invalid_text(a->errors, path_of(a, key, path), value,
                                 "must be a boolean value");
}

static bool slice_size_parse(const char *text, int64_t *size)
{
    return str_to_int64(str_of(text), size) && *size >= INT32_MIN && *size <= INT32_MAX;
}

static void check_slices(const struct annotations *a)
{
    const char *key = ANNOTATION_POD_SET_SLICE_SIZE, *value = value_of(a, key);
    bool required = value_of(a, ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY) != NULL;
    char path[PATH_BYTES];
    int64_t size;

    path_of(a, key, path);
    if (value && !slice_size_parse(value, &size))
        field_error_invalid_text(a->errors, path, value, "must be a numeric value");
    else if (value && size < 1)
        field_error_invalid_text(a->errors, path, value, "must be greater than or equal to 1");
    if (required && !value)
        field_error_required(a->errors, path, "must be set when '%s' is specified",
                             ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY);
    if (!required && value)
        field_error_forbidden(a->errors, path, "may not be set when '%s' is not specified",
                              ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY);
}

static void check_layer(const struct annotations *a, const json_t *layers, size_t index)
{
    const json_t *layer = json_array_get(layers, index), *next = json_array_get(layers, index + 1);
    int64_t size = json_integer_at(layer, "size", 0), next_size = json_integer_at(next, "size", 0);
    const char *topology = json_string_at(layer, "topology");
    char base[PATH_BYTES], path[PATH_BYTES + 32];

    path_of(a, ANNOTATION_POD_SET_SLICE_CONSTRAINTS, base);
    snprintf(path, sizeof(path), "%s[%zu].topology", base, index);
    field_check_qualified_name(a->errors, path, topology);
    for (size_t k = 0; k < index; k++) {
        if (strcmp(json_string_at(json_array_get(layers, k), "topology"), topology) == 0) {
            AUTO_FREE char *text = mem_format("%s (also at index %zu)", topology, k);

            field_error_duplicate_text(a->errors, path, text);
            break;
        }
    }
    if (size < 1) {
        snprintf(path, sizeof(path), "%s[%zu].size", base, index);
        field_error_invalid_int(a->errors, path, size, "must be greater than or equal to 1");
    }
    if (next && next_size > 0 && size % next_size != 0) {
        snprintf(path, sizeof(path), "%s[%zu].size", base, index + 1);
        field_error_invalid_int(a->errors, path, next_size,
                                "must evenly divide the parent layer size %lld", (long long)size);
    }
}

/* What is wrong with a JSON text, in the words that users of the API know. */
static void json_complaint(const char *text, const json_error_t *problem, char *buffer, size_t size)
{
    static const char *const literals[] = { "true", "false", "null" };
    const char *c = text + strspn(text, " \t\r\n");
    const char *end = "unexpected end of JSON input";

    snprintf(buffer, size, "%s", strstr(problem->text, "near end of file") ? end : problem->text);
    if (*c == '\0')
        snprintf(buffer, size, "%s", end);
    else if (!strchr("{[\"-0123456789tfn", *c))
        snprintf(buffer, size, "invalid character '%c' looking for beginning of value", *c);
    for (size_t i = 0; i < ARRAY_COUNT(literals); i++) {
        size_t same = 0;

        while (c[same] && c[same] == literals[i][same])
            same++;
        if (same == 0 || !literals[i][same])
            continue;
        if (!c[same])
            snprintf(buffer, size, "%s", end);
        else
            snprintf(buffer, size, "invalid character '%c' in literal %s (expecting '%c')", c[same],
                     literals[i], literals[i][same]);
    }
}

static void check_constraints(const struct annotations *a, const struct job_options *options)
{
    const char *key = ANNOTATION_POD_SET_SLICE_CONSTRAINTS, *value = value_of(a, key);
    char path[PATH_BYTES], complaint[JSON_ERROR_TEXT_LENGTH];
    json_error_t problem;
    json_t *layers;

    if (!value)
        return;
    path_of(a, key, path);
    if (!options->multi_layer_topology) {
        field_error_forbidden(
            a->errors, path,
            "the TASMultiLayerTopology feature gate must be enabled to use this annotation");
        return;
    }
    forbid_beside(a, key, ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY);
    forbid_beside(a, key, ANNOTATION_POD_SET_SLICE_SIZE);
    if (value_of(a, ANNOTATION_POD_SET_GROUP_NAME)) {
        char group[PATH_BYTES];

        field_error_forbidden(a->errors, path_of(a, ANNOTATION_POD_SET_GROUP_NAME, group),
                              "may not be set when '%s' is specified", key);
    }
    layers = json_loads(value, 0, &problem);
    if (!layers)
        json_complaint(value, &problem, complaint, sizeof(complaint));
    if (!json_is_array(layers))
        field_error_invalid_text(a->errors, path, value, "must be a valid JSON array: %s",
                                 layers ? "not an array" : complaint);
    else if (json_array_size(layers) < 1 || json_array_size(layers) > CONSTRAINT_LIMIT)
        field_error_invalid_text(a->errors, path, value,
                                 "topology constraints must contain between 1 and %d entries",
                                 CONSTRAINT_LIMIT);
    else
        for (size_t i = 0; i < json_array_size(layers); i++)
            check_layer(a, layers, i);
    json_decref(layers);
}

void topology_annotations_check(const char *path, const json_t *metadata,
                                const struct job_options *options, struct field_errors *errors)
{
    struct annotations a = { path, json_object_get(metadata, "annotations"), errors };

    check_only_one(&a);
    check_level_names(&a);
    check_group(&a);
    check_unconstrained(&a);
    check_slices(&a);
    check_constraints(&a, options);
}

void topology_slice_bound_check(const char *path, const json_t *metadata, int64_t count,
                                const struct job_options *options, struct field_errors *errors)
{
    struct annotations a = { path, json_object_get(metadata, "annotations"), errors };
    const char *slice = value_of(&a, ANNOTATION_POD_SET_SLICE_SIZE);
    const char *constraints = value_of(&a, ANNOTATION_POD_SET_SLICE_CONSTRAINTS);
    char at[PATH_BYTES];
    int64_t size;

    if (slice && slice_size_parse(slice, &size) && size > count)
        field_error_invalid_text(errors, path_of(&a, ANNOTATION_POD_SET_SLICE_SIZE, at), slice,
                                 "must not be greater than pod set count %lld", (long long)count);
    if (constraints && options->multi_layer_topology) {
        json_t *layers = json_loads(constraints, 0, NULL);

        size = json_integer_at(json_array_get(layers, 0), "size", 0);
        if (size > count)
            field_error_invalid_text(errors, path_of(&a, ANNOTATION_POD_SET_SLICE_CONSTRAINTS, at),
                                     constraints, "must not be greater than pod set count %lld",
                                     (long long)count);
        json_decref(layers);
    }
}

/* The slice part of a request. ERR_INVALID: something cannot be parsed. */
static int request_slices(json_t *request, const json_t *annotations,
                          const struct job_options *options, struct err *e)
{
    const char *constraints =
        json_string_value(json_object_get(annotations, ANNOTATION_POD_SET_SLICE_CONSTRAINTS));
    const char *required =
        json_string_value(json_object_get(annotations, ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY));
    const char *slice =
        json_string_value(json_object_get(annotations, ANNOTATION_POD_SET_SLICE_SIZE));
    int64_t size;

    if (options->multi_layer_topology && constraints) {
        json_t *layers = json_loads(constraints, 0, NULL);

        if (json_array_size(layers) < 1 || json_array_size(layers) > CONSTRAINT_LIMIT) {
            json_decref(layers);
            return err_set(
                e, ERR_INVALID,
                "annotation %s: topology constraints must contain between 1 and %d entries",
                ANNOTATION_POD_SET_SLICE_CONSTRAINTS, CONSTRAINT_LIMIT);
        }
        json_object_set_new(request, "podsetSliceRequiredTopologyConstraints", layers);
    } else if (required && slice) {
        if (!slice_size_parse(slice, &size))
            return err_set(e, ERR_INVALID, "annotation %s: \"%s\" is not a number",
                           ANNOTATION_POD_SET_SLICE_SIZE, slice);
        json_object_set_new(request, "podSetSliceRequiredTopology", json_string(required));
        json_object_set_new(request, "podSetSliceSize", json_integer(size));
    }
    return 0;
}

static int request_level(json_t *request, const json_t *annotations, bool *explicit_level,
                         struct err *e)
{
    json_t *required = json_object_get(annotations, ANNOTATION_POD_SET_REQUIRED_TOPOLOGY);
    json_t *preferred = json_object_get(annotations, ANNOTATION_POD_SET_PREFERRED_TOPOLOGY);
    json_t *unconstrained = json_object_get(annotations, ANNOTATION_POD_SET_UNCONSTRAINED_TOPOLOGY);
    bool value;

    *explicit_level = true;
    if (required) {
        json_object_set(request, "required", required);
    } else if (preferred) {
        json_object_set(request, "preferred", preferred);
    } else if (unconstrained) {
        if (!json_is_string(unconstrained) ||
            !str_to_bool(str_of(json_string_value(unconstrained)), &value))
            return err_set(e, ERR_INVALID, "annotation %s: must be a boolean value",
                           ANNOTATION_POD_SET_UNCONSTRAINED_TOPOLOGY);
        json_object_set_new(request, "unconstrained", json_boolean(value));
    } else {
        *explicit_level = false;
    }
    return 0;
}

int topology_request_add(json_t *pod_set, const char *pod_index_label,
                         const struct job_options *options, struct err *e)
{
    const json_t *annotations = json_at(pod_set, "template", "metadata", "annotations", NULL);
    bool has_slices = (json_object_get(annotations, ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY) &&
                       json_object_get(annotations, ANNOTATION_POD_SET_SLICE_SIZE)) ||
                      json_object_get(annotations, ANNOTATION_POD_SET_SLICE_CONSTRAINTS);
    json_t *group = json_object_get(annotations, ANNOTATION_POD_SET_GROUP_NAME);
    json_t *request = json_object();
    bool explicit_level;

    if (request_level(request, annotations, &explicit_level, e) < 0 ||
        request_slices(request, annotations, options, e) < 0) {
        json_decref(request);
        return -1;
    }
    if (!explicit_level && !has_slices && !pod_index_label) {
        json_decref(request);
        return 0;
    }
    if (pod_index_label)
        json_object_set_new(request, "podIndexLabel", json_string(pod_index_label));
    if (group && (json_object_get(request, "required") || json_object_get(request, "preferred")))
        json_object_set(request, "podSetGroupName", group);
    json_object_set_new(pod_set, "topologyRequest", request);
    return 0;
}
