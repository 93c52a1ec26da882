
/*
 * Directives whose words are chosen from a few: a word that is none of them is
 * answered with those that are.
 */


#include "module/ngx_http_segments_choice.h"
#include "contract/sg_route.h"
#include "life/ngx_http_segments_conf.h"


static ngx_conf_enum_t *ngx_http_segments_find_choice(
    ngx_conf_enum_t *choices, ngx_str_t *word);
static char *ngx_http_segments_refuse_choice(ngx_conf_t *cf,
    ngx_conf_enum_t *choices, ngx_str_t *word);


char *
ngx_http_segments_choice(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    ngx_str_t        *value;
    ngx_uint_t       *chosen;
    ngx_conf_enum_t  *choice;

    chosen = (ngx_uint_t *) (p + cmd->offset);

    if (*chosen != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    choice = ngx_http_segments_find_choice(cmd->post, &value[1]);

    if (choice == NULL) {
        return ngx_http_segments_refuse_choice(cf, cmd->post, &value[1]);
    }

    *chosen = choice->value;

    return NGX_CONF_OK;
}


char *
ngx_http_segments_operations(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    ngx_str_t        *value;
    ngx_uint_t        i;
    ngx_conf_enum_t  *choice;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        choice = ngx_http_segments_find_choice(cmd->post, &value[i]);

        if (choice == NULL) {
            return ngx_http_segments_refuse_choice(cf, cmd->post, &value[i]);
        }

        /* "all" stands beside any others, and they beside it */

        if (choice->value != SG_OP_ALL && slcf->operations != SG_OP_ALL
            && (slcf->operations & choice->value))
        {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "duplicate value \"%V\"", &value[i]);
        }

        slcf->operations |= choice->value;
    }

    return NGX_CONF_OK;
}


/* without case, as nginx' own; NULL where there is none */

static ngx_conf_enum_t *
ngx_http_segments_find_choice(ngx_conf_enum_t *choices, ngx_str_t *word)
{
    ngx_conf_enum_t  *choice;

    for (choice = choices; choice->name.len; choice++) {

        if (choice->name.len == word->len
            && ngx_strcasecmp(choice->name.data, word->data) == 0)
        {
            return choice;
        }
    }

    return NULL;
}


static char *
ngx_http_segments_refuse_choice(ngx_conf_t *cf, ngx_conf_enum_t *choices,
    ngx_str_t *word)
{
    u_char           *p, *last, text[NGX_MAX_CONF_ERRSTR];
    const char       *separator;
    ngx_conf_enum_t  *choice;

    p = text;
    last = text + NGX_MAX_CONF_ERRSTR;

    separator = "";

    for (choice = choices; choice->name.len; choice++) {

        p = ngx_slprintf(p, last, "%s\"%V\"", separator, &choice->name);

        separator = choice[1].name.len && choice[2].name.len ? ", " : " or ";
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\": expected %*s",
                       word, p - text, text);

    return NGX_CONF_ERROR;
}
