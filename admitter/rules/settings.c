#include "admitter/rules/settings.h"

void loop_settings_default(struct loop_settings *settings)
{
    *settings = (struct loop_settings){
        .components = COMPONENT_ALL,
        .job_reconcilers = 1,
        .job_webhooks = 1,
        .own_namespace = "kueue-system",
        .wait_for_pods_ready = true,
        .pods_ready_timeout = 1800 * NANOSECONDS_PER_SECOND,
        .pods_ready_recovery_timeout = 1800 * NANOSECONDS_PER_SECOND,
        .backoff_limit_count = -1,
        .backoff_base = 60 * NANOSECONDS_PER_SECOND,
        .backoff_max = 3600 * NANOSECONDS_PER_SECOND,
        .retain_finished = -1,
        .retain_deactivated = -1,
        .unadmitted_observability = true,
        .finish_orphaned = true,
        .admission_gated_by = true,
        .skip_reassignment_for_pods = true,
        .tas_requeue_batch = NANOSECONDS_PER_SECOND,
        .pod_termination_grace = 60 * NANOSECONDS_PER_SECOND,
        .multikueue_gc = 60 * NANOSECONDS_PER_SECOND,
        .multikueue_event_batch = NANOSECONDS_PER_SECOND,
        .queue_status_interval = NANOSECONDS_PER_SECOND,
        .admissions_in_flight = 256,
    };
    job_options_default(&settings->jobs);
    object_gates_default(&settings->objects);
    engine_options_default(&settings->engine);
}

void loop_settings_leave_devices(struct loop_settings *settings)
{
    struct engine_gates *gates = &settings->engine.gates;

    if (gates->dra_integration)
        gates->dra_integration = gates->dra_reject_when_off = false;
}
