
/*
 * What Redis says beyond the answer to a command, taken apart.  Plain C on
 * hiredis' replies: no nginx, no memory, and never a byte beyond what is
 * there.
 */

#ifndef _NGX_REDIS_PARSE_H_INCLUDED_
#define _NGX_REDIS_PARSE_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


#define NGX_REDIS_SLOTS  16384
#define NGX_REDIS_HOST   255            /* bytes of a host's name, at most */
#define NGX_REDIS_LINE   65536          /* bytes, of anything but a string */
#define NGX_REDIS_ARRAY  65536          /* elements, at most */
#define NGX_REDIS_BULK   (512L * 1024 * 1024)   /* bytes of a string: Redis has
                                                   none that is longer */
#define NGX_REDIS_DEPTH  6              /* arrays in arrays, at most */


/* points into the reply; a length of 0: the host that was asked */
typedef struct {
    const char           *host;
    size_t                len;
    unsigned              port;         /* 1 to 65535 */
} ngx_redis_place_t;


typedef enum {
    ngx_redis_error_other = 0,          /* for the caller of the command */
    ngx_redis_error_noscript,
    ngx_redis_error_moved,              /* slot, place */
    ngx_redis_error_ask,                /* slot, place */
    ngx_redis_error_tryagain,           /* soon, nothing was done */
    ngx_redis_error_clusterdown,
    ngx_redis_error_readonly            /* not a master, nothing was done */
} ngx_redis_error_e;


typedef struct {
    ngx_redis_error_e     kind;
    unsigned              slot;
    ngx_redis_place_t     place;
} ngx_redis_error_t;


/* slots from first to last, both included, and who has them */
typedef struct {
    unsigned              first;
    unsigned              last;
    ngx_redis_place_t     place;
} ngx_redis_range_t;


typedef enum {
    ngx_redis_sieve_line = 0,           /* at the beginning of one */
    ngx_redis_sieve_other,              /* within one that is no string's */
    ngx_redis_sieve_keep,               /* within a string, its end included */
    ngx_redis_sieve_drop
} ngx_redis_sieve_e;


/* what may come in answer to a command, besides an error */
typedef enum {
    ngx_redis_expect_any = 0,
    ngx_redis_expect_ok,                /* the status, as of ASKING */
    ngx_redis_expect_pong,
    ngx_redis_expect_number,            /* of WAIT */
    ngx_redis_expect_text,              /* a string */
    ngx_redis_expect_slots,             /* an array of arrays */
    ngx_redis_expect_place,             /* two strings, or a null */
    ngx_redis_expect_role,              /* an array that begins with a string */
    ngx_redis_expect_proof              /* the same, with the proof */
} ngx_redis_expect_e;


/* of a cluster, as a node sees it */
typedef struct {
    unsigned long long    epoch;        /* 0: not known */
    unsigned              ok:1;
} ngx_redis_health_t;


/*
 * hiredis' reader, which believes what the other side says about the size of
 * an array and takes as much memory, with a limit to it; NULL when memory
 * failed.  redisReaderFree() frees it.
 */
redisReader *ngx_redis_reader_create(void);

/*
 * Between a connection and the reader, which keeps a string until it has all of
 * it: one longer than "max" is thrown away as it comes, and the reader gets a
 * null instead.  Zeroed, with "max" set, for each connection.
 */
typedef struct {
    size_t                  max;        /* bytes of a string that are kept */
    size_t                  dropped;    /* of the last one that was thrown away,
                                           0: none; the caller's to clear */
    ngx_redis_sieve_e       state;
    unsigned long long      rest;       /* bytes of a string to come, or of
                                           another line that came */
    char                    head[24];   /* the beginning of its first line,
                                           where that is cut */
    size_t                  len;
} ngx_redis_sieve_t;


/* 0 when what came cannot be a reply; -1 when memory failed; else 1 */
int ngx_redis_sieve(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char *data, size_t len);

/* what is expected in answer to these words of a command */
ngx_redis_expect_e ngx_redis_parse_expect(const char **words, size_t n);

/*
 * Whether "reply" can belong to a command that expects this.  An error always
 * can: it is Redis' own word, and says that nothing was done.  The proof is
 * used for ngx_redis_expect_proof alone.
 */
int ngx_redis_parse_fits(const redisReply *reply, ngx_redis_expect_e expect,
    const unsigned char *proof, size_t len);

/* of a key: its hash tag's, or its own */
unsigned ngx_redis_slot(const unsigned char *key, size_t len);

/* "reply" is of any type; what is no error is ngx_redis_error_other */
void ngx_redis_parse_error(const redisReply *reply, ngx_redis_error_t *error);

/* The i-th element of the answer to CLUSTER SLOTS; 0 when it is none. */
int ngx_redis_parse_range(const redisReply *reply, size_t i,
    ngx_redis_range_t *range);

/* the answer to SENTINEL GET-MASTER-ADDR-BY-NAME; 0 when it names none */
int ngx_redis_parse_master(const redisReply *reply, ngx_redis_place_t *place);

/* the answer to ROLE: whether it is a master's */
int ngx_redis_parse_role(const redisReply *reply);

/*
 * The answer to INFO: the length of the policy that may evict, which begins
 * at *policy, or 0 where none does or nothing is said about it.
 */
size_t ngx_redis_parse_policy(const redisReply *reply, const char **policy);

/* the answer to INFO: whether it is one of a node of a cluster */
int ngx_redis_parse_clustered(const redisReply *reply);

/* whether a text begins with the word, a literal; needs <string.h> */
#define ngx_redis_begins(s, len, word)                                        \
    ((len) >= sizeof(word) - 1 && memcmp(s, word, sizeof(word) - 1) == 0)

/*
 * The answer to CLUSTER INFO.  Where there is none (NULL), it is a refusal, or
 * does not say, nothing is held against the node: ok, and an epoch of 0.
 */
void ngx_redis_parse_health(const redisReply *reply,
    ngx_redis_health_t *health);

/* whether the word stands anywhere in a text */
int ngx_redis_contains(const char *s, size_t len, const char *word);


#endif /* _NGX_REDIS_PARSE_H_INCLUDED_ */
