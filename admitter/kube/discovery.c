#include "admitter/kube/discovery.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "admitter/kube/yaml.h"
#include "quota/base/mem.h"

static json_t *get(struct kube_client *client, const char *path, struct err *e)
{
    AUTO_STRBUF struct strbuf body = STRBUF_INIT;
    struct kube_request request = {
        .class = KUBE_CLASS_READ, .method = "GET", .path = path, .timeout_ms = 10000
    };
    json_error_t problem;
    json_t *root;

    if (kube_request_wait(client, &request, &body, NULL, e) < 0)
        return NULL;
    root = json_loadb(body.text ? body.text : "", body.length, 0, &problem);
    if (!root)
        err_set(e, ERR_IO, "GET %s: %s at byte %d", path, problem.text, problem.position);
    return root;
}

static int number_of(const json_t *root, const char *field)
{
    const char *text = json_string_value(json_object_get(root, field));

    return text ? (int)strtol(text, NULL, 10) : 0; /* "36+" reads as 36 */
}

int kube_server_version(struct kube_client *client, struct kube_version *version, struct err *e)
{
    AUTO_JSON json_t *root = get(client, "/version", e);
    const char *text = json_string_value(json_object_get(root, "gitVersion"));

    if (!root)
        return -1;
    if (!text)
        return err_set(e, ERR_IO, "GET /version: gitVersion: is required");
    version->major = number_of(root, "major");
    version->minor = number_of(root, "minor");
    snprintf(version->git_version, sizeof(version->git_version), "%s", text);
    return 0;
}

static bool has_plural(const json_t *root, const char *plural)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(root, "resources"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));

        if (name && !strcmp(name, plural))
            return true;
    }
    return false;
}

int kube_resource_exists(struct kube_client *client, const struct kube_resource *resource,
                         bool *exists, struct err *e)
{
    /* "/apis/group/version/plural" without its last part is the list of kinds. */
    AUTO_FREE char *path = kube_path(resource, NULL, NULL, NULL);
    AUTO_JSON json_t *root = NULL;
    struct err local;

    *strrchr(path, '/') = '\0';
    root = get(client, path, &local);
    if (!root && local.code != ERR_NOT_FOUND) {
        if (e)
            *e = local;
        return -1;
    }
    *exists = root && has_plural(root, resource->plural);
    return 0;
}
