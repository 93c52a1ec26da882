
/*
 * Who is asked for the map, when, and when again.
 *
 * In quiet times one node is asked, the one that has answered.  While nothing
 * is known for some commands, an answer was of no use, or what is known fails,
 * each question goes to another node, one every NGX_REDIS_MAP_PAUSE: the next
 * does not wait for the answer of the last one, which may be silent.  Each of
 * the sentinels is asked so often, in turn, while the master fails: only one of
 * them may know of the new one.
 *
 * Whom: in a cluster its nodes, and those of the URL's that are not among them;
 * otherwise the sentinels.  A node has one question at a time; a cluster's is
 * two commands, the second of which is the question proper.
 */


#include "redis/topology/ngx_redis_question.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/topology/ngx_redis_cluster.h"
#include "redis/topology/ngx_redis_sentinel.h"


#define NGX_REDIS_MAP_WORDS       3

/* milliseconds after the last command or connection failed, in which questions
   go on while nobody uses what has failed */
#define NGX_REDIS_MAP_TROUBLE     10000


static ngx_uint_t ngx_redis_question_unsettled(ngx_redis_map_t *map);
static void ngx_redis_question_ask(ngx_redis_map_t *map);
static ngx_redis_node_t *ngx_redis_question_speaker(ngx_redis_map_t *map);
static ngx_redis_node_t *ngx_redis_question_settled_speaker(
    ngx_redis_map_t *map);
static ngx_redis_node_t *ngx_redis_question_next_speaker(ngx_redis_map_t *map);
static ngx_redis_node_t *ngx_redis_question_earlier(ngx_redis_node_t *one,
    ngx_redis_node_t *other);
static ngx_uint_t ngx_redis_question_askable(ngx_redis_node_t *node);
static ngx_uint_t ngx_redis_question_covered(ngx_redis_map_t *map,
    ngx_redis_node_t *guide);
static void ngx_redis_question_answered(void *data, ngx_int_t rc,
    const redisReply *reply);


void
ngx_redis_question_handler(ngx_event_t *ev)
{
    ngx_redis_map_t *map = ev->data;

    if (ngx_exiting && ngx_queue_empty(&map->homeless)) {
        return;
    }

    if (map->doubted || ngx_redis_question_unsettled(map)) {
        ngx_redis_question_ask(map);
    }
}


/* whether there is more to be asked, though nobody doubts anew */

static ngx_uint_t
ngx_redis_question_unsettled(ngx_redis_map_t *map)
{
    if (!ngx_queue_empty(&map->homeless) || map->hinted) {
        return 1;
    }

    if (map->useless && map->useless < map->nspeakers) {
        return 1;
    }

    return ngx_current_msec - map->troubled < NGX_REDIS_MAP_TROUBLE
           && ngx_redis_map_fails(map);
}


static void
ngx_redis_question_ask(ngx_redis_map_t *map)
{
    ngx_uint_t             n;
    ngx_msec_t             timeout;
    const char            *words[NGX_REDIS_MAP_WORDS];
    ngx_redis_node_t      *node;
    ngx_redis_question_t  *question;

    map->last = ngx_current_msec;
    map->doubted = 0;

    ngx_redis_sentinel_watch(map);

    node = ngx_redis_question_speaker(map);

    if (node) {
        node->link.connect_timeout = map->connect_timeout;

        timeout = map->redis->timeout;

        if (node->link.state != ngx_redis_link_ready) {
            timeout += map->connect_timeout;
        }

        question = &node->question;

        if (map->slots) {
            ngx_redis_cluster_ask_health(node, timeout);
            n = ngx_redis_cluster_question(words);

        } else {
            n = ngx_redis_sentinel_question(map, words);
        }

        ngx_redis_map_spoke(map, node);

        question->command = ngx_redis_call_words(&node->pipeline, words, n,
                                timeout, ngx_redis_question_answered, node);
    }

    if (node == NULL || ngx_redis_question_unsettled(map)) {
        ngx_redis_map_arm(map);
    }
}


/* NULL: nobody who could be asked now */

static ngx_redis_node_t *
ngx_redis_question_speaker(ngx_redis_map_t *map)
{
    ngx_redis_node_t  *node, *next;

    next = ngx_redis_question_next_speaker(map);

    node = map->hinted;

    if (node && ngx_redis_question_askable(node)) {
        map->hinted = NULL;
        return node;
    }

    if (map->useless == 0
        && ngx_queue_empty(&map->homeless)
        && !(map->slots == NULL && ngx_redis_map_fails(map)))
    {
        node = ngx_redis_question_settled_speaker(map);

        if (node) {
            return node;
        }
    }

    return next;
}


/* whose answers are believed anyway, and who is connected */

static ngx_redis_node_t *
ngx_redis_question_settled_speaker(ngx_redis_map_t *map)
{
    ngx_queue_t       *q;
    ngx_redis_node_t  *node;

    if (map->slots == NULL) {
        node = map->speaker;

        return (node && ngx_redis_question_askable(node)) ? node : NULL;
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (node->link.state == ngx_redis_link_ready
            && node->breaker.failed == 0
            && ngx_redis_question_askable(node))
        {
            return node;
        }
    }

    return NULL;
}


/* whoever was asked longest ago */

static ngx_redis_node_t *
ngx_redis_question_next_speaker(ngx_redis_map_t *map)
{
    ngx_uint_t         i;
    ngx_queue_t       *q;
    ngx_redis_node_t  *node, *next;

    next = NULL;
    map->nspeakers = 0;

    for (i = 0; i < map->nguides; i++) {
        node = map->guides[i];

        if (!ngx_redis_question_covered(map, node)) {
            map->nspeakers++;
            next = ngx_redis_question_earlier(next, node);
        }
    }

    if (map->slots == NULL) {
        return next;
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (!node->retired) {
            map->nspeakers++;
            next = ngx_redis_question_earlier(next, node);
        }
    }

    return next;
}


static ngx_redis_node_t *
ngx_redis_question_earlier(ngx_redis_node_t *one, ngx_redis_node_t *other)
{
    if (!ngx_redis_question_askable(other)) {
        return one;
    }

    return (one == NULL || other->question.turn < one->question.turn)
           ? other : one;
}


static ngx_uint_t
ngx_redis_question_askable(ngx_redis_node_t *node)
{
    return node->question.command == NULL
           && !node->retired
           && !node->link.leaving
           && !(node->link.state == ngx_redis_link_down
                && node->link.backoff.timer.timer_set);
}


/* the server of the URL is a node of the map, too */

static ngx_uint_t
ngx_redis_question_covered(ngx_redis_map_t *map, ngx_redis_node_t *guide)
{
    ngx_queue_t        *q;
    ngx_redis_node_t   *node;
    ngx_redis_place_t   place;

    if (map->slots == NULL) {
        return 0;
    }

    place.host = (const char *) guide->link.site.hosts[0].name.data;
    place.len = guide->link.site.hosts[0].name.len;
    place.port = guide->link.site.hosts[0].port;

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (!node->retired && ngx_redis_host_is(&node->link.site.own, &place)) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_redis_question_answered(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_node_t *node = data;

    ngx_redis_map_t  *map;

    map = node->link.redis->map;

    node->question.command = NULL;

    if (rc == NGX_OK) {
        rc = map->slots ? ngx_redis_cluster_answer(map, node, reply)
                        : ngx_redis_sentinel_answer(map, node, reply);

    } else if (node->guide) {
        ngx_redis_link_leave(&node->link);
    }

    if (rc == NGX_OK) {
        node->question.complained = 0;

        map->useless = 0;
        map->speaker = node;

        ngx_redis_breaker_answered(&map->home->breaker);
        ngx_redis_map_send_home(map);

    } else {
        map->useless++;
    }

    if (ngx_redis_question_unsettled(map)) {
        ngx_redis_map_arm(map);
    }
}


/*
 * What a node says of its cluster and what it says of the slots belong
 * together: where the connection between them is lost, so is the question.
 */

void
ngx_redis_question_lost(ngx_redis_node_t *node)
{
    if (node->question.command
        && node->question.health_command == NULL
        && node->link.redis->map->slots)
    {
        ngx_redis_question_cancel(node);
    }
}


void
ngx_redis_question_cancel(ngx_redis_node_t *node)
{
    ngx_redis_map_t       *map;
    ngx_redis_question_t  *question;

    question = &node->question;

    if (question->health_command) {
        (void) ngx_redis_call_cancel(question->health_command);
        question->health_command = NULL;
    }

    if (question->command == NULL) {
        return;
    }

    (void) ngx_redis_call_cancel(question->command);
    question->command = NULL;

    map = node->link.redis->map;
    map->useless++;

    if (ngx_redis_question_unsettled(map)) {
        ngx_redis_map_arm(map);
    }
}
