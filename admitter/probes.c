#include "admitter/probes.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "admitter/debug_state.h"
#include "admitter/loop/metrics.h"
#include "admitter/metrics_access.h"
#include "quota/base/mem.h"

#define DEBUG_WAIT_SECONDS 5

static void alive(void *context, const struct request *request, struct response *response,
                  struct arena *arena)
{
    (void)context, (void)request, (void)arena;
    response_text(response, 200, "ok");
}

static void ready(void *context, const struct request *request, struct response *response,
                  struct arena *arena)
{
    struct probes *probes = context;

    (void)request, (void)arena;
    if (atomic_load(&probes->stopping))
        response_text(response, 503, "stopping");
    else if (!loop_synced(probes->loop))
        response_text(response, 503, "caches are not synced yet");
    else if (!atomic_load(&probes->webhook_ok))
        response_text(response, 503, "the webhook does not answer over TLS yet");
    else if (!atomic_load(&probes->lease_known))
        response_text(response, 503, "the lease has not been read yet");
    else if (loop_failed(probes->loop))
        response_text(response, 503, "the ledger cannot be written: no admissions");
    else
        response_text(response, 200, "ok");
}

static void metrics(void *context, const struct request *request, struct response *response,
                    struct arena *arena)
{
    struct probes *probes = context;

    (void)arena;
    if (probes->access && !metrics_access_allowed(probes->access, request, "/metrics", response))
        return;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_render(&response->body);
}

/* ---- debug: asked of the engine thread ---- */

/* Shared by both threads; the last one out frees it. */
struct question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
    int holders;
    void (*ask)(struct loop *loop, struct strbuf *out);
    struct strbuf answer;
};

static void question_leave(struct question *q)
{
    bool last;

    pthread_mutex_lock(&q->lock);
    last = --q->holders == 0;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    strbuf_finish(&q->answer);
    pthread_cond_destroy(&q->answered);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static void question_answer(struct loop *loop, void *context)
{
    struct question *q = context;

    q->ask(loop, &q->answer);
    pthread_mutex_lock(&q->lock);
    q->done = true;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->lock);
    question_leave(q);
}

static bool question_wait(struct question *q)
{
    struct timespec until;
    bool done;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEBUG_WAIT_SECONDS;
    pthread_mutex_lock(&q->lock);
    while (!q->done && pthread_cond_timedwait(&q->answered, &q->lock, &until) == 0)
        continue;
    done = q->done;
    pthread_mutex_unlock(&q->lock);
    return done;
}

static void ask(struct probes *probes, void (*ask_function)(struct loop *loop, struct strbuf *out),
                struct response *response)
{
    struct question *q = mem_alloc(sizeof(*q));

    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->answered, NULL);
    q->holders = 2;
    q->ask = ask_function;
    loop_call(probes->loop, question_answer, q);
    if (question_wait(q))
        strbuf_str(&response->body, strbuf_view(&q->answer));
    else
        response_text(response, 503, "the engine thread did not answer in time");
    question_leave(q);
}

static void debug_state(void *context, const struct request *request, struct response *response,
                        struct arena *arena)
{
    struct probes *probes = context;

    (void)arena;
    if (!probes->access ||
        metrics_access_allowed(probes->access, request, "/debug/state", response))
        ask(probes, debug_state_write, response);
}

static void debug_afs(void *context, const struct request *request, struct response *response,
                      struct arena *arena)
{
    struct probes *probes = context;

    (void)arena;
    if (!probes->access || metrics_access_allowed(probes->access, request, "/debug/afs", response))
        ask(probes, debug_afs_write, response);
}

int probes_register_health(struct probes *probes, struct route_table *routes, struct err *e)
{
    return route_add(routes, ROUTE_GET, probes->liveness_path, alive, probes, e) < 0 ||
                   route_add(routes, ROUTE_GET, probes->readiness_path, ready, probes, e) < 0
               ? -1
               : 0;
}

int probes_register_metrics(struct probes *probes, struct route_table *routes, bool debug,
                            struct err *e)
{
    if (route_add(routes, ROUTE_GET, "/metrics", metrics, probes, e) < 0)
        return -1;
    if (!debug)
        return 0;
    if (route_add(routes, ROUTE_GET, "/debug/state", debug_state, probes, e) < 0)
        return -1;
    return route_add(routes, ROUTE_GET, "/debug/afs", debug_afs, probes, e);
}
