#!/usr/bin/perl

# Sent, and no definite answer: the retry is sent again at once, with the same
# upstream key.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my @CASES = (
    # what happens                what the client gets
    ['hold=never',                '504 unstored network_error'],
    ['hold-body=never',           '502 unstored network_error'],
    ['rst',                       '502 unstored network_error'],
    ['close=after-read',          '502 unstored network_error'],
    ['close=mid-headers',         '502 unstored network_error'],
    ['close=mid-headers; rst',    '502 unstored network_error'],
    ['close=mid-body',            '502 unstored network_error'],
    ['close=mid-body; rst',       '502 unstored network_error'],
    ['close=mid-body; chunked',   '502 unstored network_error'],
    ['garbage',                   '502 unstored network_error'],
    ['status=500',                '500 unstored mock_500'],
    ['status=502',                '502 unstored mock_502'],
    ['status=503',                '503 unstored mock_503'],
    ['status=504',                '504 unstored mock_504'],
    ['status=599',                '599 unstored mock_599'],
    ['status=500; empty',         '500 unstored'],
);

my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    proxy_read_timeout     => slow_ms(500),
});

for (@CASES) {
    my ($mock, $expected) = @$_;

    my $key = 'k' . $upstream->count;
    my $effects = $upstream->effects;
    my $c = $nginx->connect;

    # carried out, although nobody learns of it
    my $first = $c->request($nginx->create_request(key => $key,
        mock => "$mock; effect"));

    is($first->summary, $expected, "upstream: $mock");
    ok(!$first->truncated, 'whole answer');
    is($first->header('Content-Type'), 'application/json', 'its type')
        if length $first->body;
    ok($c->usable || lc($first->header('Connection') // '') eq 'close',
        'connection usable, or closed with an announcement');

    my ($name) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;

    is($redis->record($name)->{state}, 'unknown', 'recorded as unknown');
    cmp_ok($redis->cmd('PTTL', $name), '>', 86000_000, 'for the whole time');

    my $again = $nginx->create(key => $key);

    is($again->summary, '201 recorded', 'retry');
    is($nginx->create(key => $key)->summary, '201 replayed marked',
        'then replayed');

    my @keys = map { $_->header('Idempotency-Key') } $upstream->requests;

    is($keys[-1], $keys[-2], 'sent again with the same upstream key');
    is($upstream->effects, $effects + 1, 'carried out once');
}

is($upstream->count, 2 * @CASES, 'each tried twice');

my @log = $nginx->access(3 * @CASES);
my @failed = map { $_->{outcome} } grep { $_->{status} != 201 } @log;

is_deeply(\@failed, [('upstream_failed') x 10, ('forwarded') x 6], 'outcomes')
    or diag explain \@failed;

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
