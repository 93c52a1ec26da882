#!/usr/bin/perl

# The client leaves after its create was sent: the upstream's answer is waited
# for and stored all the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();

my %args = (upstream => $upstream, redis => $redis,
    set => { %Segments::Nginx::PATIENT, segments_idempotency_wait => 'off' });
my $http1 = nginx(%args);
my $http2 = nginx(%args, listen => 'http2');


sub start1 {
    my $c = $http1->connect;

    $c->send_request($http1->create_request(@_));

    return $c;
}


# the client, and the stream that will be reset

sub start2 {
    my $c = h2($http2);

    return ($c, $c->send_request($http2->create_request(@_)));
}


my %leave = (
    'FIN'              => [\&start1, sub { $_[0]->close }],
    'RST'              => [\&start1, sub { $_[0]->reset }],
    'half close'       => [\&start1, sub { $_[0]->shutdown_write }],
    'stream reset'     => [\&start2, sub { $_[0]->reset_read($_[1]) }],
    'HTTP/2 close'     => [\&start2, sub { $_[0]->close }],
    'HTTP/2 RST'       => [\&start2, sub { $_[0]->close(reset => 1) }],
);

my %moment = (
    'before the answer'  => 'hold',
    'amid the answer'    => 'hold-body',
);

my $n = 0;

for my $how (sort keys %leave) {
    for my $when (sort keys %moment) {
        my ($start, $leave) = @{ $leave{$how} };
        my ($key, $count) = ('k' . ++$n, $upstream->count);

        my @client = $start->(key => $key, mock => "$moment{$when}=$key");
        $upstream->wait_held($key);

        $leave->(@client);

        is($http1->create(key => $key)->summary,
            '409 in-progress idempotency_in_progress', "$how $when");

        $upstream->release($key);

        my ($name) = grep { /:$key\}:create\z/ } $redis->keys;

        wait_for { $redis->record($name)->{state} eq 'answered' } 10,
            'the answer to be stored';

        is($client[0]->read_response->summary, '201 recorded',
            'the client still reads') if $how eq 'half close';

        is(h2($http2)->request($http2->create_request(key => $key))->summary,
            '201 replayed marked', 'replayed');
        is($upstream->count, $count + 1, 'one upstream request');
    }
}

is(scalar(grep { $_->{event} eq 'closed' && $_->{busy} } $upstream->events), 0,
    'no upstream request was cut');

# the first of each key

for my $gateway ($http1, $http2) {
    my @log;

    wait_for {
        @log = grep { ($_->{upstream} // '') ne '' } $gateway->access;
        @log == 6
    } 10, 'the log of those who left';

    is(scalar(grep { $_->{outcome} eq 'forwarded' } @log), 6,
        'outcome in the log');
}

# nobody waits, and no answer comes

my $short = nginx(%args, set => { %{ $args{set} },
    segments_redis_prefix => 'short:', proxy_read_timeout => slow_ms(300) });

for my $mock ('hold=never', 'rst; delay=0.1', 'close=mid-body; delay=0.1') {
    my $key = 'short' . ++$n;
    my $count = $upstream->count;
    my $c = $short->connect;

    $c->send_request($short->create_request(key => $key, mock => $mock));
    $upstream->wait_requests($count + 1);
    $c->close;

    my ($name) = $redis->keys("short:*:$key}:create");

    wait_for { $redis->record($name)->{state} eq 'unknown' } 10,
        'the outcome to be unknown';

    is($short->create(key => $key)->summary, '201 recorded',
        "retry after $mock");
}

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
