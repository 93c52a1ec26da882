
/*
 * Answers are sealed with one key and opened with any at hand: which of them it
 * was, its seal says.
 */


#include "seal/ngx_http_segments_seal.h"
#include "redis/ngx_redis.h"


static const sg_sealing_key_t *ngx_http_segments_find_key(
    ngx_http_segments_seal_conf_t *conf, const u_char seal[SG_SEAL]);


ngx_uint_t
ngx_http_segments_same_seal(ngx_http_segments_seal_conf_t *one,
    ngx_http_segments_seal_conf_t *other)
{
    ngx_uint_t                     i;
    ngx_http_segments_sealing_t  **first, **second;

    if (one->hiding != other->hiding) {
        return 0;
    }

    if (one->keys == NULL || other->keys == NULL) {
        return one->keys == other->keys;
    }

    if (one->keys->nelts != other->keys->nelts) {
        return 0;
    }

    first = one->keys->elts;
    second = other->keys->elts;

    for (i = 0; i < one->keys->nelts; i++) {
        if (first[i] != second[i]) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_segments_seal(ngx_http_segments_seal_conf_t *conf,
    const sg_sealed_t *answer, u_char *out)
{
    u_char                        *item;
    ngx_http_segments_sealing_t  **sealing;

    sealing = conf->keys->elts;

    item = out + answer->headers.len + answer->body.len;

    sg_value_item_head(item, sg_item_seal, SG_SEAL);

    return sg_seal(out, item + SG_VALUE_ITEM, &sealing[0]->key, answer) == 0
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_segments_open(ngx_http_segments_seal_conf_t *conf, ngx_pool_t *pool,
    const sg_sealed_t *answer, const u_char seal[SG_SEAL], u_char **out,
    ngx_log_t *log)
{
    ngx_str_t                name;
    const sg_sealing_key_t  *key;

    name.data = (u_char *) answer->name.data;
    name.len = answer->name.len;

    key = ngx_http_segments_find_key(conf, seal);

    if (key == NULL) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(log), 0,
                      "an answer was sealed with a key that is not at hand, "
                      "record: \"%V\"", &name);
        return NGX_DECLINED;
    }

    *out = ngx_pnalloc(pool, ngx_max(answer->headers.len + answer->body.len,
                                     1));
    if (*out == NULL) {
        return NGX_ERROR;
    }

    if (sg_open(*out, seal, key, answer) == 0) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(log), 0,
                  "an answer cannot be opened: it is not as it was sealed, "
                  "record: \"%V\"", &name);

    return NGX_DECLINED;
}


static const sg_sealing_key_t *
ngx_http_segments_find_key(ngx_http_segments_seal_conf_t *conf,
    const u_char seal[SG_SEAL])
{
    ngx_uint_t                     i;
    ngx_http_segments_sealing_t  **sealing;

    if (conf->keys == NULL) {
        return NULL;
    }

    sealing = conf->keys->elts;

    for (i = 0; i < conf->keys->nelts; i++) {

        if (sg_seal_is_of(seal, &sealing[i]->key)) {
            return &sealing[i]->key;
        }

        if (sealing[i]->changed && sg_seal_is_of(seal, &sealing[i]->before)) {
            return &sealing[i]->before;
        }
    }

    return NULL;
}
