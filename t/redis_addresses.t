#!/usr/bin/perl

# The ways to a Redis: a unix socket, IPv4, IPv6, and a name with several
# addresses, of which any may be dead.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Process;

use IO::Socket::IP;


my $upstream = upstream();

my %set = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '300s',
);

my $ipv6 = IO::Socket::IP->new(LocalHost => '::1', Listen => 1,
    Proto => 'tcp') ? 1 : 0;

my $redis = redis_server(options => { bind => $ipv6 ? '127.0.0.1 ::1'
                                                    : '127.0.0.1' });
my $port = $redis->port;

sub works {
    my ($name, $url) = @_;

    my $gateway = nginx(upstream => $upstream, redis => $url,
        set => \%set);
    my $key = $name =~ s/\W/-/gr;

    is($gateway->create(key => $key)->summary, '201 recorded', $name);
    is($gateway->create(key => $key)->summary, '201 replayed marked',
        "$name, replayed");

    return $gateway->error_log;
}

unlike(works('unix socket', $redis->url), qr/\[error\]/, 'unix socket, log');
unlike(works('IPv4', $redis->tcp_url), qr/\[error\]/, 'IPv4, log');

SKIP: {
    skip 'no IPv6 here', 3 if !$ipv6;

    unlike(works('IPv6', "redis://[::1]:$port"), qr/\[error\]/, 'IPv6, log');
}


# A name with two addresses, in either order, and the first of them is dead.
# What it means is said by a library that is loaded before the system's.

my $resolver = resolver();

SKIP: {
    skip 'no resolver could be built', 12 if !$resolver;

    local $ENV{LD_PRELOAD} = join ' ', $resolver, $ENV{LD_PRELOAD} // ();
    local $ENV{ASAN_OPTIONS} = join ':', 'verify_asan_link_order=0',
        $ENV{ASAN_OPTIONS} // ();

    my %names = (
        'second address' => 'a2-a1.test',
        'third address'  => 'a3-a2-a1.test',
        'first address'  => 'a1-a2.test',
    );

    for my $name (sort keys %names) {
        my $log = works($name, "redis://$names{$name}:$port");
        my $dead = $name eq 'first address' ? 0 : $name eq 'third address' ? 2
            : 1;

        my $failed = qr/connect\(\) failed .* peer: 127\.0\.0\.[23]:$port$/m;

        is(scalar(() = $log =~ /$failed/g), $dead, "$name, log")
            or diag $log;
    }

    # one that works is not left for one that is dead

    my $gateway = nginx(upstream => $upstream, set => \%set,
        redis => "redis://a2-a1.test:$port");

    is($gateway->create(key => 'stay')->summary, '201 recorded', 'found');
    my $mark = length $gateway->error_log;

    $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    wait_for { $gateway->error_log($mark) =~ /redis closed the connection/ };
    is($gateway->create(key => 'stay')->summary, '201 replayed marked',
        'found again');
    unlike($gateway->error_log($mark), qr/connect\(\) failed/,
        'where it was found before');
}

done_testing();


# aN stands for 127.0.0.N, of which only the first has a Redis

sub resolver {
    my $source = spew(tempdir() . '/resolver.c', <<'C');
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    int               rc;
    char              text[16];
    const char       *p;
    struct addrinfo **last;
    int             (*real)(const char *, const char *,
                            const struct addrinfo *, struct addrinfo **);

    real = dlsym(RTLD_NEXT, "getaddrinfo");

    if (node == NULL || strstr(node, ".test") == NULL) {
        return real(node, service, hints, res);
    }

    last = res;

    for (p = node; p && *p != '.'; p = strchr(p, '-') ? strchr(p, '-') + 1
                                                      : NULL)
    {
        snprintf(text, sizeof(text), "127.0.0.%c", p[1]);

        rc = real(text, service, hints, last);
        if (rc != 0) {
            return rc;
        }

        last = &(*last)->ai_next;
    }

    return 0;
}
C
    my $library = tempdir() . '/resolver.so';
    my $cc = eval {
        Segments::Process->spawn(name => 'cc', output => "$source.output",
            argv => [Segments::Util::find_program('cc'), qw(-shared -fPIC -o),
                     $library, $source, '-ldl']);
    };

    return $cc && $cc->wait(30) && $cc->status == 0 ? $library : undef;
}
