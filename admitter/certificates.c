#include "admitter/certificates.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/kube/path.h"
#include "quota/base/base64.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "webhook/certificate_store.h"
#include "webhook/patch.h"

#define SERVICE_SUFFIX "-webhook-service"
#define CONFLICTS_AT_MOST 5

struct certificates {
    struct kube_client *client;
    struct certificate_source *source;
    struct certificate_store store;
    char *namespace, *service, *secret, *prefix;
    char *dns[4];
    const char *ip[4];
    size_t dns_count, ip_count;
    char *version;           /* resourceVersion of the Secret that 'store' came from; NULL: none */
    char *served;            /* the leaf that the source has */
    int64_t published_since; /* 0: not all configurations have the bundle */
};

/* The kinds with a conversion webhook (spec/api.md 2.1). */
static const char *const converted[CERTIFICATES_PLACES - CERTIFICATES_HOOKS] = {
    "clusterqueues", "localqueues", "cohorts", "workloads", "multikueueclusters"
};

char *certificates_place(const struct certificates *c, unsigned place,
                         struct kube_resource *resource)
{
    static const struct {
        const char *plural, *what;
    } hooks[CERTIFICATES_HOOKS] = { { "mutatingwebhookconfigurations", "mutating" },
                                    { "validatingwebhookconfigurations", "validating" } };

    if (place < CERTIFICATES_HOOKS) {
        *resource =
            (struct kube_resource){ "admissionregistration.k8s.io", "v1", hooks[place].plural };
        return mem_format("%s-%s-webhook-configuration", c->prefix, hooks[place].what);
    }
    *resource = (struct kube_resource){ "apiextensions.k8s.io", "v1", "customresourcedefinitions" };
    return mem_format("%s.kueue.x-k8s.io", converted[place - CERTIFICATES_HOOKS]);
}

static bool is_address(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host) || strchr(host, ':');
}

static void add_names(struct certificates *c, const char *host)
{
    c->dns[c->dns_count++] = mem_format("%s.%s.svc", c->service, c->namespace);
    c->dns[c->dns_count++] = mem_format("%s.%s.svc.cluster.local", c->service, c->namespace);
    c->dns[c->dns_count++] = mem_dup("localhost");
    c->ip[c->ip_count++] = "127.0.0.1";
    c->ip[c->ip_count++] = "::1";
    if (!host || !*host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ||
        strcmp(host, "127.0.0.1") == 0)
        return;
    if (is_address(host))
        c->ip[c->ip_count++] = host;
    else
        c->dns[c->dns_count++] = mem_dup(host);
}

struct certificates *certificates_create(struct kube_client *client,
                                         const struct certificates_options *options,
                                         struct certificate_source *source)
{
    struct certificates *c = mem_alloc(sizeof(*c));
    size_t length = strlen(options->service), suffix = strlen(SERVICE_SUFFIX);

    c->client = client;
    c->source = source;
    c->namespace = mem_dup(options->namespace);
    c->service = mem_dup(options->service);
    c->secret = mem_dup(options->secret);
    if (length > suffix && strcmp(options->service + length - suffix, SERVICE_SUFFIX) == 0)
        length -= suffix;
    c->prefix = mem_dup_n(options->service, length);
    add_names(c, options->host);
    return c;
}

void certificates_destroy(struct certificates *c)
{
    if (!c)
        return;
    certificate_store_finish(&c->store);
    for (size_t i = 0; i < c->dns_count; i++)
        free(c->dns[i]);
    free(c->namespace);
    free(c->service);
    free(c->secret);
    free(c->prefix);
    free(c->version);
    free(c->served);
    free(c);
}

/* ---- requests ---- */

static int request(struct certificates *c, const char *method, char *path, json_t *body,
                   const char *type, json_t **answer, struct err *e)
{
    AUTO_FREE char *owned = path;
    AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    struct kube_request r = { .class = body ? KUBE_CLASS_WRITE : KUBE_CLASS_READ,
                              .method = method,
                              .path = path,
                              .content_type = type,
                              .body = str_of(text),
                              .timeout_ms = 5000 };

    json_decref(body);
    if (kube_request_wait(c->client, &r, &out, NULL, e) < 0)
        return -1;
    *answer = json_loadb(out.text ? out.text : "", out.length, 0, NULL);
    if (*answer)
        return 0;
    return err_set(e, ERR_IO, "%s %s: the answer is no JSON", method, path);
}

/* ---- the Secret ---- */

static char *secret_path(const struct certificates *c, const char *name)
{
    static const struct kube_resource secrets = { "", "v1", "secrets" };

    return kube_path(&secrets, c->namespace, name, NULL);
}

static void take_version(struct certificates *c, const json_t *secret)
{
    free(c->version);
    c->version = mem_dup(json_string_at(json_object_get(secret, "metadata"), "resourceVersion"));
}

static void store_read(struct certificates *c, const json_t *secret)
{
    struct strbuf values[CERTIFICATE_STORE_KEYS + 8] = { 0 };
    struct certificate_entry entries[CERTIFICATE_STORE_KEYS + 8];
    size_t count = 0;
    const char *key;
    json_t *value;
    struct err e = { 0 };

    json_object_foreach(json_object_get(secret, "data"), key, value) {
        if (count == ARRAY_COUNT(entries) || !json_is_string(value) ||
            !base64_decode(str_of(json_string_value(value)), &values[count]))
            continue;
        entries[count] = (struct certificate_entry){ key, strbuf_view(&values[count]) };
        count++;
    }
    if (certificate_store_load(&c->store, entries, count, &e) < 0)
        LOG(LOG_WARN, "the certificates in the Secret are not usable, new ones will be made",
            KS("secret", c->secret), KS("error", e.text));
    for (size_t i = 0; i < count; i++)
        strbuf_finish(&values[i]);
}

static json_t *store_data(const struct certificates *c)
{
    struct certificate_entry entries[CERTIFICATE_STORE_KEYS];
    char stage[TIME_TEXT];
    size_t count = certificate_store_save(&c->store, entries, stage);
    json_t *data = json_object();

    for (size_t i = 0; i < count; i++) {
        AUTO_STRBUF struct strbuf text = STRBUF_INIT;

        base64_encode(entries[i].value, &text);
        json_object_set_new(data, entries[i].key,
                            json_stringn(text.text ? text.text : "", text.length));
    }
    return data;
}

static int secret_read(struct certificates *c, struct err *e)
{
    json_t *secret = NULL;
    struct err problem = { 0 };

    if (request(c, "GET", secret_path(c, c->secret), NULL, NULL, &secret, &problem) < 0) {
        if (problem.code != ERR_NOT_FOUND)
            return err_set(e, problem.code, "%s", problem.text);
        free(c->version);
        c->version = NULL;
        certificate_store_finish(&c->store);
        return 0;
    }
    if (!c->version || strcmp(c->version, json_string_at(json_object_get(secret, "metadata"),
                                                         "resourceVersion")) != 0) {
        take_version(c, secret);
        store_read(c, secret);
    }
    json_decref(secret);
    return 0;
}

/* ERR_CONFLICT, ERR_EXISTS: another replica was faster. */
static int secret_write(struct certificates *c, struct err *e)
{
    json_t *secret = json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:o}", "apiVersion", "v1", "kind",
                               "Secret", "metadata", "name", c->secret, "namespace", c->namespace,
                               "type", "Opaque", "data", store_data(c));
    json_t *answer = NULL;
    int result;

    if (c->version) {
        json_object_set_new(json_object_get(secret, "metadata"), "resourceVersion",
                            json_string(c->version));
        json_object_del(secret, "type");
        result = request(c, "PATCH", secret_path(c, c->secret), secret,
                         "application/merge-patch+json", &answer, e);
    } else {
        result = request(c, "POST", secret_path(c, NULL), secret, "application/json", &answer, e);
    }
    if (result == 0)
        take_version(c, answer);
    json_decref(answer);
    return result;
}

/* ---- publishing ---- */

/* Put the bundle into one clientConfig; true when it was another. */
static bool set_bundle(json_t *client_config, const char *bundle)
{
    if (!json_is_object(client_config) ||
        strcmp(json_string_at(client_config, "caBundle"), bundle) == 0)
        return false;
    json_object_set_new(client_config, "caBundle", json_string(bundle));
    return true;
}

static int publish_hooks(struct certificates *c, unsigned place, const char *bundle, bool *changed,
                         struct err *e)
{
    struct kube_resource resource;
    AUTO_FREE char *name = certificates_place(c, place, &resource);
    json_t *object = NULL, *hook, *answer = NULL;
    bool differs = false;
    struct err problem = { 0 };
    int result = 0;
    size_t i;

    if (request(c, "GET", kube_path(&resource, NULL, name, NULL), NULL, NULL, &object, &problem) <
        0)
        return problem.code == ERR_NOT_FOUND ? 0 : err_set(e, problem.code, "%s", problem.text);
    json_array_foreach(json_object_get(object, "webhooks"), i, hook)
        differs = set_bundle(json_object_get(hook, "clientConfig"), bundle) || differs;
    if (differs) {
        json_t *patch = json_pack("{s:{s:O}, s:O}", "metadata", "resourceVersion",
                                  json_at(object, "metadata", "resourceVersion", NULL), "webhooks",
                                  json_object_get(object, "webhooks"));

        result = request(c, "PATCH", kube_path(&resource, NULL, name, NULL), patch,
                         "application/merge-patch+json", &answer, e);
        *changed = true;
    }
    json_decref(answer);
    json_decref(object);
    return result;
}

static int publish_conversion(struct certificates *c, unsigned place, const char *bundle,
                              bool *changed, struct err *e)
{
    struct kube_resource definitions;
    AUTO_FREE char *name = certificates_place(c, place, &definitions);
    json_t *object = NULL, *answer = NULL, *client_config;
    struct err problem = { 0 };
    int result = 0;

    if (request(c, "GET", kube_path(&definitions, NULL, name, NULL), NULL, NULL, &object,
                &problem) < 0)
        return problem.code == ERR_NOT_FOUND ? 0 : err_set(e, problem.code, "%s", problem.text);
    client_config = json_at(object, "spec", "conversion", "webhook", "clientConfig", NULL);
    if (set_bundle(client_config, bundle)) {
        json_t *patch = json_pack("{s:{s:O}, s:{s:{s:{s:{s:s}}}}}", "metadata", "resourceVersion",
                                  json_at(object, "metadata", "resourceVersion", NULL), "spec",
                                  "conversion", "webhook", "clientConfig", "caBundle", bundle);

        result = request(c, "PATCH", kube_path(&definitions, NULL, name, NULL), patch,
                         "application/merge-patch+json", &answer, e);
        *changed = true;
    }
    json_decref(answer);
    json_decref(object);
    return result;
}

static int publish(struct certificates *c, int64_t now, struct err *e)
{
    AUTO_STRBUF struct strbuf bundle = STRBUF_INIT;
    AUTO_STRBUF struct strbuf encoded = STRBUF_INIT;
    bool changed = false;

    certificate_store_bundle(&c->store, &bundle);
    base64_encode(strbuf_view(&bundle), &encoded);
    for (unsigned i = 0; i < CERTIFICATES_PLACES; i++)
        if ((i < CERTIFICATES_HOOKS ? publish_hooks : publish_conversion)(c, i, encoded.text,
                                                                          &changed, e) < 0)
            return -1;
    if (changed || c->published_since == 0)
        c->published_since = now;
    return 0;
}

/* ---- all together ---- */

static int serve(struct certificates *c, struct err *e)
{
    if (!c->store.leaf.certificate ||
        (c->served && strcmp(c->served, c->store.leaf.certificate) == 0))
        return 0;
    if (certificate_source_set(c->source, str_of(c->store.leaf.certificate),
                               str_of(c->store.leaf.key), e) < 0)
        return -1;
    free(c->served);
    c->served = mem_dup(c->store.leaf.certificate);
    return 0;
}

static int step(struct certificates *c, bool leading, int64_t now, bool *again, struct err *e)
{
    struct certificate_names names = { (const char *const *)c->dns, c->dns_count, c->ip,
                                       c->ip_count };
    enum certificate_action action = CERTIFICATE_KEEP;
    struct err problem = { 0 };

    *again = false;
    if (!leading && c->store.leaf.certificate)
        return 0;
    if (certificate_store_step(&c->store, &names, now, c->published_since, &action, e) < 0)
        return -1;
    if (action == CERTIFICATE_KEEP)
        return 0;
    if (secret_write(c, &problem) < 0) {
        free(c->version); /* read again whatever happens */
        c->version = NULL;
        certificate_store_finish(&c->store);
        *again = problem.code == ERR_CONFLICT || problem.code == ERR_EXISTS;
        return *again ? 0 : err_set(e, problem.code, "%s", problem.text);
    }
    c->published_since = 0;
    LOG(LOG_INFO, "certificates changed", KS("action", certificate_action_name(action)),
        KS("secret", c->secret));
    return 0;
}

int certificates_sync(struct certificates *c, bool leading, int64_t now, struct err *e)
{
    bool again = true;

    for (int i = 0; again && i < CONFLICTS_AT_MOST; i++)
        if (secret_read(c, e) < 0 || step(c, leading, now, &again, e) < 0)
            return err_wrap(e, "certificates in Secret %s/%s", c->namespace, c->secret);
    if (again)
        return err_set(e, ERR_CONFLICT, "Secret %s/%s keeps changing", c->namespace, c->secret);
    if (publish(c, now, e) < 0)
        return err_wrap(e, "publishing the CA bundle");
    return serve(c, e);
}
