#!/usr/bin/perl

# No way leads past the gateway's checks to the upstream, and none for the
# upstream to an answer of another place.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $SECRET = $Segments::Nginx::SECRET;

my $upstream = upstream();
my $other = upstream();
my $redis = redis_server();
my $body = { name => 'a' };

my %args = (upstream => $upstream, redis => $redis);
my %set = (segments_operations => 'all');

# the upstream does not steer nginx

spew(tempdir() . '/secret.txt', 'a file');

my $accel = nginx(%args, set => { %set },
    server => 'location /files/ { internal; alias ' . tempdir() . '/; }');

for my $request (
    ['create with a key', $accel->create_request(key => 'accel')],
    ['create', $accel->create_request],
    ['list', 'GET', '/v4/segments'],
) {
    my ($name, @request) = @$request;

    my $answer = $accel->request(@request, mock => join ';', 'text=answer',
        map { "header=X-Accel-$_" } 'Redirect:/files/secret.txt', 'Expires:60',
        'Limit-Rate:1', 'Buffering:no', 'Charset:koi8-r', 'Other:1');

    like($answer->status, qr/^20/, "$name: served");
    is($answer->body, 'answer', "$name: its own body");
    is($answer->header('Content-Type'), 'application/json', "$name: type");
    is(scalar(my @fields = grep { $_->[0] =~ /^X-Accel-/i } $answer->fields),
        0, "$name: X-Accel stripped");
}

# subrequests do not get in

my $before = $upstream->count;
my $sub = nginx(%args, set => { %set }, server => <<'CONF');
        location /mirror {
            mirror /v4/segments;
            return 200 main;
        }
        location /mirrored {
            mirror /v4/segments;
            proxy_pass %%UPSTREAM%%/mirrored;
        }
        location /auth {
            auth_request /v4/segments;
            proxy_pass %%UPSTREAM%%/auth;
        }
        location /ssi {
            ssi on;
            ssi_types *;
            alias %%DIR%%/ssi.html;
        }
        location /to_mirror {
            rewrite ^ /v4/segments last;
        }
CONF

spew($sub->dir . '/ssi.html', '<!--# include virtual="/v4/segments?limit=5" -->'
    . '[<!--# include virtual="/v4/segments/a" -->]');

my $mark = length $sub->error_log;

is($sub->request('POST', '/mirrored', body => $body, key => 'mirror')->status,
    201, 'mirror: main request');
$sub->wait_log(qr/\[error\].* subrequest .*guarded/, 10, $mark);
is_deeply([map { $_->uri } grep { $_->uri !~ /mirrored/ }
    ($upstream->requests)[$before .. $upstream->count - 1]], [],
    'mirror: copy not forwarded');

$before = $upstream->count;
is($sub->request('GET', '/auth')->status, 500, 'auth_request');
is($upstream->count, $before, 'auth_request: nothing forwarded');

my $ssi = $sub->request('GET', '/ssi');

is($ssi->status, 200, 'SSI');
unlike($ssi->body, qr/object/, 'SSI: no list, no segment');
is($upstream->count, $before, 'SSI: nothing forwarded');

# a rewrite is no subrequest: its target is checked as ever

is($sub->request('POST', '/to_mirror', body => $body)->status, 201, 'rewrite');
is(($upstream->requests)[-1]->uri, '/v4/segments', 'rewrite: forwarded');
is(envelope($sub->request('POST', '/to_mirror', body => {})),
    '400 request/invalid_data', 'rewrite: checked');

# neither is a redirect within nginx

my $into = nginx(%args, set => { %set }, server => <<'CONF');
        location /try { try_files /nothing /v4/segments?limit=5; }
        location /bad { try_files /nothing /v4/segments?limit=0; }
        location /error { error_page 404 = /v4/segments/a; return 404; }
CONF

for (
    ['/try',   200, '/v4/segments?limit=5'],
    ['/error', 200, '/v4/segments/a'],
    ['/bad',   400],
) {
    my ($uri, $status, $forwarded) = @$_;
    my $count = $upstream->count;

    is($into->request('GET', $uri)->status, $status, "$uri: redirect");
    is_deeply([map { $_->uri } ($upstream->requests)[$count ..
        $upstream->count - 1]], [$forwarded // ()], "$uri: what is forwarded");
}

# a request that leaves the location after it was judged ends

my $named = nginx(%args, set => { %set },
    server   => 'location @named { proxy_pass ' . $other->url . '; }'
        . ' location /plain { proxy_pass ' . $other->url . '; }',
    location => 'try_files /nothing @named;');

for my $key (undef, 'named') {
    my $answer = $named->create($key ? (key => $key) : ());
    my $name = 'named location' . ($key ? ', with a key' : '');

    is($answer->status, 500, $name);
    is($answer->header('Idempotency-Status'), undef, "$name: no status");
}

like($named->error_log, qr/\[error\].* redirected out of a guarded location/,
    'named location: error log');

$named->configure(location => 'try_files /nothing /plain;')->reload;

is($named->create(key => 'plain')->status, 500, 'other location');
is($other->connections, 0, 'neither was forwarded');

$named->configure(location => '')->reload;

for my $key (qw(named plain)) {
    wait_for { $named->create(key => $key, body => { name => 'other' })->status
        == 201 } 5, 'the key';
    pass("$key: the key is free");
}

# what is within the location is part of it

my $inside = nginx(%args, set => { %set }, location => <<"CONF");
            if (\$http_x_variable) {
                set \$variable 1;
            }
            if (\$http_x_other) {
                proxy_pass @{[ $other->url ]};
            }
            limit_except POST {
                proxy_pass @{[ $other->url ]};
            }
CONF

for (
    [$upstream, 'as it is'], [$upstream, '"if" that only sets', 'X-Variable'],
    [$other, '"if" with another proxy_pass', 'X-Other'],
) {
    my ($server, $name, $header) = @$_;
    my @request = $inside->create_request(key => $name =~ tr/a-z/-/cr,
        headers => ['Content-Type' => 'application/json',
            $header ? ($header => 1) : ()]);
    my $forwarded = $server->count;

    is($inside->request(@request)->header('Idempotency-Status'), 'recorded',
        $name);
    is($server->count, $forwarded + 1, "$name: forwarded");
    is_deeply([($server->requests)[-1]->headers('Authorization')],
        ["Bearer $SECRET"], "$name: with the Secret Key");
    is($inside->request(@request)->header('Idempotent-Replayed'), 'true',
        "$name: replayed");
    is(envelope($inside->create(body => {}, headers => ['Content-Type' =>
        'application/json', $header ? ($header => 1) : ()])),
        '400 request/invalid_data', "$name: checked");
}

my $forwarded = $other->count;

is($inside->request('GET', '/v4/segments')->status, 200, 'limit_except');
is($other->count, $forwarded + 1, 'limit_except: forwarded there');
is(($other->requests)[-1]->header('Authorization'), "Bearer $SECRET",
    'limit_except: with the Secret Key');
is(envelope($inside->request('GET', '/v4/segments/a~b')),
    '404 resource/not_found', 'limit_except: checked');

my $rewrite = nginx(%args, set => { %set }, location =>
    'rewrite ^/v4/segments/old$ /v4/segments/new break;'
    . ' rewrite ^/v4/segments/away$ /elsewhere break;');

is($rewrite->request('PUT', '/v4/segments/old', body => $body)->status, 200,
    'rewrite inside');
is(($upstream->requests)[-1]->uri, '/v4/segments/new', 'rewritten');
is(envelope($rewrite->request('PUT', '/v4/segments/away', body => $body)),
    '404 request/invalid_request', 'rewritten to no path');

# "satisfy", "internal" and the like come first

my $internal = nginx(%args, set => { %set }, location => 'internal;');

is(envelope($internal->create(key => 'internal')),
    '404 request/invalid_request', 'internal');

done_testing();
