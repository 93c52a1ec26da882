#!/usr/bin/perl

# Nobody listens where Redis should: when nginx starts, and again later.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = Segments::RedisServer->new;

my %set = (segments_operations => 'all', segments_redis_timeout => '100ms');

my %gateways = map {
    my ($name, $url) = @$_;

    $name => nginx(upstream => $upstream, redis => $url, set => \%set)
} ['unix socket', $redis->url], ['TCP', $redis->tcp_url];

# a Redis that comes back is not noticed before the next try to connect
my @known = sort keys %gateways;


sub refused {
    my ($when) = @_;

    for my $name (@known) {
        my $gateway = $gateways{$name};
        my $before = $upstream->count;
        my $answer = $gateway->create(key => 'k1');

        is(envelope($answer), '503 internal/storage_error', "$name $when");
        like($answer->header('Retry-After'), qr/\A[1-9][0-9]*\z/,
            "$name $when, Retry-After");
        is($answer->header('Idempotency-Status'), undef,
            "$name $when, no status of the key");
        is($upstream->count, $before, "$name $when, nothing sent");

        is($gateway->create->status, 201, "$name $when, no key");
        is($gateway->request('GET', '/v4/segments', headers =>
            ['Idempotency-Key' => 'k1'])->status, 200,
            "$name $when, not a create");

        wait_for { (($gateway->access)[-1] // {})->{method} eq 'GET' } 10,
            'the log';

        my ($keyed, $keyless) = ($gateway->access)[-3, -2];

        is($keyed->{outcome}, 'redis_failed', "$name $when, outcome");
        is($keyless->{redis_time}, '', "$name $when, no key, no wait");
    }
}


sub recovers {
    my ($key, $when) = @_;

    for my $name (@known) {
        my $before = $upstream->count;
        my $answer;

        wait_for {
            $answer = $gateways{$name}->create(key => "$key-$name" =~ s/ //r);
            $answer->status != 503;
        } 20, 'the gateway to notice';

        is($answer->summary, '201 recorded', "$name $when");
        is($upstream->count, $before + 1, "$name $when, sent once");
    }
}


refused('absent from the start');

$redis->start;
recovers('a', 'there at last');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

$redis->stop;
refused('gone');

$redis->start;
recovers('b', 'back');

for my $name (@known) {
    my $log = $gateways{$name}->error_log;

    like($log, qr/ connect\(\) .*failed \(\d+: .*\) while connecting to redis/,
        "$name, log");
}

done_testing();
