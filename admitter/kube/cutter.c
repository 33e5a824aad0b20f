#include "admitter/kube/cutter.h"

void cutter_init(struct cutter *c, enum cutter_form form, size_t limit, cutter_fn *take,
                 void *context)
{
    *c = (struct cutter){ .form = form,
                          .place = form == CUTTER_LIST ? CUTTER_BEFORE : CUTTER_VALUE,
                          .limit = limit,
                          .take = take,
                          .context = context };
    json_scanner_init(&c->scanner);
}

void cutter_finish(struct cutter *c)
{
    strbuf_finish(&c->held);
}

bool cutter_complete(const struct cutter *c)
{
    return !c->problem && c->place == (c->form == CUTTER_LIST ? CUTTER_COMPLETE : CUTTER_VALUE);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool wrong(struct cutter *c, const char *problem)
{
    c->problem = problem;
    return false;
}

/* A complete value goes out under its key. */
static bool hand_out(struct cutter *c, struct str value)
{
    struct str key = { c->key, c->place == CUTTER_IN_VALUE ? c->key_length : 0 };
    bool more = c->take(c->context, key, value);

    c->place = c->place == CUTTER_IN_ITEM ? CUTTER_ITEM
               : c->form == CUTTER_VALUES ? CUTTER_VALUE
                                          : CUTTER_KEY;
    json_scanner_init(&c->scanner);
    /* One huge object must not pin its memory for the whole stream. */
    if (c->held.capacity > (1u << 20))
        strbuf_finish(&c->held);
    else
        strbuf_reset(&c->held);
    return more;
}

/* Go on with the value at *at. */
static bool value_feed(struct cutter *c, struct str piece, size_t *at)
{
    struct str rest = { piece.text + *at, piece.length - *at };
    bool done = false;
    size_t used = json_scan(&c->scanner, rest, &done);

    *at += used;
    if (c->held.length + used > c->limit)
        return wrong(c, "one object is larger than the limit");
    if (done && c->held.length == 0)
        return hand_out(c, (struct str){ rest.text, used });
    strbuf_add(&c->held, rest.text, used);
    return done ? hand_out(c, strbuf_view(&c->held)) : true;
}

/* Keys of a list are short and plain; a longer one is cut, which cannot match what we look for. */
static bool key_feed(struct cutter *c, struct str piece, size_t *at)
{
    struct str rest = { piece.text + *at, piece.length - *at };
    bool done = false;
    size_t used = json_scan(&c->scanner, rest, &done);

    *at += used;
    if (c->held.length + used > c->limit)
        return wrong(c, "a key is larger than the limit");
    strbuf_add(&c->held, rest.text, used);
    if (!done)
        return true;
    c->key_length = c->held.length >= 2 ? c->held.length - 2 : 0;
    if (c->key_length > sizeof(c->key))
        c->key_length = sizeof(c->key);
    memcpy(c->key, c->held.text + 1, c->key_length);
    strbuf_reset(&c->held);
    json_scanner_init(&c->scanner);
    c->place = CUTTER_COLON;
    return true;
}

static bool is_items(const struct cutter *c)
{
    return c->form == CUTTER_LIST && str_is((struct str){ c->key, c->key_length }, "items");
}

/* One character between values. */
static bool step(struct cutter *c, char ch, size_t *at)
{
    switch (c->place) {
    case CUTTER_BEFORE:
        if (ch != '{')
            return wrong(c, "a list must be an object");
        c->place = CUTTER_KEY;
        break;
    case CUTTER_KEY:
        if (ch == '}')
            c->place = CUTTER_COMPLETE;
        else if (ch != ',')
            return wrong(c, "a list's member needs a key");
        break;
    case CUTTER_COLON:
        if (ch != ':')
            return wrong(c, "a ':' was expected");
        c->place = CUTTER_VALUE;
        break;
    case CUTTER_VALUE:
        c->place = is_items(c) && ch == '[' ? CUTTER_ITEM : CUTTER_IN_VALUE;
        if (c->place == CUTTER_IN_VALUE)
            return true; /* the character belongs to the value */
        break;
    case CUTTER_ITEM:
        if (ch == ']')
            c->place = CUTTER_KEY;
        else if (ch != ',')
            c->place = CUTTER_IN_ITEM;
        if (c->place == CUTTER_IN_ITEM)
            return true;
        break;
    default:
        return wrong(c, "bytes after the end");
    }
    ++*at;
    return true;
}

bool cutter_feed(struct cutter *c, struct str piece)
{
    size_t at = 0;
    bool more = !c->problem;

    while (more && at < piece.length) {
        char ch = piece.text[at];

        if (c->place == CUTTER_IN_VALUE || c->place == CUTTER_IN_ITEM)
            more = value_feed(c, piece, &at);
        else if (c->place == CUTTER_KEY && (c->scanner.started || ch == '"'))
            more = key_feed(c, piece, &at);
        else if (is_space(ch))
            at++;
        else
            more = step(c, ch, &at);
    }
    return more;
}
