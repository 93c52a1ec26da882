
/*
 * How answers of the upstream compared with the documentation: there are as
 * many counts as the documentation has fields, whatever the upstream sends.
 */


#include "metrics/ngx_http_segments_compared.h"


static void ngx_http_segments_count_fields(ngx_atomic_t *counts,
    sg_fields_t fields);


const char *
ngx_http_segments_compared_name(ngx_uint_t compared)
{
    static const char *const  names[] = {
        [ngx_http_segments_compared_ok] = "ok",
        [ngx_http_segments_compared_drift] = "drift",
        [ngx_http_segments_compared_unchecked] = "unchecked"
    };

    return names[compared];
}


void
ngx_http_segments_count_answer(ngx_http_segments_compared_t *counts,
    sg_operation_e operation, ngx_http_segments_compared_e compared,
    sg_drift_t *drift)
{
    if (counts == NULL) {
        return;
    }

    (void) ngx_atomic_fetch_add(&counts->answers[operation][compared], 1);

    ngx_http_segments_count_fields(counts->fields[operation], drift->fields);
    ngx_http_segments_count_fields(counts->additional[operation],
                                   drift->additional);
}


static void
ngx_http_segments_count_fields(ngx_atomic_t *counts, sg_fields_t fields)
{
    ngx_uint_t  i;

    for (i = 0; fields; i++, fields >>= 1) {
        if (fields & 1) {
            (void) ngx_atomic_fetch_add(&counts[i], 1);
        }
    }
}
