#!/usr/bin/perl

# A value that is longer than any that this gateway stores: it is read and
# thrown away, whom it was for gets 503, and neither the connection nor its
# neighbours take any harm.  One that no Redis can have ends the connection.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Dialogue;
use Segments::Test;


my %set = (
    segments_redis_timeout         => slow_ms(5000),
    segments_redis_connect_timeout => slow_ms(5000),
    segments_idempotency_lease     => '300s',
);

my $upstream = upstream();
my $LINE = qr/\[error\] .*bytes in one value, of more than 1114112 nothing/;


# stored under a larger max_response than this gateway's

my $redis = redis_server();
my ($large, $small) = map {
    nginx(upstream => $upstream, redis => $redis,
        set => { %set, segments_idempotency_max_response => $_ })
} qw(4m 64k);

is($large->create(key => 'large', mock => 'body=3000000')->summary,
    '201 recorded', 'a large answer');
is($large->create(key => 'large')->summary, '201 replayed marked',
    'read where it was stored');
is($small->create(key => 'small')->summary, '201 recorded', 'a small one');

my $connections = sub {
    return join ' ', sort $redis->cmd('CLIENT', 'LIST')
        =~ /^id=([0-9]+) .*cmd=(?:eval|set|script|info)/mg;
};
my $before = $connections->();

my @said = parallel(map { ([$small, $small->create_request(key => 'large')],
    [$small, $small->create_request(key => 'small')]) } 1 .. 10);

is_deeply([map { $_ ? $_->status : 'none' } @said], [(503, 201) x 10],
    'each its own');
is(scalar(grep { $_ && $_->summary eq '201 replayed marked' } @said), 10,
    'neighbours are replayed');
is($connections->(), $before, 'on the same connections');
like($small->error_log, $LINE, 'log');
is($upstream->count, 2, 'nothing was sent again');
is($large->create(key => 'large')->summary, '201 replayed marked',
    'and is still there');


# the same in pieces, cut wherever a length or a string can be

my $body = 'x' x 1_200_000;
my $head = length Segments::FakeRedis::resp(['claim12345678', 'found']);

# of an answer, the value has 70 bytes before

for my $cut (5, $head, $head + 1, $head + 2, $head + 5, $head + 9, $head + 10,
    $head + 11, 600_000, 1_200_070 + $head + 10, 1_200_070 + $head + 11)
{
    my $fake = fake_redis(
        hello,
        says(claim => 'a'),
        [BEGIN => $cut, ['replay', '200', '', $body]],
        [WAIT => 'rest'],
        ['REST'],
        says(claim => 'b'),
        [SEND => ['replay', '200', '', 'y' x 1_000_000]],
    );
    my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => 'a'));
    $fake->wait_step(5);
    $fake->go('rest');

    is($c->read_response->status, 503, "cut at $cut");
    is(length $gateway->create(key => 'b')->body, 1_000_000,
        "cut at $cut, the next, not too large");
    ok($fake->played, "cut at $cut, one connection");
    like($gateway->error_log, $LINE, "cut at $cut, log");
    $gateway->stop;
}


# no Redis has this

for my $length (536_870_913, 2_000_000_000, '9' x 20) {
    my $fake = fake_redis(
        hello,
        says(claim => 'a', bind_word('token')),
        [SEND => \"*5\r\n\$$length\r\nx"],
        ['CLOSED'],
        hello('second'),
        says(claim => 'a', bind_word('token')),
        [SEND => ['mismatch']],
    );
    my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

    is($gateway->create(key => 'a')->status, 422, "$length bytes");
    ok($fake->played, "$length bytes, another connection");
    like($gateway->error_log, qr/redis sent an invalid reply/,
        "$length bytes, log");
}


# nor is there an end to this line

my $fake = fake_redis(
    hello,
    says(claim => 'a', bind_word('token')),
    [SEND => \('-' . 'E' x 70_000)],
    ['CLOSED'],
    hello('second'),
    says(claim => 'a', bind_word('token')),
    [SEND => ['mismatch']],
);
my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

is($gateway->create(key => 'a')->status, 422, 'an endless line');
ok($fake->played, 'an endless line, another connection');

done_testing();
