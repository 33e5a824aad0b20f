#include "quota/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "quota/base/clock.h"
#include "quota/base/mem.h"
#include "quota/base/str.h"

static _Atomic int lowest_level = LOG_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* 'line' and every log_site */
static struct strbuf line;
static _Thread_local char thread_name[16] = "main";

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_level_set(enum log_level level)
{
    atomic_store_explicit(&lowest_level, (int)level, memory_order_relaxed);
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < ARRAY_COUNT(level_names); i++) {
        if (strcmp(name, level_names[i]) != 0)
            continue;
        *level = (enum log_level)i;
        return true;
    }
    return false;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest_level, memory_order_relaxed);
}

void log_thread_name(const char *name)
{
    size_t length = strnlen(name, sizeof(thread_name) - 1);

    memcpy(thread_name, name, length);
    thread_name[length] = '\0';
}

static int64_t now_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

/* Under the lock. False: the site spoke within this second already. Else *left_out tells how many
 * lines were held back since it last spoke. */
static bool site_may_speak(struct log_site *site, uint32_t *left_out)
{
    int64_t second = now_of(CLOCK_MONOTONIC) / NANOSECONDS_PER_SECOND + 1; /* 0 is "never" */

    if (site->second == second) {
        site->left_out += site->left_out < UINT32_MAX;
        return false;
    }
    *left_out = site->left_out;
    *site = (struct log_site){ second, 0 };
    return true;
}

static void put_member(struct strbuf *b, const char *name, const char *text)
{
    strbuf_putc(b, b->length > 1 ? ',' : '{');
    strbuf_json(b, str_of(name));
    strbuf_putc(b, ':');
    strbuf_json(b, str_of(text));
}

static void put_number(struct strbuf *b, const char *name, int64_t number)
{
    strbuf_putc(b, ',');
    strbuf_json(b, str_of(name));
    strbuf_printf(b, ":%lld", (long long)number);
}

static void line_build(struct strbuf *b, enum log_level level, const char *message,
                       const struct log_key *keys, unsigned count)
{
    char time[TIME_TEXT];

    strbuf_reset(b);
    put_member(b, "ts", time_print_micro(now_of(CLOCK_REALTIME), time));
    put_member(b, "level", level_names[level]);
    put_member(b, "thread", thread_name);
    put_member(b, "msg", message);
    for (unsigned i = 0; i < count; i++) {
        if (keys[i].text)
            put_member(b, keys[i].name, keys[i].text);
        else
            put_number(b, keys[i].name, keys[i].number);
    }
}

static void write_all(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, text, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nobody to tell */
        text += written;
        length -= (size_t)written;
    }
}

void log_write(struct log_site *site, enum log_level level, const char *message,
               const struct log_key *keys, unsigned count)
{
    uint32_t left_out = 0;
    int saved = errno;

    pthread_mutex_lock(&lock);
    if (level < LOG_WARN || site_may_speak(site, &left_out)) {
        line_build(&line, level, message, keys, count);
        if (left_out > 0)
            put_number(&line, "left_out", left_out);
        strbuf_add(&line, "}\n", 2);
        write_all(line.text, line.length);
        if (line.capacity > 65536)
            strbuf_finish(&line);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
}
