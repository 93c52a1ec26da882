#!/usr/bin/perl

# Which answers are remembered, and what becomes of the others.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $UNAUTHORIZED = '502 unstored upstream_unauthorized';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis,
    set => { %Segments::Nginx::PATIENT });


# replayed: the same status and body, marked

sub remembered {
    my ($nginx, $status, $key) = @_;

    my $first = $nginx->create(key => $key, mock => "status=$status");
    my $code = $status =~ /\A2/ ? '' : " mock_$status";

    is($first->summary, "$status recorded$code", "status $status");

    my $again = $nginx->create(key => $key);

    is($again->summary, "$status replayed marked$code", "status $status again");
    is($again->body, $first->body, 'same body');

    return;
}


# what the client got, and the state of the record; then the retry runs

sub forgotten {
    my ($nginx, $status, $expected, $state, $key) = @_;

    my $first = $nginx->create(key => $key, mock => "status=$status");
    my ($name) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;

    is($first->summary, $expected, "status $status");
    is($name ? $redis->record($name)->{state} : 'absent', $state, 'record');

    my $count = $upstream->count;

    is($nginx->create(key => $key)->summary, '201 recorded', 'retry runs');
    is($upstream->count, $count + 1, 'and is sent');

    return;
}


# the same, of an answer that would be remembered if it were the API's

sub foreign {
    my ($name, $expected, $mock, $before) = @_;

    my $key = $name =~ s/\W+/-/gr;

    $nginx->create(key => $key, mock => 'status=500') if $before;

    my $count = $upstream->count;

    is($nginx->create(key => $key, mock => $mock)->summary, $expected, $name);

    my ($record) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;

    is($record ? $redis->record($record)->{state} : 'absent',
        $before // 'absent', "$name: given back");
    is($nginx->create(key => $key)->summary, '201 recorded',
        "$name: a retry runs");
    is($upstream->count, $count + 2, "$name: and is sent");

    return;
}


for my $status (200, 201, 202, 203, 207, 226, 299, 400, 404, 409, 422) {
    remembered($nginx, $status, "s$status");
}

# not executed: the key is free at once

for my $status (405, 406, 408, 410, 412, 413, 415, 425, 428, 429, 451, 499) {
    forgotten($nginx, $status, "$status unstored mock_$status", 'absent',
        "s$status");
}

# our key or plan is at fault, not the client

for my $status (401, 402, 403, 418) {
    my $mark = length $nginx->error_log;

    forgotten($nginx, $status, $UNAUTHORIZED, 'absent', "s$status");
    like($nginx->error_log($mark), qr/\[error\].*status $status\b/,
        'logged with the status');
}

is((grep { $_->{outcome} eq 'upstream_unauthorized' } $nginx->access(4))[0]
    {upstream_status}, 401, 'outcome in the log');

# nobody knows

for my $status (300, 301, 302, 303, 304, 307, 308, 500, 501, 502, 503, 504,
    507)
{
    my $code = $status == 304 ? '' : " mock_$status";

    forgotten($nginx, $status, "$status unstored$code", 'unknown',
        "s$status");
}

# after a try of unknown outcome "not executed" is no news: unknown again

$nginx->create(key => 'mixed', mock => 'status=500');

my ($mixed) = grep { /:mixed\}:create\z/ } $redis->keys;

is($nginx->create(key => 'mixed', mock => 'status=429')->summary,
    '429 unstored mock_429', 'refused after an unknown outcome');
is($redis->record($mixed)->{state}, 'unknown', 'still unknown');
is($nginx->create(key => 'mixed', body => { name => 'x' })->summary,
    '422 mismatch idempotency_key_reused', 'not for another body');

# without a body, and with another one

my $c = $nginx->connect;

for my $try ('201 recorded', '201 replayed marked') {
    my $answer = $c->request($nginx->create_request(key => 'plain',
        mock => 'type=text/plain; text=made'));

    is($answer->summary, $try, 'not JSON');
    is($answer->header('Content-Type'), 'text/plain', 'its type');
    is($answer->body, 'made', 'its body');
}

for my $try ('204 recorded', '204 replayed marked') {
    my $answer = $c->request($nginx->create_request(key => 'none',
        mock => 'status=204; empty'));

    is($answer->summary, $try, 'no content');
    is($answer->header('Content-Length'), undef, 'nor a length');
    is($answer->header('Content-Type'), undef, 'nor a type');
    is($answer->body, '', 'nor a body');
}

for my $try ('201 recorded', '201 replayed marked') {
    my $answer = $c->request($nginx->create_request(key => 'empty',
        mock => 'empty'));

    is($answer->summary, $try, 'empty body');
    is($answer->header('Content-Length'), '0', 'of no length');
    is($answer->header('Content-Type'), undef, 'of no type');
}

my $zeros = join '', map { chr } 0 .. 9, 11, 12, 14 .. 58, 60 .. 255;

$upstream->next("type=application/octet-stream; text=$zeros");

for my $try ('201 recorded', '201 replayed marked') {
    my $answer = $c->request($nginx->create_request(key => 'bytes'));

    is($answer->summary, $try, 'any bytes');
    ok($answer->body eq $zeros, 'as they are');
}

ok($c->usable, 'connection still usable');

# an interim answer is not the answer; an older nginx cannot read it

my $first = $nginx->create(key => 'hints', mock => 'early-hints; text=made');
my $again = $nginx->create(key => 'hints', mock => 'text=made');

like($first->summary, qr/\A(?:201 recorded|502 unstored network_error)\z/,
    'early hints');
like($again->summary, qr/\A201 (?:replayed marked|recorded)\z/, 'retry');
is($again->body, 'made', 'the final answer');
is($nginx->create(key => 'hints')->summary, '201 replayed marked',
    'remembered');

# a 4xx that is no JSON is of a front, and none of the API's

for my $status (400, 404, 409, 422) {
    for my $type ('type=text/html', 'type=application/problem+json',
        'no-type', 'empty')
    {
        foreign("$status-$type", "$status unstored",
            "status=$status; $type; text=gone");
    }
}

foreign('large', '404 unstored', 'status=404; type=text/html; body=100000');
foreign('unknown', '404 unstored', 'status=404; type=text/html; text=gone',
    'unknown');

for my $try ('404 recorded mock_404', '404 replayed marked mock_404') {
    is($nginx->create(key => 'parameters',
        mock => 'status=404; type=Application/JSON%3Bcharset=utf-8')->summary,
        $try, 'JSON with parameters');
}

# the user's own choice

my $own = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_redis_prefix         => 'own:',
    segments_idempotency_statuses => '201 404 410',
});

remembered($own, $_, "own$_") for 201, 404, 410;
forgotten($own, 409, '409 unstored mock_409', 'absent', 'own409');
forgotten($own, 400, '400 unstored mock_400', 'absent', 'own400');
forgotten($own, 202, '202 unstored', 'unknown', 'own202');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
