#include "tests/bench/measure.h"

#include <stdlib.h>
#include <time.h>

#include "quota/base/mem.h"

static int64_t clock_read(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t measure_now(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

/* The least of many readings one after the other. */
static int64_t clock_cost(clockid_t clock)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < 1000; i++) {
        int64_t begin = clock_read(clock), cost = clock_read(clock) - begin;

        least = cost < least ? cost : least;
    }
    return least;
}

int64_t measure_cpu(void)
{
    static int64_t cost = -1, calls;

    if (cost < 0)
        cost = clock_cost(CLOCK_THREAD_CPUTIME_ID);
    return clock_read(CLOCK_THREAD_CPUTIME_ID) - cost * calls++;
}

bool measure_quickly(void)
{
    return getenv("BENCH_QUICK") != NULL;
}

/* ---- samples ---- */

void samples_add(struct samples *samples, double ns)
{
    samples->ns = mem_grow(samples->ns, samples->count, &samples->capacity, sizeof(*samples->ns));
    samples->ns[samples->count++] = ns;
}

static int duration_order(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double samples_at(struct samples *samples, double share)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->ns, samples->count, sizeof(*samples->ns), duration_order);
    return samples->ns[(size_t)(share * (double)(samples->count - 1))];
}

void samples_finish(struct samples *samples)
{
    free(samples->ns);
    *samples = (struct samples){ 0 };
}

/* ---- the yardstick ---- */

struct numbers {
    uint64_t *items;
    size_t count;
    uint64_t random;
};

static uint64_t number_draw(struct numbers *numbers)
{
    numbers->random ^= numbers->random << 13;
    numbers->random ^= numbers->random >> 7;
    numbers->random ^= numbers->random << 17;
    return numbers->random;
}

/* Replace the smallest number: a pop and a push in one. */
static void numbers_replace(struct numbers *numbers, uint64_t number)
{
    size_t place = 0, child;

    while ((child = place * 2 + 1) < numbers->count) {
        if (child + 1 < numbers->count && numbers->items[child + 1] < numbers->items[child])
            child++;
        if (numbers->items[child] >= number)
            break;
        numbers->items[place] = numbers->items[child];
        place = child;
    }
    numbers->items[place] = number;
}

double yardstick_heap(size_t size)
{
    enum { ROUNDS = 2000, EACH = 16 };
    struct numbers numbers = { mem_array(size, sizeof(uint64_t)), size,
                               UINT64_C(88172645463325252) };
    struct samples samples = { 0 };
    double median;

    for (size_t i = 0; i < size; i++)
        numbers.items[i] = i << 40;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t begin = measure_cpu();

        for (int k = 0; k < EACH; k++)
            numbers_replace(&numbers, numbers.items[0] + number_draw(&numbers) % (size << 40));
        samples_add(&samples, (double)(measure_cpu() - begin) / EACH);
    }
    median = samples_at(&samples, 0.5);
    samples_finish(&samples);
    free(numbers.items);
    return median;
}
