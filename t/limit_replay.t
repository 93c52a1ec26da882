#!/usr/bin/perl

# Only what goes upstream is charged: not a replay, a duplicate, another body
# or a broken request; a take-over is.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Limits;


my $upstream = upstream();
my $redis = redis_server();
my $KEY = 'segments:{live:}:limit:default';

my $gateway = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_idempotency_wait         => 'off',
    segments_idempotency_lease        => '300s',
    segments_idempotency_max_response => '1k',
    segments_rate_limit               => 'rate=1r/h burst=3',
});

my $answered = $gateway->create(key => 'answered');
my $large = $gateway->create(key => 'large', mock => 'body=5000');
my $unknown = $gateway->create(key => 'unknown', mock => 'status=500');

my $c = $gateway->connect;
$c->send_request($gateway->create_request(key => 'busy', mock => 'hold=a'));
$upstream->wait_held('a');

is(limits($answered, 3600), '"default";q=4;w=14400 "default";r=3;t=3600',
    'first');
is(limits($large, 3600), '"default";q=4;w=14400 "default";r=2;t=3600',
    'second');
is(limits($unknown, 3600), '"default";q=4;w=14400 "default";r=1;t=3600',
    'third');

# the quota is used up

my $owed = $redis->cmd('GET', $KEY);
my $sent = $upstream->count;

is($gateway->create(key => 'more')->status, 429, 'used up');

for (
    ['replay', '201 replayed marked', [key => 'answered'], 0],
    ['another body', '422 mismatch idempotency_key_reused',
        [key => 'answered', body => { name => 'other' }]],
    ['duplicate', '409 in-progress idempotency_in_progress', [key => 'busy']],
    ['tombstone', '409 replayed marked idempotency_answer_not_kept',
        [key => 'large'], 0],
    ['broken request', '400 - invalid_data', [key => 'new', body => '{']],
    ['broken key', '400 - idempotency_key_invalid', [key => 'a b']],
    ['broken type', '415 - invalid_content', [key => 'new', headers =>
        ['Content-Type' => 'text/plain']]],
) {
    my ($name, $summary, $request, $left) = @$_;

    my $answer = $gateway->create(@$request);

    is($answer->summary, $summary, $name);
    is($redis->cmd('GET', $KEY), $owed, "$name: costs nothing");

    if (defined $left) {
        is(limits($answer, 3600), '"default";q=4;w=14400 "default";r=0;t=3600',
            "$name: what is left");
        next;
    }

    is(limits($answer), ' ', "$name: nothing is said");
}

is($upstream->count, $sent, 'nothing was sent');

# what is said with a replay is of now

earn($redis, $KEY, 7200);
is($gateway->create(key => 'answered')->header('RateLimit') =~ s/t=.*//r,
    '"default";r=2;', 'replay, later');
is($gateway->create(key => 'large')->header('RateLimit') =~ s/t=.*//r,
    '"default";r=2;', 'tombstone, later');
is($gateway->create(key => 'answered')->header('RateLimit') =~ s/t=.*//r,
    '"default";r=2;', 'still');

unlike(join(' ', %{ $redis->record($_) }), qr/ratelimit/i, "not stored: $_")
    for grep { /\}:create\z/ } $redis->keys;

$redis->cmd('DEL', $KEY);
is($gateway->create(key => 'answered')->header('RateLimit'),
    '"default";r=4;t=0', 'replay, nothing owed');
is($redis->cmd('EXISTS', $KEY), 0, 'nor afterwards');

# a take-over goes upstream, so it is charged

my $takeover = $gateway->create(key => 'unknown');

is($takeover->summary, '201 recorded', 'take-over');
is(limits($takeover, 3600), '"default";q=4;w=14400 "default";r=3;t=3600',
    'take-over, charged');

# what was not executed is charged as well, and gives its key back

for my $left (2, 1) {
    my $answer = $gateway->create(key => 'refused', mock => 'status=429');

    is($answer->summary, '429 unstored mock_429', "429 of the upstream, $left");
    is(limits($answer, 3600),
        qq("default";q=4;w=14400 "default";r=$left;t=3600),
        "429 of the upstream, $left left");
    is($answer->header('Retry-After'), undef, 'its own Retry-After, or none');
}

# a refused take-over leaves the record as it was

$gateway->create(key => 'last', mock => 'status=500');

my ($record) = grep { /:last\}:create\z/ } $redis->keys;
my $before = $redis->record($record);

is($gateway->create(key => 'last')->status, 429, 'refused take-over');
is_deeply($redis->record($record), $before, 'the record stands');

$upstream->release('a');
is(limits($c->read_response, 3600),
    '"default";q=4;w=14400 "default";r=0;t=3600',
    'as it was when the create was charged');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
