#include "admitter/probes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "admitter/debug_state.h"
#include "admitter/metrics/metrics.h"
#include "admitter/metrics_access.h"
#include "admitter/program_metrics.h"
#include "quota/base/mem.h"

#define DEBUG_WAIT_SECONDS 5

/* ---- health ---- */

/* NULL: fine; otherwise what is wrong. */
static const char *alive(const struct probes *probes)
{
    (void)probes;
    return NULL;
}

static const char *ready(const struct probes *probes)
{
    if (atomic_load(&probes->stopping))
        return "stopping";
    if (!loop_synced(probes->loop))
        return "caches are not synced yet";
    if (!atomic_load(&probes->webhook_ok))
        return "the webhook does not answer over TLS yet";
    if (!atomic_load(&probes->lease_known))
        return "the lease has not been read yet";
    return loop_failed(probes->loop) ? "the ledger cannot be written: no admissions" : NULL;
}

/* One path with the one check below it; the forms are those of Kubernetes components. */
struct health_check {
    const struct probes *probes;
    const char *name;
    const char *(*look)(const struct probes *probes);
};

static void health_headers(struct response *response)
{
    response->content_type = "text/plain; charset=utf-8";
    response_header(response, "X-Content-Type-Options", "nosniff");
}

static void answer_all(void *context, const struct request *request, struct response *response,
                       struct arena *arena)
{
    const struct health_check *check = context;
    const char *excluded = request_query(request, "exclude");
    bool is_excluded = excluded && strcmp(excluded, check->name) == 0;
    const char *problem = is_excluded ? NULL : check->look(check->probes);

    (void)arena;
    health_headers(response);
    if (!problem && !request_query(request, "verbose")) {
        strbuf_puts(&response->body, "ok");
        return;
    }
    response->status = problem ? 500 : 200;
    strbuf_printf(&response->body, "[%c]%s %s\nhealthz check %s\n", problem ? '-' : '+',
                  check->name,
                  is_excluded ? "excluded: ok"
                  : problem   ? "failed: reason withheld"
                              : "ok",
                  problem ? "failed" : "passed");
}

static void answer_one(void *context, const struct request *request, struct response *response,
                       struct arena *arena)
{
    const struct health_check *check = context;
    const char *problem = check->look(check->probes);

    (void)arena, (void)request;
    health_headers(response);
    response->status = problem ? 500 : 200;
    if (problem)
        strbuf_printf(&response->body, "internal server error: %s\n", problem);
    else
        strbuf_puts(&response->body, "ok");
}

static void metrics(void *context, const struct request *request, struct response *response,
                    struct arena *arena)
{
    struct probes *probes = context;

    (void)arena;
    if (probes->access && !metrics_access_allowed(probes->access, request, "/metrics", response))
        return;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    program_metrics_refresh(probes->loop);
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

static int register_check(struct probes *probes, struct route_table *routes, const char *path,
                          const char *name, const char *(*look)(const struct probes *probes),
                          struct err *e)
{
    struct health_check *check = route_table_alloc(routes, sizeof(*check));
    AUTO_FREE char *below = mem_format("%s/%s", path, name);

    *check = (struct health_check){ probes, name, look };
    if (route_add(routes, ROUTE_GET, path, answer_all, check, e) < 0)
        return -1;
    return route_add(routes, ROUTE_GET, below, answer_one, check, e);
}

int probes_register_health(struct probes *probes, struct route_table *routes, struct err *e)
{
    if (register_check(probes, routes, probes->liveness_path, "healthz", alive, e) < 0)
        return -1;
    return register_check(probes, routes, probes->readiness_path, "readyz", ready, e);
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
