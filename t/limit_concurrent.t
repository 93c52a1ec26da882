#!/usr/bin/perl

# A thousand creates at once, at two gateways with two workers each and one
# Redis: as many as the quota reach the upstream, and not one more.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $QUOTA = 100;
my $REFUSED = '429 - rate_limit_exceeded';

my $upstream = upstream();
my $redis = redis_server();

my @gateways = map {
    nginx(upstream => $upstream, redis => $redis, workers => 2,
        listen => 'reuseport', set => {
            segments_redis_timeout         => slow_ms(10_000),
            segments_redis_connect_timeout => slow_ms(10_000),
            segments_idempotency_lease     => slow_ms(30_000),
            send_timeout                   => slow_ms(60_000),
            segments_rate_limit            => [
                'rate=1r/d burst=' . ($QUOTA - 1),
                'rate=1r/d burst=10000 name=wide',
            ],
        });
} 1, 2;

# a quarter without a key

my @answers = parallel(map {
    my $gateway = $gateways[$_ % 2];
    my @key = $_ % 4 == 3 ? () : (key => "k$_");
    [$gateway, $gateway->create_request(@key)]
} 1 .. 1000);

my %count;
$count{ $_ ? $_->summary : 'no answer' }++ for @answers;

is(($count{'201 recorded'} // 0) + ($count{'201 -'} // 0), $QUOTA,
    'the quota passes') or diag explain \%count;
is($count{$REFUSED}, 1000 - $QUOTA, 'the others are refused')
    or diag explain \%count;
is($upstream->count, $QUOTA, 'the quota reaches the upstream');

# each of them was told another number

my @left = sort { $a <=> $b } map { $_->header('RateLimit') =~ /r=([0-9]+)/ }
    grep { $_ && $_->status == 201 } @answers;

is("@left", join(' ', 0 .. $QUOTA - 1), 'each one less');

# what was refused was not taken from the other limit

my ($wide) = $gateways[0]->create(key => 'last')->header('RateLimit')
    =~ /"wide";r=([0-9]+)/;

is($wide, 10_001 - $QUOTA, 'all limits or none');

is(scalar(grep { /\}:create\z/ } $redis->keys), $count{'201 recorded'},
    'a record for each that passed');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

for my $gateway (@gateways) {
    my %pids = map { $_->{pid} => 1 } $gateway->access;
    is(scalar keys %pids, 2, 'both workers took part');
}

done_testing();
