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


sub per_worker {
    my (@connects) = @_;

    my %count;
    $count{ $_->[0] }++ for @connects;

    return %count;
}

sub workers {
    my ($poor) = @_;

    my %count = per_worker($poor->connects);

    return scalar(keys %count);
}


# six connections of one worker that were, for certain, made in one second;
# nginx' clock has milliseconds

sub storms {
    my (@connects) = @_;

    my (%last, @storms);

    for my $connect (@connects) {
        my ($pid, $not_before, $not_after) = @$connect;
        my $last = $last{$pid} //= [];

        push @$last, $connect;
        shift @$last if @$last > 6;

        push @storms, [map { @$_[1, 2] } @$last]
            if @$last == 6 && $not_after - $last->[0][1] < 0.999;
    }

    return @storms;
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
    skip 'enough of them where nothing is slow', 6 if !$quick;

    my $poor = Segments::PoorRedis->start;
    my $gateway = nginx(upstream => $upstream, redis => $poor,
        workers => 32, listen => 'reuseport',
        set => { %set, segments_redis_timeout => '1500ms' });

    my @requests = map { [$gateway, $gateway->create_request(key => "s$_")] }
        1 .. 200;

    # which worker a connection comes to is the system's choice

    for my $round (1 .. 20) {
        is(scalar(grep { $_ && $_->status == 422 } parallel(@requests)), 200,
            'many workers, at first');
        last if workers($poor) == 32;
    }

    is(workers($poor), 32, 'many workers, all at work');
    is(scalar($poor->accepts), 32, 'many workers, a connection each');

    $poor->restart;
    parallel(@requests) for 1 .. 3;

    my @connects = $poor->connects;

    cmp_ok(scalar(@connects), '>', 96, 'many workers, asked again');
    cmp_ok(scalar(grep { $_ >= 6 } values %{{ per_worker(@connects) }}), '>=',
        8, 'many workers, often enough to be counted');
    is_deeply([storms(@connects)], [], 'many workers, no storm in any second');
    $gateway->stop;
}

done_testing();
