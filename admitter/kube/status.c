#include "admitter/kube/status.h"

#include <stdio.h>
#include "quota/base/json.h"

static void text_copy(struct json_reader *r, struct arena *a, char *out, size_t size)
{
    const char *text = json_text(r, a);

    snprintf(out, size, "%s", text ? text : "");
}

static void details_read(struct json_reader *r, struct kube_status *status)
{
    struct str key;

    if (!json_enter_object(r))
        return;
    while (json_member(r, &key)) {
        if (str_is(key, "retryAfterSeconds"))
            status->retry_after_seconds = json_int(r, -1);
        else
            json_skip(r);
    }
}

static bool member_read(struct json_reader *r, struct str key, struct arena *a,
                        struct kube_status *status)
{
    if (str_is(key, "kind"))
        return json_text_is(r, "Status");
    if (str_is(key, "code"))
        status->code = (int)json_int(r, 0);
    else if (str_is(key, "reason"))
        text_copy(r, a, status->reason, sizeof(status->reason));
    else if (str_is(key, "message"))
        text_copy(r, a, status->message, sizeof(status->message));
    else if (str_is(key, "details"))
        details_read(r, status);
    else
        json_skip(r);
    return false;
}

bool kube_status_parse(struct str body, struct kube_status *status)
{
    AUTO_ARENA struct arena a = ARENA_INIT;
    struct json_reader r;
    struct str key;
    bool is_status = false;

    *status = (struct kube_status){ .retry_after_seconds = -1 };
    json_open(&r, body);
    if (json_peek(&r) != JSON_KIND_OBJECT || !json_enter_object(&r))
        return false;
    while (json_member(&r, &key))
        if (member_read(&r, key, &a, status))
            is_status = true;
    return is_status && json_end(&r);
}

static bool is_expired(const char *reason)
{
    return !strcmp(reason, "Expired") || !strcmp(reason, "Gone") ||
           !strcmp(reason, "ResourceExpired");
}

static enum err_code code_of(unsigned http_status, const char *reason)
{
    if (http_status == 410 || is_expired(reason))
        return ERR_GONE;
    switch (http_status) {
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return !strcmp(reason, "AlreadyExists") ? ERR_EXISTS : ERR_CONFLICT;
    case 401:
    case 403:
        return ERR_FORBIDDEN;
    case 429:
    case 503:
    case 504:
        return ERR_BUSY;
    default:
        return http_status >= 400 && http_status < 500 ? ERR_INVALID : ERR_IO;
    }
}

enum err_code kube_status_error(unsigned http_status, struct str body, const char *method,
                                const char *path, char *reason, int64_t *retry_after_seconds,
                                struct err *e)
{
    struct kube_status status;
    enum err_code code;

    if (!kube_status_parse(body, &status)) {
        struct str line, rest;

        (void)str_cut(str_trim(body), '\n', &line, &rest);
        snprintf(status.message, sizeof(status.message), "%.*s",
                 (int)(line.length < 200 ? line.length : 200), line.text ? line.text : "");
    }
    code = code_of(http_status, status.reason);
    /* A version from the future: the store behind the server was set back. */
    if (strstr(status.message, "Too large resource version"))
        code = ERR_GONE;
    err_set(e, code, "%s %s: %s (%u)", method, path,
            status.message[0] ? status.message : "no message", http_status);
    if (reason)
        memcpy(reason, status.reason, sizeof(status.reason));
    if (retry_after_seconds)
        *retry_after_seconds = status.retry_after_seconds;
    return code;
}
