#include "tests/unit/admitter/rules/support_workload.h"

#include <string.h>

struct workload_surroundings around;
struct step_result result;

int rules_setup(void **state)
{
    arena_setup(state);
    loop_settings_default(&settings);
    settings.finish_orphaned = settings.admission_gated_by = true;
    settings.wait_for_pods_ready = true;
    settings.pods_ready_timeout = SECONDS(300);
    settings.pods_ready_recovery_timeout = SECONDS(60);
    around = (struct workload_surroundings){ .local_queue_exists = true,
                                             .cluster_queue_exists = true,
                                             .local_queue = "lq",
                                             .cluster_queue = "cq",
                                             .know_required_checks = true,
                                             .wait_reason = "",
                                             .wait_message = "",
                                             .not_requeued = "" };
    return 0;
}

json_t *held_workload(const char *held, int64_t seconds, const char *further, const char *spec,
                      const char *rest)
{
    const char *list = further;

    if (strchr(held, 'Q'))
        list =
            arena_format(&arena, "%s%s%s", list, *list ? "," : "",
                         condition(&arena, "QuotaReserved", "True", "QuotaReserved", "", seconds));
    if (strchr(held, 'A'))
        list = arena_format(&arena, "%s,%s", list,
                            condition(&arena, "Admitted", "True", "Admitted", "", seconds));
    return workload(OWNER, spec,
                    arena_format(&arena, "'conditions':[%s]%s%s%s", list,
                                 strchr(held, 'Q') ? ",'admission':{'clusterQueue':'cq'}" : "",
                                 *rest ? "," : "", rest));
}

enum step_write step(json_t *object)
{
    workload_step(object, &settings, &around, now_time(), 0, &arena, &result);
    return result.write;
}

int settle(json_t *object)
{
    int writes = 0;

    while (step(object) != STEP_NOTHING)
        assert_true(++writes <= 10);
    return writes;
}

void assert_step_event(unsigned index, bool warning, const char *reason, const char *note)
{
    assert_true(index < result.event_count);
    assert_int_equal(result.events[index].warning, warning);
    assert_string_equal(result.events[index].reason, reason);
    assert_string_equal(result.events[index].note, note);
}
