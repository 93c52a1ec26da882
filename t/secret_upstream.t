#!/usr/bin/perl

# The upstream gets the Secret Key, and nothing by which a client could take
# its place or turn the request into another one.  Everybody else sees what the
# client sent.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $SECRET = $Segments::Nginx::SECRET;
my $CLIENT = 'Bearer of-the-client';

my $upstream = upstream();
my $other = upstream();
my $redis = redis_server();
my $body = { name => 'Premium users' };

my $nginx = nginx(upstream => $upstream, redis => $redis,
    path   => '/api/segments',
    server => 'underscores_in_headers on;'
        . ' location = /_auth { internal; proxy_pass ' . $other->url . ';'
        . ' proxy_pass_request_body off; proxy_set_header Content-Length "";'
        . ' proxy_set_header X-Uri $request_uri;'
        . ' proxy_set_header X-Auth $http_authorization;'
        . ' proxy_set_header X-Key $http_idempotency_key; }'
        . ' location = /_mirror { internal; proxy_pass ' . $other->url . ';'
        . ' proxy_set_header X-Uri $request_uri;'
        . ' proxy_set_header X-Auth $http_authorization;'
        . ' proxy_set_header X-Key $http_idempotency_key; }',
    http   => <<'CONF',
log_format client escape=json '{"id":"$http_x_id",'
    '"authorization":"$http_authorization",'
    '"key":"$http_idempotency_key","uri":"$request_uri",'
    '"cookie":"$http_cookie","sid":"$cookie_sid",'
    '"coding":"$http_accept_encoding","connection":"$http_connection",'
    '"request":"$request","user":"$remote_user"}';
access_log %%DIR%%/client.log client;
CONF
    set => {
        segments_operations => 'all',
        proxy_set_header    => ['Connection ""', 'X-A $http_authorization',
            'X-B $request_uri', 'X-C $http_idempotency_key',
            'X-D $http_cookie', 'X-E $cookie_sid'],
    });

my @operations = (
    [POST => '', body => $body, key => '"first"'], [GET => '?limit=5'],
    [GET => '/system'], [GET => '/a'], [PUT => '/a', body => $body],
    [DELETE => '/a'],
);

# every operation

for (@operations) {
    my ($method, $suffix, @request) = @$_;

    $nginx->request($method, "/api/segments$suffix", @request, headers => [
        Authorization => $CLIENT, Cookie => 'sid=client; b=2',
        'Accept-Encoding' => 'gzip, br', Connection => 'close',
        'X-Id' => "$method$suffix"]);

    my ($request) = reverse $upstream->requests;
    my $line = logged("$method$suffix");
    my $name = "$method $suffix";
    my $key = $method eq 'POST' ? '"first"' : undef;

    is_deeply([$request->headers('Authorization')], ["Bearer $SECRET"],
        "$name: the key, once");
    is_deeply([$request->headers('Cookie')], [], "$name: no cookie");
    is_deeply([$request->headers('Accept-Encoding')], ['identity'],
        "$name: no coding");
    is($request->uri, "/v4/segments$suffix", "$name: documented path");

    is($request->header('X-A'), $CLIENT, "$name: client's in proxy_set_header");
    is($request->header('X-B'), "/api/segments$suffix", "$name: its path");
    is($request->header('X-C'), $key, "$name: its key");
    is($request->header('X-D'), 'sid=client; b=2', "$name: its cookies");
    is($request->header('X-E'), 'client', "$name: one of them");

    is_deeply($line, {
        id => "$method$suffix", authorization => $CLIENT, key => $key // '',
        uri => "/api/segments$suffix", cookie => 'sid=client; b=2',
        sid => 'client', coding => 'gzip, br', connection => 'close',
        request => "$method /api/segments$suffix HTTP/1.1", user => '',
    }, "$name: client's in the log");
}

# a client that has none

$nginx->request('GET', '/api/segments', headers => ['X-Id' => 'none']);

is(logged('none')->{authorization}, '', 'no credential in the log');
is((reverse $upstream->requests)[0]->header('X-A'), undef,
    'nor in proxy_set_header');

# the documented request, as it goes upstream: nothing else is said

my $plain = nginx(upstream => $upstream, redis => $redis);

$plain->create(key => 'documented', headers => ['Content-Type' =>
    'application/json', Authorization => $CLIENT,
    Accept => 'application/json', 'User-Agent' => 'sdk/1']);

my ($documented) = reverse $upstream->requests;

is_deeply([sort map { $_->[0] } @{ $documented->{headers} }],
    [sort qw(Host Content-Type Content-Length Accept User-Agent
        Accept-Encoding Authorization Idempotency-Key)], 'header fields');
is($documented->header('Accept'), 'application/json', 'Accept as it came');

# a credential in any other way: dropped

my @dropped = (
    [authorization => 'Bearer a'],
    [AUTHORIZATION => 'Basic YTpi'],
    [Authorization => ''],
    [Authorization => "Bearer $SECRET"],
    map({ [$_ => 'x'] } qw(
        Cookie Keep-Alive Proxy-Authorization Proxy-Connection
        Proxy-Authenticate TE Trailer Upgrade
        X-HTTP-Method-Override X-HTTP-Method X-Method-Override
        X-Original-URL X-Original-URI X-Rewrite-URL
        X_HTTP_Method_Override X-Http_Method-Override x_original_url
        Proxy_Authorization
    )),
);

for (@dropped) {
    my ($name, $value) = @$_;

    my $answer = $nginx->request('GET', '/api/segments',
        headers => [$name => $value, 'X-Other' => 'stays']);
    my ($request) = reverse $upstream->requests;
    my @found = grep { lc $_->[0] eq lc $name } @{ $request->{headers} };

    is($answer->status, 200, "$name: served");
    is_deeply([map { $_->[1] } @found],
        lc $name eq 'authorization' ? ["Bearer $SECRET"] : [],
        "$name: not upstream");
    is($request->header('X-Other'), 'stays', "$name: others pass");
}

# what Connection nominates

for (
    ['Authorization'], ['authorization, close'], ['X-Nominated', 'X-Nominated'],
    ['close , x-nominated,', 'X-Nominated'], ['Content-Type'],
    ['Content-Length'], ['Host'], ['Idempotency-Key'], ['Connection'],
    ["Authorization,,\tX-Nominated", 'X-Nominated'],
) {
    my ($value, $gone) = @$_;
    my $count = $upstream->count;

    my $answer = $nginx->request('POST', '/api/segments', body => $body,
        key => "connection $value" =~ s/[^a-zA-Z]/-/gr, headers => [
            Connection => $value, Authorization => $CLIENT,
            'X-Nominated' => 1]);
    my ($request) = reverse $upstream->requests;

    is($answer->status, 201, "Connection: $value");
    is($upstream->count, $count + 1, "Connection: $value forwarded");
    is_deeply([$request->headers('Authorization')], ["Bearer $SECRET"],
        "Connection: $value: the key stays");
    is($request->header('Content-Type'), 'application/json',
        "Connection: $value: the type stays");
    is(scalar(my @keys = $request->headers('Idempotency-Key')), 1,
        "Connection: $value: the upstream's key stays");
    ok(length $request->body, "Connection: $value: the body stays");
    is($request->header('X-Nominated'), $gone ? undef : 1,
        "Connection: $value: nominated");
}

$nginx->request('GET', '/api/segments', headers => [Connection => 'X-One',
    Connection => 'X-Two', 'X-One' => 1, 'X-Two' => 2]);
is(scalar(grep { /^X-(?:One|Two)$/ } map { $_->[0] }
    @{ (reverse $upstream->requests)[0]{headers} }), 0,
    'two lines of Connection');

# two credentials are nginx's own to refuse

my $count = $upstream->count;

is($nginx->request('GET', '/api/segments', headers => [
    Authorization => 'Bearer a', authorization => 'Bearer b'])->status, 400,
    'two credentials');
is($upstream->count, $count, 'two credentials: not forwarded');

# subrequests

for my $directive ('auth_request /_auth', 'mirror /_mirror') {
    $nginx->configure(location => "$directive;")->reload;

    my $before = $other->count;

    is($nginx->request('POST', '/api/segments', body => $body,
        key => qq("$directive"), headers => [Authorization => $CLIENT,
            'Content-Type' => 'application/json', 'X-Id' => $directive])
        ->status, 201, $directive);

    my ($seen) = reverse $other->wait_requests($before + 1);

    is_deeply([$seen->headers('Authorization')], [$CLIENT],
        "$directive: client's header");
    is($seen->header('X-Auth'), $CLIENT, "$directive: client's variable");
    is($seen->header('X-Uri'), '/api/segments', "$directive: client's path");
    is($seen->header('X-Key'), qq("$directive"), "$directive: client's key");
    unlike($seen->{head} . $seen->body, qr/\Q$SECRET/,
        "$directive: no Secret Key");

    # without a variable having been read before

    my ($request) = reverse $upstream->requests;

    is_deeply([$request->headers('Authorization')], ["Bearer $SECRET"],
        "$directive: the key upstream");
    is(logged($directive)->{authorization}, $CLIENT, "$directive: log");
}

# the sandbox's key, with the space that an editor leaves

my $sandbox = nginx(upstream => $upstream, redis => $redis,
    secret => " test_sk_sandbox0123456789 \r\n", listen => 'http2');

h2($sandbox)->request($sandbox->create_request(headers => [
    'content-type' => 'application/json', authorization => $CLIENT,
    cookie => 'a=1', cookie => 'b=2']));

my ($over_h2) = reverse $upstream->requests;

is_deeply([$over_h2->headers('Authorization')],
    ['Bearer test_sk_sandbox0123456789'], 'sandbox key, over HTTP/2');
is_deeply([$over_h2->headers('Cookie')], [], 'no cookie, over HTTP/2');

done_testing();


# the line is written after the answer was sent

sub logged {
    my ($id) = @_;

    return wait_for {
        my ($line) = grep { /"id":"\Q$id\E"/ && /\}\z/ }
            split /\n/, slurp($nginx->dir . '/client.log');

        $line && JSON::PP->new->decode($line);
    } 10, "$id in the log";
}
