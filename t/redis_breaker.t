#!/usr/bin/perl

# After some failures in a row a request does not wait for Redis any more.
# Probes of the worker's own find out when it answers again.  What no client
# waits for is tried all the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Machine qw(lateness);
use Segments::Test;
use Segments::Dialogue;

use IO::Socket::UNIX;
use Time::HiRes qw(time);


my $TIMEOUT = slow(200);                # milliseconds

my %set = (
    segments_redis_timeout         => "${TIMEOUT}ms",
    segments_redis_connect_timeout => 5 * $TIMEOUT . 'ms',
    segments_idempotency_lease     => '300s',
    segments_redis_breaker         => 'failures=4 retry=' . slow_ms(500),
);

my $upstream = upstream();


# milliseconds, and those that are not the machine's

sub timed {
    my ($gateway, $key) = @_;

    my $late = lateness();
    my $start = time;
    my $answer = $gateway->create(key => $key);
    my $took = 1000 * (time - $start);

    return ($answer, $took, $took - (lateness() - $late));
}

sub lines {
    my ($gateway, $pattern) = @_;

    return scalar(() = $gateway->error_log =~ /$pattern/g);
}


# a Redis that is stopped, and goes on

my $redis = redis_server();
my $gateway = nginx(upstream => $upstream, redis => $redis, set => \%set);

is($gateway->create(key => 'known')->summary, '201 recorded', 'at first');

$redis->pause;

for my $n (1 .. 3) {
    my ($answer, $time) = timed($gateway, "closed-$n");

    is(envelope($answer), '503 internal/storage_error', "failure $n");
    cmp_ok($time, '>=', $TIMEOUT - 10, "failure $n, waited for");
}

# for several probes; what a claim leaves to be given back has failed, too

my $requests = 0;
my $start = time;

my @late;

while (time - $start < slow(1.5) || $requests <= 30) {
    my $late = lateness();
    my $answer = $gateway->create(key => 'open-' . $requests++);

    push @late, lateness() - $late;

    is(envelope($answer), '503 internal/storage_error', 'refused')
        if $answer->status != 503;
}

my @times = map { 1000 * $_->{redis_time} - shift @late }
    ($gateway->access(4 + $requests))[-$requests .. -1];

cmp_ok($requests, '>', 30, 'open, many requests');
cmp_ok((sort { $b <=> $a } @times)[0], '<=', 20, 'open, none waits')
    or diag "@times";
is(lines($gateway, qr/\[warn\] .* the breaker opens while/), 1,
    'opening is logged once');
is($gateway->create->status, 201, 'open, no key');

$redis->resume;
$gateway->wait_log(qr/\[notice\] .* redis answers again, the breaker closes/);

is($gateway->create(key => 'known')->summary, '201 replayed marked', 'closed');
is($gateway->create(key => 'new')->summary, '201 recorded', 'closed, new');
is(lines($gateway, qr/the breaker closes/), 1, 'closing is logged once');

# the count begins anew

$redis->pause;
my ($answer, $time) = timed($gateway, 'again');
cmp_ok($time, '>=', $TIMEOUT - 10, 'closed, waited for again');
$redis->resume;
wait_for { $gateway->create(key => 'known')->status == 201 } 10, 'Redis';


# an answer that cannot be stored while the breaker is open is stored by tries
# that it does not refuse, though it would not probe for an hour

my %patient = (%set, segments_redis_breaker => 'failures=1 retry=1h',
    segments_idempotency_lease => '60s');
my $other = nginx(upstream => $upstream, redis => $redis, set => \%patient);

my $c = $other->connect;
my $sent = $upstream->count;

$c->send_request($other->create_request(key => 'held', mock => 'hold=h'));
$upstream->wait_held('h');

$redis->pause;
is($other->create(key => 'opens')->status, 503, 'opened');
$other->wait_log(qr/the breaker opens/);

my $late = lateness();
$start = time;
$upstream->release('h');
is($c->read_response->summary, '201 unstored', 'open, the answer goes');
my $took = 1000 * (time - $start);
cmp_ok($took - (lateness() - $late), '<', $TIMEOUT - 10, 'without waiting');

$redis->resume;
wait_for { $other->create(key => 'held')->summary eq '201 replayed marked' }
    20, 'the answer to be stored';
is($upstream->count, $sent + 1, 'sent once');
is(lines($other, qr/the breaker closes/), 1, 'any reply closes it');


# connections that are refused count, and one that works closes it

my $absent = Segments::RedisServer->new;
my $third = nginx(upstream => $upstream, redis => $absent, set => {
    %set, segments_redis_breaker => 'failures=2 retry=' . slow_ms(200) });

is($third->create(key => 'n')->status, 503, 'absent') for 1 .. 2;
$third->wait_log(qr/the breaker opens/);
(undef, undef, $took) = timed($third, 'n');
cmp_ok($took, '<', $TIMEOUT / 2, 'absent, not waited for');
$absent->start;
$third->wait_log(qr/the breaker closes/);
is($third->create(key => 'n')->summary, '201 recorded', 'there');


# off

my $off = nginx(upstream => $upstream, redis => $redis,
    set => { %set, segments_redis_breaker => 'off' });

$redis->pause;

for my $n (1 .. 6) {
    ($answer, $time) = timed($off, "off-$n");
    cmp_ok($time, '>=', $TIMEOUT - 10, "off, $n is waited for");
}

is(lines($off, qr/breaker/), 0, 'off, says nothing');
$redis->resume;


# late replies are no sign of health; all of it takes less than the second of
# silence behind which another connection is made

my $fake = fake_redis(
    hello,
    (map { [EXPECT => 'EVALSHA', '...'] } 1 .. 4),
    [SEND => ['stale'], ['stale'], ['stale']],
    [EXPECT => 'PING'],
    [SEND => ['stale'], '+PONG'],
);
$gateway = nginx(upstream => $upstream, redis => $fake, set => {
    %set, segments_redis_timeout => '250ms',
    segments_redis_breaker => 'failures=2 retry=300ms' });

is($gateway->create(key => "late-$_")->status, 503, "late $_") for 1, 2;
$fake->wait_step(8);            # the first claim's end has failed, too
(undef, undef, $took) = timed($gateway, 'late-3');
cmp_ok($took, '<', $TIMEOUT / 2, 'late replies do not close it');
is(lines($gateway, qr/the breaker closes/), 0, 'nor are they logged');
$gateway->wait_log(qr/the breaker closes/);
ok($fake->played, 'the probe is a PING');

done_testing();
