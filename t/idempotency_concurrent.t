#!/usr/bin/perl

# Many copies of one request at once, at two gateways with two workers each
# and one Redis: one of them reaches the upstream.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();

my @gateways = map {
    nginx(upstream => $upstream, redis => $redis, workers => 2,
        listen => 'reuseport', set => { %Segments::Nginx::PATIENT,
            segments_idempotency_wait  => 'off',
            segments_idempotency_lease => slow_ms(10_000) })
} 1, 2;


# so many answers of each kind

sub rush {
    my (%request) = @_;

    my %count;
    my @answers = parallel(map {
        my $gateway = $gateways[$_ % 2];
        [$gateway, $gateway->create_request(%request)]
    } 1 .. 200);

    $count{ $_ ? $_->summary : 'no answer' }++ for @answers;

    return (\%count, @answers);
}


my $BUSY = '409 in-progress idempotency_in_progress';
my $AGAIN = '201 replayed marked';

# all at once, thrice: the winner may finish before a loser has asked

for my $key (qw(a b c)) {
    my ($count, @answers) = rush(key => $key);
    my ($winner) = grep { $_ && $_->summary eq '201 recorded' } @answers;

    is($count->{'201 recorded'}, 1, 'one runs');
    is(($count->{$BUSY} // 0) + ($count->{$AGAIN} // 0), 199,
        'the others replay or are told to wait')
        or diag explain $count;

    is(scalar(grep { $_ && $_->summary eq $AGAIN
        && $_->body ne $winner->body } @answers), 0, 'one body');
    is(scalar(grep { $_ && $_->status == 409
        && ($_->header('Retry-After') // '') ne '1' } @answers),
        0, 'Retry-After with each 409');
}

is($upstream->count, 3, 'one upstream request each');

# while the first one runs, and after it

my $c = $gateways[0]->connect;
$c->send_request($gateways[0]->create_request(key => 'd', mock => 'hold=d'));
$upstream->wait_held('d');

is_deeply((rush(key => 'd'))[0], { $BUSY => 200 }, 'all told to wait');

$upstream->release('d');
is($c->read_response->summary, '201 recorded', 'first answered');

is_deeply((rush(key => 'd'))[0], { $AGAIN => 200 }, 'all replayed');
is($upstream->count, 4, 'one upstream request');

# a key each

my @own = parallel(map {
    my $gateway = $gateways[$_ % 2];
    [$gateway, $gateway->create_request(key => "own-$_")]
} 1 .. 50);

is(scalar(grep { $_ && $_->summary eq '201 recorded' } @own), 50,
    'others do not wait');
is($upstream->count, 54, 'all sent');

for my $gateway (@gateways) {
    my %pids = map { $_->{pid} => 1 } $gateway->access;
    is(scalar keys %pids, 2, 'both workers took part');
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
