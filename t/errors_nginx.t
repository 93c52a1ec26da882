#!/usr/bin/perl

# What nginx itself answers in a guarded location is the envelope, with the
# status and the header fields that it has elsewhere.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my $body = '{"name":"a"}';

my $passwords = spew(tempdir() . '/passwords', "user:{PLAIN}right\n");

# the same error elsewhere has the same status; what is added is kept, too

my $error_page = 'error_page 400 401 403 404 405 413 429 500 502 503 504 =200'
    . ' /error_page; add_header X-Always 1 always; add_header X-Success 1;'
    . ' location = /error_page { return 200 page; }'
    . ' location = /_deny { internal; error_page 599 /none; return 403; }'
    . ' location = /_broken { internal; error_page 599 /none; return 500; }'
    . ' location = /_unauthorized { internal; proxy_pass %%UPSTREAM%%;'
    . ' proxy_pass_request_body off; proxy_set_header Content-Length "";'
    . ' proxy_set_header X-Mock "status=401;'
    . 'header=WWW-Authenticate:Bearer realm=x"; }';

my @basic = ('auth_basic "closed";', "auth_basic_user_file $passwords;");

# name, the location's own text, directives, expected envelope, and fields

my @rows = (
    ['deny', 'deny all;', {}, '403 request/control_forbidden'],
    ['limit_except', 'limit_except GET { deny all; }', {},
        '403 request/control_forbidden'],
    ['auth_basic', "@basic", {}, '401 request/control_unauthorized',
        'WWW-Authenticate' => 'Basic realm="closed"'],
    ['satisfy any', "satisfy any; deny all; @basic", {},
        '401 request/control_unauthorized',
        'WWW-Authenticate' => 'Basic realm="closed"'],
    ['auth_request 403', 'auth_request /_deny;', {},
        '403 request/control_forbidden'],
    ['auth_request 401', 'auth_request /_unauthorized;', {},
        '401 request/control_unauthorized',
        'WWW-Authenticate' => 'Bearer realm=x'],
    ['auth_request 500', 'auth_request /_broken;', {},
        '500 internal/unknown_error'],
    map({ ["return $_->[0]", "return $_->[0];", {}, "$_->[0] $_->[1]"] }
        [400, 'request/invalid_request'], [404, 'request/invalid_request'],
        [405, 'request/invalid_request'], [406, 'request/invalid_request'],
        [410, 'request/invalid_request'], [418, 'request/invalid_request'],
        [429, 'request/rate_limit_exceeded'],
        [500, 'internal/unknown_error'], [501, 'internal/unknown_error'],
        [503, 'internal/unknown_error'], [507, 'internal/unknown_error']),
    ['return 403 with a text', 'return 403 "keep out";', {},
        '403 request/control_forbidden'],
    ['try_files', 'try_files /nothing =404;', {},
        '404 request/invalid_request'],
    ['body too large', '', { client_max_body_size => '5' },
        '413 request/invalid_content', Connection => 'close'],
    ['refused connection', '', { proxy_pass => 'http://127.0.0.1:'
        . free_port() }, '502 internal/network_error'],
    ['no such socket', '', { proxy_pass => 'http://unix:/nothing:' },
        '502 internal/network_error'],
    map({ ["upstream $_", '', { '_mock' => $_ },
        '502 internal/network_error'] }
        qw(garbage rst close=after-read close=mid-headers)),
    ['time-out', '', { _mock => 'hold=never', proxy_read_timeout => '50ms' },
        '504 internal/network_error'],
    ['error_page', 'error_page 404 403 =200 /error_page; return 404;', {},
        '404 request/invalid_request'],
    ['error_page to a named location', 'error_page 502 = @fallback;',
        { proxy_pass => 'http://127.0.0.1:' . free_port() },
        '502 internal/network_error'],
    ['error_page to an address', 'error_page 403 http://127.0.0.1/; deny all;',
        {}, '403 request/control_forbidden'],
);

# all of them, each in a server of its own

my @ports = map { free_port() } @rows;
my $servers = '';

for my $n (0 .. $#rows) {
    my ($name, $text, $set) = @{ $rows[$n] };
    my %set = (
        segments_gateway           => 'on',
        segments_operations        => 'all',
        segments_secret_key_file   => '%%DIR%%/secret',
        segments_redis             => $redis->url,
        segments_idempotency_scope => $n,
        proxy_pass                 => '%%UPSTREAM%%',
        %$set,
    );

    delete $set{_mock};

    $servers .= "server { listen 127.0.0.1:$ports[$n]; $error_page"
        . ' location @fallback { return 200 page; }'
        . " location /v4/segments { $text "
        . join('', map { "$_ $set{$_};\n" } sort keys %set) . "} }\n";
}

my $nginx = nginx(upstream => $upstream, redis => $redis, http => $servers);

for my $n (0 .. $#rows) {
    my ($name, $text, $set, $expected, %fields) = @{ $rows[$n] };
    my $mock = $set->{_mock};

    for my $key (undef, 'k') {
        my $what = $name . (defined $key ? ', with a key' : '');
        my $answer = http($ports[$n], 'POST', '/v4/segments', body => $body,
            $mock ? (mock => $mock) : (), $key ? (key => $key) : ());

        is(envelope($answer), $expected, $what);
        is($answer->header('X-Always'), 1, "$what: fields are added");
        is($answer->header('X-Success'), undef, "$what: as to an error");
        is($answer->header('Content-Length'), length $answer->body,
            "$what: length");

        for my $field (sort keys %fields) {
            is($answer->header($field), $fields{$field}, "$what: $field");
        }
    }
}

# a key that led nowhere is free again

my @free = grep { $rows[$_][0] =~ /connection|socket|try_files|named/ }
    0 .. $#rows;

is(scalar(@free), 4, 'nothing was sent in four');

for my $n (@free) {
    is(envelope(http($ports[$n], 'POST', '/v4/segments',
        body => '{"name":"b"}', key => 'k')), $rows[$n][3],
        "$rows[$n][0]: no mismatch");
}

# what is no error passes as it is

my $passes = nginx(upstream => $upstream,
    location => 'if ($arg_to) { return 302 $arg_to; }'
        . ' if ($arg_text) { return 200 $arg_text; }');

my $redirect = $passes->request('GET', '/v4/segments?to=/x');

is($redirect->status, 302, 'redirect');
like($redirect->header('Location'), qr{/x\z}, 'where to');
is($passes->request('GET', '/v4/segments?text=hello')->body, 'hello', 'text');

# limits

my $limits = nginx(upstream => $upstream,
    http => 'limit_req_zone $http_x_zone zone=reqs:1m rate=1r/m;'
        . ' limit_conn_zone $http_x_conn zone=conns:1m;',
    location => 'limit_req zone=reqs; limit_conn conns 1;');
my $status = nginx(upstream => $upstream,
    http => 'limit_req_zone $http_x_zone zone=reqs:1m rate=1r/m;'
        . ' limit_req_status 429;',
    location => 'limit_req zone=reqs;');

for ([$limits, '503 internal/unknown_error', 'limit_req'],
    [$status, '429 request/rate_limit_exceeded', 'limit_req_status 429'])
{
    my ($server, $expected, $name) = @$_;
    my @zone = (headers => ['X-Zone' => 'a', 'Content-Type' =>
        'application/json']);

    is($server->create(@zone)->status, 201, "$name: first");
    is(envelope($server->create(@zone)), $expected, "$name: second");
}

my $c = $limits->connect;

$c->send_request($limits->create_request(headers => ['X-Conn' => 'a',
    'Content-Type' => 'application/json'], mock => 'hold=c'));
$upstream->wait_held('c');
is(envelope($limits->create(headers => ['X-Conn' => 'a', 'Content-Type' =>
    'application/json'])), '503 internal/unknown_error', 'limit_conn');
$upstream->release('c');
$c->read_response;

# a HEAD has the header alone

my $head = nginx(upstream => $upstream, location => 'deny all;')
    ->request('HEAD', '/v4/segments');

is($head->status, 403, 'HEAD');
is($head->header('Content-Type'), 'application/json', 'HEAD: type');

# a page of nginx' own is what the rest of the server gets

is($nginx->request('GET', '/elsewhere')->header('Content-Type'), 'text/html',
    'elsewhere');

done_testing();
