
/*
 * SHA-256 of a text in one piece.
 */

#ifndef SG_SHA256_H
#define SG_SHA256_H


#include <stddef.h>


#define SG_SHA256_LEN  32               /* bytes */


/* 0, or -1 when OpenSSL has none or no memory; not to be called by threads */
int sg_sha256(unsigned char out[SG_SHA256_LEN], const void *data, size_t len);

/* frees what is kept between two calls; legal at any time */
void sg_sha256_end(void);


#endif /* SG_SHA256_H */
