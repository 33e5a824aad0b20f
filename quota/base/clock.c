#include "quota/base/clock.h"

#include <stdbool.h>
#include <stdio.h>

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar (counting years from March,
 * so that the leap day is the last of its year). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, int *year, unsigned *month, unsigned *day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;

    *day = (unsigned)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (unsigned)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Exactly 'digits' digits; -1 when they are not there. Moves 'text' on. */
static int take_digits(struct str *text, unsigned digits)
{
    int value = 0;

    if (text->length < digits)
        return -1;
    for (unsigned i = 0; i < digits; i++) {
        int digit = text->text[i] - '0';

        if (digit < 0 || digit > 9)
            return -1;
        value = value * 10 + digit;
    }
    text->text += digits;
    text->length -= digits;
    return value;
}

static bool take_char(struct str *text, char c)
{
    if (text->length == 0 || text->text[0] != c)
        return false;
    text->text++;
    text->length--;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct str *text, int64_t *days)
{
    int year = take_digits(text, 4), month, day;

    if (year < 0 || !take_char(text, '-') || (month = take_digits(text, 2)) < 1 || month > 12 ||
        !take_char(text, '-') || (day = take_digits(text, 2)) < 1 ||
        day > days_in_month(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static bool take_clock(struct str *text, int64_t *seconds)
{
    int hour = take_digits(text, 2), minute, second;

    if (hour < 0 || hour > 23 || !take_char(text, ':') || (minute = take_digits(text, 2)) < 0 ||
        minute > 59 || !take_char(text, ':') || (second = take_digits(text, 2)) < 0 || second > 59)
        return false;
    *seconds = (hour * 60 + minute) * 60 + second;
    return true;
}

/* ".123": digits beyond nanoseconds are cut off. No point: zero. */
static bool take_fraction(struct str *text, int64_t *nanoseconds)
{
    int64_t unit = NANOSECONDS_PER_SECOND;
    size_t digits = 0;

    *nanoseconds = 0;
    if (!take_char(text, '.') && !take_char(text, ','))
        return true;
    for (int digit; (digit = take_digits(text, 1)) >= 0; digits++) {
        unit /= 10;
        *nanoseconds += digit * unit;
    }
    return digits > 0;
}

static bool take_offset(struct str *text, int64_t *seconds)
{
    int sign = 1, hours, minutes;

    *seconds = 0;
    if (take_char(text, 'Z'))
        return true;
    if (take_char(text, '-'))
        sign = -1;
    else if (!take_char(text, '+'))
        return false;
    if ((hours = take_digits(text, 2)) < 0 || hours > 23 || !take_char(text, ':') ||
        (minutes = take_digits(text, 2)) < 0 || minutes > 59)
        return false;
    *seconds = (int64_t)sign * (hours * 60 + minutes) * 60;
    return true;
}

int time_parse(struct str text, int64_t *time, struct err *e)
{
    struct str rest = text;
    int64_t days, seconds, nanoseconds, offset, sum;

    if (!take_date(&rest, &days) || !take_char(&rest, 'T') || !take_clock(&rest, &seconds) ||
        !take_fraction(&rest, &nanoseconds) || !take_offset(&rest, &offset) || rest.length > 0)
        return err_set(e, ERR_INVALID,
                       "\"%.*s\" is not an RFC 3339 time such as "
                       "2026-01-02T03:04:05Z",
                       STR_ARGS(text));
    if (__builtin_mul_overflow(days * 86400 + seconds - offset, NANOSECONDS_PER_SECOND, &sum) ||
        __builtin_add_overflow(sum, nanoseconds, &sum) || sum == TIME_NONE)
        return err_set(e, ERR_INVALID, "\"%.*s\" is outside the years 1678 to 2261",
                       STR_ARGS(text));
    *time = sum;
    return 0;
}

/* Whole seconds without the zone; *nanoseconds gets the rest (0 to 999999999). */
static size_t print_seconds(int64_t time, char *buffer, int64_t *nanoseconds)
{
    int64_t seconds = time / NANOSECONDS_PER_SECOND, days, in_day;
    int year, length;
    unsigned month, day;

    *nanoseconds = time % NANOSECONDS_PER_SECOND;
    if (*nanoseconds < 0) {
        *nanoseconds += NANOSECONDS_PER_SECOND;
        seconds--;
    }
    days = seconds / 86400;
    in_day = seconds % 86400;
    if (in_day < 0) {
        in_day += 86400;
        days--;
    }
    date_of(days, &year, &month, &day);
    length = snprintf(buffer, TIME_TEXT, "%04d-%02u-%02uT%02d:%02d:%02d", year, month, day,
                      (int)(in_day / 3600), (int)(in_day / 60 % 60), (int)(in_day % 60));
    return (size_t)length;
}

const char *time_print(int64_t time, char *buffer)
{
    int64_t ignored;
    size_t length = print_seconds(time, buffer, &ignored);

    memcpy(buffer + length, "Z", 2);
    return buffer;
}

const char *time_print_micro(int64_t time, char *buffer)
{
    int64_t nanoseconds;
    size_t length = print_seconds(time, buffer, &nanoseconds);

    snprintf(buffer + length, TIME_TEXT - length, ".%06dZ", (int)(nanoseconds / 1000));
    return buffer;
}

const char *time_print_nano(int64_t time, char *buffer)
{
    int64_t nanoseconds;
    size_t length = print_seconds(time, buffer, &nanoseconds);

    if (nanoseconds > 0) {
        length += (size_t)snprintf(buffer + length, TIME_TEXT - length, ".%09d", (int)nanoseconds);
        while (buffer[length - 1] == '0')
            length--;
    }
    memcpy(buffer + length, "Z", 2);
    return buffer;
}
