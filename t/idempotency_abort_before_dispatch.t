#!/usr/bin/perl

# The client leaves before anything was sent: nothing will be, and its key is
# free.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();

my %set = (
    segments_redis_connect_timeout => '20s',
    segments_redis_timeout         => '20s',
    segments_idempotency_lease     => '60s',
);
my %args = (upstream => $upstream, redis => $redis, set => { %set });


# the same with HTTP/1 and HTTP/2

my @CLIENTS = (
    ['FIN', {},
     sub { my $c = $_[0]->connect; $c->send_request(@_[1 .. $#_]); $c },
     sub { $_[0]->close }],
    ['RST', {},
     sub { my $c = $_[0]->connect; $c->send_request(@_[1 .. $#_]); $c },
     sub { $_[0]->reset }],
    ['half close', {},
     sub { my $c = $_[0]->connect; $c->send_request(@_[1 .. $#_]); $c },
     sub { $_[0]->shutdown_write }],
    ['stream reset', { listen => 'http2' },
     sub { my $c = h2($_[0]); ($c, $c->send_request(@_[1 .. $#_])) },
     sub { $_[0]->reset($_[1]) }],
    ['HTTP/2 close', { listen => 'http2' },
     sub { my $c = h2($_[0]); ($c, $c->send_request(@_[1 .. $#_])) },
     sub { $_[0]->close }],
);


# while Redis is asked

for (@CLIENTS) {
    my ($how, $more, $start, $leave) = @$_;

    my $nginx = nginx(%args, %$more);
    my $retry = nginx(%args);
    my $key = "paused $how" =~ s/\W/-/gr;

    $redis->pause;

    my @client = $start->($nginx, $nginx->create_request(key => $key));
    $leave->(@client);

    my ($line) = $nginx->access(1);

    is($line->{outcome}, 'aborted', "$how while Redis is asked");
    is($line->{upstream}, '', 'nothing sent');
    is($client[0]->read_response, undef, 'nothing to read')
        if $how eq 'half close';

    $redis->resume;

    # a worker does not leave before its claims have ended
    $client[0]->close if $how eq 'stream reset';
    ok($nginx->quit, 'gateway ended');
    is_deeply([$redis->keys("*:$key}:create")], [], 'key free');
    is($retry->create(key => $key)->summary, '201 recorded', 'retry runs');
}

is($upstream->count, scalar @CLIENTS, 'one upstream request each');

# the same seen from Redis: what is ours is given back with our token

for (@CLIENTS) {
    my ($how, $more, $start, $leave) = @$_;

    my $token = bind_word('token');
    my $fake = fake_redis(hello,
        says(claim => 'k1', $token), [WAIT => 'left'], [SEND => ['ok']],
        says(give_back => 'k1', $token), [SEND => ['ok']]);
    my $nginx = nginx(%args, redis => $fake, %$more);

    my @client = $start->($nginx, $nginx->create_request(key => 'k1'));

    $fake->wait_step(4);
    $leave->(@client);
    $nginx->access(1);
    $fake->go('left');

    ok($fake->played, "$how: given back");
}

is($upstream->count, scalar @CLIENTS, 'nothing sent');

# without a key nothing is waited for, and who half-closes has its answer

{
    my $nginx = nginx(%args);
    my $c = $nginx->connect;

    $c->send_request($nginx->create_request);
    $c->shutdown_write;
    is($c->read_response->status, 201, 'half close without a key');
}

# while the body comes

for my $how (qw(close reset shutdown_write)) {
    my $nginx = nginx(%args);
    my $c = $nginx->connect;
    my $connections = $upstream->connections;

    $c->send("POST /v4/segments HTTP/1.1\r\nHost: localhost\r\n"
        . "Idempotency-Key: body-$how\r\nContent-Type: application/json\r\n"
        . "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n");

    like($c->read_bytes(slow(10)), qr/\AHTTP\S+ 100 /, 'body asked for');

    $c->send('{"name":');
    $c->$how;
    $nginx->access(1);

    is_deeply([$redis->keys("*:body-$how}:create")], [], "$how amid the body");
    is($upstream->connections, $connections, 'nothing sent');
    is($nginx->create(key => "body-$how")->summary, '201 recorded',
        'retry runs');
}

for my $how (qw(reset close)) {
    my $nginx = nginx(%args, listen => 'http2');
    my $c = h2($nginx);
    my $connections = $upstream->connections;

    my $id = $c->send_request('POST', '/v4/segments', body => '{"name":',
        key => "body2-$how", end => 0);
    h2($nginx)->request('PATCH', '/v4/segments');

    $how eq 'reset' ? $c->reset($id) : $c->close;
    $nginx->access(2);

    is_deeply([$redis->keys("*:body2-$how}:create")], [],
        "HTTP/2 $how amid the body");
    is($upstream->connections, $connections, 'nothing sent');
    is(h2($nginx)->request($nginx->create_request(key => "body2-$how"))
        ->summary, '201 recorded', 'retry runs');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
