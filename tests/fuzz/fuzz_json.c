/* room: quota/base. The JSON reader and the border finder, with jansson as the judge. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/json_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A value with white space behind it must be found whole, however the bytes arrive. */
static void check_border(struct str bytes)
{
    struct json_reader r;
    struct json_scanner whole, single;
    size_t border, at = 0;
    bool done, done_single = false;

    json_open(&r, bytes);
    json_skip(&r);
    if (r.problem || r.at == r.end || !strchr(" \n\r\t", *r.at))
        return;
    json_scanner_init(&whole);
    border = json_scan(&whole, bytes, &done);
    json_scanner_init(&single);
    while (at < bytes.length && !done_single)
        at += json_scan(&single, (struct str){ bytes.text + at, 1 }, &done_single);
    if (done != done_single || (done && border != at) || (done && bytes.text + border != r.at)) {
        fprintf(stderr, "border: reader %zu, scanner %zu, byte by byte %zu\n",
                (size_t)(r.at - r.start), border, at);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = { (const char *)data, size };
    const char *verdict = judge_json(bytes);

    if (verdict) {
        fprintf(stderr, "%s\n", verdict);
        abort();
    }
    check_border(bytes);
    return 0;
}
