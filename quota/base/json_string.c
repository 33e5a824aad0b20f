#include "quota/base/json_private.h"

#include "quota/base/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Four hexadecimal digits; -1 when they are not there. */
static int hex_word(const char *at, const char *end)
{
    int word = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);

        if (digit < 0)
            return -1;
        word = word * 16 + digit;
    }
    return word;
}

static bool is_high_surrogate(int word)
{
    return word >= 0xD800 && word <= 0xDBFF;
}

static bool is_low_surrogate(int word)
{
    return word >= 0xDC00 && word <= 0xDFFF;
}

/* Bytes of the \u escape whose backslash is at 'at' (6, or 12 for a pair); 0 when it is wrong. */
static size_t unicode_escape_length(const char *at, const char *end)
{
    int word = hex_word(at + 2, end);

    if (word <= 0 || is_low_surrogate(word)) /* \u0000 cannot live in NUL-terminated text */
        return 0;
    if (!is_high_surrogate(word))
        return 6;
    if (end - at < 12 || at[6] != '\\' || at[7] != 'u' || !is_low_surrogate(hex_word(at + 8, end)))
        return 0;
    return 12;
}

/* Bytes of the escape at 'at'; 0 when it is wrong. */
static size_t escape_length(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] == 'u')
        return unicode_escape_length(at, end);
    return at[1] && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
}

/* Skip bytes that need no look: ASCII without quote, backslash and controls; eight at a time. */
static const char *plain_skip(const char *at, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);

    while (end - at >= 8) {
        uint64_t word, quote, backslash;

        memcpy(&word, at, 8);
        quote = word ^ (ones * '"');
        backslash = word ^ (ones * '\\');
        if ((((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & highs) != 0)
            break;
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\')
        at++;
    return at;
}

bool json_string_read_(struct json_reader *r, struct str *raw, bool *escaped)
{
    const char *start = r->at + 1, *at = start;

    *escaped = false;
    for (;;) {
        size_t length;

        at = plain_skip(at, r->end);
        if (at == r->end)
            return json_problem_(r, "string without its closing quote", at);
        if (*at == '"')
            break;
        if (*at == '\\') {
            length = escape_length(at, r->end);
            *escaped = true;
            if (length == 0)
                return json_problem_(r, "invalid escape", at);
        } else if ((unsigned char)*at < 0x20) {
            return json_problem_(r, "control character in a string", at);
        } else {
            length = utf8_length(at, (size_t)(r->end - at));
            if (length == 0)
                return json_problem_(r, "invalid UTF-8", at);
        }
        at += length;
    }
    *raw = (struct str){ start, (size_t)(at - start) };
    r->at = at + 1;
    return true;
}

size_t json_character_(const char **at, char *out)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *from = *at, *named;
    int word;

    if (from[0] != '\\') {
        *out = *(*at)++;
        return 1;
    }
    *at += 2;
    if (from[1] != 'u') {
        named = strchr(letters, from[1]);
        *out = (char)(named ? meanings[named - letters] : from[1]);
        return 1;
    }
    *at += 4;
    word = hex_word(from + 2, from + 6);
    if (!is_high_surrogate(word))
        return utf8_put(out, (unsigned)word);
    *at += 6;
    return utf8_put(out, 0x10000U + ((unsigned)(word - 0xD800) << 10) +
                             (unsigned)(hex_word(from + 8, from + 12) - 0xDC00));
}
