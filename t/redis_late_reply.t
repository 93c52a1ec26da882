#!/usr/bin/perl

# A reply that comes after its command's deadline is dropped: it answers no
# other command, and the others keep their own deadlines.
# run: valgrind

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Machine qw(lateness);
use Segments::Test;
use Segments::Dialogue;

use Time::HiRes qw(time);


# milliseconds: given up before a connection would be made beside one that is
# silent for 1 s

my $TIMEOUT = slow(400) < 600 ? slow(400) : 600;

my %set = (
    segments_redis_timeout         => "${TIMEOUT}ms",
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => '300s',
);

my $upstream = upstream();


# a's reply comes late, and would answer b

my $fake = fake_redis(
    hello,
    says(claim => 'a'),
    says(give_back => 'a'),
    says(claim => 'b'),
    [SEND => ['replay', '200', '', 'not the answer'], ['stale'],
        ['in_progress', ':5000']],
    says(claim => 'c'),
    [SEND => ['mismatch']],
);
my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

is(envelope($gateway->create(key => 'a')), '503 internal/storage_error',
    'too late for the first');
is($gateway->create(key => 'b')->summary,
    '409 in-progress idempotency_in_progress', 'its own reply for the second');
is($gateway->create(key => 'c')->status, 422, 'and for the third');
ok($fake->played, 'on one connection');


# b was sent when half of a's time was over: it has its own; the first request
# of all may take nginx longer than that

$fake = fake_redis(
    hello,
    says(claim => 'first'),
    [SEND => ['mismatch']],
    says(claim => 'a'),
    says(claim => 'b'),
    says(give_back => 'a'),
    [SEND => ['replay', '200', '', 'not the answer'], ['mismatch'], ['ok']],
);
$gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

is($gateway->create(key => 'first')->status, 422, 'one before');

my @clients = map { $gateway->connect } 1, 2;

$clients[0]->send_request($gateway->create_request(key => 'a'));
$fake->wait_step(6);
select undef, undef, undef, $TIMEOUT / 2000;
my $late = lateness();
my $start = time;
$clients[1]->send_request($gateway->create_request(key => 'b'));

is(envelope($clients[0]->read_response), '503 internal/storage_error',
    'the first one gave up');
is($clients[1]->read_response->summary, '422 mismatch idempotency_key_reused',
    'the second did not');
my $took = 1000 * (time - $start);
cmp_ok($took - (lateness() - $late), '<', $TIMEOUT, 'nor did it wait longer');
ok($fake->played, 'on one connection, too');


# half of a late reply, then the rest with the next one

$fake = fake_redis(
    hello,
    says(claim => 'a'),
    [BEGIN => 45, ['replay', '200', '', 'No!']],
    says(give_back => 'a'),
    ['REST'],
    [SEND => ['stale']],
    says(claim => 'b'),
    [SEND => ['mismatch']],
);
$gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

is($gateway->create(key => 'a')->status, 503, 'half a reply');
is($gateway->create(key => 'b')->status, 422, 'the other half is dropped');
ok($fake->played, 'on that connection');


is($upstream->count, 0, 'nothing was sent upstream');

done_testing();
