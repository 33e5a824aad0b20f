/* workload_private.h - what the two files that decode Workloads share. */
#pragma once

#include "admitter/objects/objects_private.h"

struct preemption_gate {
    const char *name;
    bool is_open; /* status only */
};
struct gate_list {
    struct preemption_gate *items;
    size_t count;
};

struct workload_document {
    struct object_meta meta;
    struct workload workload;
    const char *priority_source; /* v1beta1 */
    struct gate_list spec_gates, status_gates;
};

decode_function workload_status_read; /* (struct workload_document) */
