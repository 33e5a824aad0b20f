/* log.h - one JSON object per line on standard error.
 *
 * LOG(LOG_INFO, "workload admitted", KS("workload", key), KI("wait_ms", waited));
 * The message is constant text; what varies goes in keys. error: a person must act. warn: we
 * recovered but it should not repeat. info: a decision that changes the cluster. debug: why.
 * Never log tokens, keys or bodies. A call site that repeats within a second is printed once, with
 * a count of what was left out (LOG_ERROR and LOG_WARN only). Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_key {
    const char *name;
    const char *text; /* NULL: 'number' counts */
    int64_t number;
};
static inline const char *log_text_(const char *text)
{
    return text ? text : "";
}
#define KS(name, text) ((struct log_key){ (name), log_text_(text), 0 })
#define KI(name, number) ((struct log_key){ (name), 0, (int64_t)(number) })

struct log_site { /* one per LOG line, for rate limiting */
    int64_t second;
    uint32_t left_out;
};

void log_level_set(enum log_level level); /* default LOG_INFO */
bool log_level_parse(const char *name, enum log_level *level);
bool log_enabled(enum log_level level);
/* Name the calling thread in its lines: up to 15 bytes, copied. */
void log_thread_name(const char *name);
void log_write(struct log_site *site, enum log_level level, const char *message,
               const struct log_key *keys, unsigned count);

#define LOG(level, message, ...)                                                                   \
    do {                                                                                           \
        static struct log_site log_site_;                                                          \
        if (log_enabled(level)) {                                                                  \
            const struct log_key log_keys_[] = { { "", "", 0 }, ##__VA_ARGS__ };                   \
            log_write(&log_site_, (level), (message), log_keys_ + 1,                               \
                      (unsigned)(sizeof(log_keys_) / sizeof(log_keys_[0])) - 1);                   \
        }                                                                                          \
    } while (0)
