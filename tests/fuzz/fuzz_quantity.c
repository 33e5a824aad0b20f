/* room: quota/base. Quantities, times and durations: what is printed reads back as the same
 * value. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "quota/base/clock.h"
#include "quota/base/quantity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void check_quantity(struct str text)
{
    char printed[QUANTITY_TEXT], again[QUANTITY_TEXT];
    struct quantity q, copy;
    int64_t ceil, milli;

    if (quantity_parse(text, &q, NULL) < 0)
        return;
    quantity_print(q, printed);
    insist(quantity_parse(str_of(printed), &copy, NULL) == 0, "printed text is refused");
    insist(quantity_compare(q, copy) == 0, "printed text has another value");
    copy.format = q.format; /* 62.5Ki prints as 64000, which reads as a decimal one: 64k */
    insist(strcmp(quantity_print(copy, again), printed) == 0, "canonical text is not stable");
    ceil = quantity_ceil(q);
    milli = quantity_ceil_milli(q);
    insist(ceil == INT64_MAX || quantity_compare(quantity_of(ceil, q.format), q) >= 0 ||
               ceil == INT64_MIN,
           "ceil is below the value");
    insist(ceil == INT64_MIN || ceil == INT64_MAX ||
               quantity_compare(quantity_of(ceil - 1, q.format), q) < 0,
           "ceil is more than one above the value");
    insist(milli == INT64_MIN || milli == INT64_MAX ||
               quantity_compare(quantity_milli(milli), q) >= 0,
           "milli is below the value");
}

static void check_time(struct str text)
{
    char printed[TIME_TEXT];
    int64_t time, again;

    if (time_parse(text, &time, NULL) < 0)
        return;
    insist(time_parse(str_of(time_print_nano(time, printed)), &again, NULL) == 0 && again == time,
           "time does not read back");
}

static void check_duration(struct str text)
{
    char printed[DURATION_TEXT];
    int64_t duration, again;

    if (duration_parse(text, &duration, NULL) < 0)
        return;
    insist(duration_parse(str_of(duration_print(duration, printed)), &again, NULL) == 0 &&
               again == duration,
           "duration does not read back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };

    check_quantity(text);
    check_time(text);
    check_duration(text);
    return 0;
}
