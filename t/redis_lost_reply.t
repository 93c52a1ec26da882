#!/usr/bin/perl

# Redis takes a claim and its reply is lost: the claim is sent again with the
# same token, or given back.
# run: valgrind

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;
use Segments::Process;

use IO::Select;
use IO::Socket::UNIX;


my $upstream = upstream();

my $TOKEN = bind_word('token');

my %set = (
    segments_redis_timeout         => slow_ms(1000),
    segments_redis_connect_timeout => slow_ms(1000),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => '300s',
);


# the connection is closed instead of a reply

for my $end (['CLOSE'], ['RESET']) {
    my $fake = fake_redis(
        hello,
        says(claim => 'k1', $TOKEN),
        $end,
        hello('second'),
        says(claim => 'k1', $TOKEN),
        [SEND => ['ok']],
        says(complete => 'k1', $TOKEN),
        [SEND => ['ok']],
    );
    my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
    my $before = $upstream->count;

    is($gateway->create(key => 'k1')->summary, '201 recorded',
        "@$end, claimed again");
    ok($fake->played, "@$end, with the same token");
    is($upstream->count, $before + 1, "@$end, sent once");
}


# several were on their way: all are sent again, in their order

my $fake = fake_redis(
    hello,
    says(claim => 'a'),
    says(claim => 'b'),
    [DRIBBLE => \"*1\r\n\$2\r\no"],             # a's reply, but for its end
    ['CLOSE'],
    hello('second'),
    says(claim => 'a'),
    says(claim => 'b'),
    [SEND => ['mismatch'], ['in_progress', ':5000']],
);
my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);
my @clients = map { $gateway->connect } 1, 2;

$clients[0]->send_request($gateway->create_request(key => 'a'));
$fake->wait_step(4);
$clients[1]->send_request($gateway->create_request(key => 'b'));

is($clients[0]->read_response->summary, '422 mismatch idempotency_key_reused',
    'half a reply is no reply');
is($clients[1]->read_response->summary,
    '409 in-progress idempotency_in_progress', 'the other one, too');
ok($fake->played, 'both sent again');

my @claims = map { "$_->[3] $_->[5]" } grep { $_->[0] eq 'EVALSHA' }
    $fake->commands;

is_deeply([@claims[2, 3]], [@claims[0, 1]], 'each with its token');


# no reply before the deadline: refused, and given back

$fake = fake_redis(
    hello,
    says(claim => 'k2', $TOKEN),
    says(give_back => 'k2', $TOKEN),
    [SEND => ['ok'], ['ok']],
    says(claim => 'k3'),
    [SEND => ['mismatch']],
);

# before the gateway asks by itself whether one that is silent for 1 s is there

my $timeout = slow(300) < 800 ? slow(300) : 800;

$gateway = nginx(upstream => $upstream, redis => $fake,
    set => { %set, segments_redis_timeout => "${timeout}ms" });

my $before = $upstream->count;

is(envelope($gateway->create(key => 'k2')), '503 internal/storage_error',
    'refused');
$fake->wait_step(6);
is($gateway->create(key => 'k3')->status, 422, 'connection still in use');
ok($fake->played, 'given back');
is($upstream->count, $before, 'nothing sent');


# the same where every connection is lost

$fake = fake_redis(
    hello,
    says(claim => 'k4', $TOKEN),
    ['REFUSE'],
    ['CLOSE'],
);
$gateway = nginx(upstream => $upstream, redis => $fake,
    set => { %set, segments_redis_timeout => slow_ms(300) });

is(envelope($gateway->create(key => 'k4')), '503 internal/storage_error',
    'Redis left');
ok($fake->played, 'after the claim');
is($upstream->count, $before, 'nothing sent without Redis');


# A real Redis behind a relay that swallows the first claim's reply: what is
# held by the own token is no obstacle.

my $redis = redis_server();
my $path = $redis->socket . '.relay';
my $listen = IO::Socket::UNIX->new(Local => $path, Listen => 10)
    or die "cannot listen: $!";

Segments::Process->spawn(name => 'relay', code => sub { relay($listen) });
$gateway = nginx(upstream => $upstream, redis => "unix:$path", set => \%set);

is($gateway->create(key => 'k5')->summary, '201 recorded', 'held, and ours');
is($upstream->count, $before + 1, 'sent once');
# who wins what is its own sets the expiry anew

is($redis->commands->{pexpire}, 1, 'claimed twice, completed once')
    or diag explain $redis->commands;
is($gateway->create(key => 'k5')->summary, '201 replayed marked', 'replayed');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');


# the third reply of the first connection follows PONG and NOSCRIPT

sub relay {
    my ($listen) = @_;

    for my $limit (3, 0) {
        my $near = $listen->accept or return;
        my $far = IO::Socket::UNIX->new(Peer => $redis->socket) or return;
        my $both = IO::Select->new($near, $far);
        my $replies = 0;

        RELAY: while (my @ready = $both->can_read) {
            for my $from (@ready) {
                sysread $from, my $bytes, 65536 or last RELAY;
                last RELAY if $from == $far && ++$replies == $limit;
                syswrite $from == $far ? $near : $far, $bytes;
            }
        }
    }
}


done_testing();
