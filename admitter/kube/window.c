#include "admitter/kube/window.h"

#define PERIOD_NS INT64_C(10000000000)
#define SLOW_NS INT64_C(20000000) /* below this nothing counts as slow */

void window_init(struct window *w)
{
    *w = (struct window){ .size = WINDOW_MIN, .halved_at_ns = INT64_MIN };
}

/* Never grows it: below 'floor' it stays as it is. */
static void halve(struct window *w, unsigned floor, int64_t now_ns)
{
    unsigned half = w->size / 2;

    if (w->size > floor)
        w->size = half < floor ? floor : half;
    w->good = 0;
    w->halved_at_ns = now_ns;
}

/* What the server could do lately: the lowest of this period and the one before. */
static int64_t best(const struct window *w)
{
    if (w->best_ns[0] == 0 || (w->best_ns[1] != 0 && w->best_ns[1] < w->best_ns[0]))
        return w->best_ns[1];
    return w->best_ns[0];
}

static void latency_note(struct window *w, int64_t latency_ns, int64_t now_ns)
{
    w->latency_ns = w->latency_ns ? w->latency_ns + (latency_ns - w->latency_ns) / 8 : latency_ns;
    if (now_ns - w->period_ns > PERIOD_NS) {
        w->best_ns[1] = w->best_ns[0];
        w->best_ns[0] = 0;
        w->period_ns = now_ns;
    }
    if (w->best_ns[0] == 0 || w->latency_ns < w->best_ns[0])
        w->best_ns[0] = w->latency_ns;
}

static bool is_slow(const struct window *w)
{
    return w->latency_ns > SLOW_NS && w->latency_ns > 2 * best(w);
}

void window_good(struct window *w, int64_t sent_at_ns, int64_t now_ns)
{
    latency_note(w, now_ns - sent_at_ns, now_ns);
    if (sent_at_ns < w->halved_at_ns)
        return;
    w->good++;
    if (w->good < w->size)
        return;
    w->good = 0;
    if (is_slow(w))
        halve(w, WINDOW_MIN, now_ns);
    else if (w->size < WINDOW_MAX)
        w->size++;
}

void window_bad(struct window *w, bool refused, int64_t sent_at_ns, int64_t now_ns)
{
    if (sent_at_ns >= w->halved_at_ns)
        halve(w, refused ? 1 : WINDOW_MIN, now_ns);
}
