#!/usr/bin/perl

# Every request is counted once, by the word that the access log has for it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Metrics;
use Segments::Test;
use Segments::Util qw(source);

my @WORDS = slurp(source('ngx_http_segments_outcome.c'))
    =~ /_outcomes\[\] = \{(.*?)\};/s ? $1 =~ /"(\w+)"/g : ();

my $upstream = upstream();
my $redis = redis_server();
my %args = (
    upstream => $upstream,
    redis    => $redis,
    http     => 'segments_zone segments 1m;',
    server   => 'location /metrics { access_log off; segments_metrics; }',
);
my %set = (
    segments_operations        => 'all',
    segments_redis_timeout     => slow_ms(300),
    send_timeout               => slow_ms(60_000),
    segments_idempotency_wait  => 'off',
    segments_idempotency_lease => slow_ms(1000),
);
my %seen;

# most of them in one server

my $nginx = nginx(%args, set => { %set,
    segments_idempotency_max_response => '200',
    proxy_read_timeout                => slow_ms(500),
    client_max_body_size              => '1k',
});

$nginx->request(@$_) for (
    [$nginx->create_request(key => 'k', mock => 'empty')],
    [$nginx->create_request(key => 'k')],
    [$nginx->create_request(key => 'k', body => { name => 'other' })],
    [$nginx->create_request(key => 'large', mock => 'body=300')],
    [$nginx->create_request(key => 'large')],
    [$nginx->create_request],
    ['GET', '/v4/segments'],
    [$nginx->create_request(body => '{')],
    ['GET', '/v4/segments/'],
    ['PATCH', '/v4/segments'],
    ['HEAD', '/v4/segments'],
    [$nginx->create_request(headers => ['Content-Type' => 'text/plain'])],
    [$nginx->create_request(key => 'a b')],
    [$nginx->create_request(body => { name => 'a' x 2000 })],
    [$nginx->create_request(key => 'u', mock => 'status=401')],
    [$nginx->create_request(key => '500', mock => 'status=500')],
    [$nginx->create_request(mock => 'rst')],
    [$nginx->create_request(key => 'cut', mock => 'rst')],
    [$nginx->create_request(key => 'cut-body', mock => 'truncate')],
    ['GET', '/v4/segments', mock => 'hold=never'],
);

my $c = $nginx->connect;

$c->send_request($nginx->create_request(key => 'held', mock => 'hold=h'));
$upstream->wait_held('h');
$nginx->create(key => 'held');
is($c->read_response->status, 504, 'time-out');

# several on one connection, one behind the other

$c = $nginx->connect;
$c->send(join '', map { "GET /v4/segments HTTP/1.1\r\nHost: a\r\n\r\n" }
    1 .. 3);
is($c->read_response->status, 200, 'pipelined') for 1 .. 3;
$c->close;

# a client that leaves while its body is read, or while the upstream works

$c = $nginx->connect;
$c->send_request('POST', '/v4/segments', headers => [
    'Content-Type' => 'application/json', 'Content-Length' => 100]);
$c->send('{');
$c->close;

$c = $nginx->connect;
$c->send_request($nginx->create_request(key => 'left', mock => 'hold=left'));
$upstream->wait_held('left');
$c->reset;
$upstream->release('left');

same($nginx, 27, 'one server');

# what the upstream said is not what the client got

my %responses = map { $_ => Segments::Metrics->of($nginx)->value(
    'segments_upstream_responses_total', class => $_) } qw(2xx 3xx 4xx 5xx);

is_deeply(\%responses, { '2xx' => 9, '3xx' => 0, '4xx' => 1, '5xx' => 1 },
    'answers of the upstream') or diag explain \%responses;

# the others, each where it is configured

my $required = nginx(%args, set => { %set,
    segments_idempotency => 'required' });

$required->create;
same($required, 1, 'key required');

my $hold = nginx(%args, set => { %set, segments_idempotency_unknown => 'hold',
    segments_idempotency_scope => 'hold' });

$hold->create(key => 'h', mock => 'rst');
$hold->create(key => 'h');

$c = $hold->connect;
$c->send_request($hold->create_request(key => 'pause', mock => 'hold=p'));
$upstream->wait_held('p');
$redis->pause;
$upstream->release('p');
is($c->read_response->header('Idempotency-Status'), 'unstored', 'unstored');

# nobody waits for Redis any more, but the time until then counts

$c = $hold->connect;
$c->send_request($hold->create_request(key => 'silent'));
wait_for { $c->read_response(0.1) } 10, 'Redis to be given up';
same($hold, 4, 'held, unstored, no Redis');

my $metrics = Segments::Metrics->of($hold);

$redis->resume;

is($metrics->value('segments_redis_duration_seconds_count'), 4,
    'each has waited for Redis');
cmp_ok($metrics->value('segments_redis_duration_seconds_sum'), '>=', 0.6,
    'two of them for long');
cmp_ok($metrics->value('segments_redis_duration_seconds_bucket', le => '0.2'),
    '<=', 2, 'which were not short');
is($metrics->value('segments_upstream_duration_seconds_count'), 2,
    'two have been at the upstream');

my $inside = nginx(%args, set => { %set }, location => 'if ($arg_deny) {'
    . ' return 403; } if ($arg_broken) { return 500; }');

$inside->request('GET', '/v4/segments?deny=1');
$inside->request('GET', '/v4/segments?broken=1');
$inside->request('GET', '/v4/segments');
same($inside, 3, 'blocks of "if"');
is(scalar(my @locations = grep { $_->[0] eq 'segments_requests_total'
    && $_->[1]{outcome} eq 'forwarded' } Segments::Metrics->of($inside)
    ->series), 1, 'which are no location of their own');

my $pass = nginx(%args, redis => undef, set => { %set,
    segments_redis_failure => 'pass' });

$pass->create(key => 'k');
same($pass, 1, 'bypassed');

my $limited = nginx(%args, set => { %set, segments_rate_limit => 'rate=1r/d' });

$limited->create for 1 .. 3;
same($limited, 3, 'rate limited');
is(Segments::Metrics->of($limited)
    ->value('segments_redis_duration_seconds_count'), 3,
    'which Redis was asked for');

my $unknown = nginx(%args, set => { %set }, location => 'auth_basic a;'
    . ' auth_basic_user_file %%DIR%%/secret;');

$unknown->request('GET', '/v4/segments');
same($unknown, 1, 'refused before the gateway');

# HTTP/2: streams that are reset, before and behind the answer

my $plain = free_port();

reset_streams(nginx(%args, listen => 'http2', set => { %set },
    http => "$args{http} server { listen 127.0.0.1:$plain; $args{server} }"));

# an old word that nobody says any more, or a new one that was forgotten here

is_deeply([sort keys %seen], [sort @WORDS], 'every word');

done_testing();


sub reset_streams {
    my ($server) = @_;

    my $c = h2($server);
    my %stream;

    for my $name (qw(kept reset)) {
        $stream{$name} = $c->send_request($server->create_request(
            key => $name, mock => "hold=$name"));
        $upstream->wait_held($name);
    }

    $c->reset($stream{reset});
    $upstream->release($_) for qw(kept reset);

    is($c->read_response($stream{kept})->status, 201, 'HTTP/2: answered');
    same($server, 2, 'HTTP/2', $plain);

    return;
}


# as many requests, and for each word as many as the access log has

sub same {
    my ($server, $count, $name, $port) = @_;

    my %logged;

    $logged{ $_->{outcome} }++ for $server->access($count);

    my $metrics = Segments::Metrics->of($port // $server);

    is_deeply($metrics->outcomes, \%logged, "$name: counted as logged");
    is($metrics->value('segments_requests_total'), $count, "$name: each once");

    $seen{$_} += $logged{$_} for keys %logged;

    return;
}
