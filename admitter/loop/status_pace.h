/* status_pace.h - how often the status of one queue may be written.
 *
 * A change shows at once, a few more in quick succession nearly so; a queue whose counters change
 * all the time gets one write per interval. Pure. Rules: design.md "queue status updates are
 * coalesced", spec/process.md --tuning queueStatusInterval. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STATUS_BURST 10 /* writes that may run ahead of one per interval */

struct status_pace {
    int64_t written; /* the last write; TIME_NONE: none yet */
    int64_t paid;    /* the writes so far, at one per interval, reach until here */
};

void status_pace_init(struct status_pace *pace);
/* When the next write may go, TIME_NONE: at any time. A change of conditions is 'urgent': it waits
 * only for the one before. */
int64_t status_pace_next(const struct status_pace *pace, int64_t interval, bool urgent);
void status_pace_note(struct status_pace *pace, int64_t interval, int64_t now); /* one was sent */
