/* room: admitter/kube. Kubeconfig files and YAML: whatever is accepted can be printed as JSON and
 * read again to the same text, and every place in it has a line. */
#include <stdint.h>
#include <stdlib.h>
#include "admitter/kube/config.h"
#include "admitter/kube/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const json_t *value)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT, second = STRBUF_INIT;
    AUTO_YAML struct yaml_stream *again = NULL;

    yaml_json(value, &text);
    again = yaml_load(strbuf_view(&text), "again", NULL);
    if (!again || yaml_count(again) != 1)
        abort();
    yaml_json(yaml_root(again, 0), &second);
    if (!str_equal(strbuf_view(&text), strbuf_view(&second)))
        abort();
}

static void check_stream(const struct yaml_stream *stream, unsigned lines)
{
    for (size_t i = 0; i < yaml_count(stream); i++) {
        const json_t *root = yaml_root(stream, i);
        unsigned line = yaml_line_of(stream, i, "/users/0/user/a~1b");

        if (json_is_object(root) || json_is_array(root))
            check_same(root);
        if (line < 1 || line < yaml_line(stream, i) || line > lines)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    struct err e = { .code = ERR_NONE };
    AUTO_YAML struct yaml_stream *stream = yaml_load(text, "fuzz", &e);
    struct kube_config *config = kube_config_parse(text, "fuzz", NULL, NULL, &e);
    unsigned lines = 2;

    /* YAML also breaks lines at these: CR, and NEL, LS and PS, which end in these bytes. */
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 ||
                 data[i] == 0xa9;
    if (stream)
        check_stream(stream, lines);
    if (config && (config->token_file || config->exec || !config->server))
        abort();
    kube_config_destroy(config);
    return 0;
}
