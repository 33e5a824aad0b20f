/* room: admitter/simulate. Manifests through the simulator: any bytes give output, or a refusal
 * that names a line, never a crash, and never an engine whose invariants are broken. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "admitter/simulate/simulate.h"
#include "quota/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct simulate_options options = {
    .now = TIME_NONE, .duration = 1000000000, .cycles = 20, .json = true
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct simulate_documents documents = { 0 };
    AUTO_STRBUF struct strbuf out = { 0 };
    AUTO_STRBUF struct strbuf warnings = { 0 };
    struct err e = { 0 };
    int status = 2;

    if (simulate_documents_parse(&documents, "fuzz", (struct str){ (const char *)data, size },
                                 &e) == 0)
        status = simulate_run(&documents, &options, &out, &warnings, &e);
    simulate_documents_finish(&documents);
    if (status == 1 || (status == 2 && (out.length || !*e.text))) {
        fprintf(stderr, "status %d: %s\n", status, e.text);
        abort();
    }
    return 0;
}
