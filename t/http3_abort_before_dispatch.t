#!/usr/bin/perl

# A client of HTTP/3 leaves before anything was sent: nothing will be, its key
# is free, and its wait is over.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;

my $missing = Segments::HTTP3::missing();
plan(skip_all => $missing) if $missing;

my $upstream = upstream();
my $redis = redis_server();
my $quic = Segments::HTTP3::listen(certificate());

my %args = (upstream => $upstream, redis => $redis, server => $quic, set => {
    segments_redis_connect_timeout => '20s',
    segments_redis_timeout         => '20s',
    segments_idempotency_lease     => '60s',
    segments_idempotency_wait      => '100s waiters=1',
});

my %leave = (
    'stream reset'   => sub { $_[0]->reset($_[1]) },
    'answer refused' => sub { $_[0]->refuse($_[1]) },
    'close'          => sub { $_[0]->close },
);


# while Redis is asked: what is ours is given back with our token

for my $how (sort keys %leave) {
    my $token = bind_word('token');
    my $fake = fake_redis(hello,
        says(claim => 'k1', $token), [WAIT => 'left'], [SEND => ['ok']],
        says(give_back => 'k1', $token), [SEND => ['ok']]);
    my $nginx = nginx(%args, redis => $fake);
    my $c = h3($nginx);
    my $id = $c->send_request($nginx->create_request(key => 'k1'));

    $fake->wait_step(4);
    $leave{$how}->($c, $id);

    my ($line) = $nginx->access(1);

    is($line->{outcome}, 'aborted', "$how while Redis is asked");
    $fake->go('left');
    ok($fake->played, "$how: given back");
}

is($upstream->connections, 0, 'nothing sent');


# while it waits for another's answer: there is room for one, and for the next
# only when that has left

my $nginx = nginx(%args);
my $left = 0;


# the connection and the stream of a duplicate that has asked twice: it waits

sub waiting {
    my @request = @_;

    my $asked = asked();
    my $c = h3($nginx);
    my $id = $c->send_request(@request);

    wait_for { asked() >= $asked + 2 } 10, 'a duplicate to wait';

    return ($c, $id);
}


sub asked {
    my $commands = $redis->commands;

    return ($commands->{evalsha} // 0) + ($commands->{set} // 0);
}


for my $how (sort keys %leave) {
    my $key = $how =~ s/\W/-/gr;
    my $count = $upstream->count;
    my @request = $nginx->create_request(key => $key, mock => "hold=$key");
    my $first = h3($nginx);
    my $id = $first->send_request(@request);

    $upstream->wait_held($key);

    my @waiting = waiting(@request);

    is($nginx->create(key => $key)->status, 409, "$how: no room");

    $leave{$how}->(@waiting);
    $left++;
    wait_for { $left == grep { $_->{outcome} eq 'aborted' } $nginx->access }
        10, "$how amid its wait";

    my ($other, $other_id) = waiting(@request);

    $upstream->release($key);

    is($other->read_response($other_id)->summary, '201 replayed marked',
        "$how: made room");
    is($first->read_response($id)->summary, '201 recorded',
        "$how: first answered");
    is($upstream->count, $count + 1, "$how: one upstream request");
}


# amid the body

for my $how (qw(reset close)) {
    my $key = "body-$how";
    my $count = () = $nginx->access;
    my $connections = $upstream->connections;
    my $c = h3($nginx);
    my $id = $c->send_request('POST', '/v4/segments', body => '{"name":',
        key => $key, end => 0);

    $c->request('PATCH', '/v4/segments');
    $how eq 'reset' ? $c->reset($id) : $c->close;
    $nginx->access($count + 2);

    is_deeply([$redis->keys("*:$key}:create")], [], "$how amid the body");
    is($upstream->connections, $connections, 'nothing sent');
    is(h3($nginx)->request($nginx->create_request(key => $key))->summary,
        '201 recorded', 'retry runs');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
