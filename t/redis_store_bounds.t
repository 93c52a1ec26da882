#!/usr/bin/perl

# Answers that Redis does not take are bounded, in number and in bytes: what is
# above is left to its lease, and there is room again when Redis takes some.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::RedisFront;
use Segments::Test;


my $MEGABYTE = 1024 * 1024;
my $BUSY = '409 in-progress idempotency_in_progress';

my $upstream = upstream();
my $redis = redis_server();
my $front = Segments::RedisFront->start($redis);

my %args = (upstream => $upstream, redis => $front);
my %set = (
    segments_redis_timeout            => '20s',
    segments_redis_connect_timeout    => '20s',
    segments_idempotency_wait         => 'off',
    segments_idempotency_lease        => '300s',
    segments_idempotency_max_response => '32m',
);


sub stored {
    my ($key) = @_;

    my ($name) = grep { /:\Q$key\E\}:create\z/ } $redis->keys;

    return ($redis->record($name)->{state} // '') eq 'answered';
}


# in bytes: three of 20 megabytes fit into 64

my $nginx = nginx(%args, set => { %set, segments_redis_prefix => 'bytes:' });
my %size = map { $_ => 20 * $MEGABYTE } qw(a b c above);

$size{small} = 100;

for my $status (qw(201 500)) {
    my @keys = map { "$_-$status" } qw(a b c above small);
    my $mark = length $nginx->error_log;

    # an outcome is told with another verb, and holds its answer, too

    $front->rule($_ => 'error=OOM command not allowed')
        for qw(complete unknown);

    for my $key (@keys) {
        my $size = $size{ $key =~ s/-.*//r };
        my $answer = $nginx->create(key => $key,
            timeout => 60, mock => "status=$status; body=$size");

        is($answer->header('Idempotency-Status'), 'unstored', "$key unstored");
        is(length $answer->body, $size, 'whole body');
    }

    # told at once, or counted

    my $waiting =
        qr/\[error\].* (\d+) bytes of answers are waiting .* (\d+) more/;

    wait_for { $nginx->told($waiting, $mark) == 1 } 20, 'one that is above';

    my @lines = $nginx->error_log($mark) =~ $waiting;

    cmp_ok($lines[0], '>=', 60 * $MEGABYTE, 'behind three');
    cmp_ok($lines[0], '<=', 64 * $MEGABYTE, 'which fit');
    cmp_ok($lines[1], '>=', 20 * $MEGABYTE, 'that was its size');

    $front->rule($_ => 'pass') for qw(complete unknown);

    if ($status == 201) {
        wait_for { stored($_) } 60, "$_ to be stored" for @keys[0 .. 2, 4];
        is($nginx->create(key => $keys[3])->summary, $BUSY,
            'that one has its lease');
        next;
    }

    for my $key (@keys[0 .. 2, 4]) {
        wait_for { $nginx->create(key => $key)->summary eq '201 recorded' } 60,
            "$key to be free";
    }
}

# room again, each time

$front->rule(complete => 'error=OOM command not allowed');

my $mark = length $nginx->error_log;

$nginx->create(key => "room-$_", timeout => 60,
    mock => 'body=' . 20 * $MEGABYTE) for 1 .. 3;
unlike($nginx->error_log($mark), qr/are waiting/, 'room again');
$front->rule(complete => 'pass');
wait_for { stored("room-$_") } 60, "$_ to be stored" for 1 .. 3;

# in number

my $many = nginx(%args, set => { %set, segments_redis_prefix => 'many:' });

$front->rule(complete => 'error=OOM command not allowed');

for my $n (1 .. 20) {
    parallel(map { [$many, $many->create_request(key => "$n-$_")] } 1 .. 50);
}

unlike($many->error_log, qr/are waiting/, 'a thousand wait');
is($many->create(key => 'above')->summary, '201 unstored', 'one more');
like($many->error_log, qr/\[error\].* 1000 claims are waiting/, 'is above');

$front->rule(complete => 'pass');
wait_for { 1000 == grep { $redis->record($_)->{state} eq 'answered' }
    $redis->keys('many:*') } 60, 'a thousand to be stored';
is($many->create(key => 'above')->summary, $BUSY, 'that one has its lease');
is($many->create(key => 'next')->summary, '201 recorded', 'all is well');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
