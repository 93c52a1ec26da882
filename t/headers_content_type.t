#!/usr/bin/perl

# A body is judged as JSON, or not at all: nothing else gets past as JSON.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $REFUSED = '415 request/invalid_content';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis,
    set => { segments_operations => 'all' });

my $body = { name => 'Premium users' };

my @refused = (
    ['no type', 'Content-Type' => undef],
    ['empty type', 'Content-Type' => ''],
    ['doubled type', ('Content-Type' => 'application/json') x 2],
    ['two types', 'Content-Type' => 'application/json',
        'Content-Type' => 'text/plain'],
    ['two types, JSON last', 'content-type' => 'text/plain',
        'CONTENT-TYPE' => 'application/json'],
    ['two codings', 'Content-Type' => 'application/json',
        'Content-Encoding' => 'identity', 'Content-Encoding' => 'gzip'],
    map({ ["type $_", 'Content-Type' => $_] }
        'text/plain', 'text/json', 'application/jsonx', 'application/json5',
        'application/ld+json', 'application/json-patch+json', 'application',
        'application/json/x', '*/*', 'application/*', 'json',
        'application / json', '"application/json"',
        'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
        'application/json, text/plain', 'application/json text/plain',
        'text/plain; application/json', 'text/plain; charset=utf-8',
        'application/json; charset=latin1', 'application/json;charset=utf-16',
        'application/json; charset=utf8', 'application/json; charset=',
        'application/json; charset', 'application/json; charset=utf-8x',
        'application/json; charset="utf-8', 'application/json; charset=utf-7',
        'application/json; charset=utf-8; charset=utf-16',
        'application/json; charset=utf-8; charset=utf-8',
        'application/json; charset=utf-8, text/plain'),
    map({ ["coding $_", 'Content-Type' => 'application/json',
        'Content-Encoding' => $_] }
        qw(gzip br deflate aws-chunked x), 'identity, gzip',
        'gzip, identity', 'identity;q=1'),
);

for (@refused) {
    my ($name, @headers) = @$_;

    is(envelope($nginx->create(key => 'same', headers => [@headers])),
        $REFUSED, "create: $name");
    is(envelope($nginx->request('PUT', '/v4/segments/a', body => $body,
        headers => [@headers])), $REFUSED, "update: $name");
}

is(envelope($nginx->request('POST', '/v4/segments')), $REFUSED,
    'no type and no body');
is(envelope($nginx->create(headers => ['Content-Encoding' => 'gzip'],
    body => "\x1f\x8b\x08\x00\x00\x00\x00\x00")), $REFUSED, 'gzipped body');

is($upstream->connections, 0, 'no upstream connection');
is_deeply($redis->commands, {}, 'no Redis command');

is($nginx->create(key => 'same')->status, 201, 'their key is still free');

my @accepted = (
    map({ ["type $_", 'Content-Type' => $_] }
        'application/json', 'Application/JSON', 'application/json;',
        'application/json; charset=utf-8', 'application/json;charset=UTF-8',
        'application/json ; charset="utf-8"', 'application/json; CHARSET=utf-8',
        "application/json\t;\tcharset=utf-8 ;"),
    map({ ["coding $_", 'Content-Type' => 'application/json',
        'Content-Encoding' => $_] } '', 'identity', 'Identity'),
);

for (@accepted) {
    my ($name, @headers) = @$_;

    is($nginx->create(headers => [@headers])->status, 201, "create: $name");
    is($nginx->request('PUT', '/v4/segments/a', body => $body,
        headers => [@headers])->status, 200, "update: $name");
    is(($upstream->requests)[-1]->header('Content-Type'), $headers[1],
        "upstream: $name");
}

# no body, no type

for my $method (qw(GET DELETE)) {
    like($nginx->request($method, '/v4/segments/a',
        headers => ['Content-Type' => 'text/plain'])->status, qr/^2/,
        "$method: any type");
}

done_testing();
