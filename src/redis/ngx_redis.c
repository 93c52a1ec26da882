
#include "redis/conf/ngx_redis_internal.h"


static void ngx_redis_submit(ngx_redis_command_t *cmd, ngx_msec_t timeout,
    ngx_redis_handler_pt handler, void *data);
static void ngx_redis_deadline_handler(ngx_event_t *ev);
static ngx_uint_t ngx_redis_postpone(ngx_redis_command_t *cmd);
static ngx_int_t ngx_redis_abandon(ngx_redis_command_t *cmd);
static void ngx_redis_settle(ngx_redis_command_t *cmd);


ngx_str_t *
ngx_redis_name(ngx_redis_t *redis)
{
    return &redis->name;
}


ngx_uint_t
ngx_redis_unusable(ngx_redis_t *redis)
{
    return redis->map && ngx_redis_map_unusable(redis->map);
}


ngx_uint_t
ngx_redis_sharded(ngx_redis_t *redis)
{
    return redis->topology == ngx_redis_cluster;
}


ngx_uint_t
ngx_redis_together(ngx_redis_t *redis, ngx_str_t *one, ngx_str_t *other)
{
    return redis->topology != ngx_redis_cluster
           || ngx_redis_slot(one->data, one->len)
              == ngx_redis_slot(other->data, other->len);
}


ngx_redis_command_t *
ngx_redis_eval(ngx_redis_t *redis, ngx_redis_script_t *script,
    ngx_uint_t nkeys, ngx_str_t *argv, ngx_uint_t argc,
    const ngx_redis_options_t *options, ngx_redis_handler_pt handler,
    void *data)
{
    ngx_redis_map_t      *map;
    ngx_redis_node_t     *node;
    ngx_redis_command_t  *cmd;

    map = ngx_redis_map_get(redis);
    if (map == NULL) {
        return NULL;
    }

    cmd = ngx_redis_command_create(map->home, script, nkeys, argv, argc);
    if (cmd == NULL) {
        return NULL;
    }

    node = ngx_redis_map_find(map, cmd->slot);

    if (node == NULL) {
        node = map->home;
    }

    cmd->replicas = options->replicas;
    cmd->wait_timeout = options->wait_timeout;

    map->connect_timeout = options->connect_timeout;
    map->timeout = options->timeout;
    node->connect_timeout = options->connect_timeout;

    if (ngx_redis_breaker_refuses(node, options)) {
        ngx_redis_map_trouble(map);

        /* in no queue; its deadline is now, which is never within this call */

        cmd->refused = 1;
        ngx_redis_submit(cmd, 0, handler, data);

        return cmd;
    }

    ngx_redis_submit(cmd, options->timeout, handler, data);

    ngx_redis_map_route(map, cmd);

    return cmd;
}


ngx_redis_command_t *
ngx_redis_send_words(ngx_redis_node_t *node, const char **words,
    ngx_uint_t n, ngx_msec_t timeout, ngx_redis_handler_pt handler,
    void *data)
{
    ngx_redis_command_t  *cmd;

    cmd = ngx_redis_command_words(node, words, n);
    if (cmd == NULL) {
        return NULL;
    }

    ngx_redis_submit(cmd, timeout, handler, data);

    ngx_queue_insert_tail(&node->waiting, &cmd->queue);
    ngx_redis_node_wake(node);

    return cmd;
}


static void
ngx_redis_submit(ngx_redis_command_t *cmd, ngx_msec_t timeout,
    ngx_redis_handler_pt handler, void *data)
{
    cmd->handler = handler;
    cmd->data = data;
    cmd->timeout = timeout;
    cmd->due = ngx_current_msec + timeout;

    cmd->deadline.handler = ngx_redis_deadline_handler;
    cmd->deadline.data = cmd;
    cmd->deadline.log = &cmd->node->log;

    /* not cancelable: a worker that shuts down waits for the command */
    ngx_add_timer(&cmd->deadline, timeout);

    cmd->node->live++;
    ngx_redis_node_live(cmd->node);
}


ngx_int_t
ngx_redis_cancel(ngx_redis_command_t *cmd)
{
    return ngx_redis_abandon(cmd);
}


void
ngx_redis_move(ngx_redis_command_t *cmd, ngx_redis_node_t *node)
{
    if (cmd->node == node) {
        return;
    }

    ngx_redis_ack_leave(cmd);
    ngx_redis_spare_part(cmd);

    cmd->node->live--;
    ngx_redis_node_live(cmd->node);

    cmd->node = node;
    cmd->deadline.log = &node->log;

    node->live++;
    ngx_redis_node_live(node);
}


static void
ngx_redis_deadline_handler(ngx_event_t *ev)
{
    ngx_redis_command_t *cmd = ev->data;

    void                  *data;
    ngx_int_t              rc;
    ngx_redis_handler_pt   handler;

    if (!cmd->refused && !cmd->lost && ngx_redis_postpone(cmd)) {
        return;
    }

    handler = cmd->handler;
    data = cmd->data;

    if (!cmd->refused && !cmd->lost) {
        ngx_redis_breaker_failed(cmd->node);

        if (!cmd->node->guide) {
            ngx_redis_map_trouble(cmd->node->redis->map);
        }
    }

    rc = ngx_redis_abandon(cmd);

    handler(data, rc, NULL);
}


/*
 * The reply may be here already, its event behind hundreds of others: it is
 * read before the command is given up.  Where the worker itself was late, the
 * command may have been written late, too, and Redis gets some time.
 */

static ngx_uint_t
ngx_redis_postpone(ngx_redis_command_t *cmd)
{
    if (cmd->overdue) {
        return 0;
    }

    cmd->overdue = 1;

    ngx_redis_catch_up(cmd->node);

    ngx_add_timer(&cmd->deadline, ngx_redis_grace(cmd->due, cmd->timeout));

    return 1;
}


static ngx_int_t
ngx_redis_abandon(ngx_redis_command_t *cmd)
{
    ngx_int_t  rc;

    rc = cmd->written ? NGX_ABORT : NGX_DECLINED;

    ngx_redis_settle(cmd);

    if (cmd->buf.pos == cmd->buf.start || cmd->reply) {
        ngx_queue_remove(&cmd->queue);
        ngx_redis_command_free(cmd);
    }

    /* else Redis replies to it: the slot stays in the pipeline */

    return rc;
}


void
ngx_redis_complete(ngx_redis_command_t *cmd, ngx_int_t rc,
    const redisReply *reply)
{
    void                  *data;
    ngx_redis_handler_pt   handler;

    handler = cmd->handler;
    data = cmd->data;

    if (handler) {

        /* who answers INFO may hang up at each command, all the same */

        if (cmd != cmd->node->info) {
            ngx_redis_breaker_answered(cmd->node);
        }

        ngx_redis_settle(cmd);
    }

    ngx_redis_command_free(cmd);

    if (handler) {
        handler(data, rc, reply);
    }
}


void
ngx_redis_answer(ngx_redis_command_t *cmd, const redisReply *reply)
{
    void                  *data;
    ngx_redis_handler_pt   handler;

    handler = cmd->handler;
    data = cmd->data;

    ngx_redis_breaker_answered(cmd->node);

    (void) ngx_redis_abandon(cmd);

    handler(data, NGX_OK, reply);
}


static void
ngx_redis_settle(ngx_redis_command_t *cmd)
{
    cmd->handler = NULL;

    ngx_redis_ack_leave(cmd);
    ngx_redis_spare_part(cmd);

    if (cmd->deadline.timer_set) {
        ngx_del_timer(&cmd->deadline);
    }

    cmd->node->live--;
    ngx_redis_node_live(cmd->node);
}


void
ngx_redis_init(ngx_array_t *nodes, ngx_log_t *log)
{
    ngx_uint_t     i;
    ngx_redis_t  **redis;

    redis = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {
        ngx_redis_password_knock(&redis[i]->password, log);
    }
}


void
ngx_redis_close(ngx_array_t *nodes)
{
    ngx_uint_t     i;
    ngx_redis_t  **redis;

    redis = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {

        if (redis[i]->map) {
            ngx_redis_map_destroy(redis[i]->map);
            redis[i]->map = NULL;
        }
    }

    ngx_redis_tally_end();
}
