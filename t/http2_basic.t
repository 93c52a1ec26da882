#!/usr/bin/perl

# HTTP/2: the same answers, on one connection.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, listen => 'http2',
    set => {
        segments_idempotency_wait => 'off',
        segments_operations       => 'all',
        client_body_buffer_size   => '1k',
        client_max_body_size      => '200k',
    });

my $c = h2($nginx);

my $long = sub {
    return { name => 'a', conditions => [
        { metric => 'm', comparator => 'eq', value => 'v' x $_[0] }] };
};

my $first = $c->request($nginx->create_request(key => 'k'));
my $again = $c->request($nginx->create_request(key => 'k'));

is($first->status, 201, 'create');
is($first->header('Idempotency-Status'), 'recorded', 'recorded');
is($again->status, 201, 'retry');
is($again->header('Idempotent-Replayed'), 'true', 'replayed');
is($again->body, $first->body, 'same body');
is($upstream->count, 1, 'one upstream request');

# one stream waits, others go on

my $held = $c->send_request($nginx->create_request(key => 'held',
    mock => 'hold=h'));

$upstream->wait_held('h');

for (
    ['409 request/idempotency_in_progress', $nginx->create_request(
        key => 'held')],
    ['422 request/idempotency_key_reused', $nginx->create_request(key => 'k',
        body => $long->(50_000))],
    ['400 request/invalid_data', $nginx->create_request(body => '{')],
    ['400 request/invalid_data', $nginx->create_request(body => '{' x 50_000)],
    ['400 request/invalid_data', 'GET', '/v4/segments?x=1'],
    ['400 request/invalid_data', 'GET', '/v4/segments', body => '{}'],
    ['400 request/idempotency_key_invalid', $nginx->create_request(
        key => 'a b')],
    ['400 request/idempotency_key_invalid', $nginx->create_request(
        headers => [('idempotency-key' => 'a') x 2])],
    ['404 request/invalid_request', 'GET', '/v4/segments/a/b'],
    ['404 resource/not_found', 'GET', '/v4/segments/a%2fb'],
    ['404 resource/not_found', 'GET', '/v4/segments/a~b'],
    ['405 request/invalid_request', 'PATCH', '/v4/segments', body => '{}'],
    ['413 request/invalid_content', $nginx->create_request(
        body => $long->(300_000), headers => ['content-length' => 300_100])],
    ['415 request/invalid_content', $nginx->create_request(
        headers => ['content-type' => 'text/plain'])],
    ['502 internal/upstream_unauthorized', $nginx->create_request(
        mock => 'status=401')],
) {
    my ($expected, @request) = @$_;

    is(envelope($c->request(@request)), $expected, $expected);
}

my $head = $c->request('HEAD', '/v4/segments');

is($head->status, 405, 'HEAD');
is($head->body, '', 'HEAD without a body');

# bodies, with and without their length, in pieces

for my $size (1, 1024, 20_000, 150_000) {
    for my $length (0, 1) {
        my $body = JSON::PP->new->canonical->encode($long->($size));
        my $name = "$size bytes" . ($length ? ' announced' : '');

        my $id = $c->send_request('POST', '/v4/segments', end => 0,
            key => "$size-$length", headers => [
                'content-type' => 'application/json',
                $length ? ('content-length' => length $body) : ()]);

        $c->send_data($id, substr($body, 0, 30), 0);
        $c->send_data($id, substr($body, 30), 1);

        is($c->read_response($id)->status, 201, $name);
        ok(($upstream->requests)[-1]->body eq $body, "$name upstream");
        is($c->request($nginx->create_request(key => "$size-$length",
            body => $body))->header('Idempotent-Replayed'), 'true',
            "$name again");
        $body =~ s/v(?=[^v]*\z)/w/;
        is(envelope($c->request($nginx->create_request(key => "$size-$length",
            body => $body))), '422 request/idempotency_key_reused',
            "$name: other last byte");
    }
}

# many streams at once

my $before = $upstream->count;
my @streams = map { $c->send_request($nginx->create_request(key => 'many')) }
    1 .. 50;
my @statuses = map { $c->read_response($_)->status } @streams;

is((grep { $_ == 201 || $_ == 409 } @statuses), 50, 'each answered');
is($upstream->count, $before + 1, 'one upstream request');

$upstream->release('h');
is($c->read_response($held)->status, 201, 'the one that waited');

is($c->request('GET', '/v4/segments')->status, 200, 'list');
is($c->request('DELETE', '/v4/segments/a')->status, 204, 'delete');
is($c->goaway_received, undef, 'the connection was never given up');

done_testing();
