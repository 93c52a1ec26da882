#!/usr/bin/perl

# No byte of an answer leaves before Redis has taken it; a client that leaves
# meanwhile changes nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


my $upstream = upstream();


# the first half of a dialogue, up to the answer that Redis does not take yet

sub held {
    my (%args) = @_;

    my $fake = fake_redis(hello,
        says(claim => 'k1'), [SEND => ['ok']],
        says('complete', 'k1'), [WAIT => 'taken'], [SEND => ['ok']]);

    my $nginx = nginx(upstream => $upstream, redis => $fake, %args, set => {
        segments_redis_connect_timeout => '20s',
        segments_redis_timeout         => '20s',
        segments_idempotency_lease     => '60s',
    });

    return ($nginx, $fake, sub { $fake->wait_step(6) });
}


# the gateway has done all that it had to do so far

sub settle {
    my ($nginx) = @_;

    $nginx->request('PATCH', '/v4/segments')->status == 405
        or die 'not answered';

    return;
}


# nobody leaves

my ($nginx, $fake, $wait) = held();
my $c = $nginx->connect;

$c->send_request($nginx->create_request(key => 'k1'));
$wait->();
settle($nginx);
ok($c->usable, 'no byte before Redis has the answer');
$fake->go('taken');
is($c->read_response->summary, '201 recorded', 'then the answer');
ok($fake->played, 'dialogue');

my ($token) = map { $_->[5] } grep { ($_->[4] // '') eq 'claim' }
    $fake->commands;
is(substr((grep { ($_->[4] // '') =~ /\A1a/ } $fake->commands)[0][4], 44, 16),
    $token, 'stored with the token of the claim');

# HTTP/1

for my $how (qw(close reset shutdown_write)) {
    ($nginx, $fake, $wait) = held();
    $c = $nginx->connect;

    $c->send_request($nginx->create_request(key => 'k1'));
    $wait->();
    $c->$how;
    settle($nginx);
    $fake->go('taken');

    ok($fake->played, "client gone ($how)");
    settle($nginx);
}

# HTTP/2

for my $how ('reset', 'close') {
    ($nginx, $fake, $wait) = held(listen => 'http2');
    $c = h2($nginx);

    my $id = $c->send_request($nginx->create_request(key => 'k1'));
    $wait->();

    $how eq 'reset' ? $c->reset($id) : $c->close;
    h2($nginx)->request('PATCH', '/v4/segments')->status == 405
        or die 'not answered';
    $fake->go('taken');

    ok($fake->played, "HTTP/2 client gone ($how)");
    is(h2($nginx)->request('PATCH', '/v4/segments')->status, 405,
        'gateway well');
    $c->close if $how eq 'reset';
}

is($upstream->count, 6, 'one upstream request each');

done_testing();
