/* room: admitter/configuration. The configuration file: any bytes give a configuration or say what
 * is wrong. */
#include <stdint.h>
#include <stdlib.h>
#include "admitter/configuration/configuration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What every accepted configuration promises to the rest of the program. */
static void check_accepted(const struct configuration *c)
{
    const struct loop_settings *loop = &c->loop;

    if (c->problem_count > 0 || !c->namespace || !c->webhook.certificate_folder)
        abort();
    if (loop->wait_for_pods_ready &&
        (loop->pods_ready_timeout <= 0 || loop->pods_ready_recovery_timeout < 0))
        abort();
    if (loop->engine.fair_sharing &&
        (loop->engine.fair_strategy_count < 1 || loop->engine.fair_strategy_count > 2))
        abort();
    if (c->leader_election.enabled &&
        c->leader_election.lease_duration <= c->leader_election.renew_deadline)
        abort();
    if (gates_check(&c->gates, NULL) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct configuration configuration;
    struct err e = { ERR_NONE, "" };
    struct str bytes = { (const char *)data, size };

    if (configuration_read(bytes, "fuzz", NULL, &configuration, &e) == 0)
        check_accepted(&configuration);
    else if (e.code == ERR_NONE || e.text[0] == '\0')
        abort();
    configuration_finish(&configuration);
    return 0;
}
