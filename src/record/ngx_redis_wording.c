
/*
 * The words of a record's commands, in each form.
 */


#include "record/ngx_redis_wording.h"


/* words of a claim, limits apart */
#define NGX_REDIS_RECORD_WORDS    7

#if (NGX_REDIS_RECORD_WORDS + NGX_REDIS_LIMITS_ARGC > NGX_REDIS_WORDS)
#error a claim has more words than a command
#endif


static void ngx_redis_record_script(ngx_redis_record_t *record,
    ngx_redis_phrase_t *phrase);
static void ngx_redis_record_prove(ngx_redis_record_t *record,
    ngx_redis_phrase_t *phrase);
static void ngx_redis_record_straight(ngx_redis_record_t *record,
    ngx_redis_phrase_t *phrase);
static void ngx_redis_record_look(ngx_redis_record_t *record, ngx_uint_t form,
    ngx_redis_phrase_t *phrase);
static void ngx_redis_record_name(ngx_redis_record_t *record,
    ngx_redis_phrase_t *phrase);


void
ngx_redis_record_words(void *data, ngx_uint_t form, ngx_redis_phrase_t *phrase)
{
    ngx_redis_record_t *record = data;

    switch (form) {

    case ngx_redis_form_script:
        ngx_redis_record_script(record, phrase);
        break;

    case ngx_redis_form_straight:
        ngx_redis_record_straight(record, phrase);
        break;

    default: /* ngx_redis_form_read, ngx_redis_form_left */
        ngx_redis_record_look(record, form, phrase);
    }
}


static void
ngx_redis_record_script(ngx_redis_record_t *record, ngx_redis_phrase_t *phrase)
{
    ngx_str_t   *word;
    ngx_uint_t   n;

    phrase->script = record->script;
    phrase->nkeys = 1;

    word = phrase->word;
    n = 0;

    word[n++] = record->name;

    if (record->verb.len) {
        word[n++] = record->verb;

        word[n].data = record->token;
        word[n++].len = SG_VALUE_TOKEN;

    } else {
        ngx_redis_record_prove(record, phrase);
    }

    if (record->asked != ngx_redis_asked_spend) {
        word[n].data = record->head;
        word[n++].len = record->head_len;
    }

    if (record->asked == ngx_redis_asked_change) {
        phrase->parted = n - 1;
        phrase->rest[0] = record->headers;
        phrase->rest[1] = record->body;
    }

    word[n++] = record->ttl->digits;

    if (record->asked == ngx_redis_asked_claim) {

        if (record->hold) {
            ngx_str_set(&word[n], "hold");

        } else {
            ngx_str_set(&word[n], "retry");
        }

        n++;

        ngx_str_null(&word[n]);

        if (record->channel.len) {
            sg_value_item_head(record->item, sg_item_channel,
                               record->channel.len);

            word[n].data = record->item;
            word[n].len = SG_VALUE_ITEM;

            phrase->parted = n;
            phrase->rest[0] = record->channel;
            ngx_str_null(&phrase->rest[1]);
        }

        n++;
    }

    phrase->n = n;

    if (record->asked != ngx_redis_asked_change) {
        ngx_redis_limits_add(record->limits, phrase);
    }
}


/* the value says both, what is to be done and by whom */

static void
ngx_redis_record_prove(ngx_redis_record_t *record, ngx_redis_phrase_t *phrase)
{
    phrase->expect = ngx_redis_expect_done;

    phrase->proof[0] = record->head[SG_VALUE_STATE_AT];
    ngx_memcpy(phrase->proof + 1, record->token, NGX_REDIS_PROOF_TOKEN);
    phrase->proof_len = 1 + NGX_REDIS_PROOF_TOKEN;
}


static void
ngx_redis_record_straight(ngx_redis_record_t *record,
    ngx_redis_phrase_t *phrase)
{
    ngx_str_t   *word;
    ngx_uint_t   n;

    word = phrase->word;
    n = 0;

    ngx_str_set(&word[n], "SET");
    n++;

    phrase->key = n;
    word[n++] = record->name;

    word[n].data = record->head;
    word[n++].len = record->head_len;

    if (record->asked == ngx_redis_asked_claim) {
        ngx_redis_record_name(record, phrase);

        phrase->tail = record->ttl->claim;

    } else {
        phrase->expect = ngx_redis_expect_set;

        phrase->parted = n - 1;
        phrase->rest[0] = record->headers;
        phrase->rest[1] = record->body;

        ngx_str_set(&word[n], "IFEQ");
        n++;

        word[n].data = record->claim;
        word[n++].len = SG_VALUE_HEAD;

        phrase->tail = record->ttl->px;
    }

    phrase->n = n;
}


static void
ngx_redis_record_look(ngx_redis_record_t *record, ngx_uint_t form,
    ngx_redis_phrase_t *phrase)
{
    if (form == ngx_redis_form_read) {
        ngx_str_set(&phrase->word[0], "GET");
        ngx_redis_record_name(record, phrase);

    } else {
        ngx_str_set(&phrase->word[0], "PTTL");
        phrase->expect = ngx_redis_expect_number;
    }

    phrase->key = 1;
    phrase->word[1] = record->name;
    phrase->n = 2;
}


/* a value that comes, if any, has to be this record's */

static void
ngx_redis_record_name(ngx_redis_record_t *record, ngx_redis_phrase_t *phrase)
{
    phrase->expect = ngx_redis_expect_value;

    phrase->proof[0] = SG_VALUE_VERSION;
    ngx_memcpy(phrase->proof + 1, record->check, SG_VALUE_CHECK);
    phrase->proof_len = 1 + SG_VALUE_CHECK;
}
