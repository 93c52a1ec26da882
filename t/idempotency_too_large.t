#!/usr/bin/perl

# An answer too large to keep reaches the client whole, and leaves a tombstone.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $GONE = '409 replayed marked idempotency_answer_not_kept';

my $upstream = upstream();
my $redis = redis_server();


# what the upstream sends as body=N

sub body {
    my ($size) = @_;

    return substr '0123456789abcdef' x ($size / 16 + 1), 0, $size;
}


sub create {
    my ($nginx, $key, $mock) = @_;

    return $nginx->create(key => $key, mock => $mock);
}


# no POST, the status of the first, nothing to wait for

sub buried {
    my ($nginx, $key, $status) = @_;

    my $count = $upstream->count;
    my $again = $nginx->create(key => $key);

    is($again->summary, $GONE, 'retry');
    like($again->json->{error}{message}, qr/\b$status\b/, 'names the status');
    is($again->json->{error}{type}, 'resource', 'its type');
    is($again->header('Retry-After'), undef, 'no Retry-After');
    is($upstream->count, $count, 'nothing sent');

    return;
}


# connections that were closed before their answer was complete

sub cut {
    return scalar grep { $_->{event} eq 'closed' && $_->{busy} }
        $upstream->events;
}


for my $buffering (qw(on off)) {
    my $nginx = nginx(upstream => $upstream, redis => $redis,
        listen => 'sndbuf=8k', set => {
            %Segments::Nginx::PATIENT,
            segments_redis_prefix  => "$buffering:",
            proxy_buffering        => $buffering,
        });

    for my $how ('', 'chunked', 'no-length', 'dribble=1000', 'http10',
        'dribble=3000; chunked')
    {
        for my $size (65537, 300_000) {
            my $key = "$how-$size" =~ s/[^a-z0-9]+/-/gr;
            my $answer = create($nginx, $key, "body=$size; $how");

            is($answer->summary, '201 recorded',
                "$size bytes $how, buffering $buffering");
            ok($answer->body eq body($size), 'whole body');
            ok(!$answer->truncated, 'and its end');
            buried($nginx, $key, 201);
        }

        my $key = "kept-$how" =~ s/[^a-z0-9]+/-/gr;
        my $answer = create($nginx, $key, "body=65536; $how");

        is($answer->summary, '201 recorded', "65536 bytes $how");
        ok($answer->body eq body(65536), 'whole body');
        ok(create($nginx, $key, '')->body eq body(65536), 'kept');
    }

    # a client that reads slowly: the upstream is done long before

    my $c = $nginx->connect;
    $c->send_request($nginx->create_request(key => 'slow',
        mock => 'body=3000000'));

    wait_for { $nginx->create(key => 'slow')->summary eq $GONE } 10,
        'the tombstone, before the client has read';

    my $answer = $c->read_response;

    is($answer->summary, '201 recorded', "slow client, buffering $buffering");
    ok($answer->body eq body(3_000_000), 'whole body');

    # a client that leaves in the middle

    $c = $nginx->connect;
    $c->send_request($nginx->create_request(key => 'left',
        mock => 'hold-body=b; body=3000000'));
    $upstream->wait_held('b');
    wait_for { $nginx->create(key => 'left')->summary eq $GONE } 10,
        'the tombstone, before the whole answer came';
    $c->reset;
    $upstream->release('b');
    buried($nginx, 'left', 201);

    # clients that left before the answer came: nothing can be sent to them, so
    # the upstream, which still sends, is left too

    my $http2 = nginx(upstream => $upstream, redis => $redis,
        listen => 'http2', set => {
            %Segments::Nginx::PATIENT,
            segments_redis_prefix  => "$buffering:",
            proxy_buffering        => $buffering,
        });

    for my $how ('', 'chunked') {
        for my $gone ([RST => $nginx->connect], [stream => h2($http2)]) {
            my ($name, $c) = @$gone;
            my $key = "gone-$buffering-$name-$how";
            my $answer = "hold=$key; hold-body=$key-body; body=300000; $how";

            my $cut = cut();
            my $id = $c->send_request($nginx->create_request(key => $key,
                mock => $answer));
            $upstream->wait_held($key);

            $name eq 'RST' ? $c->reset : $c->reset_read($id);

            $upstream->release($key);
            $upstream->wait_held("$key-body");
            wait_for { $nginx->create(key => $key)->summary eq $GONE } 10,
                "the tombstone of $key";
            wait_for { cut() > $cut } 10, "the end of $key";
            $upstream->release("$key-body");

            buried($nginx, $key, 201);
        }
    }

    # a large error is an answer, too

    is(create($nginx, 'error', 'status=422; body=70000')->summary,
        '422 recorded', 'large error');
    buried($nginx, 'error', 422);

    # but not every one is: nothing is known after this one

    is(create($nginx, 'failed', 'status=500; body=70000')->summary,
        '500 unstored', 'large error of no definite outcome');
    is(create($nginx, 'failed', '')->summary, '201 recorded', 'retry is sent');
    is(create($nginx, 'busy', 'status=429; body=70000')->summary,
        '429 unstored', 'large refusal');
    is(create($nginx, 'busy', '')->summary, '201 recorded', 'retry is sent');
}

# a limit of the user's own

my $small = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_redis_prefix             => 'small:',
    segments_idempotency_max_response => '100',
});

is(create($small, 'a', 'body=100')->summary, '201 recorded', 'at the limit');
is(create($small, 'a', '')->summary, '201 replayed marked', 'kept');
is(create($small, 'b', 'body=101; chunked')->summary, '201 recorded', 'above');
buried($small, 'b', 201);

my @log = $small->access(4);
is($log[2]{outcome}, 'forwarded', 'outcome of a large answer');
is($log[3]{outcome}, 'answer_not_kept', 'outcome of its retry');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

# nothing is kept of any body

my $none = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_redis_prefix             => 'none:',
    proxy_buffering                   => 'off',
    segments_idempotency_max_response => '0',
});

for my $how ('', 'chunked', 'no-length', 'dribble=1; chunked') {
    my $key = "none-$how" =~ s/[^a-z0-9]+/-/gr;
    my $answer = create($none, $key, "body=20; $how");

    is($answer->summary, '201 recorded', "20 bytes $how where none are kept");
    is($answer->body, body(20), 'whole body');
    buried($none, $key, 201);
}

done_testing();
