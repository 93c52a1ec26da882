#!/usr/bin/perl

# An answer of the gateway's own, a replay included, costs no connection.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    segments_idempotency_wait => 'off',
    segments_operations       => 'all',
    client_body_buffer_size   => '1k',
});

my $long = { name => 'a', conditions => [
    { metric => 'm', comparator => 'eq', value => 'v' x 5000 }] };

# one request is in progress all the while

my $holder = $nginx->connect;

$holder->send_request($nginx->create_request(key => 'held',
    mock => 'hold=k'));
$upstream->wait_held('k');

# requests, and the status of their answers

my @script = (
    [201, $nginx->create_request(key => 'k')],
    [201, $nginx->create_request(key => 'k')],
    [422, $nginx->create_request(key => 'k', body => { name => 'other' })],
    [422, $nginx->create_request(key => 'k', body => $long)],
    [422, $nginx->create_request(key => 'k', body => $long,
        chunked => 1)],
    [409, $nginx->create_request(key => 'held')],
    [400, $nginx->create_request(body => '{')],
    [400, $nginx->create_request(body => '{}')],
    [400, $nginx->create_request(body => '{' x 5000)],
    [400, $nginx->create_request(key => 'a b')],
    [400, 'GET', '/v4/segments?limit=0'],
    [400, 'GET', '/v4/segments', body => '{}'],
    [400, 'GET', '/v4/segments', body => '{}', chunked => 1],
    [404, 'POST', '/v4/segments/', body => $long],
    [404, 'GET', '/v4/segments/a~b'],
    [405, 'PATCH', '/v4/segments', body => $long],
    [405, 'PATCH', '/v4/segments', body => $long, chunked => 1],
    [405, 'HEAD', '/v4/segments'],
    [415, $nginx->create_request(headers => ['Content-Type' => 'text/plain'])],
    [415, $nginx->create_request(headers => ['Content-Type' => 'text/plain'],
        body => $long)],
    [502, $nginx->create_request(mock => 'status=401')],
    [502, $nginx->create_request(key => 'u', mock => 'status=403')],
    [404, 'GET', '/v4/segments/a', mock => 'status=404'],
    [500, $nginx->create_request(key => 'f', mock => 'status=500')],
    [204, 'DELETE', '/v4/segments/a'],
    [200, 'GET', '/v4/segments'],
);

my @expected = map { $_->[0] } @script;

# one after another

my $c = $nginx->connect;
my @seen;

for (@script) {
    my ($status, @request) = @$_;

    my $answer = $c->request(@request) or last;

    push @seen, $answer->status;
    last if ($answer->header('Connection') // '') eq 'close' || !$c->usable;
}

is("@seen", "@expected", 'on one connection');

# all at once

$c = $nginx->connect;

my $bytes = '';

for (@script) {
    my ($status, @request) = @$_;

    $c->{parser}->expect($request[0]);
    $bytes .= Segments::HTTP::request_bytes(@request);
}

$c->send($bytes);
@seen = map { $_ ? $_->status : 'none' } map { $c->read_response } @script;

is("@seen", "@expected", 'pipelined');
ok($c->usable, 'still open');

# what does not survive is said to

$c = $nginx->connect;

my $large = $c->request($nginx->create_request(headers => [
    'Content-Length' => 10_000_000], body => ''));

is(envelope($large), '413 request/invalid_content', 'too large');
is($large->header('Connection'), 'close', 'too large: closes');

$upstream->release('k');
is($holder->read_response->status, 201, 'the one in progress');
is($holder->request($nginx->create_request(key => 'held'))
    ->header('Idempotent-Replayed'), 'true', 'replayed on its connection');

# HTTP/1.0

for my $keep (0, 1) {
    $c = $nginx->connect;

    my $answer = $c->request($nginx->create_request(key => 'k',
        version => '1.0', headers => [$keep ? (Connection => 'keep-alive')
            : ()]));

    is($answer->header('Idempotent-Replayed'), 'true', "HTTP/1.0, $keep");
    is($answer->header('Connection'), $keep ? 'keep-alive' : 'close',
        "HTTP/1.0, $keep: connection");
}

is((grep { $_->{outcome} eq 'aborted' } $nginx->access), 0, 'none was aborted');

done_testing();
