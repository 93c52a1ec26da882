
/*
 * The end of the configuration is no place to look at: which location it is.
 */


#include "module/ngx_http_segments_place.h"


static u_char *ngx_http_segments_log_place(ngx_log_t *log, u_char *buf,
    size_t len);


void
ngx_http_segments_enter_place(ngx_log_t *log, ngx_http_segments_place_t *place)
{
    place->handler = log->handler;
    place->data = log->data;

    log->handler = ngx_http_segments_log_place;
    log->data = place;
}


void
ngx_http_segments_leave_place(ngx_log_t *log, ngx_http_segments_place_t *place)
{
    log->handler = place->handler;
    log->data = place->data;
}


static u_char *
ngx_http_segments_log_place(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_segments_place_t *place = log->data;

    return ngx_snprintf(buf, len, " while checking location \"%V\" of server "
                        "\"%V\" in %s:%ui", &place->clcf->name,
                        &place->cscf->server_name, place->cscf->file_name,
                        place->cscf->line);
}
