#!/usr/bin/perl

# A Redis that refuses ten thousand commands is told of in a few lines, which
# say how many there were; and what comes to be wrong besides is told of, too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Lines;
use Segments::RedisFront;


my $upstream = upstream();
my $redis = redis_server();
my $front = Segments::RedisFront->start($redis);

my %set = (
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '300s',
);

my $quick = slow(1) == 1;
my $requests = $quick ? 10_000 : 1_000;

# a claim is a native command, and a script where that does not settle it

sub claims {
    my ($what) = @_;

    $front->rule($_ => $what) for qw(set claim);

    return;
}


sub refused {
    my ($gateway, $count, $status) = @_;

    my $n = 0;

    while ($n < $count) {
        my @answers = parallel(map {
            [$gateway, $gateway->create_request(key => 'k' . ++$n)]
        } 1 .. 100);

        return "$n: " . ($answers[0] ? $answers[0]->status : 'none')
            if grep { !$_ || $_->status != $status } @answers;
    }

    return 'all';
}


# every word that Redis can say

my $gateway = nginx(upstream => $upstream, redis => $front, set => \%set);

my @words = qw(READONLY OOM NOPERM MISCONF CLUSTERDOWN MOVED NOSCRIPT ERR);

for my $word (@words) {
    claims("error=$word 4711 what else");
    is(refused($gateway, 300, 503), 'all', "$word, refused");
}


claims('pass');
is($gateway->create(key => 'well')->status, 201, 'in order again');
$gateway->quit;

my @lines = told($gateway, 0);

for my $word (@words) {
    my @of = grep { /"$word/ } @lines;

    cmp_ok(scalar(@of), '>=', 1, "$word, told");
    cmp_ok(scalar(@of), '<=', 4, "$word, few lines");
    is(counted(qr/"$word/, @lines), 300, "$word, none is lost");
}


# many of one kind, and another one in the middle of them

$gateway = nginx(upstream => $upstream, redis => $front, set => \%set);

claims('error=OOM command not allowed');
is(refused($gateway, $requests / 2, 503), 'all', 'half of them');
claims('error=MISCONF no disk');
is($gateway->create(key => 'other')->status, 503, 'another error');
claims('error=OOM command not allowed');
is(refused($gateway, $requests / 2, 503), 'all', 'the other half');

claims('pass');
$gateway->wait_log(
    qr/\[notice\] .* not any more for 5 s, after $requests times: .*"OOM/, 60);

@lines = told($gateway, 0);

cmp_ok(scalar(@lines), '<=', $quick ? 10 : 60, "$requests refused, few lines")
    or diag join "\n", @lines[0 .. 9];
is(counted(qr/"OOM/, @lines), $requests, 'all counted');
is(scalar(grep { /"MISCONF/ } @lines), 1, 'another error is told at once');

# quiet for a while: the next one is news again

claims('error=OOM command not allowed');
my $mark = length $gateway->error_log;
is($gateway->create(key => 'new')->status, 503, 'refused again');
like($gateway->error_log($mark), qr/\[error\] .*\d: redis .*"OOM/,
    'told at once');
claims('pass');
$gateway->quit;


# ends of claims that are refused, in the background, too

$gateway = nginx(upstream => $upstream, redis => $front,
    set => { %set, segments_idempotency_lease => slow_ms(9000) });

$front->rule(complete => 'error=OOM command not allowed');
is(refused($gateway, 300, 201), 'all', 'answered, not stored');
$front->rule(complete => 'pass');

@lines = told($gateway, 0);
cmp_ok(scalar(@lines), '<=', 5, 'not stored, few lines')
    or diag join "\n", @lines[0 .. 9];
$gateway->quit;


# records that cannot be read

$gateway = nginx(upstream => $upstream, redis => $redis, set => \%set);

$redis->cmd('FLUSHALL');
is(refused($gateway, 200, 201), 'all', 'records');
for my $name ($redis->keys) {
    $redis->cmd('DEL', $name);
    $redis->cmd('RPUSH', $name, 'a list');
}
is(refused($gateway, 200, 503), 'all', 'not to be read');
cmp_ok(scalar(told($gateway, 0)), '<=', 4, 'not to be read, few lines');
$gateway->quit;
cmp_ok(counted(qr/redis/, told($gateway, 0)), '>=', 200, 'all counted');


# go on without a record

$redis->cmd('FLUSHALL');

$gateway = nginx(upstream => $upstream, redis => $front,
    set => { %set, segments_redis_failure => 'pass' });

claims('error=OOM command not allowed');
is(refused($gateway, 300, 201), 'all', 'bypassed');
cmp_ok(scalar(told($gateway, 0)), '<=', 6, 'bypassed, few lines');
$gateway->quit;
is(counted(qr/goes on without its record/, told($gateway, 0)), 300,
    'bypassed, all counted');


# replicas that are not there

$gateway = nginx(upstream => $upstream, redis => $redis, set => {
    %set,
    segments_redis_wait => 'replicas=1 timeout=' . slow_ms(10),
});

is(refused($gateway, 300, 503), 'all', 'no replicas');
$gateway->quit;
cmp_ok(scalar(told($gateway, 0)), '<=', 6, 'no replicas, few lines')
    or diag join "\n", (told($gateway, 0))[0 .. 9];

# one WAIT may be for several of them

cmp_ok(counted(qr/replica/, told($gateway, 0)), '>', 10,
    'no replicas, all counted');


# an upstream that refuses the key

$gateway = nginx(upstream => $upstream, redis => $redis, set => \%set);
$redis->cmd('FLUSHALL');

my @answers = parallel(map {
    [$gateway, $gateway->create_request(key => "u$_", mock => 'status=401')]
} 1 .. 200);

is(scalar(grep { $_ && $_->status == 502 } @answers), 200, 'unauthorized');
$gateway->quit;
cmp_ok(scalar(told($gateway, 0)), '<=', 4, 'unauthorized, few lines');
is(counted(qr/upstream refused the Secret Key/, told($gateway, 0)), 200,
    'unauthorized, all counted');


# nobody there: one connection after the other fails

$redis->stop;
$gateway = nginx(upstream => $upstream, redis => $redis, set => {
    %set,
    segments_redis_timeout => slow_ms(100),
    segments_redis_breaker => 'off',
});

is(refused($gateway, 1000, 503), 'all', 'nobody there');
cmp_ok(scalar(told($gateway, 0)), '<=', 10, 'nobody there, few lines')
    or diag $gateway->error_log;

done_testing();
