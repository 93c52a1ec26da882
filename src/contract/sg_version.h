
/*
 * The version, in the one place that says it: the module, its package and
 * segments-record have it from here.
 */

#ifndef SG_VERSION_H
#define SG_VERSION_H


#define SG_VERSION  "0.1.0"


#endif /* SG_VERSION_H */
