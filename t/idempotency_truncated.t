#!/usr/bin/perl

# An answer that was cut is never stored, nor sent as if it were complete.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();


# sizes around nginx's buffers and the limit of what is kept

my @SIZES = (1, 2, 4095, 4096, 30000, 65536);

for my $buffering (qw(on off)) {
    my %args = (upstream => $upstream, redis => $redis, set => {
        %Segments::Nginx::PATIENT,
        segments_redis_prefix  => "$buffering:",
        proxy_buffering        => $buffering,
    });
    my $nginx = nginx(%args);

    for my $size (@SIZES) {
        for my $how ('truncate', 'chunked; truncate', 'truncate; rst') {
            my $key = "$how $size" =~ s/[^a-z0-9]+/-/gr;
            my @mock = (mock => "$how; body=$size");

            my $cut = $nginx->create(key => $key, @mock);

            is($cut->summary, '502 unstored network_error',
                "$how of $size bytes, buffering $buffering");
            is($cut->header('Content-Length'), length $cut->body,
                'complete envelope');
            is($cut->header('Content-Type'), 'application/json', 'its type');

            my $again = $nginx->create(key => $key, mock => "body=$size");

            is($again->summary, '201 recorded', 'retry is sent');
            is(length $again->body, $size, 'and complete');
            is($nginx->create(key => $key)->body, $again->body, 'and stored');
        }
    }

    # chunks that cannot be read

    for my $where (qw(with behind)) {
        my $bad = $nginx->create(key => "chunk-$where",
            mock => "chunked; bad-chunk=$where");

        is($bad->summary, '502 unstored network_error',
            "a bad chunk $where the header, buffering $buffering");
        is($bad->header('Content-Length'), length $bad->body,
            'complete envelope');
        wait_for { ($nginx->access)[-1]{outcome} eq 'upstream_failed' } 10,
            'the outcome';
        is($nginx->create(key => "chunk-$where")->summary, '201 recorded',
            'retry is sent');
    }

    my $http2 = nginx(%args, listen => 'http2');

    is(h2($http2)->request($http2->create_request(key => 'h2',
        mock => 'truncate; body=5000'))->summary,
        '502 unstored network_error', 'to a client of HTTP/2');

    # without a key there is nothing to store and no reason to wait

    my $plain = $nginx->create(mock => 'truncate; body=5000');

    ok($plain->status == 502 || $plain->truncated, 'cut without a key');
}

# a length is missing, and the connection ends cleanly: this is complete

my $nginx = nginx(upstream => $upstream, redis => $redis,
    set => { %Segments::Nginx::PATIENT });

is($nginx->create(key => 'eof', mock => 'no-length; body=5000')->summary,
    '201 recorded', 'up to the end of the connection');
is(length $nginx->create(key => 'eof')->body, 5000, 'replayed');

# the header promises nothing and more comes: not part of the answer

is($nginx->create(key => 'long', mock => 'http10; body=5000')->summary,
    '201 recorded', 'HTTP/1.0');
is(length $nginx->create(key => 'long')->body, 5000, 'replayed');

# cut after it was passed on as too large: the client can tell, and the key
# remains used

my $cut = $nginx->create(key => 'large', mock => 'truncate; body=200000');

ok($cut->truncated, 'cut behind what is kept');
is($nginx->create(key => 'large')->summary,
    '409 replayed marked idempotency_answer_not_kept', 'not sent again');

is(scalar(grep { $_->{outcome} eq 'upstream_failed' } $nginx->access(6)), 0,
    'an answer did come');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
