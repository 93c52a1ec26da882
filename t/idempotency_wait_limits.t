#!/usr/bin/perl

# So many duplicates wait, of one key and in all, and no more; one that leaves
# makes room and wins nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $BUSY = '409 in-progress idempotency_in_progress';
my $AGAIN = '201 replayed marked';

my $upstream = upstream();
my $redis = redis_server();

sub gateway {
    my ($limits, %more) = @_;

    return nginx(upstream => $upstream, redis => $redis, %more, set => {
        %Segments::Nginx::PATIENT,
        segments_idempotency_wait => slow_ms(30_000) . " $limits",
    });
}


sub send_create {
    my ($gateway, $key, %more) = @_;

    my $c = $gateway->connect;
    $c->send_request($gateway->create_request(key => $key, %more));

    return $c;
}


sub running {
    my ($gateway, $key) = @_;

    my $c = send_create($gateway, $key, mock => "hold=$key");
    $upstream->wait_held($key);

    return $c;
}


# a duplicate that has asked twice: it waits

sub waiting {
    my ($gateway, $key) = @_;

    my $asked = asked();
    my $c = send_create($gateway, $key);
    wait_for { asked() >= $asked + 2 } 10, 'a duplicate to wait';

    return $c;
}


# until so many requests have been given up by their clients

sub wait_left {
    my ($gateway, $count) = @_;

    wait_for {
        $count == grep { $_->{outcome} eq 'aborted' } $gateway->access
    } 10, "$count clients to have left";

    return;
}


sub asked { return $redis->commands->{evalsha} // 0 }


# of one key, and of all keys

{
    my $gateway = gateway('waiters=3 per_key=2');
    my @first = map { running($gateway, $_) } qw(a b);
    my @waiting = map { waiting($gateway, 'a') } 1, 2;

    is($gateway->create(key => 'a')->summary, $BUSY, 'one too many of a key');

    push @waiting, waiting($gateway, 'b');

    is($gateway->create(key => 'b')->summary, $BUSY, 'one too many in all');
    is((grep { !$_->usable } @waiting), 0, 'the others wait');

    # those that are answered make room

    $upstream->release('a');
    is_deeply([map { $_->read_response->summary } @waiting[0, 1]],
        [$AGAIN, $AGAIN], 'replayed');

    push @waiting, waiting($gateway, 'b');
    $upstream->release('b');
    is_deeply([map { $_->read_response->summary } @waiting[2, 3]],
        [$AGAIN, $AGAIN], 'room for others');
    is($_->read_response->summary, '201 recorded', 'first answered') for @first;
}


# those that leave make room, and ask no more

my $gateway = gateway('waiters=1');
my $left = 0;

for my $how (qw(close reset shutdown_write)) {
    my $first = running($gateway, $how);
    my $waiting = waiting($gateway, $how);

    is($gateway->create(key => $how)->summary, $BUSY, "$how: no room");

    $waiting->$how;
    wait_left($gateway, ++$left);
    is($waiting->read_response, undef, 'a half close is a close')
        if $how eq 'shutdown_write';

    my $other = waiting($gateway, $how);
    my $asked = asked();

    $upstream->release($how);

    is($other->read_response->summary, $AGAIN, "$how: made room");
    is($first->read_response->summary, '201 recorded', "$how: first answered");
    is(asked() - $asked, 2, "$how: one completion, one answer");
}

is($upstream->count, 2 + 3, 'one upstream request each');


# a stream, and a connection with two of them

{
    my $http2 = gateway('waiters=2', listen => 'http2');
    my $first = running($gateway, 'h2');
    my $asked = asked();

    my ($one, $two) = map { h2($http2) } 1, 2;
    my @ids = map { $one->send_request($http2->create_request(key => 'h2')) }
        1, 2;
    wait_for { asked() >= $asked + 4 } 10, 'two streams to wait';

    is($two->request($http2->create_request(key => 'h2'))->summary, $BUSY,
        'HTTP/2, no room');

    $one->reset($ids[0]);
    wait_left($http2, 1);

    $asked = asked();
    my $id = $two->send_request($http2->create_request(key => 'h2'));
    wait_for { asked() >= $asked + 2 } 10, 'another to wait';

    $one->close;
    wait_left($http2, 2);

    $upstream->release('h2');
    is($two->read_response($id)->summary, $AGAIN, 'HTTP/2, made room');
    is($first->read_response->summary, '201 recorded', 'first answered');
}


# all leave while the first one fails: nobody runs in their place

{
    my $count = $upstream->count;
    my $first = send_create($gateway, 'none', mock => 'hold=none; status=429');
    $upstream->wait_held('none');

    waiting($gateway, 'none')->close;
    wait_left($gateway, ++$left);

    $upstream->release('none');
    is($first->read_response->status, 429, 'the first one fails');
    is($gateway->create(key => 'other')->summary, '201 recorded',
        'another key');
    is($upstream->count, $count + 2, 'nobody ran for one that had left');
    is_deeply([grep { /:none\}:create\z/ } $redis->keys], [],
        'the key is free');
}


is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
