#include "webhook/certificate_source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "quota/base/file.h"
#include "quota/base/mem.h"
#include "webhook/certificate.h"

#define CHAIN_MAX 16 /* leaf and intermediates */
#define FILE_LIMIT ((size_t)1 << 20)

/* Immutable once set; freed by whoever lets go of it last. */
struct served_pair {
    atomic_uint users;
    struct strbuf certificate, key; /* PEM */
    struct strbuf leaf;             /* DER */
    int64_t expiry;
};

struct certificate_source {
    pthread_mutex_t lock;     /* held for moving and counting a pointer, never longer */
    struct served_pair *pair; /* NULL until the first set */

    /* The folder; one thread only. */
    char *folder;
    struct strbuf seen_certificate, seen_key; /* content last looked at, good or bad */
};

static void wipe(struct strbuf *b)
{
    if (b->text)
        explicit_bzero(b->text, b->length);
    strbuf_finish(b);
}

static void pair_unref(struct served_pair *pair)
{
    if (!pair || atomic_fetch_sub(&pair->users, 1) != 1)
        return;
    strbuf_finish(&pair->certificate);
    strbuf_finish(&pair->leaf);
    wipe(&pair->key);
    free(pair);
}

/* The lock does not show from outside, so readers may hold a const source. */
static pthread_mutex_t *source_lock(const struct certificate_source *source)
{
    return (pthread_mutex_t *)(uintptr_t)&source->lock;
}

static struct served_pair *pair_get(const struct certificate_source *source)
{
    struct served_pair *pair;

    pthread_mutex_lock(source_lock(source));
    pair = source->pair;
    if (pair)
        atomic_fetch_add(&pair->users, 1);
    pthread_mutex_unlock(source_lock(source));
    return pair;
}

static void pair_swap(struct certificate_source *source, struct served_pair *pair)
{
    struct served_pair *old;

    pthread_mutex_lock(&source->lock);
    old = source->pair;
    source->pair = pair;
    pthread_mutex_unlock(&source->lock);
    pair_unref(old);
}

struct certificate_source *certificate_source_create(void)
{
    struct certificate_source *source = mem_alloc(sizeof(*source));

    pthread_mutex_init(&source->lock, NULL);
    return source;
}

void certificate_source_destroy(struct certificate_source *source)
{
    if (!source)
        return;
    pair_unref(source->pair);
    strbuf_finish(&source->seen_certificate);
    wipe(&source->seen_key);
    free(source->folder);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

/* -- GnuTLS objects of a pair -- */

static gnutls_datum_t datum(const struct strbuf *b)
{
    return (gnutls_datum_t){ (unsigned char *)b->text, (unsigned)b->length };
}

/* On success the array is the caller's, from GnuTLS's allocator. */
static int chain_import(const struct served_pair *pair, gnutls_pcert_st **chain, unsigned *length)
{
    gnutls_datum_t pem = datum(&pair->certificate);
    gnutls_pcert_st *list = gnutls_calloc(CHAIN_MAX, sizeof(*list));
    unsigned count = CHAIN_MAX;
    int code = list ? gnutls_pcert_list_import_x509_raw(list, &count, &pem, GNUTLS_X509_FMT_PEM, 0)
                    : GNUTLS_E_MEMORY_ERROR;

    if (code < 0) {
        gnutls_free(list);
        return code;
    }
    *chain = list;
    *length = count;
    return 0;
}

static int key_import(const struct served_pair *pair, gnutls_privkey_t *key)
{
    gnutls_datum_t pem = datum(&pair->key);
    int code = gnutls_privkey_init(key);

    if (code == 0)
        code = gnutls_privkey_import_x509_raw(*key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0) {
        gnutls_privkey_deinit(*key);
        *key = NULL;
    }
    return code;
}

static void chain_free(gnutls_pcert_st *chain, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        gnutls_pcert_deinit(&chain[i]);
    gnutls_free(chain);
}

int certificate_source_handshake(const struct certificate_source *source, void *chain,
                                 unsigned *chain_length, void *key)
{
    struct served_pair *pair = pair_get(source);
    gnutls_pcert_st *list = NULL;
    int code = pair ? chain_import(pair, &list, chain_length) : -1;

    if (code == 0)
        code = key_import(pair, key);
    if (code < 0 && list)
        chain_free(list, *chain_length);
    else
        *(gnutls_pcert_st **)chain = list;
    pair_unref(pair);
    return code < 0 ? -1 : 0;
}

/* -- setting -- */

/* Try what each handshake will do, and keep what others ask about. */
static int pair_prove(struct served_pair *pair, struct err *e)
{
    gnutls_pcert_st *chain = NULL;
    gnutls_privkey_t key = NULL;
    unsigned length = 0;
    int code = chain_import(pair, &chain, &length);

    if (code < 0)
        return err_set(e, ERR_INVALID, "certificate: %s", gnutls_strerror(code));
    strbuf_add(&pair->leaf, (const char *)chain[0].cert.data, chain[0].cert.size);
    chain_free(chain, length);
    code = key_import(pair, &key);
    if (code < 0)
        return err_set(e, ERR_INVALID, "private key: %s", gnutls_strerror(code));
    gnutls_privkey_deinit(key);
    return 0;
}

static struct served_pair *pair_create(struct str certificate, struct str key, struct err *e)
{
    struct served_pair *pair = mem_alloc(sizeof(*pair));
    struct certificate_times times;

    atomic_init(&pair->users, 1);
    strbuf_str(&pair->certificate, certificate);
    strbuf_str(&pair->key, key);
    strbuf_putc(&pair->certificate, '\n'); /* never without text */
    strbuf_putc(&pair->key, '\n');
    if (certificate_match(pair->certificate.text, pair->key.text, e) < 0 ||
        certificate_read_times(pair->certificate.text, &times, e) < 0 || pair_prove(pair, e) < 0) {
        pair_unref(pair);
        return NULL;
    }
    pair->expiry = times.not_after;
    return pair;
}

int certificate_source_set(struct certificate_source *source, struct str certificate,
                           struct str key, struct err *e)
{
    struct served_pair *pair = pair_create(certificate, key, e);

    if (!pair)
        return -1;
    pair_swap(source, pair);
    return 0;
}

/* -- the folder -- */

static int folder_read(const struct certificate_source *source, const char *name,
                       struct strbuf *out, struct err *e)
{
    AUTO_FREE char *path = mem_format("%s/%s", source->folder, name);

    return file_read(path, FILE_LIMIT, out, e);
}

static void buffer_move(struct strbuf *to, struct strbuf *from)
{
    wipe(to);
    *to = *from;
    *from = (struct strbuf)STRBUF_INIT;
}

/* 'now' 0: no check of the end of validity. */
static int folder_use(struct certificate_source *source, int64_t now, bool *changed, struct err *e)
{
    struct served_pair *pair =
        pair_create(strbuf_view(&source->seen_certificate), strbuf_view(&source->seen_key), e);

    if (!pair)
        return err_wrap(e, "%s: tls.crt and tls.key", source->folder);
    if (now && now >= pair->expiry) {
        pair_unref(pair);
        return err_set(e, ERR_INVALID, "%s: tls.crt has expired", source->folder);
    }
    pair_swap(source, pair);
    *changed = true;
    return 0;
}

static int folder_load(struct certificate_source *source, int64_t now, bool *changed, struct err *e)
{
    struct strbuf certificate = STRBUF_INIT, key = STRBUF_INIT;
    int result = folder_read(source, "tls.crt", &certificate, e);

    *changed = false;
    if (result == 0)
        result = folder_read(source, "tls.key", &key, e);
    if (result == 0 &&
        (!str_equal(strbuf_view(&certificate), strbuf_view(&source->seen_certificate)) ||
         !str_equal(strbuf_view(&key), strbuf_view(&source->seen_key)))) {
        buffer_move(&source->seen_certificate, &certificate);
        buffer_move(&source->seen_key, &key);
        result = folder_use(source, now, changed, e);
    }
    strbuf_finish(&certificate);
    wipe(&key);
    return result;
}

int certificate_source_watch_folder(struct certificate_source *source, const char *folder,
                                    struct err *e)
{
    bool changed;

    free(source->folder);
    source->folder = mem_dup(folder);
    strbuf_finish(&source->seen_certificate);
    wipe(&source->seen_key);
    return folder_load(source, 0, &changed, e);
}

int certificate_source_refresh(struct certificate_source *source, int64_t now_seconds,
                               bool *changed, struct err *e)
{
    *changed = false;
    return source->folder ? folder_load(source, now_seconds, changed, e) : 0;
}

/* -- questions -- */

bool certificate_source_ready(const struct certificate_source *source)
{
    return certificate_source_expiry(source) != 0;
}

int64_t certificate_source_expiry(const struct certificate_source *source)
{
    struct served_pair *pair = pair_get(source);
    int64_t expiry = pair ? pair->expiry : 0;

    pair_unref(pair);
    return expiry;
}

bool certificate_source_leaf(const struct certificate_source *source, struct strbuf *out)
{
    struct served_pair *pair = pair_get(source);

    if (!pair)
        return false;
    strbuf_str(out, strbuf_view(&pair->leaf));
    pair_unref(pair);
    return true;
}
