#!/usr/bin/perl

# A Redis that was away is used again half a second after it is there, however
# seldom the breaker would probe: what it waits for is the connection, which is
# tried again and again, but not more than five times in a second, and not with
# a line in the log each time.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Machine qw(lateness);
use Segments::Test;
use Segments::PoorRedis;

use Time::HiRes qw(sleep time);


my $upstream = upstream();

my %set = (
    segments_redis_timeout         => slow_ms(200),
    segments_redis_connect_timeout => slow_ms(200),
    segments_idempotency_lease     => '60s',
    segments_redis_breaker         => 'failures=5 retry=1h',
);

sub lines {
    my ($gateway, $pattern) = @_;

    return scalar(() = $gateway->error_log =~ /$pattern/g);
}


# outages of several lengths, under load

my $redis = redis_server();
my $gateway = nginx(upstream => $upstream, redis => $redis->tcp_url,
    set => \%set);
my (@times, $requests);

is($gateway->create(key => 'k')->summary, '201 recorded', 'at first');

for my $round (1 .. 6) {
    $redis->stop('KILL');

    my $end = time + 1 + $round / 5;

    $gateway->create(key => 'away' . $requests++) while time < $end;
    is($gateway->create(key => 'away')->status, 503, "round $round, away");

    $redis->launch;

    my ($there, $created, $late);

    while (!$created) {
        if (!$there && $redis->ready
            && eval { $redis->cmd('PING') } eq 'PONG')
        {
            $there = time;
            $late = lateness();
        }

        $created = time if $gateway->create(key => 'n' . $requests++)->status
            == 201;
        die 'it stays away' if $there && time - $there > 20;
    }

    # what the machine was late is not the gateway's

    push @times, $there ? $created - $there - (lateness() - $late) / 1000 : 0;
}

cmp_ok((sort { $b <=> $a } @times)[0], '<=', slow(0.5),
    'a record half a second after Redis is there') or diag "@times";
is(lines($gateway, qr/the breaker opens/), 6, 'the breaker has opened');
is(lines($gateway, qr/the breaker closes/), 6, 'and closed');
cmp_ok(lines($gateway, qr/connect\(\) failed/), '<=', 6 * 3,
    'not each failure is logged');


# without a request

$redis->stop('KILL');
wait_for { $gateway->create(key => 'idle' . $requests++);
    lines($gateway, qr/the breaker opens/) == 7 } 20, 'the breaker to open';
$redis->start;
wait_for { lines($gateway, qr/the breaker closes/) == 7 } 20,
    'the breaker to close';
is($gateway->create(key => 'idle')->summary, '201 recorded', 'idle');
$gateway->quit;


# a Redis that lets in, and then hangs up

my $poor = Segments::PoorRedis->start;

$gateway = nginx(upstream => $upstream, redis => $poor, set => \%set);
is($gateway->create(key => 'p')->status, 422, 'poor, at first');

my $start = time;

$poor->restart;

wait_for { $gateway->create(key => 'p' . $requests++); time > $start + 4 } 20,
    'some tries';

my @tries = grep { $_ >= $start } $poor->accepts;

# it is not accepted when it is tried, but later

my ($most, $first) = (0, 0);

for my $last (0 .. $#tries) {
    $first++ while $tries[$first] <= $tries[$last] - 0.9;
    $most = $last - $first + 1 if $most < $last - $first + 1;
}

cmp_ok($most, '<=', 5, 'not more than five tries in a second')
    or diag "@tries";
cmp_ok(scalar(@tries), '>=', 4, 'and not too few');
cmp_ok(lines($gateway, qr/redis closed the connection|reset by peer/), '<=',
    5, 'nor is each of these logged');
$gateway->stop;


# one that greets and answers no command: a greeting alone is not enough, nor
# is what INFO says, which is asked when the claims, which are given back past
# the breaker, are left to their leases

$poor = Segments::PoorRedis->start(hang_up => 'unanswered');
$gateway = nginx(upstream => $upstream, redis => $poor, set => { %set,
    segments_idempotency_lease => slow_ms(600) });

wait_for { $gateway->create(key => 'u' . $requests++);
    lines($gateway, qr/the breaker opens/) } 20, 'the breaker to open';

wait_for { $gateway->create(key => 'u' . $requests++); $poor->at_rest } 20,
    'a connection on which nothing else is';
is($gateway->create(key => 'u' . $requests++)->status, 503, 'unanswered')
    for 1 .. 10;
is(lines($gateway, qr/the breaker closes/), 0, 'unanswered, it stays open');
$gateway->stop;

done_testing();
