#!/usr/bin/perl

# Nothing was sent: the claim is given back at once, to what it was before.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $FAILED = '502 unstored network_error';

my $upstream = upstream();
my $redis = redis_server();

my %common = (%Segments::Nginx::PATIENT);
my %policies = map {
    $_ => nginx(upstream => $upstream, redis => $redis, set => { %common,
        segments_redis_prefix => "$_:", segments_idempotency_unknown => $_ })
} qw(retry hold);

# connection refused

for my $policy (sort keys %policies) {
    my $nginx = $policies{$policy};

    $upstream->stop;

    my $refused = $nginx->create(key => 'k1');

    is($refused->summary, $FAILED, "$policy: refused");
    is($refused->header('Content-Type'), 'application/json', 'envelope');
    is_deeply([$redis->keys("$policy:*")], [], 'key free at once');
    is($nginx->create(key => 'k1')->summary, $FAILED, 'refused again');

    $upstream->listen;

    my $count = $upstream->count;
    is($nginx->create(key => 'k1')->summary, '201 recorded', 'retry runs');
    is($upstream->count, $count + 1, 'and is sent');
    is($nginx->create(key => 'k1')->summary, '201 replayed marked',
        'then it is replayed');
}

my ($line) = $policies{retry}->access(1);
is($line->{outcome}, 'upstream_failed', 'outcome in the log');

# after a take-over of a try of unknown outcome: back to unknown

my $retry = $policies{retry};

is($retry->create(key => 'k2', mock => 'rst')->summary, $FAILED,
    'first try of unknown outcome');

my ($name) = grep { /:k2\}:create\z/ } $redis->keys;
my $unknown = $redis->record($name);

is($unknown->{state}, 'unknown', 'recorded as such');

$upstream->stop;
is($retry->create(key => 'k2')->summary, $FAILED, 'retry not sent');
is_deeply($redis->record($name), $unknown, 'back to unknown');
is($retry->create(key => 'k2', body => { name => 'x' })->summary,
    '422 mismatch idempotency_key_reused', 'fingerprint kept');
$upstream->listen;

is($retry->create(key => 'k2')->summary, '201 recorded', 'the next one runs');

my @sent = map { $_->header('Idempotency-Key') } $upstream->requests;
is($sent[-1], $sent[-2], 'with the same upstream key');

# after a take-over of an owner that died

my $slow = nginx(upstream => $upstream, redis => $redis, set => {
    segments_redis_prefix          => 'crash:',
    segments_redis_timeout         => slow_ms(500),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => slow_ms(1500),
});

my $c = $slow->connect;
$c->send_request($slow->create_request(key => 'k3', mock => 'hold=a'));
$upstream->wait_held('a');
$slow->kill_worker;
$upstream->stop;

wait_for { $slow->create(key => 'k3')->summary eq $FAILED } 10,
    'the lease to run out';

($name) = $redis->keys('crash:*');
is($redis->record($name)->{state}, 'unknown', 'unknown, not free');
$upstream->listen;

# no address: a name that cannot be resolved

my $resolving = nginx(upstream => 'http://$backend', redis => $redis,
    http => 'map $http_x_backend $backend { default no-such-host.invalid; '
        . '1 127.0.0.1:' . $upstream->port . '; }',
    set => {
        %common,
        segments_redis_prefix      => 'resolver:',
        segments_upstream_insecure => 'on',
        resolver                   => '127.0.0.1:' . free_port(),
        resolver_timeout           => '100ms',
    });

is($resolving->create(key => 'k1')->summary, $FAILED, 'not resolved');
is_deeply([$redis->keys('resolver:*')], [], 'key free at once');
is($resolving->create(key => 'k1', headers => ['X-Backend' => 1])->summary,
    '201 recorded', 'retry runs');

# TLS that fails

my ($url, $crt) = tls_front($upstream);
my $tls = nginx(upstream => $url, redis => $redis,
    http => 'map $http_x_name $ssl_name { default localhost; '
        . 'other.test other.test; }',
    set => {
        %common,
        segments_redis_prefix         => 'tls:',
        proxy_ssl_verify              => 'on',
        proxy_ssl_trusted_certificate => $crt,
        proxy_ssl_name                => '$ssl_name',
        proxy_ssl_session_reuse       => 'off',
    });

my $count = $upstream->count;

is($tls->create(key => 'k1', headers => ['X-Name' => 'other.test'])->summary,
    $FAILED, 'certificate of another name');
is($upstream->count, $count, 'nothing sent');
is_deeply([$redis->keys('tls:*')], [], 'key free at once');
is($tls->create(key => 'k1')->summary, '201 recorded', 'retry runs');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
