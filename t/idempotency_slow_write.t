#!/usr/bin/perl

# Redis takes its time to take an answer: whoever tries again as soon as the
# first answer is there gets that answer, and never a 409.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::RedisFront;
use Segments::Test;

use Time::HiRes qw(time);


my $DELAY = 0.5;

my $upstream = upstream();
my $redis = redis_server();
my $front = Segments::RedisFront->start($redis);

my %args = (upstream => $upstream, redis => $front, set => {
    segments_redis_timeout         => '20s',
    segments_redis_connect_timeout => '20s',
    segments_idempotency_lease     => '60s',
});

my @gateways = (nginx(%args), nginx(%args));
my $http2 = nginx(%args, listen => 'http2');

# Redis is slow to do it, or to say so

for my $how (qw(wait late)) {
    $front->rule(complete => "$how=$DELAY");

    for my $mock ('', 'status=422', 'chunked; dribble=100; body=2000',
        'status=204', 'body=100000', 'body=3000000')
    {
        my $key = "$how-$mock" =~ tr/a-z0-9/-/cr;

        # a tombstone is written with another verb

        $front->rule(bury => "$how=$DELAY");

        my $c = $gateways[0]->connect;
        my $start = time;

        $c->send_request($gateways[0]->create_request(key => $key,
            mock => $mock));

        # as soon as there is a byte of the first

        wait_for { !$c->usable } 30, 'the first byte';

        my $spent = time - $start;
        my @again = map { $_->create(key => $key) } @gateways;
        my $first = $c->read_response;

        cmp_ok($spent, '>=', $DELAY, "$how, $mock: held so long");
        like($first->summary, qr/\A\d{3} recorded/, 'recorded');

        for my $again (@again) {
            is($again->header('Idempotency-Status'), 'replayed',
                'retried at once');
        }
    }

    my $c = h2($http2);
    my $id = $c->send_request($http2->create_request(key => "h2-$how"));

    is($c->read_response($id)->summary, '201 recorded', "$how, HTTP/2");
    is($c->request($http2->create_request(key => "h2-$how"))->summary,
        '201 replayed marked', 'retried at once');
}

# many clients, each of which tries again as soon as it can

$front->rule(complete => 'wait=0.02');
$front->rule(bury => 'pass');

my @clients = map { {
    key => "many-$_", c => $gateways[0]->connect, tries => [],
} } 1 .. 20;

$_->{c}->send_request($gateways[0]->create_request(key => $_->{key}))
    for @clients;

while (my @open = grep { @{ $_->{tries} } < 3 } @clients) {
    my @answered = grep { !$_->{c}->usable } @open;

    select undef, undef, undef, 0.002 if !@answered;

    for my $client (@answered) {
        push @{ $client->{tries} }, $client->{c}->read_response->summary;
        next if @{ $client->{tries} } == 3;

        $client->{c} = $gateways[@{ $client->{tries} } % 2]->connect;
        $client->{c}->send_request($gateways[0]->create_request(
            key => $client->{key}));
    }
}

my %seen;
$seen{"@{ $_->{tries} }"}++ for @clients;

is_deeply(\%seen, { '201 recorded 201 replayed marked 201 replayed marked'
    => 20 }, 'many clients');

my %requests;
$requests{ $_->header('Idempotency-Key') }++ for $upstream->requests;

is_deeply([grep { $_ != 1 } values %requests], [], 'one request for each key');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
