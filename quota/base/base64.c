#include "quota/base/base64.h"

#include <string.h>

#define PADDING 64 /* where the alphabet has its sign for "nothing more" */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

void base64_encode(struct str bytes, struct strbuf *out)
{
    const unsigned char *in = (const unsigned char *)bytes.text;
    char group[4];

    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t have = bytes.length - i;
        unsigned word = (unsigned)in[i] << 16;

        word |= have > 1 ? (unsigned)in[i + 1] << 8 : 0;
        word |= have > 2 ? (unsigned)in[i + 2] : 0;
        group[0] = alphabet[word >> 18];
        group[1] = alphabet[word >> 12 & 63];
        group[2] = alphabet[have > 1 ? word >> 6 & 63 : PADDING];
        group[3] = alphabet[have > 2 ? word & 63 : PADDING];
        strbuf_add(out, group, sizeof(group));
    }
}

static int base64_digit(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at && *at != '=' ? (int)(at - alphabet) : -1;
}

/* Four characters into one to three bytes; 'padding' of them are '='. */
static bool base64_group(const int digits[4], unsigned padding, struct strbuf *out)
{
    unsigned word = 0;
    char bytes[3];

    for (unsigned i = 0; i < 4; i++)
        word = word << 6 | (unsigned)digits[i];
    if ((padding == 1 && word & 0xff) || (padding == 2 && word & 0xffff) || padding > 2)
        return false; /* bits that no encoder sets */
    bytes[0] = (char)(word >> 16);
    bytes[1] = (char)(word >> 8);
    bytes[2] = (char)word;
    strbuf_add(out, bytes, 3 - padding);
    return true;
}

static bool base64_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool base64_decode(struct str text, struct strbuf *out)
{
    size_t start = out->length;
    unsigned count = 0, padding = 0;
    int digits[4];

    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];
        int digit = c == '=' && count >= 2 ? 0 : base64_digit(c);

        if (base64_space(c))
            continue;
        if (digit < 0 || (c != '=' && padding)) /* also: something after the padding */
            goto bad;
        padding += c == '=';
        digits[count++] = digit;
        if (count < 4)
            continue;
        if (!base64_group(digits, padding, out))
            goto bad;
        count = 0;
    }
    if (count == 0)
        return true;
bad:
    out->length = start;
    if (out->text)
        out->text[start] = '\0';
    return false;
}
