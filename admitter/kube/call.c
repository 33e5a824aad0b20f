#include "admitter/kube/kube_private.h"

#include <stdio.h>
#include <stdlib.h>
#include "admitter/kube/status.h"
#include "quota/base/json.h"
#include "quota/base/mem.h"

#define PROBLEM_BODY_LIMIT (1u << 20) /* of answers that are not 2xx */

static const int64_t default_timeouts[KUBE_CLASSES] = { 0, 60000, 15000 };

/* ---- lists ---- */

static void list_add(struct call_list *list, struct kube_call *call, bool in_front)
{
    call->previous = in_front ? NULL : list->last;
    call->next = in_front ? list->first : NULL;
    *(call->previous ? &call->previous->next : &list->first) = call;
    *(call->next ? &call->next->previous : &list->last) = call;
    list->count++;
}

static void list_remove(struct call_list *list, struct kube_call *call)
{
    *(call->previous ? &call->previous->next : &list->first) = call->next;
    *(call->next ? &call->next->previous : &list->last) = call->previous;
    call->previous = call->next = NULL;
    list->count--;
}

static struct call_list *list_of(const struct kube_call *call)
{
    return &(call->state == CALL_WAITING ? call->client->waiting
                                         : call->client->running)[call->class];
}

/* ---- making and freeing ---- */

static char *copy_or_null(const char *text)
{
    return text ? mem_dup(text) : NULL;
}

static void silence_check(void *context);

struct kube_call *kube_request_start(struct kube_client *client, const struct kube_request *request)
{
    struct kube_call *call = mem_alloc(sizeof(*call));

    call->client = client;
    call->class = request->class;
    call->method = mem_dup(request->method);
    call->path = mem_dup(request->path);
    call->url = mem_format(request->query ? "%s%s?%s" : "%s%s%s", client->base_url, request->path,
                           request->query ? request->query : "");
    call->content_type = copy_or_null(request->content_type);
    call->accept = copy_or_null(request->accept);
    if (request->body.length) {
        call->body = mem_dup_n(request->body.text, request->body.length);
        call->body_length = request->body.length;
    }
    call->timeout_ms = request->timeout_ms ? request->timeout_ms : default_timeouts[request->class];
    call->silence_ms = request->silence_ms;
    call->data = request->data;
    call->done = request->done;
    call->context = request->context;
    kube_timer_init(&call->silence, silence_check, call);
    list_add(&client->waiting[call->class], call, false);
    return call;
}

/* Give the easy handle back for the next call. */
static void easy_release(struct kube_call *call)
{
    struct kube_client *client = call->client;

    if (!call->easy)
        return;
    curl_multi_remove_handle(client->multi, call->easy);
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    if (client->spare_count < ARRAY_COUNT(client->spare)) {
        curl_easy_reset(call->easy);
        client->spare[client->spare_count++] = call->easy;
    } else {
        curl_easy_cleanup(call->easy);
    }
    call->easy = NULL;
}

static void call_unlink(struct kube_call *call)
{
    kube_timer_cancel(call->client, &call->silence);
    list_remove(list_of(call), call);
    easy_release(call);
}

static void call_free(struct kube_call *call)
{
    strbuf_finish(&call->answer);
    free(call->method);
    free(call->path);
    free(call->url);
    free(call->content_type);
    free(call->accept);
    free(call->body);
    free(call);
}

void kube_request_cancel(struct kube_call *call)
{
    if (call->client->performing) {
        call->cancelled = true;
        call->client->sweep = true;
        return;
    }
    call_unlink(call);
    call_free(call);
}

/* Those that were cancelled, or all. */
static void sweep_list(struct call_list *list, bool all)
{
    struct kube_call *next;

    for (struct kube_call *call = list->first; call; call = next) {
        next = call->next;
        if (all || call->cancelled) {
            call_unlink(call);
            call_free(call);
        }
    }
}

static void sweep(struct kube_client *client)
{
    if (!client->sweep)
        return;
    client->sweep = false;
    for (unsigned i = 0; i < KUBE_CLASSES; i++) {
        sweep_list(&client->waiting[i], false);
        sweep_list(&client->running[i], false);
    }
}

void calls_drop(struct kube_client *client)
{
    for (unsigned i = 0; i < KUBE_CLASSES; i++) {
        sweep_list(&client->waiting[i], true);
        sweep_list(&client->running[i], true);
    }
}

/* ---- ending ---- */

static void finish(struct kube_call *call, struct kube_result *result)
{
    struct kube_client *client = call->client;

    call_unlink(call);
    client->tally.status[result->status / 100 < 6 ? result->status / 100 : 0]++;
    if (result->error.code != ERR_NONE)
        client->tally.failures++;
    if (result->retry_after_ms >= 0)
        client->tally.retries_after++;
    if (client->options.observe)
        client->options.observe(client->options.observe_context, call->method, result->status);
    if (call->done)
        call->done(call->context, result);
    call_free(call);
}

/* A call that never got an answer. */
static void finish_failed(struct kube_call *call, enum err_code code, const char *text,
                          bool outcome_unknown)
{
    struct kube_result result = { .retry_after_ms = -1, .outcome_unknown = outcome_unknown };

    err_set(&result.error, code, "%s %s: %s", call->method, call->path, text);
    finish(call, &result);
}

/* Nothing arrived for too long: half-open connections look like this. */
static void silence_check(void *context)
{
    struct kube_call *call = context;
    int64_t left = call->heard_at_ms + call->silence_ms - kube_now_ms();

    if (left > 0)
        kube_timer_set(call->client, &call->silence, left);
    else
        finish_failed(call, ERR_BUSY, "the server fell silent", true);
}

/* Did any of the request leave us? Then the server may have acted on it. */
static bool was_sent(const struct kube_call *call)
{
    long bytes = 0;

    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0;
}

/* A 2xx answer must be whole: JSON that ends where the body ends. */
static bool is_whole(const struct kube_call *call)
{
    const char *type = NULL;
    struct json_scanner scanner;
    bool done = false;

    curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
    if (call->data || !type || strncmp(type, "application/json", 16) != 0)
        return true;
    json_scanner_init(&scanner);
    (void)json_scan(&scanner, strbuf_view(&call->answer), &done);
    return done;
}

static void result_fill(struct kube_call *call, struct kube_result *result)
{
    int64_t retry_seconds = -1;
    curl_off_t retry_after = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
    result->body = strbuf_view(&call->answer);
    if (result->status < 200 || result->status >= 300)
        kube_status_error(result->status, result->body, call->method, call->path, result->reason,
                          &retry_seconds, &result->error);
    if (retry_after > 0)
        retry_seconds = retry_after;
    if (retry_seconds >= 0)
        result->retry_after_ms = (retry_seconds < 3600 ? retry_seconds : 3600) * 1000;
}

static void tally(struct kube_call *call)
{
    struct client_tally *t = &call->client->tally;
    curl_off_t bytes = 0;
    long connections = 0;

    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connections);
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    t->connections += (uint64_t)connections;
    t->bytes_in += (uint64_t)bytes;
}

/* Back to the front of its queue, to be sent with new credentials. */
static void send_again(struct kube_call *call)
{
    call_unlink(call);
    strbuf_reset(&call->answer);
    call->status = 0;
    call->tried_again = true;
    call->state = CALL_WAITING;
    list_add(&call->client->waiting[call->class], call, true);
}

static void finish_answered(struct kube_call *call, unsigned status)
{
    struct kube_result result = { .status = status,
                                  .retry_after_ms = -1,
                                  .latency_ns = kube_now_ns() - call->sent_at_ns };

    if (status == 401 && !call->tried_again &&
        credentials_refused(call->client, call->generation)) {
        send_again(call);
        return;
    }
    result_fill(call, &result);
    if (result.error.code == ERR_NONE && !is_whole(call)) {
        result.outcome_unknown = true;
        err_set(&result.error, ERR_IO, "%s %s: the answer is cut short", call->method, call->path);
    }
    finish(call, &result);
}

static void call_ended(struct kube_call *call, CURLcode code)
{
    long status = 0;

    tally(call);
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (call->given_up)
        finish_failed(call, ERR_IO, "given up by the reader", true);
    else if (call->too_big)
        finish_failed(call, ERR_INVALID, "the answer is too big", true);
    else if (code == CURLE_OK && status >= 200)
        finish_answered(call, (unsigned)status);
    else
        finish_failed(call, code == CURLE_OPERATION_TIMEDOUT ? ERR_BUSY : ERR_IO,
                      call->problem[0] ? call->problem : curl_easy_strerror(code), was_sent(call));
}

void calls_collect(struct kube_client *client)
{
    CURLMsg *message;
    int left;

    sweep(client);
    while ((message = curl_multi_info_read(client->multi, &left))) {
        char *call = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        call_ended((struct kube_call *)(void *)call, message->data.result);
    }
}

/* ---- starting ---- */

static size_t collect(struct kube_call *call, const char *bytes, size_t length)
{
    bool well = call->status >= 200 && call->status < 300;

    if (call->answer.length + length >
        (well ? call->client->options.body_limit : PROBLEM_BODY_LIMIT)) {
        call->too_big = well;
        return well ? 0 : length; /* the rest of a long error message is not needed */
    }
    strbuf_add(&call->answer, bytes, length);
    return length;
}

static size_t body_arrived(char *bytes, size_t one, size_t length, void *context)
{
    struct kube_call *call = context;
    long status = 0;

    (void)one;
    call->heard_at_ms = kube_now_ms();
    if (call->cancelled)
        return 0;
    if (!call->status) {
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        call->status = (unsigned)status;
    }
    if (!call->data || call->status < 200 || call->status >= 300)
        return collect(call, bytes, length);
    if (call->data(call->context, (struct str){ bytes, length }))
        return call->cancelled ? 0 : length;
    call->given_up = true;
    return 0;
}

static void call_send(struct kube_call *call)
{
    struct kube_client *client = call->client;
    CURL *easy = client->spare_count ? client->spare[--client->spare_count] : curl_easy_init();

    list_remove(list_of(call), call);
    call->state = CALL_RUNNING;
    list_add(list_of(call), call, false);
    call->easy = easy;
    call->headers = call_headers(call);
    call->generation = client->credentials.generation;
    call->problem[0] = '\0';
    call->sent_at_ns = kube_now_ns();
    call->heard_at_ms = kube_now_ms();
    if (call->silence_ms)
        kube_timer_set(client, &call->silence, call->silence_ms);
    call_options(call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_arrived);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->problem);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    client->tally.requests++;
    curl_multi_add_handle(client->multi, easy);
}

/* Without credentials nothing can be sent; only those waiting now fail, not what they start. */
static void fail_waiting(struct kube_client *client)
{
    for (unsigned i = 0; i < KUBE_CLASSES; i++)
        for (uint64_t n = client->waiting[i].count; n > 0 && client->waiting[i].first; n--)
            finish_failed(client->waiting[i].first, ERR_FORBIDDEN, client->credentials.problem.text,
                          false);
}

static bool can_start(const struct kube_client *client, unsigned class)
{
    return client->waiting[class].first &&
           client->running[class].count < client->options.at_once[class];
}

/* Watches are never held back, nor is what shares their class: the lease. */
static bool may_start(struct kube_client *client, unsigned class)
{
    int64_t now = kube_now_ns() / 1000;

    if (!can_start(client, class))
        return false;
    if (client->options.burst == 0 || class == KUBE_CLASS_WATCH ||
        bucket_take(&client->bucket, now))
        return true;
    kube_timer_set(client, &client->refill, bucket_wait(&client->bucket, now) / 1000 + 1);
    return false;
}

void calls_start(struct kube_client *client)
{
    bool any = false;

    for (unsigned i = 0; i < KUBE_CLASSES; i++)
        any = any || can_start(client, i);
    if (!any)
        return;
    switch (credentials_prepare(client)) {
    case CREDENTIALS_PENDING:
        return;
    case CREDENTIALS_FAILED:
        fail_waiting(client);
        return;
    case CREDENTIALS_READY:
        break;
    }
    for (unsigned i = 0; i < KUBE_CLASSES; i++)
        while (may_start(client, i))
            call_send(client->waiting[i].first);
}

/* ---- waiting for one answer ---- */

struct wait {
    struct strbuf *body;
    struct kube_result result;
    bool done;
};

static void wait_done(void *context, const struct kube_result *result)
{
    struct wait *w = context;

    if (w->body)
        strbuf_str(w->body, result->body);
    w->result = *result;
    w->result.body = (struct str){ NULL, 0 };
    w->done = true;
}

int kube_request_wait(struct kube_client *client, const struct kube_request *request,
                      struct strbuf *body, struct kube_result *result, struct err *e)
{
    struct wait w = { .body = body };
    struct kube_request copy = *request;

    copy.data = NULL;
    copy.done = wait_done;
    copy.context = &w;
    (void)kube_request_start(client, &copy);
    while (!w.done)
        kube_client_step(client, 1000);
    if (result)
        *result = w.result;
    if (w.result.error.code == ERR_NONE)
        return 0;
    return err_set(e, w.result.error.code, "%s", w.result.error.text);
}
