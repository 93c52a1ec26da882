#!/usr/bin/perl

# Ten thousand connections that come and go leave nothing behind; and many
# workers that lose their Redis at once do not storm it when it comes back.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Authority;
use Segments::PoorRedis;

use Time::HiRes qw(time);


my $upstream = upstream();
my $quick = slow(1) == 1;

my %set = (
    segments_redis_timeout         => slow_ms(2000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '60s',
    segments_redis_breaker         => 'off',
    keepalive_requests             => 1_000_000,
);


sub descriptors {
    my ($pid) = @_;

    return scalar(() = glob "/proc/$pid/fd/*");
}

# kilobytes of its own

sub memory {
    my ($pid) = @_;

    my ($pages) = (split ' ', slurp("/proc/$pid/statm"))[5];

    return 4 * $pages;
}


# one connection for each request

sub come_and_go {
    my ($name, $redis, $url, $count) = @_;

    my $gateway = nginx(upstream => $upstream, redis => $url, set => \%set);
    my ($pid) = $gateway->worker_pids;
    my $c = $gateway->connect;
    my (%statuses, $descriptors, $memory);

    for my $n (1 .. $count) {
        $c->send_request($gateway->create_request(key => 'k'));
        my $answer = $c->read_response;

        $statuses{ $answer ? $answer->status : 'none' }++;
        $redis->cmd('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
            if $redis;

        if ($n == int($count / 5)) {
            $descriptors = descriptors($pid);
            $memory = memory($pid);
        }
    }

    is_deeply([keys %statuses], [$redis ? 201 : 422], "$name, all answered")
        or diag explain \%statuses;
    cmp_ok(abs(descriptors($pid) - $descriptors), '<=', 1,
        "$name, no descriptor is left");

    # sanitizers, and valgrind, count every byte, but keep what was freed
    cmp_ok(memory($pid) - $memory, '<', 300, "$name, nor is memory")
        if $quick;

    $c->close;
    ok($gateway->quit, "$name, ends");
    unlike($gateway->error_log, qr/open socket/, "$name, nothing open");

    return;
}

my $poor = Segments::PoorRedis->start(hang_up => 1);
my $count = $quick ? 10_000 : 1_000;

come_and_go('plain', undef, $poor->url, $count);
cmp_ok(scalar($poor->accepts), '>=', $count, 'a connection for each');

my $ca = Segments::Authority->new;
my ($crt, $key) = $ca->certificate('127.0.0.1');
my $port = free_port();
my $redis = redis_server(options => {
    'tls-port'         => $port,
    'tls-cert-file'    => $crt,
    'tls-key-file'     => $key,
    'tls-ca-cert-file' => $ca->file,
    'tls-auth-clients' => 'no',
});

come_and_go('TLS', $redis, "rediss://127.0.0.1:$port "
    . 'tls_trusted_certificate=' . $ca->file, $quick ? 1_000 : 100);


# 32 workers, each of which wants its connection back

SKIP: {
    skip 'enough of them where nothing is slow', 4 if !$quick;

    my $poor = Segments::PoorRedis->start;
    my $gateway = nginx(upstream => $upstream, redis => $poor,
        workers => 32, listen => 'reuseport',
        set => { %set, segments_redis_timeout => '1500ms' });

    my @requests = map { [$gateway, $gateway->create_request(key => "s$_")] }
        1 .. 200;

    is(scalar(grep { $_ && $_->status == 422 } parallel(@requests)), 200,
        'many workers, at first');
    is(scalar($poor->accepts), 32, 'many workers, a connection each');

    my $start = time;

    $poor->restart;
    parallel(@requests) for 1 .. 3;

    my @times = sort { $a <=> $b } grep { $_ >= $start } $poor->accepts;
    my ($most, $first) = (0, 0);

    for my $last (0 .. $#times) {
        $first++ while $times[$first] <= $times[$last] - 1;
        $most = $last - $first + 1 if $most < $last - $first + 1;
    }

    cmp_ok(scalar(@times), '>', 64, 'many workers, asked again');
    cmp_ok($most, '<=', 5 * 32, 'many workers, no storm in any second')
        or diag "@times";
    $gateway->stop;
}

done_testing();
