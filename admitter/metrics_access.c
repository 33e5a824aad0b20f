#include "admitter/metrics_access.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "admitter/objects/json_read.h"
#include "admitter/kube/client.h"
#include "admitter/kube/path.h"
#include "quota/base/mem.h"

#define KNOWN_MAX 64
#define KEEP_USER_MS 60000
#define KEEP_ALLOWED_MS 300000
#define KEEP_DENIED_MS 30000
#define ASK_AT_MOST_MS 10000
#define ASK_TRIES 5
#define ASK_AGAIN_MS 500 /* times one and a half each time */

/* One answer of the API server. */
struct known {
    unsigned char digest[SHA256_DIGEST_LENGTH]; /* of what was asked */
    int64_t until_ms;
    bool yes;
    json_t *user; /* of a token that was accepted */
};

struct metrics_access {
    const struct kube_config *config;
    struct kube_client *client;
    struct known tokens[KNOWN_MAX], paths[KNOWN_MAX];
    unsigned next_token, next_path;
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
    for (size_t i = 0; i < KNOWN_MAX; i++)
        json_decref(access->tokens[i].user);
    kube_client_destroy(access->client);
    free(access);
}

/* ---- asking ---- */

static bool may_pass_later(const struct err *e)
{
    return e->code == ERR_IO || e->code == ERR_BUSY;
}

static void sleep_ms(int64_t ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static int ask_once(struct metrics_access *access, const char *path, const char *body,
                    int64_t timeout_ms, struct strbuf *out, struct err *e)
{
    struct kube_request request = { .class = KUBE_CLASS_READ,
                                    .method = "POST",
                                    .path = path,
                                    .content_type = "application/json",
                                    .body = str_of(body),
                                    .timeout_ms = (unsigned)timeout_ms };

    if (!access->client)
        access->client = kube_client_create(access->config, &(struct kube_client_options){ 0 }, e);
    return access->client ? kube_request_wait(access->client, &request, out, NULL, e) : -1;
}

/* The review with its status filled in, NULL: no answer. 'review' is stolen. */
static json_t *ask(struct metrics_access *access, const char *group, const char *plural,
                   json_t *review)
{
    struct kube_resource resource = { group, "v1", plural };
    AUTO_FREE char *path = kube_path(&resource, NULL, NULL, NULL);
    AUTO_FREE char *text = json_dumps(review, JSON_COMPACT);
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    int64_t end = kube_now_ms() + ASK_AT_MOST_MS, pause = ASK_AGAIN_MS;
    struct err e = { 0 };

    json_decref(review);
    for (int i = 0; i < ASK_TRIES && kube_now_ms() < end; i++) {
        strbuf_reset(&out);
        err_clear(&e);
        if (ask_once(access, path, text, end - kube_now_ms(), &out, &e) == 0)
            return json_loadb(out.text ? out.text : "", out.length, 0, NULL);
        if (!may_pass_later(&e) || kube_now_ms() + pause >= end)
            break;
        sleep_ms(pause);
        pause += pause / 2;
    }
    return NULL;
}

/* ---- what is known ---- */

static void digest_of(const char *token, const char *path,
                      unsigned char digest[SHA256_DIGEST_LENGTH])
{
    AUTO_FREE char *text = mem_format("%s\n%s", path, token);

    SHA256((const unsigned char *)text, strlen(text), digest);
}

static const struct known *find(const struct known *list, const unsigned char *digest)
{
    for (unsigned i = 0; i < KNOWN_MAX; i++)
        if (list[i].until_ms > kube_now_ms() &&
            memcmp(list[i].digest, digest, SHA256_DIGEST_LENGTH) == 0)
            return &list[i];
    return NULL;
}

static struct known *keep(struct known *list, unsigned *next, const unsigned char *digest, bool yes,
                          int64_t ms)
{
    struct known *known = &list[(*next)++ % KNOWN_MAX];

    json_decref(known->user);
    *known = (struct known){ .until_ms = kube_now_ms() + ms, .yes = yes };
    memcpy(known->digest, digest, SHA256_DIGEST_LENGTH);
    return known;
}

/* Whose token is it? NULL: nobody can say. */
static const struct known *authenticate(struct metrics_access *access, const char *token)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const struct known *known;
    struct known *fresh;
    json_t *review;

    digest_of(token, "", digest);
    known = find(access->tokens, digest);
    if (known)
        return known;
    review = ask(access, "authentication.k8s.io", "tokenreviews",
                 json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "authentication.k8s.io/v1", "kind",
                           "TokenReview", "spec", "token", token));
    if (!review)
        return NULL;
    fresh = keep(access->tokens, &access->next_token, digest,
                 json_is_true(json_at(review, "status", "authenticated", NULL)), KEEP_USER_MS);
    fresh->user = json_incref(json_at(review, "status", "user", NULL));
    json_decref(review);
    return fresh;
}

static json_t *access_review(const json_t *user, const char *path)
{
    json_t *review =
        json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s}}}", "apiVersion", "authorization.k8s.io/v1",
                  "kind", "SubjectAccessReview", "spec", "user", json_string_at(user, "username"),
                  "nonResourceAttributes", "path", path, "verb", "get");
    static const char *const copied[] = { "groups", "uid", "extra" };

    for (size_t i = 0; i < ARRAY_COUNT(copied); i++)
        if (json_object_get(user, copied[i]))
            json_object_set_new(json_object_get(review, "spec"), copied[i],
                                json_deep_copy(json_object_get(user, copied[i])));
    return review;
}

/* May this user get the path? NULL: nobody can say. */
static const struct known *authorize(struct metrics_access *access, const char *token,
                                     const json_t *user, const char *path)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const struct known *known;
    json_t *review;
    bool allowed;

    digest_of(token, path, digest);
    known = find(access->paths, digest);
    if (known)
        return known;
    review = ask(access, "authorization.k8s.io", "subjectaccessreviews", access_review(user, path));
    if (!review)
        return NULL;
    allowed = json_is_true(json_at(review, "status", "allowed", NULL));
    json_decref(review);
    return keep(access->paths, &access->next_path, digest, allowed,
                allowed ? KEEP_ALLOWED_MS : KEEP_DENIED_MS);
}

/* ---- the answer ---- */

static const char *bearer_token(const struct request *request)
{
    static const char scheme[] = "bearer ";
    const char *header = request_header(request, "Authorization");

    if (!header || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    header += sizeof(scheme) - 1;
    while (*header == ' ')
        header++;
    return *header ? header : NULL;
}

bool metrics_access_allowed(struct metrics_access *access, const struct request *request,
                            const char *path, struct response *response)
{
    const char *token = bearer_token(request), *name;
    const struct known *user, *verdict;

    if (!token) {
        response_text(response, 401, "Unauthorized");
        return false;
    }
    user = authenticate(access, token);
    if (!user || !user->yes) {
        response_text(response, 500, "Authentication failed");
        return false;
    }
    name = json_string_at(user->user, "username");
    verdict = authorize(access, token, user->user, path);
    if (!verdict)
        response_text(response, 500, "Authorization for user %s failed", name);
    else if (!verdict->yes)
        response_text(response, 403, "Authorization denied for user %s", name);
    return verdict && verdict->yes;
}
