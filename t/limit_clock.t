#!/usr/bin/perl

# Gateways whose clocks are an hour apart share a limit as if they were not: its
# time is Redis'.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Limits;
use Segments::Process;
use Segments::Util qw(find_program);


my $upstream = upstream();
my $redis = redis_server();

spew(tempdir() . '/clock.c', <<'END');
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift;

__attribute__((constructor)) static void
init(void)
{
    shift = atol(getenv("SHIFT"));
}

int
gettimeofday(struct timeval *tv, void *tz)
{
    int rc = syscall(SYS_gettimeofday, tv, tz);

    tv->tv_sec += shift;
    return rc;
}

time_t
time(time_t *t)
{
    struct timeval tv;

    gettimeofday(&tv, NULL);
    return t ? (*t = tv.tv_sec) : tv.tv_sec;
}
END

my $cc = Segments::Process->spawn(name => 'cc', output => tempdir() . '/cc',
    argv => [find_program('cc'), '-shared', '-fPIC', '-o',
        tempdir() . '/clock.so', tempdir() . '/clock.c']);
$cc->wait(60) && $cc->status == 0 or die slurp(tempdir() . '/cc');

my @gateways = map {
    local $ENV{LD_PRELOAD} = tempdir() . '/clock.so';
    local $ENV{SHIFT} = $_;

    nginx(upstream => $upstream, redis => $redis, set => {
        %Segments::Nginx::PATIENT,
        segments_rate_limit => 'rate=1r/h burst=5',
    });
} 0, 3600, -3600;

# they do have other clocks

my @seconds = map {
    my ($h, $m, $s) = $_->create(body => '{')->header('Date')
        =~ /([0-9]+):([0-9]+):([0-9]+)/;
    3600 * $h + 60 * $m + $s;
} @gateways;

is(join(' ', map { int((($_ - $seconds[0]) % 86400 + 300) / 3600) } @seconds),
    '0 1 23', 'clocks') or diag("@seconds");

my @answers = map { $gateways[$_ % 3]->create($_ % 2 ? (key => "k$_") : ()) }
    0 .. 8;

is(join(' ', map { $_->status } @answers),
    join(' ', (201) x 6, (429) x 3), 'one quota');
is(join(' ', map { ($_->header('RateLimit') =~ /r=([0-9]+)/)[0] } @answers),
    '5 4 3 2 1 0 0 0 0', 'one count');

my @resets = map { ($_->header('RateLimit') =~ /t=([0-9]+)/)[0] } @answers;

is(scalar(grep { $_ > 3600 || $_ < 3540 } @resets), 0, 'one time')
    or diag("@resets");

earn($redis, 'segments:{live:}:limit:default', 3600);

is($gateways[2]->create(key => 'late')->summary, '201 recorded',
    'earned by one');
is($gateways[1]->create(key => 'late')->summary, '201 replayed marked',
    'replayed by the other');
is($gateways[1]->create->status, 429, 'not earned twice');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
