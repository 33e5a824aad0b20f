#include "webhook/review.h"

#include <string.h>

#include "quota/base/json.h"
#include "quota/base/mem.h"

static const char *const operation_names[] = { "CREATE", "UPDATE", "DELETE", "CONNECT" };

/* -- reading -- */

static const char *text_or_empty(struct json_reader *r, struct arena *arena)
{
    const char *text = json_text(r, arena);

    return text ? text : "";
}

/* {"group", "version", <last>}: a kind or a resource, which have the same shape. */
static struct review_kind read_triple(struct json_reader *r, const char *last, struct arena *arena)
{
    struct review_kind triple = { "", "", "" };
    struct str key;

    if (!json_enter_object(r))
        return triple;
    while (json_member(r, &key)) {
        if (str_is(key, "group"))
            triple.group = text_or_empty(r, arena);
        else if (str_is(key, "version"))
            triple.version = text_or_empty(r, arena);
        else if (str_is(key, last))
            triple.kind = text_or_empty(r, arena);
        else
            json_skip(r);
    }
    return triple;
}

static struct review_resource read_resource(struct json_reader *r, struct arena *arena)
{
    struct review_kind triple = read_triple(r, "resource", arena);

    return (struct review_resource){ triple.group, triple.version, triple.kind };
}

static void read_groups(struct json_reader *r, struct review *review, struct arena *arena)
{
    const char **groups = NULL;
    size_t count = 0, capacity = 0;

    if (!json_enter_array(r))
        return;
    while (json_item(r)) {
        groups = mem_grow(groups, count, &capacity, sizeof(*groups));
        groups[count++] = text_or_empty(r, arena);
    }
    if (count) {
        const char **kept = ARENA_ARRAY(arena, count, const char *);

        memcpy(kept, groups, count * sizeof(*groups));
        review->groups = kept;
        review->group_count = count;
    }
    free(groups);
}

static void read_user(struct json_reader *r, struct review *review, struct arena *arena)
{
    struct str key;

    if (!json_enter_object(r))
        return;
    while (json_member(r, &key)) {
        if (str_is(key, "username"))
            review->user_name = text_or_empty(r, arena);
        else if (str_is(key, "uid"))
            review->user_uid = text_or_empty(r, arena);
        else if (str_is(key, "groups") && !review->groups)
            read_groups(r, review, arena);
        else
            json_skip(r);
    }
}

/* The bytes of a value; null counts as absent. */
static struct str read_raw(struct json_reader *r)
{
    bool absent = json_peek(r) == JSON_KIND_NULL;
    struct str raw = json_raw(r);

    return absent ? (struct str){ NULL, 0 } : raw;
}

/* Members of "request" that we read; the order is that of 'request_members'. */
enum request_member {
    MEMBER_UID,
    MEMBER_KIND,
    MEMBER_RESOURCE,
    MEMBER_SUB_RESOURCE,
    MEMBER_REQUEST_KIND,
    MEMBER_REQUEST_RESOURCE,
    MEMBER_REQUEST_SUB_RESOURCE,
    MEMBER_NAME,
    MEMBER_NAMESPACE,
    MEMBER_OPERATION,
    MEMBER_USER_INFO,
    MEMBER_OBJECT,
    MEMBER_OLD_OBJECT,
    MEMBER_DRY_RUN,
    MEMBER_OPTIONS,
    MEMBER_COUNT,
};
static const char *const request_members[MEMBER_COUNT] = {
    "uid",
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "object",
    "oldObject",
    "dryRun",
    "options",
};

static enum request_member member_find(struct str key)
{
    unsigned i = 0;

    while (i < MEMBER_COUNT && !str_is(key, request_members[i]))
        i++;
    return i;
}

/* What was seen while reading, for the checks afterwards. */
struct review_seen {
    unsigned members;         /* bits of enum request_member */
    const char *twice;        /* name of a repeated member */
    const char *operation;    /* as written */
    bool request, requests;   /* "request" was there; more than once */
    char *kind, *api_version; /* of the envelope */
};

static void read_member(struct json_reader *r, enum request_member member, struct review *review,
                        struct review_seen *seen, struct arena *arena)
{
    switch (member) {
    case MEMBER_UID:
        review->uid = text_or_empty(r, arena);
        break;
    case MEMBER_KIND:
        review->kind = read_triple(r, "kind", arena);
        break;
    case MEMBER_RESOURCE:
        review->resource = read_resource(r, arena);
        break;
    case MEMBER_SUB_RESOURCE:
        review->sub_resource = text_or_empty(r, arena);
        break;
    case MEMBER_REQUEST_KIND:
        review->request_kind = read_triple(r, "kind", arena);
        break;
    case MEMBER_REQUEST_RESOURCE:
        review->request_resource = read_resource(r, arena);
        break;
    case MEMBER_REQUEST_SUB_RESOURCE:
        review->request_sub_resource = text_or_empty(r, arena);
        break;
    case MEMBER_NAME:
        review->name = text_or_empty(r, arena);
        break;
    case MEMBER_NAMESPACE:
        review->namespace_name = text_or_empty(r, arena);
        break;
    case MEMBER_OPERATION:
        seen->operation = text_or_empty(r, arena);
        break;
    case MEMBER_USER_INFO:
        read_user(r, review, arena);
        break;
    case MEMBER_OBJECT:
        review->object = read_raw(r);
        break;
    case MEMBER_OLD_OBJECT:
        review->old_object = read_raw(r);
        break;
    case MEMBER_DRY_RUN:
        review->dry_run = json_bool(r, false);
        break;
    case MEMBER_OPTIONS:
        review->options = read_raw(r);
        break;
    case MEMBER_COUNT:
        json_skip(r);
        break;
    }
}

static void read_request(struct json_reader *r, struct review *review, struct review_seen *seen,
                         struct arena *arena)
{
    struct str key;

    if (!json_enter_object(r))
        return;
    while (json_member(r, &key)) {
        enum request_member member = member_find(key);

        if (member != MEMBER_COUNT && seen->members & 1u << member)
            seen->twice = request_members[member];
        seen->members |= member != MEMBER_COUNT ? 1u << member : 0;
        read_member(r, member, review, seen, arena);
    }
}

static void read_envelope(struct json_reader *r, struct review *review, struct review_seen *seen,
                          struct arena *arena)
{
    struct str key;

    if (!json_enter_object(r))
        return;
    while (json_member(r, &key)) {
        if (str_is(key, "apiVersion")) {
            seen->api_version = json_text(r, arena);
        } else if (str_is(key, "kind")) {
            seen->kind = json_text(r, arena);
        } else if (str_is(key, "request")) {
            seen->requests = seen->request;
            seen->request = json_peek(r) == JSON_KIND_OBJECT;
            read_request(r, review, seen, arena);
        } else {
            json_skip(r);
        }
    }
}

/* -- checking -- */

static int check_envelope(const struct review_seen *seen, struct err *e)
{
    if (!seen->kind || strcmp(seen->kind, "AdmissionReview") != 0)
        return err_set(e, ERR_INVALID, "review: kind is \"%s\", expected \"AdmissionReview\"",
                       seen->kind ? seen->kind : "");
    if (!seen->api_version || strcmp(seen->api_version, "admission.k8s.io/v1") != 0)
        return err_set(e, ERR_INVALID,
                       "review: apiVersion is \"%s\", expected \"admission.k8s.io/v1\"",
                       seen->api_version ? seen->api_version : "");
    if (!seen->request)
        return err_set(e, ERR_INVALID, "review: request is missing or not an object");
    if (seen->requests)
        return err_set(e, ERR_INVALID, "review: request is there twice");
    if (seen->twice)
        return err_set(e, ERR_INVALID, "review: request.%s is there twice", seen->twice);
    return 0;
}

static int check_operation(const char *name, enum review_operation *operation, struct err *e)
{
    for (unsigned i = 0; i < ARRAY_COUNT(operation_names); i++) {
        if (strcmp(name, operation_names[i]) == 0) {
            *operation = i;
            return 0;
        }
    }
    return err_set(
        e, ERR_INVALID,
        "review: request.operation is \"%s\", expected CREATE, UPDATE, DELETE or CONNECT", name);
}

/* A raw piece that handlers rely on is an object or absent. */
static int check_object(struct str raw, const char *name, struct err *e)
{
    if (raw.length && raw.text[0] != '{')
        return err_set(e, ERR_INVALID, "review: request.%s is not an object", name);
    return 0;
}

static int check_request(struct review *review, const struct review_seen *seen, struct err *e)
{
    if (!*review->uid)
        return err_set(e, ERR_INVALID, "review: request.uid is missing or not a string");
    if (!*review->kind.kind)
        return err_set(e, ERR_INVALID, "review: request.kind.kind is missing");
    if (!*review->resource.resource)
        return err_set(e, ERR_INVALID, "review: request.resource.resource is missing");
    if (check_operation(seen->operation, &review->operation, e) < 0 ||
        check_object(review->object, "object", e) < 0 ||
        check_object(review->old_object, "oldObject", e) < 0 ||
        check_object(review->options, "options", e) < 0)
        return -1;
    if (review->operation <= REVIEW_UPDATE && !review->object.length)
        return err_set(e, ERR_INVALID, "review: request.object is missing");
    if (review->operation == REVIEW_UPDATE && !review->old_object.length)
        return err_set(e, ERR_INVALID, "review: request.oldObject is missing");
    return 0;
}

/* What the user's request said about itself equals the rest unless it was converted on the way. */
static void default_request_forms(struct review *review, const struct review_seen *seen)
{
    if (!(seen->members & 1u << MEMBER_REQUEST_KIND) || !*review->request_kind.kind)
        review->request_kind = review->kind;
    if (!(seen->members & 1u << MEMBER_REQUEST_RESOURCE) || !*review->request_resource.resource)
        review->request_resource = review->resource;
    if (!(seen->members & 1u << MEMBER_REQUEST_SUB_RESOURCE))
        review->request_sub_resource = review->sub_resource;
}

int review_parse(struct str body, struct review *review, struct arena *arena, struct err *e)
{
    struct review_seen seen = { .operation = "" };
    struct json_reader r;

    *review = (struct review){
        .uid = "",
        .kind = { "", "", "" },
        .resource = { "", "", "" },
        .sub_resource = "",
        .request_sub_resource = "",
        .name = "",
        .namespace_name = "",
        .user_name = "",
        .user_uid = "",
        .deadline = INT64_MAX,
    };
    json_open(&r, body);
    read_envelope(&r, review, &seen, arena);
    json_end(&r);
    if (json_failed(&r, e))
        return err_wrap(e, "review");
    if (check_envelope(&seen, e) < 0 || check_request(review, &seen, e) < 0)
        return -1;
    default_request_forms(review, &seen);
    return 0;
}
