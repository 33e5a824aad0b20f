#include "admitter/configuration/configuration.h"

#include <string.h>
#include "admitter/configuration/object.h"
#include "quota/base/file.h"
#include "quota/base/mem.h"

#define FILE_LIMIT (4u << 20)
#define GROUP "config.kueue.x-k8s.io/"

void configuration_finish(struct configuration *configuration)
{
    arena_finish(&configuration->arena);
}

int listen_address_parse(const char *text, struct arena *a, struct listen_address *out,
                         struct err *e)
{
    const char *colon = strrchr(text, ':');
    struct str host;
    int64_t port;

    *out = (struct listen_address){ false, "", 0 };
    if (*text == '\0' || strcmp(text, "0") == 0)
        return 0;
    if (!colon)
        return err_set(e, ERR_INVALID, "address \"%s\" has no port (host:port is expected)", text);
    if (!str_to_int64(str_of(colon + 1), &port) || port < 0 || port > UINT16_MAX)
        return err_set(e, ERR_INVALID, "address \"%s\": port \"%s\" is not between 0 and 65535",
                       text, colon + 1);
    host = (struct str){ text, (size_t)(colon - text) };
    if (host.length >= 2 && host.text[0] == '[' && host.text[host.length - 1] == ']')
        host = (struct str){ host.text + 1, host.length - 2 };
    else if (memchr(host.text, ':', host.length))
        return err_set(e, ERR_INVALID, "address \"%s\": an IPv6 address needs brackets", text);
    *out = (struct listen_address){ true, arena_dup(a, host), (uint16_t)port };
    return 0;
}

/* ---- version ---- */

static int read_version(struct reading *r, const json_t *root, struct err *e)
{
    const char *version = json_string_value(json_object_get(root, "apiVersion"));
    const char *kind = json_string_value(json_object_get(root, "kind"));
    unsigned line = yaml_line(r->stream, 0);

    if (!json_is_object(root))
        return err_set(e, ERR_INVALID, "%s: line %u: expected a Configuration object", r->name,
                       line);
    if (!version || !*version)
        return err_set(e, ERR_INVALID,
                       "%s: line %u: apiVersion is missing, expected " GROUP "v1beta2", r->name,
                       line);
    if (!kind || !*kind)
        return err_set(e, ERR_INVALID, "%s: line %u: kind is missing, expected Configuration",
                       r->name, line);
    if (strcmp(version, GROUP "v1beta2") == 0)
        r->object.version = VERSION_2;
    else if (strcmp(version, GROUP "v1beta1") == 0)
        r->object.version = VERSION_1;
    if (r->object.version == 0 || strcmp(kind, "Configuration") != 0)
        return err_set(
            e, ERR_INVALID,
            "%s: line %u: no kind \"%s\" in version \"%s\", expected Configuration in " GROUP
            "v1beta2 or v1beta1",
            r->name, line, kind, version);
    return 0;
}

/* ---- gates ---- */

static int set_file_gates(struct reading *r, struct err *e)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)r->object.feature_gates, name, value)
        if (gates_set(&r->out->gates, str_of(name), json_is_true(value), e) < 0)
            return err_wrap(e, "featureGates");
    return 0;
}

static int set_gates(struct reading *r, const char *flag, struct err *e)
{
    AUTO_STRBUF struct strbuf written = STRBUF_INIT;

    gates_default(&r->out->gates);
    if (flag && *flag && r->object.feature_gates) {
        yaml_json(r->object.feature_gates, &written);
        return err_set(e, ERR_INVALID,
                       "featureGates: Invalid value: %s: feature gates for CLI and configuration "
                       "cannot both specified",
                       written.text);
    }
    if (r->object.feature_gates && set_file_gates(r, e) < 0)
        return -1;
    if (flag && gates_parse(&r->out->gates, str_of(flag), e) < 0)
        return err_wrap(e, "--feature-gates");
    return gates_check(&r->out->gates, e);
}

static void warn_about_gates(struct reading *r)
{
    const struct gates *gates = &r->out->gates;

    for (unsigned i = 0; i < GATE_COUNT; i++)
        if (gates->given[i] && !gate_has_effect((enum gate)i))
            configuration_warn(r, "feature gate %s has no effect here", gate_name((enum gate)i));
}

/* ---- all of it ---- */

/* One error of all problems, cut where the box is full. */
static int report_problems(const struct configuration *out, struct err *e)
{
    AUTO_STRBUF struct strbuf all = STRBUF_INIT;

    for (size_t i = 0; i < out->problem_count; i++)
        strbuf_printf(&all, "%s%s", i > 0 ? ", " : "", out->problems[i]);
    if (out->problem_count > 1)
        return err_set(e, ERR_INVALID, "[%s]", all.text);
    return err_set(e, ERR_INVALID, "%s", all.text);
}

static int decode(struct reading *r, struct err *e)
{
    const json_t *root;

    if (!r->stream) { /* no file */
        r->object.version = VERSION_2;
        return 0;
    }
    if (yaml_count(r->stream) == 0)
        return err_set(e, ERR_INVALID, "%s: the file is empty, expected a Configuration object",
                       r->name);
    if (yaml_count(r->stream) > 1)
        return err_set(e, ERR_INVALID, "%s: line %u: a second document, expected one", r->name,
                       yaml_line(r->stream, 1));
    root = yaml_root(r->stream, 0);
    if (read_version(r, root, e) < 0)
        return -1;
    configuration_decode(r, root);
    return r->out->problem_count > 0 ? report_problems(r->out, e) : 0;
}

static int check(struct reading *r, struct err *e)
{
    field_errors_init(&r->errors, r->arena);
    configuration_validate(r);
    for (size_t i = 0; i < field_errors_count(&r->errors); i++)
        configuration_problem(r, "%s", r->errors.items[i].text);
    return r->out->problem_count > 0 ? report_problems(r->out, e) : 0;
}

static int load(struct reading *r, const char *feature_gates, struct err *e)
{
    if (decode(r, e) < 0)
        return -1;
    configuration_default(r);
    if (set_gates(r, feature_gates, e) < 0)
        return -1;
    if (check(r, e) < 0)
        return -1;
    warn_about_gates(r);
    configuration_settings(r);
    r->out->effective = configuration_encode(r);
    return 0;
}

static void begin(struct reading *r, const char *name, struct configuration *out)
{
    *out = (struct configuration){ 0 };
    arena_init(&out->arena);
    *r = (struct reading){ .out = out, .arena = &out->arena, .name = name };
}

int configuration_load(const char *path, const char *feature_gates, struct configuration *out,
                       struct err *e)
{
    struct reading r;
    int rc = 0;

    begin(&r, path, out);
    if (path && *path) {
        r.stream = yaml_load_file(path, FILE_LIMIT, e);
        rc = r.stream ? 0 : -1;
    }
    if (rc == 0)
        rc = load(&r, feature_gates, e);
    yaml_destroy(r.stream);
    return rc;
}

int configuration_read(struct str bytes, const char *name, const char *feature_gates,
                       struct configuration *out, struct err *e)
{
    struct reading r;
    int rc;

    begin(&r, name, out);
    r.stream = yaml_load(bytes, name, e);
    rc = r.stream ? load(&r, feature_gates, e) : -1;
    yaml_destroy(r.stream);
    return rc;
}
