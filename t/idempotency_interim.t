#!/usr/bin/perl

# An interim answer ends nothing: only the final one is stored.  One that nginx
# itself takes for final leaves the outcome unknown.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();
my %args = (upstream => $upstream, redis => $redis);

my %gateways = map {
    my ($policy, $buffering) = @$_;

    ("$policy, buffering $buffering" => nginx(%args, set => {
        %Segments::Nginx::PATIENT,
        segments_redis_prefix        => "$policy-$buffering:",
        segments_idempotency_unknown => $policy,
        proxy_buffering              => $buffering,
    }));
} (['retry', 'on'], ['retry', 'off'], ['hold', 'on']);

for my $name (sort keys %gateways) {
    my $nginx = $gateways{$name};
    my $hold = $name =~ /hold/;

    for my $interim ('100', '102', '103', '103,103', '100,103', '199') {
        my $key = "$name-$interim" =~ tr/a-z0-9/-/cr;
        my $effects = $upstream->effects;
        my $first = $nginx->create(key => $key,
            mock => "interim=$interim; text=made; header=Location: /made");

        my ($record) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;
        my $state = $redis->record($record)->{state};

        is($upstream->effects, $effects + 1, "$interim with $name");

        if ($first->status == 201) {
            is($first->summary, '201 recorded', 'the final answer');
            is($first->body, 'made', 'its body');
            is_deeply([$first->headers('Link')], [], 'no field of the interim');

            my $again = $nginx->create(key => $key);

            is($again->summary, '201 replayed marked', 'replayed');
            is($again->body, 'made', 'its body');
            is($again->header('Location'), '/made', 'its field');
            is_deeply([$again->headers('Link')], [], 'no field of the interim');
            next;
        }

        is($first->summary, '502 ' . ($hold ? 'held' : 'unstored')
            . ' network_error', 'not read');
        is($first->header('Link'), undef, 'no field of it');
        is($state, 'unknown', 'outcome unknown');

        if ($hold) {
            is($nginx->create(key => $key)->summary,
                '504 held idempotency_outcome_unknown', 'held');

        } else {
            is($nginx->create(key => $key)->summary, '201 recorded', 'retried');
            is($nginx->create(key => $key)->summary, '201 replayed marked',
                'then replayed');
        }

        is($upstream->effects, $effects + 1, 'one effect');
    }
}

# a change of protocols is no answer to a create, whatever the client proposes

my $nginx = $gateways{'retry, buffering on'};

for my $upgrade ([], [Connection => 'Upgrade', Upgrade => 'websocket']) {
    my $key = 'switch-' . @$upgrade;

    my $answer = $nginx->create(key => $key, mock => 'status=101',
        headers => [@$upgrade]);

    is($answer->summary, '502 unstored network_error', 'refused');
    is(($upstream->requests)[-1]->header('Upgrade'), undef,
        'none was asked for');
    is($nginx->create(key => $key)->summary, '201 recorded', 'retried');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
