#!/usr/bin/perl

# A worker that is late, as in a burst, is not Redis that fails: it reads what
# has arrived before it gives a command up, gives Redis some time where it has
# had none itself, and takes deadlines that end together for one sign.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;


my $TIMEOUT = slow(1200);               # milliseconds

my %set = (
    segments_redis_timeout         => "${TIMEOUT}ms",
    segments_redis_connect_timeout => "${TIMEOUT}ms",
    segments_redis_breaker         => 'failures=3 retry=1h',
    segments_idempotency_lease     => '300s',
);

my $upstream = upstream();


sub gateway {
    my ($redis, %more) = @_;

    return nginx(upstream => $upstream, redis => $redis, set => \%set, %more);
}

sub sends {
    my ($gateway, $key) = @_;

    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key));

    return $c;
}

# the worker stands still until every deadline has passed; in between the rest
# of the world goes on

sub stands_still {
    my ($gateway, $meanwhile) = @_;

    my ($worker) = $gateway->worker_pids;

    kill STOP => $worker;
    $meanwhile->();
    select undef, undef, undef, 1.3 * $TIMEOUT / 1000;
    kill CONT => $worker;

    return;
}


# The reply has come, but other events are before it: of many connections, of
# which the worker hears one at a time.

my $fake = fake_redis(
    hello,
    says(claim => 'a'),
    [WAIT => 'others'],
    [SEND => ['mismatch']],
);

my $gateway = gateway($fake, events => 'epoll_events 1;');
my $c = sends($gateway, 'a');
my @others;

$fake->wait_step(4);

stands_still($gateway, sub {
    push @others, $gateway->connect for 1 .. 50;
    $fake->go('others');
    $fake->wait_step(6);
});

is($c->read_response->status, 422, 'what has arrived is read');
ok($fake->played, 'what has arrived, dialogue');


# the reply comes when the worker has woken up

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [WAIT => 'awake'],
    [SEND => ['mismatch']],
);

$gateway = gateway($fake);
$c = sends($gateway, 'a');
$fake->wait_step(4);
stands_still($gateway, sub { });
$fake->go('awake');
is($c->read_response->status, 422, 'a late worker waits a little');
ok($fake->played, 'a little, dialogue');


# a burst: none is answered in time

my $COUNT = 20;

$fake = fake_redis(
    hello,
    ['REFUSE'],                         # another connection
    (map { [EXPECT => 'EVALSHA', '...'] } 1 .. 2 * $COUNT),
    [SEND => map { ['stale'] } 1 .. 2 * $COUNT],
    says(claim => 'next'),
    [SEND => ['mismatch']],
);

$gateway = gateway($fake);

my @clients = map { sends($gateway, "burst-$_") } 1 .. $COUNT;

$fake->wait_step(4 + $COUNT);
stands_still($gateway, sub { });
is(scalar(grep { $_->read_response->status == 503 } @clients), $COUNT,
    'a burst fails');
$fake->wait_step(5 + 2 * $COUNT);
is($gateway->create(key => 'next')->status, 422, 'the next does not');
unlike($gateway->error_log, qr/the breaker opens/, 'it is one sign');
ok($fake->played, 'a burst, dialogue');

done_testing();
