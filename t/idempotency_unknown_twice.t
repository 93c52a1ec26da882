#!/usr/bin/perl

# Carried out, and the answer is lost: how often a create is carried out in all
# is up to the upstream under "segments_idempotency_unknown retry", once where
# it honours the Idempotency-Key and once for each request where it ignores it,
# and once under "hold".

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my %LOST = (
    'no answer in time' => 'hold=never; effect',
    'no answer'         => 'close=after-read; effect',
    'half an answer'    => 'close=mid-body; effect',
    'a 5xx'             => 'status=502; effect',
);

my $redis = redis_server();

for my $upstream_does (qw(honours ignores)) {
    my $upstream = upstream(honour_keys => $upstream_does eq 'honours');

    for my $policy (qw(retry hold)) {
        my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
            %Segments::Nginx::PATIENT,
            proxy_read_timeout           => slow_ms(500),
            segments_redis_prefix        => "$upstream_does:",
            segments_idempotency_unknown => $policy,
        });

        tried_again($nginx, $upstream, $_, $policy,
            $policy eq 'retry' && $upstream_does eq 'ignores' ? 2 : 1,
            "$policy, $upstream_does keys, $_") for sort keys %LOST;
    }
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();


sub tried_again {
    my ($nginx, $upstream, $lost, $policy, $effects, $name) = @_;

    my $key = "$policy $lost" =~ tr/ /-/r;
    my $unknown = $policy eq 'retry' ? 'unstored' : 'held';
    my ($count, $before) = ($upstream->count, $upstream->effects);
    my $first = $nginx->create(key => $key, mock => $LOST{$lost});

    like($first->summary, qr/\A50[24] $unknown /, "$name: unknown");
    is($upstream->effects, $before + 1, "$name: carried out");

    my @again = map { $nginx->create(key => $key) } 1 .. 3;

    is(join(', ', map { $_->summary } @again), $policy eq 'retry'
        ? '201 recorded, 201 replayed marked, 201 replayed marked'
        : join(', ', ('504 held idempotency_outcome_unknown') x 3),
        "$name: retries");
    is($upstream->effects, $before + $effects, "$name: in all $effects");

    my @keys = map { $_->header('Idempotency-Key') }
        splice @{ [$upstream->requests] }, $count;

    is(scalar @keys, $policy eq 'retry' ? 2 : 1, "$name: sent");
    is_deeply(\@keys, [($keys[0]) x @keys], "$name: with one upstream key");

    return;
}
