/* Defaults of the options (spec/scheduling.md 7, spec/config.md). */
#include "quota/engine/options.h"

#include "quota/base/clock.h"

void engine_options_default(struct engine_options *options)
{
    *options = (struct engine_options){
        .gates = { .partial_admission = true,
                   .flavor_fungibility = true,
                   .preserve_scan_progress = true,
                   .priority_sorting_within_cohort = true,
                   .fair_sharing_preempt_within_nominal = true,
                   .fair_sharing_prioritize_non_borrowing = true,
                   .recompute_on_overlap = true,
                   .equivalence_hashing = true,
                   .admission_fair_sharing = true,
                   .reclaimable_pods = true,
                   .quota_check_strategy = true,
                   .admission_gated_by = true,
                   .unadmitted_observability = true,
                   .elastic_slices = true,
                   .topology_aware = true,
                   .tas_recompute = true,
                   .tas_failed_node_replacement = true,
                   .tas_failed_node_fail_fast = true,
                   .dra_integration = true,
                   .dra_extended_resources = true,
                   .dra_reject_when_off = true },
        .usage_sampling_interval = 300 * NANOSECONDS_PER_SECOND,
        .requeue_batch = NANOSECONDS_PER_SECOND,
    };
}
