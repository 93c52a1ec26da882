#!/usr/bin/perl

# However a body arrives, and wherever nginx keeps it, what is judged and
# fingerprinted are its true bytes, and the upstream gets these.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $REUSED = '422 request/idempotency_key_reused';
my $TOO_LARGE = '413 request/invalid_content';

my $upstream = upstream();
my $redis = redis_server();
my %set = (segments_operations => 'all');

my %servers = (
    'in memory'   => { client_body_buffer_size => '2m' },
    'in a file'   => { client_body_buffer_size => '1k' },
    'in a clean file' => { client_body_in_file_only => 'clean' },
    'in one buffer' => { client_body_in_single_buffer => 'on' },
    'unbuffered'  => { proxy_request_buffering => 'off',
                       client_body_buffer_size => '8k' },
    'to HTTP/1.0' => { proxy_http_version => '1.0' },
);

my $scope = 0;

for my $where (sort keys %servers) {
    my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
        %set, %{ $servers{$where} },
        client_max_body_size => '2m',
        segments_idempotency_scope => 'scope' . ++$scope,
        client_body_timeout => slow_ms(20_000),
    });

    for my $size (40, 1023, 1024, 1025, 16_385) {
        for my $chunked (0, 1) {
            transport($nginx, $where, $size, $chunked);
        }
    }

    transport($nginx, $where, 1_048_576, $where eq 'in a file')
        if $where =~ /file\z|unbuffered/;

    # neither whole nor JSON

    for my $body ('', '{', ' ' x 1024, ' ' x 1025, '{"name":' . ' ' x 20_000) {
        for my $chunked (0, 1) {
            my $name = join ' ', length $body, 'bytes', $where,
                $chunked ? 'chunked' : ();

            is(envelope($nginx->create(body => $body, chunked => $chunked)),
                '400 request/invalid_data', "$name refused");
        }
    }

    # an honest retry may be written otherwise

    my $space = ' ' x 3000;
    my $spaced = qq({$space"conditions" : [ ],\n$space"name": "ab"}$space);
    my $order = '{"name":"\\u0061b","conditions":[]}';

    is($nginx->create(key => 'json', body => $spaced)->status, 201,
        "$where: first form");
    is($nginx->create(key => 'json', body => $order)
        ->header('Idempotent-Replayed'), 'true', "$where: other form");
    ok(($upstream->requests)[-1]->body eq $spaced,
        "$where: first form upstream");
}


sub transport {
    my ($nginx, $where, $size, $chunked) = @_;

    my $key = "$size-$chunked";
    my $body = '{"name":"a","conditions":[{"metric":"m","comparator":"eq",'
        . '"value":"%s"}]}';

    $body = '{"name":"%s"}' if $size < length $body;
    $body = sprintf $body, 'v' x ($size - length($body) + 2);

    # only the last byte of a string differs

    (my $other = $body) =~ s/v(?=[^v]*\z)/w/ or die;

    my $name = join ' ', $size, 'bytes', $where, $chunked ? 'chunked' : ();
    my @chunked = $chunked ? (chunked => [unpack '(a5000)*', $body]) : ();
    my $sent = $upstream->count;

    is($nginx->create(key => $key, body => $body, @chunked)->status, 201,
        $name);

    my ($request) = reverse $upstream->requests;

    ok($request->body eq $body, "$name: same upstream");

    is($nginx->create(key => $key, body => $body)
        ->header('Idempotent-Replayed'), 'true', "$name: same again");

    @chunked = $chunked ? (chunked => [unpack '(a5000)*', $other]) : ();

    is(envelope($nginx->create(key => $key, body => $other, @chunked)), $REUSED,
        "$name: other last byte");
    is($upstream->count, $sent + 1, "$name: one upstream request");

    is($nginx->request('PUT', '/v4/segments/a', body => $other, @chunked)
        ->status, 200, "$name: update");
    ok(($upstream->requests)[-1]->body eq $other, "$name: update upstream");

    return;
}


# one byte at a time, with and without its length

my $nginx = nginx(upstream => $upstream, redis => $redis, set => { %set,
    client_max_body_size    => '1k',
    client_body_buffer_size => '16',
});

my $bytes = Segments::HTTP::request_bytes($nginx->create_request(
    body => '{"name":"slow"}', key => 'slow'));
my $c = $nginx->connect;

for my $byte (split //, $bytes) {
    $c->send($byte);
    select undef, undef, undef, 0.001;
}

is($c->read_response(undef, 'POST')->status, 201, 'byte by byte');
is(($upstream->requests)[-1]->body, '{"name":"slow"}', 'byte by byte upstream');

# Expect: 100-continue

$c = $nginx->connect;
$c->send_request('POST', '/v4/segments', key => 'expect', headers => [
    'Content-Type' => 'application/json', 'Content-Length' => 12,
    Expect => '100-continue']);
$c->{parser}->expect('POST');

my $waiting = $c->read_bytes(slow(10));

is($waiting, "HTTP/1.1 100 Continue\r\n\r\n", 'continues');
$c->{parser}->feed($waiting);
$c->send('{"name":"e"}');
is($c->read_response->status, 201, 'expected');
is(($upstream->requests)[-1]->body, '{"name":"e"}', 'expected upstream');
is(($upstream->requests)[-1]->header('Expect'), undef, 'without Expect');

my $refused = $nginx->request('POST', '/v4/segments', headers => [
    'Content-Type' => 'text/plain', 'Content-Length' => 12,
    Expect => '100-continue']);

is(envelope($refused), '415 request/invalid_content', 'expected, refused');

# too large

my $sent = $upstream->count;
my $records = () = $redis->keys;

for my $extra (0, 1) {
    my $body = '{"name":"' . 'x' x 200 . '"}' . ' ' x (1024 - 211 + $extra);
    my $expected = $extra ? $TOO_LARGE : '201';

    for my $chunked (0, 1) {
        my $answer = $nginx->create(body => $body, chunked => $chunked);
        my $name = 1024 + $extra . ' bytes' . ($chunked ? ', chunked' : '');

        is($extra ? envelope($answer) : $answer->status, $expected, $name);
        is($answer->header('Idempotency-Status'), undef, "$name: no status");
    }
}

is(envelope($nginx->request('GET', '/v4/segments', body => 'x' x 1025)),
    $TOO_LARGE, 'too large for a list');
is($upstream->count, $sent + 2, 'nothing too large went upstream');
is(scalar(my @after = $redis->keys), $records, 'nor to Redis');

# a client that leaves before its body is complete

for my $headers (['Content-Length' => 1000], ['Transfer-Encoding' => 'chunked'])
{
    $c = $nginx->connect;
    $c->send_request('POST', '/v4/segments', key => 'cut',
        headers => ['Content-Type' => 'application/json', @$headers]);
    $c->send('5' . "\r\n") if $headers->[1] eq 'chunked';
    $c->send('{"nam');
    $c->shutdown_write;
    ok($c->wait_closed, "cut body, $headers->[0]");
}

is($upstream->count, $sent + 2, 'nothing cut went upstream');
is($nginx->create(key => 'cut')->header('Idempotency-Status'), 'recorded',
    'its key is free');

done_testing();
