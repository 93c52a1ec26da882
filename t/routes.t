#!/usr/bin/perl

# Which paths and methods are let through, and what the upstream gets of them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $NO_PATH = '404 request/invalid_request';
my $NO_SEGMENT = '404 resource/not_found';
my $ID = 'Az09._-' . 'x' x 249;

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis,
    set => { segments_operations => 'all' });

my $body = { name => 'Premium users' };

# the six documented operations

for (
    [POST   => '/v4/segments',               201, 'create'],
    [GET    => '/v4/segments',               200, 'list'],
    [GET    => '/v4/segments/system',        200, 'list_system'],
    [GET    => '/v4/segments/premium-users', 200, 'get'],
    [PUT    => '/v4/segments/premium-users', 200, 'update'],
    [DELETE => '/v4/segments/premium-users', 204, 'delete'],
    [GET    => '/v4/segments/System',        200, 'get'],
    [GET    => '/v4/segments/systems',       200, 'get'],
    [GET    => '/v4/segments/...',           200, 'get'],
    [GET    => "/v4/segments/$ID",           200, 'get'],
) {
    my ($method, $uri, $status, $operation) = @$_;

    my $answer = $nginx->request($method, $uri,
        $method =~ /^P/ ? (body => $body) : ());
    my $name = "$method " . substr $uri, 0, 40;

    is($answer->status, $status, $name);

    my ($request) = reverse $upstream->requests;

    is("$request->{method} $request->{uri}", "$method $uri",
        "$name as the upstream sees it");
    is(($nginx->access($upstream->count))[-1]{operation}, $operation,
        "$name named");
}

is($nginx->request('GET', 'http://localhost/v4/segments')->status, 200,
    'absolute form');
is(($upstream->requests)[-1]->uri, '/v4/segments', 'forwarded as a path');

my $forwarded = $upstream->count;

# no such path: as it stands, or as somebody might decode it

for my $path (qw(
    / /a/ /a/b /system/ /system/a /a/system //a /a// /./a /a/. /a/..
    /../segments /a/../b /%2e%2e/segments /%2E/a X s .json ;v=1 %20 ~
    /system%2f/ /%2f/a
)) {
    is(envelope($nginx->request('GET', "/v4/segments$path")), $NO_PATH,
        "path /v4/segments$path");
}

for my $path (qw(
    /v4//segments //v4/segments /./v4/segments /v4/./segments
    /v4/x/../segments /x/../v4/segments /v4/%73egments /v4%2fsegments
    /%76%34/segments /v4/segment%73/a
)) {
    is(envelope($nginx->request('GET', $path)), $NO_PATH, "path $path");
}

is(envelope($nginx->request('POST', '/v4/segments/', body => $body)), $NO_PATH,
    'trailing slash of a create');
is(envelope($nginx->request('POST', '/v4//segments', body => $body)), $NO_PATH,
    'doubled slash of a create');

# these never come to the guarded location

for my $path (qw(/V4/segments /v4/Segments /v4/SEGMENTS/a /v4/segment
    /v4/segments/.. /v4/segments/%2e%2e /v4 /))
{
    is($nginx->request('GET', $path)->status, 404, "path $path");
}

# no such segment

for my $id ("${ID}x", qw(a~b a:b a@b a*b a+b a=b a;b), 'a,b', "caf\xc3\xa9") {
    is(envelope($nginx->request('GET', "/v4/segments/$id")), $NO_SEGMENT,
        'segment ' . substr $id, -20);
}

# an escape is no character of an id, whatever it stands for

for my $id (qw(a%20b %20 a%2fb a%2Fb %61 syste%6d premium%2dusers a%3Flimit=1
    a%2f..%2fb %2e %C3%A9 a%00b))
{
    my $answer = $nginx->request('GET', "/v4/segments/$id");

    if ($id =~ /%00/) {
        is($answer->status, 400, "segment $id: refused by nginx");

    } else {
        is(envelope($answer), $NO_SEGMENT, "segment $id");
    }
}

is(envelope($nginx->request('DELETE', '/v4/segments/a%20b?x=/')), $NO_SEGMENT,
    'escaped segment, with a query');
is(envelope($nginx->request('PATCH', '/v4/segments/a%20b')), $NO_SEGMENT,
    'escaped segment, before the method');

is(envelope($nginx->request('PUT', '/v4/segments/a~b')), $NO_SEGMENT,
    'no such segment, before the content type');

# methods

for (
    ['PUT',     '/v4/segments',        'GET, POST'],
    ['DELETE',  '/v4/segments',        'GET, POST'],
    ['PATCH',   '/v4/segments',        'GET, POST'],
    ['OPTIONS', '/v4/segments',        'GET, POST'],
    ['POSTX',   '/v4/segments',        'GET, POST'],
    ['POST',    '/v4/segments/system', 'GET'],
    ['PUT',     '/v4/segments/system', 'GET'],
    ['DELETE',  '/v4/segments/system', 'GET'],
    ['POST',    '/v4/segments/a',      'GET, PUT, DELETE'],
    ['PATCH',   '/v4/segments/a',      'GET, PUT, DELETE'],
    ['COPY',    '/v4/segments/a',      'GET, PUT, DELETE'],
) {
    my ($method, $uri, $allow) = @$_;

    my $answer = $nginx->request($method, $uri, body => $body);

    is(envelope($answer), '405 request/invalid_request', "$method $uri");
    is($answer->header('Allow'), $allow, "$method $uri: what is allowed");
}

my $head = $nginx->request('HEAD', '/v4/segments');

is($head->status, 405, 'HEAD');
is($head->header('Allow'), 'GET, POST', 'HEAD: what is allowed');
cmp_ok($head->header('Content-Length'), '>', 0, 'HEAD: as GET would have');

my $c = $nginx->connect;

$c->request('HEAD', '/v4/segments');
is($c->request('GET', '/v4/segments/x')->status, 200, 'HEAD has no body');
$forwarded++;

is($upstream->count, $forwarded, 'nothing of that went upstream');
is_deeply($redis->commands, {}, 'nor to Redis');

# whoever keeps doubled slashes gets them refused all the same

my $kept = nginx(upstream => $upstream, server => 'merge_slashes off;',
    set => { segments_operations => 'all' });

is(envelope($kept->request('GET', '/v4/segments//a')), $NO_PATH,
    'doubled slash that is kept');

# a location of one path

my $exact = nginx(upstream => $upstream, path => '= /v4/segments',
    set => { segments_operations => 'all' });

is($exact->request('GET', '/v4/segments')->status, 200, 'exact location');
is($exact->request('GET', '/v4/segments/a')->status, 404, 'nothing below it');

# another public name

my $api = nginx(upstream => $upstream, redis => $redis,
    path => '/api/v1.0/segments', set => { segments_operations => 'all' });

for (
    [POST => '', 'create'],
    [GET => '?limit=5', 'list'],
    [GET => '/system', 'list_system'],
    [DELETE => '/a.b', 'delete'],
) {
    my ($method, $suffix, $operation) = @$_;

    my $answer = $api->request($method, "/api/v1.0/segments$suffix",
        $method eq 'POST' ? (body => $body) : ());
    my ($request) = reverse $upstream->requests;

    like($answer->status, qr/^2/, "$operation under another name");
    is("$request->{method} $request->{uri}", "$method /v4/segments$suffix",
        "$operation under the documented name upstream");
}

$forwarded = $upstream->count;

is(envelope($api->request('GET', '/api/v1.0/segmentsX')), $NO_PATH,
    'longer than the other name');
is($api->request('GET', '/v4/segments')->status, 404,
    'documented name is not public');
is($upstream->count, $forwarded, 'neither went upstream');

done_testing();
