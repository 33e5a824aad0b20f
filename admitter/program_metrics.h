/* program_metrics.h - what the program itself does, under the names that Go's controllers use.
 *
 *   controller_runtime_webhook_requests_total{webhook,code}
 *   controller_runtime_webhook_latency_seconds{webhook}
 *   rest_client_requests_total{code,host,method}
 *   workqueue_adds_total, workqueue_depth {name,controller,priority}
 *   controller_runtime_reconcile_total{controller,result}
 *   process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
 *   process_open_fds, process_max_fds, process_start_time_seconds
 *
 * One set per process, in the registry of admitter/metrics/metrics.h: start after metrics_start,
 * end with metrics_stop. Any thread. Rules: spec/operations.md 1.10. */
#pragma once

#include <stdint.h>

struct loop;

void program_metrics_start(void);
/* A webhook_observer and a kube_observer (their context is the host of the API server). */
void program_metrics_webhook(void *context, const char *route, unsigned status,
                             int64_t nanoseconds);
void program_metrics_request(void *context, const char *method, unsigned status);
/* Look at the process and what its loop has to do; before a scrape. */
void program_metrics_refresh(const struct loop *loop);
