#include "admitter/loop/status_pace.h"

#include "quota/base/clock.h"

#define QUICK_DIVISOR 20 /* writes in a burst are an interval / 20 apart */

void status_pace_init(struct status_pace *pace)
{
    *pace = (struct status_pace){ .written = TIME_NONE, .paid = TIME_NONE };
}

int64_t status_pace_next(const struct status_pace *pace, int64_t interval, bool urgent)
{
    int64_t quick, steady;

    if (pace->written == TIME_NONE)
        return TIME_NONE;
    quick = pace->written + interval / QUICK_DIVISOR;
    steady = pace->paid - (STATUS_BURST - 1) * interval;
    return urgent || steady < quick ? quick : steady;
}

void status_pace_note(struct status_pace *pace, int64_t interval, int64_t now)
{
    pace->written = now;
    pace->paid = (pace->paid < now ? now : pace->paid) + interval;
    if (pace->paid > now + STATUS_BURST * interval) /* urgent ones came on top */
        pace->paid = now + STATUS_BURST * interval;
}
