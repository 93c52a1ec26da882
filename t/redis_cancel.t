#!/usr/bin/perl

# A client leaves before Redis has said whether the key is its own: nothing is
# sent upstream, what may have been claimed is given back, and the connection
# to Redis, in whatever state it is, serves others.
# run: valgrind

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;

use IO::Select;
use IO::Socket::INET;


my $upstream = upstream();

my %set = (
    segments_redis_timeout         => slow_ms(5000),
    segments_redis_connect_timeout => slow_ms(5000),
    segments_idempotency_lease     => '300s',
);

sub gateway {
    my ($redis, %more) = @_;

    return nginx(upstream => $upstream, redis => $redis,
        set => { %set, %more });
}


# FIN or RST, and the gateway has seen it

sub leaves {
    my ($gateway, $c, $how, $name) = @_;

    $how eq 'RST' ? $c->reset : $c->close;

    my ($log) = $gateway->access(1);

    is($log->{status}, 499, "$name, $how, seen");
    is($log->{outcome}, 'aborted', "$name, $how, outcome");
}

sub sends {
    my ($gateway, $key) = @_;

    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key));

    return $c;
}


for my $how (qw(FIN RST)) {

    # the claim has been sent

    my $fake = fake_redis(
        hello,
        says(claim => 'a', bind_word('token')),
        says(give_back => 'a', bind_word('token')),
        says(claim => 'b'),
        [SEND => ['replay', '200', '', 'a'], ['ok'], ['mismatch']],
    );
    my $gateway = gateway($fake);
    my $c = sends($gateway, 'a');

    $fake->wait_step(4);
    leaves($gateway, $c, $how, 'sent');
    $fake->wait_step(5);
    is($gateway->create(key => 'b')->status, 422, "sent, $how, the next");
    ok($fake->played, "sent, $how, given back");

    # its reply has begun

    $fake = fake_redis(
        hello,
        says(claim => 'a', bind_word('token')),
        [BEGIN => 20, ['replay', '200', '', 'a']],
        says(give_back => 'a', bind_word('token')),
        says(claim => 'b'),
        ['REST'],
        [SEND => ['ok'], ['mismatch']],
    );
    $gateway = gateway($fake);
    $c = sends($gateway, 'a');

    $fake->wait_step(5);
    leaves($gateway, $c, $how, 'half a reply');
    $fake->wait_step(6);
    is($gateway->create(key => 'b')->status, 422,
        "half a reply, $how, the next");
    ok($fake->played, "half a reply, $how, given back");

    # the greeting is not over

    $fake = fake_redis(
        [EXPECT => 'PING'],
        [WAIT => 'left'],
        [SEND => '+PONG'],
        says(claim => 'b'),
        [SEND => ['mismatch']],
    );
    $gateway = gateway($fake);
    $c = sends($gateway, 'a');

    $fake->wait_step(1);
    leaves($gateway, $c, $how, 'greeting');
    $fake->go('left');
    $fake->wait_step(3);
    is($gateway->create(key => 'b')->status, 422, "greeting, $how, the next");
    ok($fake->played, "greeting, $how, the claim was never sent");

    # there is no Redis: between two tries

    my $redis = Segments::RedisServer->new;

    $gateway = gateway($redis);
    $c = sends($gateway, 'a');
    $gateway->wait_log(qr/connect\(\) to .* failed/);
    leaves($gateway, $c, $how, 'absent');
    $redis->start;
    wait_for { $gateway->create(key => 'b')->status == 201 } 20,
        'the gateway to notice';
    is_deeply([map { /([^:]*)\}:create\z/ } $redis->keys], ['b'],
        "absent, $how, the claim was never sent");
}


# The connection is being made: somebody listens and does not even let the
# kernel answer.

SKIP: {
    my ($listen, @clients) = full_port();

    skip 'every connection is accepted here', 3 if !$listen;

    my $gateway = gateway('redis://127.0.0.1:' . $listen->sockport,
        segments_redis_connect_timeout => slow_ms(300));
    my $before = connecting($listen->sockport);
    my $c = sends($gateway, 'a');

    wait_for { connecting($listen->sockport) > $before } 10, 'SYN';
    leaves($gateway, $c, 'FIN', 'connecting');
    $gateway->wait_log(qr/redis timed out .* while connecting to redis node/);
    is($gateway->create->status, 201, 'connecting, no key');
    $gateway->stop;
}


# many at once, of a real Redis, in all states

my $redis = redis_server();
my $gateway = gateway($redis);
my $sent = $upstream->count;
my @clients;

for my $round (1 .. 10) {
    push @clients, map { sends($gateway, "m$round-$_") } 1 .. 20;

    while (@clients > 20) {
        my $c = shift @clients;
        @clients % 2 ? $c->reset : $c->close;
    }
}

$_->close for @clients;

is($gateway->create(key => 'last')->status, 201, 'many, the next');
wait_for { 201 <= (() = $gateway->access) } 10, 'all to end';

# one that left was sent, and its answer kept, or it left no trace; the end of
# it may still be on its way

wait_for {
    !grep { $redis->record($_)->{state} =~ /claimed|unknown/ } $redis->keys;
} 10, 'no claim to be left';

is($upstream->count - $sent, scalar(my @keys = $redis->keys),
    'many, no trace but of what was sent');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();


# a listening socket whose queue is full, and those in it

sub full_port {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        Proto => 'tcp', Listen => 1);
    my @queued;

    for (1 .. 10) {
        my $c = IO::Socket::INET->new(Proto => 'tcp', Blocking => 0,
            PeerAddr => '127.0.0.1', PeerPort => $listen->sockport);

        push @queued, $c;

        return ($listen, @queued)
            if !IO::Select->new($c)->can_write(0.3)
            && connecting($listen->sockport);
    }

    return;
}


# how many connections to the port have sent their SYN

sub connecting {
    my ($port) = @_;

    my $to = sprintf ':%04X 02 ', $port;

    return scalar(() = slurp('/proc/net/tcp') =~ /$to/g);
}
