#!/usr/bin/perl

# A reload or an end with connections to Redis: idle ones keep no worker, and
# what is pending is waited for.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;


my $upstream = upstream();

my %set = (
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '300s',
);


sub gone {
    my ($gateway, @pids) = @_;

    return wait_for {
        my %living = map { $_ => 1 } $gateway->living_pids;
        !grep { $living{$_} } @pids;
    } 10, 'old workers to end';
}


# idle

my $redis = redis_server();
my $gateway = nginx(upstream => $upstream, redis => $redis, workers => 2,
    listen => 'reuseport', set => \%set);

for my $round (1 .. 3) {
    my @old = $gateway->worker_pids;

    is(scalar(grep { $_ && $_->status == 201 } parallel(map {
        [$gateway, $gateway->create_request(key => "i$round-$_")]
    } 1 .. 20)), 20, "$round, used");

    $gateway->reload;

    ok(gone($gateway, @old), "$round, old workers leave");
}

wait_for { 1 == (() = $redis->cmd('CLIENT', 'LIST') =~ /\n/g) } 10,
    'the connections to end';
is($gateway->create(key => 'i1-1')->summary, '201 replayed marked',
    'new ones work');
ok($gateway->quit(5), 'nginx ends with an idle connection');


# A claim on its way: its request is served by the old worker.  An idle
# connection is closed by then, its end has one of its own.

for my $how (qw(reload quit)) {
    my $fake = fake_redis(
        hello,
        says(claim => 'c'),
        [WAIT => 'go'],
        [SEND => ['ok']],
        ['CLOSED'],
        hello('second'),
        says(complete => 'c'),
        [WAIT => 'again'],
        [SEND => ['ok']],
        ['CLOSED'],
    );
    my $sent = $upstream->count;

    $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

    my $c = $gateway->connect;
    my @old = $gateway->worker_pids;

    $c->send_request($gateway->create_request(key => 'c'));
    $fake->wait_step(4);

    leave($gateway, $how, @old);
    $fake->go('go');

    $fake->wait_step(11);
    ok(scalar(grep { $_ == $old[0] } $gateway->living_pids),
        "$how, the worker waits");
    $fake->go('again');

    is($c->read_response->summary, '201 recorded', "$how, answered");
    $c->close;
    ok(gone($gateway, @old), "$how, the old worker leaves");
    ok($fake->played, "$how, dialogue");
    is($upstream->count, $sent + 1, "$how, sent once");

    $gateway->quit;
}


# an answer that Redis is to keep, where the connection is cut meanwhile

my $fake = fake_redis(
    hello,
    says(claim => 'd', bind_word('token')),
    [SEND => ['ok']],
    says(complete => 'd', bind_word('token')),
    [WAIT => 'go'],
    ['CLOSE'],
    hello('second'),
    says(complete => 'd', bind_word('token')),
    [SEND => ['ok']],
    ['CLOSED'],
);

$gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

my $c = $gateway->connect;
my @old = $gateway->worker_pids;

$c->send_request($gateway->create_request(key => 'd'));
$fake->wait_step(6);
leave($gateway, 'reload', @old);
$fake->go('go');

is($c->read_response->summary, '201 recorded', 'cut, answered');
$c->close;
ok(gone($gateway, @old), 'cut, the old worker leaves');
ok($fake->played, 'cut, dialogue');


# no Redis, and a client that waits for it: it has an answer before the worker
# ends

my $absent = Segments::RedisServer->new;

$gateway = nginx(upstream => $upstream, redis => $absent, set => {
    segments_redis_timeout         => slow_ms(1500),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => slow_ms(4500),
});
@old = $gateway->worker_pids;
$c = $gateway->connect;
$c->send_request($gateway->create_request(key => 'w'));
$gateway->wait_log(qr/connect\(\) to .* failed/);
$gateway->reload;

my $answer = $c->read_response;

is($answer && $answer->status, 503, 'no Redis, answered');
$gateway->stop;


# Redis is away: the old worker does not wait for ever

$redis->stop;
$gateway = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_timeout         => slow_ms(100),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => slow_ms(300),
});
@old = $gateway->worker_pids;
is($gateway->create(key => 'e')->status, 503, 'away');
$gateway->reload;
ok(gone($gateway, @old), 'away, the old worker leaves');

done_testing();


sub leave {
    my ($gateway, $how, @old) = @_;

    if ($how eq 'reload') {
        $gateway->reload;
        return;
    }

    $gateway->process->signal('QUIT');
    $gateway->wait_log(qr/$old[0]#[0-9]+: gracefully shutting down/);
}
