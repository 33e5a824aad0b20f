/* object.h - the Configuration object as it is written.
 *
 * Private to configuration*.c. configuration_decode fills it by the tables of
 * fields.c, configuration_default completes it, configuration_validate judges it,
 * configuration_settings turns it into struct configuration. Texts live in the arena of the
 * reading, json_t pointers in its file. */
#pragma once

#include <jansson.h>
#include "admitter/configuration/configuration.h"
#include "admitter/kube/yaml.h"
#include "admitter/objects/field_error.h"

enum { VERSION_1 = 1, VERSION_2 = 2, VERSION_ANY = 3 };

/* Values that know whether they were written. */
struct given_bool {
    bool given, value;
};
struct given_int { /* numbers, durations */
    bool given;
    int64_t value;
};
struct given_number {
    bool given;
    double value;
};
struct given_texts {
    bool given;
    const char **items;
    size_t count;
};
struct given_ints {
    bool given;
    int32_t *items;
    size_t count;
};
struct given_rows {
    bool given;
    void *items; /* array of the table's struct */
    size_t count;
};
struct given_selector {
    bool given;
    const json_t *source; /* NULL for the default */
    struct label_selector value;
};

struct environment_row {
    bool given;
    const char *name, *value;
};
struct exec_object {
    bool given;
    const char *command, *api_version, *interactive_mode, *install_hint;
    struct given_texts args;
    struct given_rows env; /* environment_row */
    struct given_bool provide_cluster_info;
};
struct provider_row {
    bool given;
    const char *name;
    struct exec_object exec;
};
struct named_row {
    bool given;
    const char *name;
};
struct transformation_row {
    bool given;
    const char *input, *strategy, *multiply_by;
    const json_t *outputs;
};
struct device_source {
    bool given;
    const char *name, *driver;
    struct {
        bool given;
        struct {
            bool given;
            const char *expression;
        } cel;
    } selector;
};
struct device_source_row {
    bool given;
    struct device_source counter, capacity;
};
struct device_mapping_row {
    bool given;
    const char *name;
    struct given_texts classes;
    struct given_rows sources; /* device_source_row */
};
struct custom_label_row {
    bool given;
    const char *name, *label, *annotation, *kind;
    struct given_texts tracked;
};

struct configuration_object {
    bool given;
    unsigned version;
    const char *namespace;
    struct given_bool manage_without_queue_name;
    struct given_selector managed_namespaces;
    const json_t *feature_gates;
    const char *pprof_address;
    struct {
        bool given;
        struct given_int port;
        const char *host, *certificate_folder;
    } webhook;
    struct {
        bool given;
        struct given_bool enabled;
        struct given_int lease_duration, renew_deadline, retry_period;
        const char *lock, *name, *namespace;
    } leader_election;
    struct {
        bool given;
        const char *bind_address;
        struct given_bool cluster_queue_resources;
        struct {
            bool given;
            struct given_bool enabled;
            struct given_selector selector;
        } local_queues;
        struct given_rows custom_labels; /* custom_label_row */
    } metrics;
    struct {
        bool given;
        const char *bind_address, *readiness, *liveness;
    } health;
    struct {
        bool given;
        struct given_int cache_sync_timeout;
        const json_t *concurrency;
    } controller;
    struct {
        bool given;
        const char *minimum;
        struct given_texts cipher_suites;
        struct given_ints curves;
    } tls;
    struct {
        bool given;
        struct given_bool enabled;
        const char *service_name, *secret_name;
    } certificates;
    struct {
        bool given;
        struct given_number qps;
        struct given_int burst;
    } client;
    struct {
        bool given;
        struct given_texts frameworks, external, label_keys;
    } integrations;
    struct {
        bool given;
        struct given_bool enabled; /* v1beta1 */
        struct given_int timeout, recovery_timeout;
        struct given_bool block_admission;
        struct {
            bool given;
            const char *timestamp;
            struct given_int limit, base, maximum;
        } requeuing;
    } wait_for_pods_ready;
    struct {
        bool given;
        struct given_int gc_interval, worker_lost_timeout;
        const char *origin, *dispatcher;
        struct given_rows external; /* named_row */
        struct {
            bool given;
            struct given_rows access, credentials; /* provider_row */
        } profile;
        struct {
            bool given;
            struct given_int step_size;
        } incremental;
    } multikueue;
    struct {
        bool given;
        struct given_bool enabled; /* v1beta1 */
        struct given_texts strategies;
    } fair_sharing;
    struct {
        bool given;
        struct given_int half_life, sampling_interval;
        const json_t *weights;
    } admission_fair_sharing;
    struct {
        bool given;
        const char *quota_check;
        struct given_texts exclude_prefixes;
        struct given_rows transformations; /* transformation_row */
        struct given_rows device_mappings; /* device_mapping_row */
    } resources;
    struct {
        bool given;
        struct {
            bool given;
            struct given_int after_finished, after_deactivated;
        } workloads;
    } retention;
    struct {
        bool given;
        const char *bind_address;
        struct given_int port;
    } visibility;
};

/* ---- tables (fields.c) ---- */
enum field_type {
    FIELD_DROPPED,  /* not kept; with a table the names inside are checked */
    FIELD_BOOL,     /* given_bool */
    FIELD_INT,      /* given_int: int32 */
    FIELD_LONG,     /* given_int: int64 */
    FIELD_NUMBER,   /* a decimal */
    FIELD_DURATION, /* given_int: nanoseconds */
    FIELD_TEXT,     /* const char * */
    FIELD_SECRET,   /* const char * that is not shown */
    FIELD_ADDRESS,  /* const char *; the number 0 reads as "0" */
    FIELD_TEXTS,    /* given_texts */
    FIELD_INTS,     /* given_ints */
    FIELD_SELECTOR, /* given_selector */
    FIELD_OBJECT,   /* struct that begins with bool given */
    FIELD_ROWS,     /* given_rows of such structs */
    /* maps from text, checked and kept as const json_t * */
    FIELD_BOOL_MAP,
    FIELD_INT_MAP,
    FIELD_NUMBER_MAP,
    FIELD_QUANTITY_MAP,
};

struct field_table;
struct field {
    const char *name;
    enum field_type type;
    unsigned versions;
    size_t offset;
    const struct field_table *table; /* of objects and rows */
    const char *note;                /* why it has no effect here: a warning when it is written */
};
struct field_table {
    const struct field *fields;
    size_t count;
    size_t size; /* of the struct */
};
extern const struct field_table configuration_fields;

/* ---- one reading ---- */
struct reading {
    struct configuration *out;
    struct arena *arena; /* &out->arena */
    const char *name;    /* of the file */
    struct yaml_stream *stream;
    struct configuration_object object;
    struct field_errors errors;
};

void configuration_warn(struct reading *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void configuration_problem(struct reading *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Fill r->object from the file's tree. Everything wrong goes to problems, with its line. */
void configuration_decode(struct reading *r, const json_t *root);
/* Complete r->object by the rules of the version it was written in, then make it v1beta2. */
void configuration_default(struct reading *r);
/* "path: Too many: 21: must have at most 20 items". */
void configuration_too_many(struct reading *r, const char *path, size_t count, size_t limit);
/* All rules of spec/config.md 4, in order, into r->errors. */
void configuration_validate(struct reading *r);
void configuration_validate_transformations(struct reading *r); /* rule 7 */
void configuration_validate_devices(struct reading *r);         /* rule 8 */
void configuration_validate_tls(struct reading *r);
void configuration_validate_metrics(struct reading *r);
/* What is in effect, written as a v1beta2 file; in the arena. Empty texts and lists are left out.
 */
const char *configuration_encode(const struct reading *r);
/* Fill r->out from a valid object. */
void configuration_settings(struct reading *r);

/* ---- the job kinds by name ---- */
struct framework {
    const char *name, *type; /* type: "Kind.version.group" */
    bool has_adapter;        /* for several clusters */
};
extern const struct framework frameworks[];
extern const size_t framework_count;
const struct framework *framework_find(const char *name); /* NULL */
bool framework_is_enabled(const struct configuration_object *object, const char *name);
/* Kind.version.group: at least two dots. */
bool framework_type_is_well_formed(const char *type);

#define DISPATCHER_INCREMENTAL "kueue.x-k8s.io/multikueue-dispatcher-incremental"
#define NOT_NEGATIVE "must be greater than or equal to 0"
