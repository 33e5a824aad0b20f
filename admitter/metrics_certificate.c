#include "admitter/metrics_certificate.h"

#include <stdlib.h>
#include <unistd.h>
#include "quota/base/mem.h"
#include "webhook/certificate.h"

#define EXTERNAL_FOLDER "/etc/kueue/metrics/certs"
#define INTERNAL_FOLDER                                                                            \
    "k8s-metrics-server/serving-certs" /* below the folder for temporary files */
#define RENEW_BEFORE_SECONDS 2592000   /* 30 days */

struct metrics_certificate {
    struct certificate_source *source;
    bool is_own; /* made here */
};

static int make_own(struct metrics_certificate *certificate, int64_t now, struct err *e)
{
    static const char *const dns[] = { "localhost" }, *const ip[] = { "127.0.0.1" };
    const struct certificate_names names = { dns, 1, ip, 1 };
    struct certificate_pair authority = { 0 }, leaf = { 0 };
    int result =
        certificate_authority_create("localhost", now, CERTIFICATE_AUTHORITY_DAYS, &authority, e);

    if (result == 0)
        result = certificate_leaf_create(&authority, &names, now, CERTIFICATE_LEAF_DAYS, &leaf, e);
    if (result == 0)
        result = certificate_source_set(certificate->source, str_of(leaf.certificate),
                                        str_of(leaf.key), e);
    certificate_pair_finish(&authority);
    certificate_pair_finish(&leaf);
    return result;
}

static int find_internal(struct metrics_certificate *certificate, int64_t now, struct err *e)
{
    const char *temporary = getenv("TMPDIR");
    AUTO_FREE char *folder =
        mem_format("%s/" INTERNAL_FOLDER, temporary && *temporary ? temporary : "/tmp");
    AUTO_FREE char *file = mem_format("%s/tls.crt", folder);

    if (access(file, R_OK) == 0)
        return certificate_source_watch_folder(certificate->source, folder, e);
    certificate->is_own = true;
    return make_own(certificate, now, e);
}

struct metrics_certificate *metrics_certificate_create(bool internal, int64_t now_seconds,
                                                       struct err *e)
{
    struct metrics_certificate *certificate = mem_alloc(sizeof(*certificate));
    int result;

    certificate->source = certificate_source_create();
    result = internal ? find_internal(certificate, now_seconds, e)
                      : certificate_source_watch_folder(certificate->source, EXTERNAL_FOLDER, e);
    if (result == 0)
        return certificate;
    metrics_certificate_destroy(certificate);
    return NULL;
}

void metrics_certificate_destroy(struct metrics_certificate *certificate)
{
    if (!certificate)
        return;
    certificate_source_destroy(certificate->source);
    free(certificate);
}

struct certificate_source *metrics_certificate_source(struct metrics_certificate *certificate)
{
    return certificate->source;
}

int metrics_certificate_refresh(struct metrics_certificate *certificate, int64_t now_seconds,
                                struct err *e)
{
    bool changed;

    if (!certificate->is_own)
        return certificate_source_refresh(certificate->source, now_seconds, &changed, e);
    if (certificate_source_expiry(certificate->source) - now_seconds > RENEW_BEFORE_SECONDS)
        return 0;
    return make_own(certificate, now_seconds, e);
}
