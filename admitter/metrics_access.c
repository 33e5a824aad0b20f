#include "admitter/metrics_access.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include "admitter/jobs/json_read.h"
#include "admitter/kube/client.h"
#include "admitter/kube/path.h"
#include "quota/base/mem.h"

#define KNOWN_TOKENS 64
#define KEEP_MS 60000

struct known {
    unsigned char
        digest[SHA256_DIGEST_LENGTH]; /* of token and path: tokens themselves are not kept */
    int64_t until_ms;
    unsigned status;
};

struct metrics_access {
    const struct kube_config *config;
    struct kube_client *client;
    struct known known[KNOWN_TOKENS];
    unsigned next;
};

struct metrics_access *metrics_access_create(const struct kube_config *config)
{
    struct metrics_access *access = mem_alloc(sizeof(*access));

    access->config = config;
    return access;
}

void metrics_access_destroy(struct metrics_access *access)
{
    if (!access)
        return;
    kube_client_destroy(access->client);
    free(access);
}

static json_t *ask(struct metrics_access *access, const char *group, const char *plural,
                   json_t *body)
{
    struct kube_resource resource = { group, "v1", plural };
    AUTO_FREE char *path = kube_path(&resource, NULL, NULL, NULL);
    AUTO_FREE char *text = json_dumps(body, JSON_COMPACT);
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    struct kube_request request = { .class = KUBE_CLASS_READ,
                                    .method = "POST",
                                    .path = path,
                                    .content_type = "application/json",
                                    .body = str_of(text),
                                    .timeout_ms = 5000 };

    json_decref(body);
    if (!access->client)
        access->client =
            kube_client_create(access->config, &(struct kube_client_options){ 0 }, NULL);
    if (!access->client || kube_request_wait(access->client, &request, &out, NULL, NULL) < 0)
        return NULL;
    return json_loadb(out.text ? out.text : "", out.length, 0, NULL);
}

/* 200, 401, 403, or 500 when the API server does not answer. */
static unsigned decide(struct metrics_access *access, const char *token, const char *path)
{
    json_t *review = ask(access, "authentication.k8s.io", "tokenreviews",
                         json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "authentication.k8s.io/v1",
                                   "kind", "TokenReview", "spec", "token", token));
    const json_t *user = json_at(review, "status", "user", NULL);
    unsigned status = !review                                                          ? 500
                      : json_is_true(json_at(review, "status", "authenticated", NULL)) ? 200
                                                                                       : 401;
    json_t *answer = NULL;

    if (status == 200) {
        json_t *groups = json_object_get(user, "groups");

        answer = ask(access, "authorization.k8s.io", "subjectaccessreviews",
                     json_pack("{s:s, s:s, s:{s:s, s:o, s:{s:s, s:s}}}", "apiVersion",
                               "authorization.k8s.io/v1", "kind", "SubjectAccessReview", "spec",
                               "user", json_string_at(user, "username"), "groups",
                               groups ? json_deep_copy(groups) : json_array(),
                               "nonResourceAttributes", "path", path, "verb", "get"));
        status = !answer                                                    ? 500
                 : json_is_true(json_at(answer, "status", "allowed", NULL)) ? 200
                                                                            : 403;
    }
    json_decref(answer);
    json_decref(review);
    return status;
}

static void digest_of(const char *token, const char *path,
                      unsigned char digest[SHA256_DIGEST_LENGTH])
{
    AUTO_FREE char *text = mem_format("%s\n%s", path, token);

    SHA256((const unsigned char *)text, strlen(text), digest);
}

static unsigned lookup(struct metrics_access *access, const char *token, const char *path)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct known *known;
    unsigned status;

    digest_of(token, path, digest);
    for (unsigned i = 0; i < KNOWN_TOKENS; i++)
        if (access->known[i].until_ms > kube_now_ms() &&
            memcmp(access->known[i].digest, digest, sizeof(digest)) == 0)
            return access->known[i].status;
    status = decide(access, token, path);
    if (status == 500)
        return status;
    known = &access->known[access->next++ % KNOWN_TOKENS];
    memcpy(known->digest, digest, sizeof(digest));
    known->until_ms = kube_now_ms() + KEEP_MS;
    known->status = status;
    return status;
}

bool metrics_access_allowed(struct metrics_access *access, const struct request *request,
                            const char *path, struct response *response)
{
    static const char scheme[] = "Bearer ";
    const char *header = request_header(request, "Authorization");
    unsigned status = 401;

    if (header && strncmp(header, scheme, sizeof(scheme) - 1) == 0)
        status = lookup(access, header + sizeof(scheme) - 1, path);
    if (status == 200)
        return true;
    response_text(response, status,
                  status == 401   ? "a bearer token that the API server accepts is needed for %s"
                  : status == 403 ? "this user may not get %s"
                                  : "the API server did not answer the access review of %s",
                  path);
    return false;
}
