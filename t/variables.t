#!/usr/bin/perl

# What an operator can log: the operation, how the request ended, its record
# and the time that Redis took.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my %args = (upstream => $upstream, redis => $redis,
    http => 'log_format none escape=json \'{"outcome":"$segments_outcome",'
        . '"operation":"$segments_operation",'
        . '"record":"$segments_idempotency_record",'
        . '"redis_time":"$segments_redis_time",'
        . '"limit":"$segments_rate_limit_status"}\';',
    server => 'location /plain { return 200; access_log %%DIR%%/none.log none;'
        . ' } limit_req_status 429;');
my %set = (
    segments_operations        => 'all',
    segments_redis_timeout     => slow_ms(300),
    send_timeout               => slow_ms(60_000),
    segments_idempotency_wait  => 'off',
    segments_idempotency_lease => slow_ms(1000),
);

my $nginx = nginx(%args, set => { %set,
    segments_idempotency_max_response => '200',
    proxy_read_timeout                => slow_ms(500),
    client_max_body_size              => '1k',
});
my %requests;

# a line of the log is written after its answer was sent

sub next_line {
    my ($server) = @_;

    return ($server->access(++$requests{$server}))[-1];
}

sub outcome {
    my ($name, $server, $outcome, $status, @request) = @_;

    $server->request(@request);

    my $line = next_line($server);

    is($line->{outcome}, $outcome, $name);
    is($line->{status}, $status, "$name: status");

    return $line;
}

# with a key

my $first = outcome('created', $nginx, forwarded => 201,
    $nginx->create_request(key => 'k', mock => 'empty'));
my $replay = outcome('replay', $nginx, replayed => 201,
    $nginx->create_request(key => 'k'));
my $reused = outcome('reused', $nginx, key_reused => 422,
    $nginx->create_request(key => 'k', body => { name => 'other' }));

is($first->{operation}, 'create', 'operation');
is($replay->{operation}, 'create', 'operation of a replay');
is($redis->record($first->{record})->{status}, 201, 'record');
is($replay->{record}, $first->{record}, 'record of a replay');
is($reused->{record}, $first->{record}, 'record of a mismatch');
like($_->{redis_time}, qr/\A[0-9]+\.[0-9]{3}\z/, 'time')
    for $first, $replay, $reused;

outcome('too large', $nginx, forwarded => 201,
    $nginx->create_request(key => 'large', mock => 'body=300'));
outcome('tombstone', $nginx, answer_not_kept => 409,
    $nginx->create_request(key => 'large'));

my $c = $nginx->connect;

$c->send_request($nginx->create_request(key => 'held', mock => 'hold=h'));
$upstream->wait_held('h');

outcome('in progress', $nginx, in_progress => 409,
    $nginx->create_request(key => 'held'));

is($c->read_response->status, 504, 'time-out');
is(next_line($nginx)->{outcome}, 'upstream_failed', 'time-out: outcome');

# without

my $list = outcome('list', $nginx, forwarded => 200, 'GET', '/v4/segments');

is($list->{operation}, 'list', 'list: operation');
is($list->{record}, '', 'list: no record');
is($list->{redis_time}, '', 'list: no time');

my $keyless = outcome('no key', $nginx, forwarded => 201,
    $nginx->create_request);

is($keyless->{record}, '', 'no key: no record');
is($keyless->{redis_time}, '', 'no key: no time');

for (
    ['body',          invalid => 400, $nginx->create_request(body => '{')],
    ['query',         invalid => 400, 'GET', '/v4/segments?x=1'],
    ['needless body', invalid => 400, 'GET', '/v4/segments', body => 'x'],
    ['path',          not_found => 404, 'GET', '/v4/segments/'],
    ['id',            not_found => 404, 'GET', '/v4/segments/a~b'],
    ['method',        not_allowed => 405, 'PATCH', '/v4/segments'],
    ['type',          bad_content_type => 415, $nginx->create_request(
        headers => ['Content-Type' => 'text/plain'])],
    ['coding',        bad_content_type => 415, $nginx->create_request(
        headers => ['Content-Type' => 'application/json',
            'Content-Encoding' => 'gzip'])],
    ['key',           key_invalid => 400, $nginx->create_request(
        key => 'a b')],
    ['large body',    refused => 413, $nginx->create_request(
        body => { name => 'a' x 2000 })],
    ['401 of the upstream', upstream_unauthorized => 502,
        $nginx->create_request(key => 'u', mock => 'status=401')],
    ['403 of the upstream', upstream_unauthorized => 502, 'GET',
        '/v4/segments', mock => 'status=403'],
    ['404 of the upstream', forwarded => 404, 'GET', '/v4/segments/a',
        mock => 'status=404'],
    ['500 of the upstream', forwarded => 500, $nginx->create_request(
        key => '500', mock => 'status=500')],
    ['cut',           upstream_failed => 502, $nginx->create_request(
        mock => 'rst')],
    ['cut, with a key', upstream_failed => 502, $nginx->create_request(
        key => 'cut', mock => 'rst')],
    ['no HTTP',       upstream_failed => 502, $nginx->create_request(
        mock => 'garbage')],
    ['no answer',     upstream_failed => 504, 'GET', '/v4/segments',
        mock => 'hold=never'],
) {
    my ($name, $outcome, $status, @request) = @$_;

    my $line = outcome($name, $nginx, $outcome, $status, @request);

    if ($outcome =~ /^not_/) {
        is($line->{operation}, '', "$name: no operation");
    }
}

# the others, each where it is configured

my $required = nginx(%args, set => { %set,
    segments_idempotency => 'required' });

outcome('required', $required, key_required => 400, $required->create_request);

my $hold = nginx(%args, set => { %set, segments_idempotency_unknown => 'hold',
    segments_idempotency_scope => 'hold' });

outcome('cut, held', $hold, upstream_failed => 502,
    $hold->create_request(key => 'h', mock => 'rst'));
outcome('held', $hold, held => 504, $hold->create_request(key => 'h'));

my $deny = nginx(%args, set => { %set }, location => 'if ($arg_deny) {'
    . ' return 403; } if ($arg_broken) { return 500; }'
    . ' if ($arg_text) { return 200 text; }');

outcome('403 of nginx', $deny, refused => 403, 'GET', '/v4/segments?deny=1');
outcome('500 of nginx', $deny, failed => 500, 'GET', '/v4/segments?broken=1');

# a client that leaves

$c = $required->connect;
$c->send_request('POST', '/v4/segments', key => 'left', headers => [
    'Content-Type' => 'application/json', 'Content-Length' => 100]);
$c->send('{');
$c->close;

is(next_line($required)->{outcome}, 'aborted', 'left');

# Redis

my $lost = nginx(%args, redis => undef, set => { %set });

my $failed = outcome('no Redis', $lost, redis_failed => 503,
    $lost->create_request(key => 'k'));

like($failed->{record}, qr/./, 'no Redis: record');

my $pass = nginx(%args, redis => undef, set => { %set,
    segments_redis_failure => 'pass' });

outcome('no Redis, pass', $pass, bypassed => 201,
    $pass->create_request(key => 'k'));

$redis->pause;

my $silent = outcome('silent Redis', $nginx, redis_failed => 503,
    $nginx->create_request(key => 'silent'));

cmp_ok($silent->{redis_time}, '>=', 0.29, 'silent Redis: time');
cmp_ok($silent->{redis_time}, '<', slow(5), 'silent Redis: not for ever');
$redis->resume;

$c = $hold->connect;
$c->send_request($hold->create_request(key => 'pause', mock => 'hold=p'));
$upstream->wait_held('p');
$redis->pause;
$upstream->release('p');

is($c->read_response->header('Idempotency-Status'), 'unstored', 'unstored');

my $unstored = next_line($hold);

is($unstored->{outcome}, 'unstored', 'unstored: outcome');
cmp_ok($unstored->{redis_time}, '>=', 0.29, 'unstored: time');
$redis->resume;

# elsewhere

$nginx->request('GET', '/plain');
wait_for { slurp($nginx->dir . '/none.log') =~ /\n/ };
is(slurp($nginx->dir . '/none.log'), '{"outcome":"","operation":"","record":"",'
    . qq("redis_time":"","limit":""}\n), 'none in other locations');

done_testing();
