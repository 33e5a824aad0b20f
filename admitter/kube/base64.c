#include "admitter/kube/base64.h"

#include <ctype.h>

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct str text, struct strbuf *out)
{
    uint32_t bits = 0;
    unsigned count = 0; /* bits held that are not yet written */
    size_t digits = 0, padding = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];
        int value = digit_value(c);

        if (isspace((unsigned char)c))
            continue;
        if (c == '=') {
            padding++;
            continue;
        }
        if (value < 0 || padding)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffu;
        count += 6;
        digits++;
        if (count >= 8) {
            count -= 8;
            strbuf_putc(out, (char)(bits >> count & 0xffu));
        }
    }
    return digits % 4 != 1 && padding <= 2 && (!padding || (digits + padding) % 4 == 0);
}
