
/*
 * Questions to the nodes that commands go to.  A node is usable by a reply of
 * the last second, or else by the reply to a question that is sent as a
 * create's command would be, past the breaker.  Where the master is to be found
 * first, or a cluster's slots, so it is for the question.
 *
 * Each is about a slot, and not a node: nodes come and go, and with them the
 * questions, which find their way as commands do.
 */


#include "redis/topology/ngx_redis_probes.h"
#include "redis/reply/ngx_redis_facts.h"
#include "redis/reply/ngx_redis_slot.h"
#include "redis/transport/ngx_redis_call.h"


#define NGX_REDIS_PROBES_FRESH    1000  /* milliseconds */
#define NGX_REDIS_PROBES_POOL     1024


/* a finding in the making */
struct ngx_redis_probe_s {
    ngx_redis_finding_t        finding;
    ngx_redis_probes_t        *probes;
    ngx_redis_probe_t         *next;
    ngx_uint_t                 slot;
    ngx_redis_command_t       *command; /* pending, or NULL */
};


static ngx_int_t ngx_redis_probes_list(ngx_redis_probes_t *probes);
static ngx_int_t ngx_redis_probes_masters(ngx_redis_probes_t *probes);
static ngx_int_t ngx_redis_probes_add(ngx_redis_probes_t *probes,
    ngx_uint_t slot);
static ngx_uint_t ngx_redis_probes_fresh(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_probes_ask(ngx_redis_probe_t *probe,
    ngx_redis_node_t *node, ngx_msec_t timeout);
static void ngx_redis_probes_answered(void *data, ngx_int_t rc,
    const redisReply *reply);
static ngx_int_t ngx_redis_probes_name(ngx_redis_probe_t *probe);


ngx_int_t
ngx_redis_probes_send(ngx_redis_probes_t *probes,
    const ngx_redis_options_t *options)
{
    ngx_int_t         rc;
    ngx_redis_map_t  *map;

    ngx_redis_probes_stop(probes);

    probes->pool = ngx_create_pool(NGX_REDIS_PROBES_POOL, ngx_cycle->log);
    if (probes->pool == NULL) {
        return NGX_ERROR;
    }

    map = probes->map;

    map->connect_timeout = options->connect_timeout;
    map->redis->timeout = options->timeout;
    probes->due = ngx_current_msec + options->connect_timeout
                  + options->timeout;

    /* who has the slots is the first question, whose own answer says nothing */

    if (map->slots && map->slots[0] == NULL) {
        rc = ngx_redis_probes_add(probes, 0);

    } else {
        rc = ngx_redis_probes_list(probes);
    }

    if (rc != NGX_OK) {
        ngx_redis_probes_stop(probes);
        return NGX_ERROR;
    }

    return probes->pending ? NGX_AGAIN : NGX_OK;
}


static ngx_int_t
ngx_redis_probes_list(ngx_redis_probes_t *probes)
{
    probes->listed = 1;
    probes->findings = NULL;
    probes->last = &probes->findings;

    if (probes->map->slots) {
        return ngx_redis_probes_masters(probes);
    }

    return ngx_redis_probes_add(probes, 0);
}


/* each node that has a slot, and one slot of those that nobody has */

static ngx_int_t
ngx_redis_probes_masters(ngx_redis_probes_t *probes)
{
    ngx_int_t          rc;
    ngx_uint_t         slot, unknown;
    ngx_queue_t       *q;
    ngx_redis_map_t   *map;
    ngx_redis_node_t  *node;

    rc = NGX_OK;
    unknown = 0;
    map = probes->map;

    for (slot = 0; slot < NGX_REDIS_SLOTS && rc == NGX_OK; slot++) {
        node = map->slots[slot];

        if (node ? node->mentioned : unknown) {
            continue;
        }

        if (node) {
            node->mentioned = 1;

        } else {
            unknown = 1;
        }

        rc = ngx_redis_probes_add(probes, slot);
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);
        node->mentioned = 0;
    }

    return rc;
}


static ngx_int_t
ngx_redis_probes_add(ngx_redis_probes_t *probes, ngx_uint_t slot)
{
    ngx_msec_int_t      left;
    ngx_redis_node_t   *node;
    ngx_redis_probe_t  *probe;

    probe = ngx_pcalloc(probes->pool, sizeof(ngx_redis_probe_t));
    if (probe == NULL) {
        return NGX_ERROR;
    }

    probe->probes = probes;
    probe->slot = slot;

    probe->next = probes->first;
    probes->first = probe;

    if (probes->listed) {
        *probes->last = &probe->finding;
        probes->last = &probe->finding.next;
    }

    node = ngx_redis_map_find(probes->map, slot);
    left = (ngx_msec_int_t) (probes->due - ngx_current_msec);

    if (node && ngx_redis_probes_fresh(node)) {
        probe->finding.usable = 1;

    } else if (left > 0 && (node || !probes->map->slots || !probes->listed)) {
        return ngx_redis_probes_ask(probe, node, left);
    }

    return ngx_redis_probes_name(probe);
}


static ngx_uint_t
ngx_redis_probes_fresh(ngx_redis_node_t *node)
{
    return node->link.state == ngx_redis_link_ready
           && !node->link.leaving
           && !node->retired
           && !node->breaker.open
           && node->well
           && ngx_current_msec - node->answered <= NGX_REDIS_PROBES_FRESH;
}


/* a node of a cluster may answer, and refuse all commands since others do
   not */

static ngx_int_t
ngx_redis_probes_ask(ngx_redis_probe_t *probe, ngx_redis_node_t *node,
    ngx_msec_t timeout)
{
    ngx_redis_map_t      *map;
    ngx_redis_command_t  *cmd;

    static const char  *ping[] = { "PING" };
    static const char  *cluster[] = { "CLUSTER", "INFO" };

    map = probe->probes->map;

    if (node == NULL) {
        node = map->home;
    }

    cmd = ngx_redis_command_words(&map->home->link.log,
                                  map->slots ? cluster : ping,
                                  map->slots ? 2 : 1);
    if (cmd == NULL) {
        return NGX_ERROR;
    }

    cmd->pipeline = &map->home->pipeline;
    cmd->slot = probe->slot;
    cmd->awaited = 1;

    node->link.connect_timeout = map->connect_timeout;

    ngx_redis_call(cmd, timeout, ngx_redis_probes_answered, probe);
    ngx_redis_map_route(map, cmd);

    probe->command = cmd;
    probe->probes->pending++;

    return NGX_OK;
}


static void
ngx_redis_probes_answered(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_probe_t *probe = data;

    ngx_redis_node_t     *node;
    ngx_redis_probes_t  *probes;

    probes = probe->probes;

    probes->pending--;

    probe->command = NULL;
    probe->finding.usable = (rc == NGX_OK && ngx_redis_facts_well(reply));

    node = ngx_redis_map_find(probes->map, probe->slot);

    if (node && !probe->finding.usable) {
        node->well = 0;
        node->ill = 1;
    }

    /* without memory it is not named */
    (void) ngx_redis_probes_name(probe);

    if (probes->pending) {
        return;
    }

    if (!probes->listed) {

        if (ngx_redis_probes_list(probes) != NGX_OK) {
            probes->findings = NULL;
        }

        if (probes->pending) {
            return;
        }
    }

    probes->done(probes);
}


/* of the node that has the slot now: the pool's own */

static ngx_int_t
ngx_redis_probes_name(ngx_redis_probe_t *probe)
{
    u_char             *p;
    ngx_str_t          *name;
    ngx_uint_t          ipv6;
    ngx_redis_map_t    *map;
    ngx_redis_host_t   *host;
    ngx_redis_node_t   *node;
    ngx_redis_site_t   *site;

    map = probe->probes->map;
    node = ngx_redis_map_find(map, probe->slot);

    if (node == NULL) {
        return NGX_OK;
    }

    site = &node->link.site;
    host = &site->hosts[site->host];

    if (host->name.len == 0) {
        probe->finding.node = map->redis->name;     /* a UNIX-domain socket */
        return NGX_OK;
    }

    name = &host->name;

    p = ngx_pnalloc(probe->probes->pool, name->len + sizeof("[]:65535") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ipv6 = (ngx_strlchr(name->data, name->data + name->len, ':') != NULL);

    probe->finding.node.data = p;
    probe->finding.node.len = ngx_sprintf(p, ipv6 ? "[%V]:%ui" : "%V:%ui",
                                          name, (ngx_uint_t) host->port)
                              - p;

    return NGX_OK;
}


void
ngx_redis_probes_stop(ngx_redis_probes_t *probes)
{
    ngx_redis_probe_t  *probe;

    for (probe = probes->first; probe; probe = probe->next) {
        if (probe->command) {
            (void) ngx_redis_call_cancel(probe->command);
        }
    }

    if (probes->pool) {
        ngx_destroy_pool(probes->pool);
        probes->pool = NULL;
    }

    probes->first = NULL;
    probes->findings = NULL;
    probes->pending = 0;
    probes->listed = 0;
}
