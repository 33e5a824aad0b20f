#include "quota/base/str.h"

#include "quota/base/utf8.h"

/* One character below 0x20, a quote or a backslash. */
static void put_escaped(struct strbuf *b, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(named, c) : NULL;

    strbuf_putc(b, '\\');
    if (found) {
        strbuf_putc(b, letters[found - named]);
        return;
    }
    strbuf_add(b, "u00", 3);
    strbuf_putc(b, digits[c >> 4]);
    strbuf_putc(b, digits[c & 15]);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void strbuf_json(struct strbuf *b, struct str s)
{
    size_t i = 0;

    strbuf_putc(b, '"');
    while (i < s.length) {
        size_t from = i;
        size_t length;

        while (i < s.length && is_plain((unsigned char)s.text[i]))
            i++;
        strbuf_add(b, s.text + from, i - from);
        if (i == s.length)
            break;
        length = utf8_length(s.text + i, s.length - i);
        if (length > 1)
            strbuf_add(b, s.text + i, length);
        else if (length == 1)
            put_escaped(b, (unsigned char)s.text[i]);
        else
            strbuf_add(b, "\xEF\xBF\xBD", 3);
        i += length ? length : 1;
    }
    strbuf_putc(b, '"');
}
