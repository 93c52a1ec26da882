#!/usr/bin/perl

# What segments_metrics shows: Prometheus' text format, to those who ask as
# Prometheus does.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Metrics;
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my %types = (
    segments_requests_total            => 'counter',
    segments_upstream_responses_total  => 'counter',
    segments_redis_duration_seconds    => 'histogram',
    segments_upstream_duration_seconds => 'histogram',
    segments_contract_answers_total    => 'counter',
    segments_contract_drift_total      => 'counter',
    segments_contract_additional_total => 'counter',
    segments_record_bytes              => 'histogram',
    segments_rate_limit_refusals_total => 'counter',
    segments_redis_unusable_workers    => 'gauge',
    segments_waiting_requests          => 'gauge',
    segments_background_completions    => 'gauge',
    segments_secret_key_files_refused  => 'gauge',
    segments_build_info                => 'gauge',
);

# the zone stands behind what needs it

my $nginx = nginx(upstream => $upstream, redis => $redis,
    listen => 'default_server',
    server => 'server_name one.example two.example;'
        . ' location /metrics { segments_metrics; } ' . guarded('/other'),
    http   => 'server { listen 127.0.0.1:%%PORT%%; server_name other.example; '
        . guarded('/v4/segments') . ' }'
        . 'server { listen 127.0.0.1:%%PORT%%; server_name more.example; '
        . guarded(q{'/a"b\\\\c'}) . guarded("/caf\xc3\xa9") . ' }'
        . ' segments_zone segments 1m;');

# from the start there is a zero for whatever may happen

my $metrics = Segments::Metrics->of($nginx);

is_deeply({ map { $_ => $metrics->type($_) } $metrics->names }, \%types,
    'metrics and their types');
is_deeply($metrics->outcomes, {}, 'nothing has happened');
is($metrics->value('segments_requests_total', outcome => 'replayed',
    server => 'one.example', location => '/v4/segments'), 0, 'zero is said');

# each location has its own

$nginx->create(key => 'k') for 1 .. 3;
$nginx->request('GET', '/other');
$nginx->request('GET', '/other', headers => [Host => 'two.example']);
$nginx->request('POST', '/v4/segments', headers => [Host => 'other.example']);
$nginx->request('GET', '/plain');

$metrics = Segments::Metrics->of($nginx);

is_deeply($metrics->outcomes(server => 'one.example',
    location => '/v4/segments'), { forwarded => 1, replayed => 2 },
    'one location');
is_deeply($metrics->outcomes(server => 'one.example', location => '/other'),
    { not_allowed => 2 }, 'another, by either name of its server');
is_deeply($metrics->outcomes(server => 'other.example'),
    { bad_content_type => 1 }, 'another server');
is_deeply($metrics->outcomes, { forwarded => 1, replayed => 2,
    not_allowed => 2, bad_content_type => 1 }, 'nothing else');
is($metrics->value('segments_redis_duration_seconds_count',
    server => 'one.example'), 3, 'three have waited for Redis');
is($metrics->value('segments_upstream_duration_seconds_count',
    server => 'one.example'), 1, 'one has been at the upstream');

# any byte in a label

my %locations = map { ($_->[1]{location} // '') => 1 } $metrics->series;

ok($locations{'/a\\"b\\\\c'}, 'quotes and backslashes are escaped');
ok($locations{'/caf%C3%A9'}, 'other bytes, too')
    or diag(join "\n", sort keys %locations);

# the answer

my $answer = $nginx->request('GET', '/metrics');

is($answer->status, 200, 'GET');
is($answer->header('Content-Type'),
    'text/plain; version=0.0.4; charset=utf-8', 'type');
is($answer->header('Content-Length'), length $answer->body, 'length');

my $head = $nginx->request('HEAD', '/metrics');

is($head->status, 200, 'HEAD');
is($head->header('Content-Type'), $answer->header('Content-Type'),
    'HEAD: type');
is($head->body, '', 'HEAD: no body');

is($nginx->request($_, '/metrics')->status, 405, $_)
    for qw(POST PUT DELETE OPTIONS PATCH);
is($nginx->request('POST', '/metrics', body => 'x' x 5000)->status, 405,
    'POST with a body');
is($nginx->request('GET', '/metrics', body => 'x')->status, 200,
    'GET with a body');
is($nginx->request('GET', '/metrics?a=b')->status, 200, 'GET with a query');

# no secret in it

unlike($answer->body, qr/\bsk_/, 'no key');

# what cannot work

for (
    ['metrics without a zone', qr/"segments_metrics" needs "segments_zone"/,
        server => 'location /metrics { segments_metrics; }'],
    ['metrics without a zone, nothing guarded',
        qr/"segments_metrics" needs "segments_zone"/,
        conf => "%%MAIN%%\nevents { }\nhttp { %%HTTP%% server { location / {"
        . ' segments_metrics; } } }'],
    ['metrics with an argument', qr/invalid number of arguments/,
        http => 'segments_zone z 1m;',
        server => 'location /metrics { segments_metrics on; }'],
    ['metrics at the server level', qr/"segments_metrics" directive is not/,
        server => 'segments_metrics;'],
    ['metrics in a guarded location',
        qr/"segments_metrics" cannot be used in a guarded location/,
        http => 'segments_zone z 1m;', location => 'segments_metrics;'],
    ['zone at the server level', qr/"segments_zone" directive is not allowed/,
        server => 'segments_zone z 1m;'],
    ['zone without a size', qr/invalid number of arguments/,
        http => 'segments_zone z;'],
    ['two zones', qr/"segments_zone" directive is duplicate/,
        http => 'segments_zone y 1m; segments_zone z 1m;'],
    ['no size', qr/invalid zone size "big"/, http => 'segments_zone z big;'],
    ['size of nothing', qr/zone "z" is too small: it needs \d+k at least/,
        http => 'segments_zone z 0;'],
    ['small size', qr/zone "z" is too small: it needs \d+k at least/,
        http => 'segments_zone z 32k;'],
    ['zone of another module',
        qr/zone "z" is already declared for a different use/,
        http => 'limit_req_zone $uri zone=z:1m rate=1r/s;'
        . ' segments_zone z 1m;'],
    ['too many locations for the zone', qr/zone "z" is too small for the/,
        http => 'segments_zone z 68k;',
        server => join '', map { guarded("/l$_") } 1 .. 100],
) {
    my ($name, $says, %conf) = @$_;

    my ($code, $output) = check_config(%conf);

    isnt($code, 0, "$name: refused");
    like($output, $says, "$name: says why");
}

for (
    ['smallest zone', http => 'segments_zone z 68k;',
        server => 'location /metrics { segments_metrics; }'],
    ['zone without metrics', http => 'segments_zone z 1m;'],
    ['as many locations', http => 'segments_zone z 256k;',
        server => join '', map { guarded("/l$_") } 1 .. 100],
) {
    my ($name, %conf) = @$_;

    my ($code, $output) = check_config(%conf);

    is($code, 0, "$name: accepted") or diag($output);
}

# where nothing is guarded there is nothing to count

my $empty = nginx(conf => "%%MAIN%%\nevents { }\nhttp { %%HTTP%%"
    . ' segments_zone z 1m; server { listen 127.0.0.1:%%PORT%%;'
    . ' location /metrics { segments_metrics; } } }');

is_deeply([Segments::Metrics->of($empty)->names], [$metrics->names],
    'nothing guarded: the same metrics');
is_deeply(Segments::Metrics->of($empty)->outcomes, {}, 'and no counts');

done_testing();


sub guarded {
    my ($location) = @_;

    return "location $location { segments_gateway on;"
        . ' segments_secret_key_file %%DIR%%/secret; segments_idempotency off;'
        . ' proxy_pass %%UPSTREAM%%; } ';
}
