#!/usr/bin/perl

# A claim is lost, or nearly, while the limits of its create are asked about: it
# is asked for again before anything is sent, and what was spent is not spent
# once more.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;


my $TIMEOUT = slow(2000);               # milliseconds
my $LEASE = 3 * $TIMEOUT;
my $BUSY = '409 in-progress idempotency_in_progress';
my @SPENT = ('spent', ':8', ':9');
my @A = (headers => ['X-Client' => 'a']);

my %set = (
    segments_redis_timeout         => "${TIMEOUT}ms",
    segments_redis_connect_timeout => slow_ms(5000),
    segments_idempotency_lease     => "${LEASE}ms",
    segments_idempotency_scope     => '$http_x_client',
);

my $upstream = upstream();


# where the limits of two slots are two more trips

sub cluster {
    my ($fake, %more) = @_;

    return nginx(upstream => $upstream,
        redis => 'redis+cluster://127.0.0.1:' . $fake->port, set => { %set,
        segments_rate_limit => [
            'rate=1r/h burst=9 key=$http_x_client name=client',
            'rate=1r/h burst=3 name=project',
        ], %more });
}


sub spends {
    my ($limit) = @_;

    return [EXPECT => 'EVALSHA', qr/./, 2, qr/:paid:/, qr/:limit:$limit\z/,
        'spend', '...'];
}


# of a create on it, whose renewal finds another's claim

sub loses {
    my ($key, @said) = @_;

    # what is silent meanwhile shall not be doubted

    return says(claim => $key), ['REFUSE'], [WAIT => "$key claims"],
        [SEND => ['ok']],
        spends('client'), says(renew => $key),
        [SEND => ['ok', [@SPENT]], ['stale']],
        spends('project'), [SEND => @said];
}


# so late that the lease is to be renewed before the first limit is too late

sub claims {
    my ($fake, $step, $key) = @_;

    $fake->wait_step($step);
    select undef, undef, undef, $TIMEOUT / 2000;
    $fake->go("$key claims");

    return;
}


sub sends {
    my ($gateway, $key) = @_;

    my $c = $gateway->connect;

    $c->send_request($gateway->create_request(key => $key, @A));

    return $c;
}


for my $row (
    ['another\'s', ['in_progress', ':60000'], $BUSY, 0],
    ['nobody\'s', ['won'], '201 recorded', 1, says(complete => 'k'),
        [SEND => ['ok']]],
    ['answered', ['replay', 201, '', 'a'], '201 replayed marked', 0],
    ['another body\'s', ['mismatch'], '422 mismatch idempotency_key_reused', 0],
    ['refused', '-ERR no', '503 - storage_error', 0, says(give_back => 'k'),
        [SEND => ['ok']]],
) {
    my ($what, $said, $summary, $sent, @end) = @$row;
    my $fake = fake_redis(whole_cluster(), loses('k', ['ok', [@SPENT]]),
        says(claim => 'k'), [SEND => $said], @end);
    my $gateway = cluster($fake);
    my $before = $upstream->count;
    my $c = sends($gateway, 'k');

    claims($fake, 12, 'k');

    my $answer = $c->read_response;

    is($answer ? $answer->summary : 'none', $summary, $what);
    ok($fake->played, "$what, dialogue");
    is($upstream->count, $before + $sent, "$what, sent or not");
    unlike($gateway->error_log, qr/\[alert\]/, "$what, no alert");
    $gateway->stop;
}


# a create that its limits refuse has no use for the claim, and gives it back

for my $failure (qw(reject pass)) {
    my $fake = fake_redis(whole_cluster(),
        loses('k', ['limited', ['refused', ':0', ':9']]),
        says(give_back => 'k'), [SEND => ['stale']]);
    my $gateway = cluster($fake, segments_redis_failure => $failure);
    my $before = $upstream->count;
    my $c = sends($gateway, 'k');

    claims($fake, 12, 'k');
    is($c->read_response->status, 429, "refused, $failure");
    ok($fake->played, "refused, $failure, dialogue");
    is($upstream->count, $before, "refused, $failure, not sent");
    $gateway->stop;
}


# who has waited before does not begin to wait again

{
    my $fake = fake_redis(whole_cluster(),
        says(claim => 'k'), [SEND => ['in_progress', ':60000']],
        [ACCEPT => 'channel'], [EXPECT => 'PING'],
        [EXPECT => 'SUBSCRIBE', '...'],     # without an answer: it polls
        [ON => 'node'],
        loses('k', ['ok', [@SPENT]]),
        says(claim => 'k'), [SEND => ['in_progress', ':60000']]);
    my $gateway = cluster($fake);
    my $c = sends($gateway, 'k');

    claims($fake, 18, 'k');

    my $answer = $c->read_response;

    is($answer ? $answer->summary : 'none', $BUSY, 'has waited');
    ok($fake->played, 'has waited, dialogue');
    $c->close;

    # nothing is left behind: it goes on, and ends

    is($gateway->request('PATCH', '/v4/segments')->status, 405, 'goes on');
    $gateway->quit;
    unlike($gateway->error_log, qr/\[alert\]/, 'has waited, no alert');
}


# On one server the claim has its limits with it.  The worker stands still for
# most of the lease: it asks for the claim alone, waits for whose it is now, and
# is not charged again.

{
    my $fake = fake_redis(hello,
        [EXPECT => 'EVALSHA', qr/./, 2, qr/:k\}:create\z/, qr/:limit:/,
            'claim', '...'],
        [WAIT => 'still'], [SEND => ['ok', [@SPENT]]],
        says(claim => 'k'), [SEND => ['in_progress', ':60000']],
        [ACCEPT => 'channel'], [EXPECT => 'PING'],
        [EXPECT => 'SUBSCRIBE', '...'],
        [ON => 'first'],
        says(claim => 'k'), [SEND => ['won']],
        says(complete => 'k'), [SEND => ['ok']]);
    my $gateway = nginx(upstream => $upstream, redis => $fake, set => { %set,
        segments_redis_timeout     => $TIMEOUT / 2 . 'ms',
        segments_idempotency_lease => $LEASE / 2 . 'ms',
        segments_rate_limit        => 'rate=1r/h burst=9' });
    my $c = sends($gateway, 'k');
    my ($worker) = $gateway->worker_pids;

    $fake->wait_step(4);
    kill STOP => $worker;
    $fake->go('still');
    $fake->wait_step(6);
    select undef, undef, undef, 0.8 * $LEASE / 2000;
    kill CONT => $worker;

    my $answer = $c->read_response;

    is($answer ? $answer->summary : 'none', '201 recorded', 'stood still');
    is($answer ? $answer->header('RateLimit') : '', '"default";r=8;t=9',
        'stood still, its limit');
    ok($fake->played, 'stood still, dialogue');
}

done_testing();
