#!/usr/bin/perl

# Operations that are documented without a body have none.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $INVALID = '400 request/invalid_data';

my $upstream = upstream();
my $nginx = nginx(upstream => $upstream, set => {
    segments_operations     => 'all',
    client_body_buffer_size => '1k',
});
my $unbuffered = nginx(upstream => $upstream, set => {
    segments_operations     => 'all',
    proxy_request_buffering => 'off',
});

my @operations = (['GET', ''], ['GET', '/system'], ['GET', '/a'],
    ['DELETE', '/a']);

for (@operations) {
    my ($method, $suffix) = @$_;
    my @request = ($method, "/v4/segments$suffix");

    for my $server ($nginx, $unbuffered) {
        my $name = "$method $suffix"
            . ($server == $nginx ? '' : ', unbuffered');

        is(envelope($server->request(@request, body => '{}')), $INVALID,
            "$name: body");
        is(envelope($server->request(@request, body => 'x', chunked => 1)),
            $INVALID, "$name: chunked body");
        is(envelope($server->request(@request, body => 'x' x 5000)), $INVALID,
            "$name: body in a file");
    }
}

is($upstream->connections, 0, 'no upstream connection');

for (@operations) {
    my ($method, $suffix) = @$_;
    my @request = ($method, "/v4/segments$suffix");

    like($nginx->request(@request, body => '')->status, qr/^2/,
        "$method $suffix: body of no bytes");
    like($nginx->request(@request, body => '', chunked => 1)->status, qr/^2/,
        "$method $suffix: chunked body of no bytes");
    is(($upstream->requests)[-1]->body, '', "$method $suffix: none upstream");
}

# the connection is good for another request

my $c = $nginx->connect;

for my $chunked (0, 1) {
    is(envelope($c->request('GET', '/v4/segments', body => "GET / HTTP/1.1\r\n",
        chunked => $chunked)), $INVALID, 'a body that looks like a request');
    is($c->request('GET', '/v4/segments')->status, 200, 'the next request');
}

done_testing();
