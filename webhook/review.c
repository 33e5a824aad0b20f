#include "webhook/review.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "quota/base/base64.h"
#include "quota/base/mem.h"
#include "webhook/patch.h"

#define WARNING_BYTES_MAX 256
#define WARNINGS_BYTES_MAX 4096

/* -- answering -- */

static void answer_deny(struct review_answer *answer, struct arena *arena, unsigned code,
                        const char *reason, struct str message)
{
    answer->allowed = false;
    answer->code = code;
    answer->reason = reason;
    answer->message = arena_dup(arena, message);
}

static void format_list(struct strbuf *out, const char *fmt, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void format_list(struct strbuf *out, const char *fmt, va_list arguments)
{
    AUTO_FREE char *text = NULL;

    if (vasprintf(&text, fmt, arguments) >= 0)
        strbuf_puts(out, text);
    else
        text = NULL;
}

void review_deny(struct review_answer *answer, struct arena *arena, const char *fmt, ...)
{
    AUTO_STRBUF struct strbuf message = STRBUF_INIT;
    va_list arguments;

    va_start(arguments, fmt);
    format_list(&message, fmt, arguments);
    va_end(arguments);
    answer_deny(answer, arena, 403, "Forbidden", strbuf_view(&message));
}

/* Room for one more item in an arena array. */
static void *list_grow(struct arena *arena, void *items, size_t count, size_t *capacity,
                       size_t size)
{
    void *larger;

    if (count < *capacity)
        return items;
    *capacity = count ? 2 * count : 4;
    larger = arena_array(arena, *capacity, size);
    if (count)
        memcpy(larger, items, count * size);
    return larger;
}

void review_cause(struct review_answer *answer, struct arena *arena, const char *type,
                  const char *field, const char *message)
{
    answer->causes = list_grow(arena, answer->causes, answer->cause_count, &answer->cause_capacity,
                               sizeof(*answer->causes));
    answer->causes[answer->cause_count++] =
        (struct review_cause){ arena_strdup(arena, type), arena_strdup(arena, field),
                               arena_strdup(arena, message) };
}

void review_warn(struct review_answer *answer, struct arena *arena, const char *fmt, ...)
{
    AUTO_STRBUF struct strbuf message = STRBUF_INIT;
    struct str text;
    va_list arguments;

    va_start(arguments, fmt);
    format_list(&message, fmt, arguments);
    va_end(arguments);
    text = str_prefix(strbuf_view(&message), WARNING_BYTES_MAX);
    text = str_prefix(text, WARNINGS_BYTES_MAX - answer->warning_bytes);
    if (!text.length)
        return;
    answer->warning_bytes += text.length;
    answer->warnings = list_grow(arena, answer->warnings, answer->warning_count,
                                 &answer->warning_capacity, sizeof(*answer->warnings));
    answer->warnings[answer->warning_count++] = arena_dup(arena, text);
}

void review_patch(struct review_answer *answer, struct str patch)
{
    answer->patch = str_is(patch, "[]") ? (struct str){ NULL, 0 } : patch;
}

static void render_text(struct strbuf *out, const char *before, const char *text)
{
    strbuf_puts(out, before);
    strbuf_json(out, str_of(text));
}

static void render_causes(const struct review *review, const struct review_answer *answer,
                          struct strbuf *out)
{
    render_text(out, ",\"details\":{\"name\":", review->name);
    render_text(out, ",\"group\":", review->kind.group);
    render_text(out, ",\"kind\":", review->kind.kind);
    strbuf_puts(out, ",\"causes\":[");
    for (size_t i = 0; i < answer->cause_count; i++) {
        const struct review_cause *cause = &answer->causes[i];

        render_text(out, i ? ",{\"reason\":" : "{\"reason\":", cause->type);
        render_text(out, ",\"message\":", cause->message);
        if (cause->field)
            render_text(out, ",\"field\":", cause->field);
        strbuf_putc(out, '}');
    }
    strbuf_puts(out, "]}");
}

static void render_status(const struct review *review, const struct review_answer *answer,
                          struct strbuf *out)
{
    strbuf_printf(out, ",\"status\":{\"metadata\":{},\"status\":\"Failure\",\"code\":%u",
                  answer->code);
    render_text(out, ",\"reason\":", answer->reason);
    render_text(out, ",\"message\":", answer->message);
    if (answer->cause_count)
        render_causes(review, answer, out);
    strbuf_putc(out, '}');
}

static void render_patch(struct str patch, struct strbuf *out)
{
    strbuf_puts(out, ",\"patchType\":\"JSONPatch\",\"patch\":\"");
    base64_encode(patch, out);
    strbuf_putc(out, '"');
}

void review_render(const struct review *review, const struct review_answer *answer,
                   struct strbuf *out)
{
    strbuf_puts(out, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"");
    render_text(out, ",\"response\":{\"uid\":", review->uid);
    strbuf_puts(out, answer->allowed ? ",\"allowed\":true" : ",\"allowed\":false");
    if (!answer->allowed)
        render_status(review, answer, out);
    else if (answer->patch.length)
        render_patch(answer->patch, out);
    for (size_t i = 0; i < answer->warning_count; i++)
        render_text(out, i ? "," : ",\"warnings\":[", answer->warnings[i]);
    strbuf_puts(out, answer->warning_count ? "]}}" : "}}");
}

/* -- the route -- */

struct review_route {
    review_function *function;
    void *context;
};

/* Codes and reasons as apimachinery pairs them. */
static void answer_error(struct review_answer *answer, struct arena *arena, const struct err *e)
{
    static const struct {
        enum err_code error;
        unsigned code;
        const char *reason;
    } codes[] = {
        { ERR_INVALID, 400, "BadRequest" },      { ERR_FORBIDDEN, 403, "Forbidden" },
        { ERR_NOT_FOUND, 404, "NotFound" },      { ERR_CONFLICT, 409, "Conflict" },
        { ERR_EXISTS, 409, "AlreadyExists" },    { ERR_GONE, 410, "Gone" },
        { ERR_BUSY, 503, "ServiceUnavailable" },
    };

    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        if (codes[i].error == e->code) {
            answer_deny(answer, arena, codes[i].code, codes[i].reason, str_of(e->text));
            return;
        }
    }
    answer_deny(answer, arena, 500, "InternalError", str_of(e->text));
}

static void review_serve(void *context, const struct request *request, struct response *response,
                         struct arena *arena)
{
    const struct review_route *route = context;
    struct review_answer answer = { .allowed = true };
    struct review review;
    struct err e = { 0 };

    if (review_parse(request->body, &review, arena, &e) < 0) {
        response_text(response, 400, "%s", e.text);
        return;
    }
    review.deadline = request->deadline;
    if (route->function(route->context, &review, &answer, arena, &e) < 0)
        answer_error(&answer, arena, &e);
    review_render(&review, &answer, &response->body);
}

int review_route_add(struct route_table *table, const char *path, review_function *function,
                     void *context, struct err *e)
{
    struct review_route *route = route_table_alloc(table, sizeof(*route));

    route->function = function;
    route->context = context;
    return route_add(table, ROUTE_POST, path, review_serve, route, e);
}

int review_allow(void *context, const struct review *review, struct review_answer *answer,
                 struct arena *arena, struct err *e)
{
    (void)context, (void)review, (void)arena, (void)e;
    answer->allowed = true;
    return 0;
}
