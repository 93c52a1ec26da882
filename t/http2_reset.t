#!/usr/bin/perl

# A stream that is reset while its answer waits for room on the connection:
# what is queued still leaves, so its memory has to be there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $SIZE = 3_000_000;
my $WINDOW = 16_000_000;

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis,
    listen => 'http2 sndbuf=8k', set => {
        %Segments::Nginx::PATIENT,
        segments_idempotency_max_response => '4m',
    });

my $c = h2($nginx);

$c->send_frame('SETTINGS', 0, 0, pack 'n N', 4, $WINDOW);
$c->send_frame('WINDOW_UPDATE', 0, 0, pack 'N', $WINDOW);

my $id = $c->send_request($nginx->create_request(key => 'k',
    mock => "body=$SIZE"));

# answered, and more than the sockets hold

my $other = h2($nginx);
my $retry = sub { $other->request($nginx->create_request(key => 'k')) };

wait_for { $retry->()->summary eq '201 replayed marked' } 10, 'the record';

# the worker sees the reset before what comes after it

$c->reset($id);
my $whole = $retry->()->body;

is(length $whole, $SIZE, 'replay');

my $answer = $c->request('GET', '/v4/segments/none');

is($answer->status, 405, 'the connection is served');

my $cut = $c->{streams}{$id}{response};

ok(length $cut->body < $SIZE || $cut->body eq $whole, 'cut or whole');
ok($cut->body eq substr($whole, 0, length $cut->body), 'its own bytes only');

done_testing();
