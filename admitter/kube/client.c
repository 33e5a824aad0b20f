#include "admitter/kube/kube_private.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include "quota/base/clock.h"
#include "quota/base/mem.h"

#define HTTP2_NEEDS 0x080200 /* libcurl's version with all fixes of libraries.md 2 */
#define LONGEST_WAIT_MS 3600000

void kube_global_init(void)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that may be gone */
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

int64_t kube_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

int64_t kube_now_ms(void)
{
    return kube_now_ns() / NANOSECONDS_PER_MILLISECOND;
}

/* xorshift64*; jitter needs no more. */
uint64_t kube_random(struct kube_client *client, uint64_t below)
{
    uint64_t x = client->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    client->random = x;
    return below ? (x * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below : 0;
}

/* ---- timers ---- */

static bool timer_before(const void *a, const void *b, void *context)
{
    const struct kube_timer *one = a, *other = b;

    (void)context;
    return one->at_ms != other->at_ms ? one->at_ms < other->at_ms : one < other;
}

void kube_timer_init(struct kube_timer *timer, void (*fire)(void *context), void *context)
{
    *timer = (struct kube_timer){ .place = HEAP_ABSENT, .fire = fire, .context = context };
}

void kube_timer_set(struct kube_client *client, struct kube_timer *timer, int64_t delay_ms)
{
    kube_timer_cancel(client, timer);
    timer->at_ms = kube_now_ms() + (delay_ms > 0 ? delay_ms : 0);
    heap_push(&client->timers, timer);
}

void kube_timer_cancel(struct kube_client *client, struct kube_timer *timer)
{
    if (timer->fire && timer->place != HEAP_ABSENT)
        heap_remove(&client->timers, timer);
}

/* Those due now; one that sets itself anew waits for the next round. */
static void timers_fire(struct kube_client *client)
{
    int64_t now_ms = kube_now_ms();

    for (;;) {
        struct kube_timer *timer = heap_peek(&client->timers);

        if (!timer || timer->at_ms > now_ms)
            return;
        heap_pop(&client->timers);
        timer->fire(timer->context);
    }
}

/* ---- making and breaking ---- */

/* Split "https://host:port/prefix"; IPv6 hosts keep their brackets. */
static void server_split(const char *server, struct str *host, struct str *rest)
{
    const char *at = server + 8; /* "https://", as config.c checked */
    const char *end = *at == '[' ? strchr(at, ']') : NULL;

    end = end ? end + 1 : at + strcspn(at, ":/");
    *host = (struct str){ at, (size_t)(end - at) };
    *rest = str_of(end);
}

/* A TLS name of its own: the URL carries that name, the connection goes to the server's address. */
static void address_set(struct kube_client *client)
{
    const struct kube_config *config = client->config;
    struct str host, rest;
    AUTO_FREE char *connect_to = NULL;
    size_t port;

    if (!config->tls_server_name) {
        client->base_url = mem_dup(config->server);
        return;
    }
    server_split(config->server, &host, &rest);
    port = rest.length && rest.text[0] == ':' ? strcspn(rest.text, "/") : 0;
    client->base_url = mem_format("https://%s%.*s", config->tls_server_name, STR_ARGS(rest));
    client->host = mem_format("Host: %.*s%.*s", STR_ARGS(host), (int)port, rest.text);
    connect_to = mem_format("::%.*s:%.*s", STR_ARGS(host), (int)(port ? port - 1 : 0),
                            rest.text + (port ? 1 : 0));
    client->connect_to = curl_slist_append(NULL, connect_to);
}

static int options_check(const struct kube_client_options *options, struct err *e)
{
    const curl_version_info_data *have = curl_version_info(CURLVERSION_NOW);

    if (options->http_version > 2)
        return err_set(e, ERR_INVALID, "HTTP version %u: must be 1 or 2", options->http_version);
    if (options->http_version == 2 && have->version_num < HTTP2_NEEDS)
        return err_set(e, ERR_INVALID,
                       "HTTP/2 towards the API server needs libcurl 8.2 or later, this is %s",
                       have->version);
    return 0;
}

/* The loop is awake, which is all that is wanted. */
static void refilled(void *context)
{
    (void)context;
}

static void defaults_set(struct kube_client_options *o)
{
    if (!o->at_once[KUBE_CLASS_READ])
        o->at_once[KUBE_CLASS_READ] = 4;
    if (!o->at_once[KUBE_CLASS_WRITE])
        o->at_once[KUBE_CLASS_WRITE] = 64;
    if (!o->at_once[KUBE_CLASS_WATCH])
        o->at_once[KUBE_CLASS_WATCH] = 10000;
    if (!o->body_limit)
        o->body_limit = (size_t)64 << 20;
}

struct kube_client *kube_client_create(const struct kube_config *config,
                                       const struct kube_client_options *options, struct err *e)
{
    static const struct kube_client_options none;
    struct kube_client *client;

    if (options_check(options ? options : &none, e) < 0)
        return NULL;
    client = mem_alloc(sizeof(*client));
    client->config = config;
    client->options = options ? *options : none;
    client->user_agent =
        mem_dup(client->options.user_agent ? client->options.user_agent : "sluice/" SLUICE_VERSION);
    client->options.user_agent = client->user_agent;
    defaults_set(&client->options);
    heap_init(&client->timers, HEAP_PLACE(struct kube_timer, place), timer_before, NULL);
    if (getrandom(&client->random, sizeof(client->random), 0) < 0 || client->random == 0)
        client->random = (uint64_t)kube_now_ns() | 1;
    client->commands = queue_create(0);
    bucket_init(&client->bucket, client->options.burst, client->options.refill_us,
                kube_now_ns() / 1000);
    kube_timer_init(&client->refill, refilled, client);
    client->multi = curl_multi_init();
    address_set(client);
    if (credentials_init(&client->credentials, config, e) < 0) {
        kube_client_destroy(client);
        return NULL;
    }
    if (!client->multi) {
        err_set(e, ERR_NOMEM, "libcurl gives no multi handle");
        kube_client_destroy(client);
        return NULL;
    }
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 160L);
    return client;
}

void kube_client_destroy(struct kube_client *client)
{
    if (!client)
        return;
    calls_drop(client);
    queue_destroy(client->commands);
    credentials_finish(client);
    for (unsigned i = 0; i < client->spare_count; i++)
        curl_easy_cleanup(client->spare[i]);
    curl_multi_cleanup(client->multi);
    curl_slist_free_all(client->connect_to);
    heap_finish(&client->timers);
    free(client->base_url);
    free(client->host);
    free(client->user_agent);
    free(client);
}

/* ---- the loop ---- */

void kube_client_post(struct kube_client *client, struct kube_command *command)
{
    queue_push_always(client->commands, &command->message);
}

static void commands_run(struct kube_client *client)
{
    struct message *next;

    for (struct message *m = queue_take(client->commands); m; m = next) {
        struct kube_command *command = (struct kube_command *)m;

        next = m->next;
        command->run(command, client);
    }
}

void kube_client_listen(struct kube_client *client, int fd, void (*ready)(void *context),
                        void *context)
{
    if (client->listener_count == LISTENERS_MAX)
        abort(); /* a programming error: nobody outside decides how many there are */
    client->listeners[client->listener_count++] = (struct listener){ fd, ready, context };
}

void kube_client_unlisten(struct kube_client *client, int fd)
{
    for (unsigned i = 0; i < client->listener_count; i++)
        if (client->listeners[i].fd == fd) {
            client->listeners[i] = client->listeners[--client->listener_count];
            return;
        }
}

static void listeners_call(struct kube_client *client, const struct curl_waitfd *fds,
                           unsigned count)
{
    for (unsigned i = 1; i < count; i++) { /* [0] is the queue */
        if (!fds[i].revents)
            continue;
        for (unsigned k = 0; k < client->listener_count; k++)
            if (client->listeners[k].fd == fds[i].fd) {
                struct listener l = client->listeners[k];

                l.ready(l.context);
                break;
            }
    }
}

static int wait_ms(const struct kube_client *client, int timeout_ms)
{
    const struct kube_timer *timer = heap_peek(&client->timers);
    int64_t wait = timeout_ms < 0 ? LONGEST_WAIT_MS : timeout_ms;

    if (timer && timer->at_ms - kube_now_ms() < wait)
        wait = timer->at_ms - kube_now_ms();
    return wait > 0 ? (int)wait : 0;
}

/* Sleep in poll; tell the listeners. */
static void wait_for_news(struct kube_client *client, int timeout_ms)
{
    struct curl_waitfd fds[LISTENERS_MAX + 1] = {
        { .fd = queue_fd(client->commands), .events = CURL_WAIT_POLLIN },
    };
    unsigned count = 1;

    for (unsigned i = 0; i < client->listener_count; i++)
        fds[count++] =
            (struct curl_waitfd){ .fd = client->listeners[i].fd, .events = CURL_WAIT_POLLIN };
    curl_multi_poll(client->multi, fds, count, wait_ms(client, timeout_ms), NULL);
    listeners_call(client, fds, count);
}

void kube_client_step(struct kube_client *client, int timeout_ms)
{
    int running;

    calls_start(client);
    wait_for_news(client, timeout_ms);
    commands_run(client);
    timers_fire(client);
    calls_start(client);
    client->performing = true;
    curl_multi_perform(client->multi, &running);
    client->performing = false;
    calls_collect(client);
}

void kube_client_run(struct kube_client *client)
{
    while (!atomic_exchange(&client->stop, false))
        kube_client_step(client, -1);
}

void kube_client_stop(struct kube_client *client)
{
    atomic_store(&client->stop, true);
    curl_multi_wakeup(client->multi);
}

void kube_client_count(const struct kube_client *client, struct kube_client_counts *counts)
{
    const struct client_tally *t = &client->tally;

    *counts = (struct kube_client_counts){ .requests = t->requests,
                                           .failures = t->failures,
                                           .retries_after = t->retries_after,
                                           .connections = t->connections,
                                           .bytes_in = t->bytes_in };
    for (unsigned i = 0; i < ARRAY_COUNT(counts->status); i++)
        counts->status[i] = t->status[i];
    for (unsigned i = 0; i < KUBE_CLASSES; i++) {
        counts->in_flight[i] = client->running[i].count;
        counts->waiting[i] = client->waiting[i].count;
    }
}
