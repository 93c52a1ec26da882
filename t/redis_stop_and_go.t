#!/usr/bin/perl

# Redis stops and goes on, again and again, under load: each client gets the
# answer to its own request or is refused, nothing runs twice, and no worker
# dies.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Process;


my $upstream = upstream();
my $redis = redis_server();
my $gateway = nginx(upstream => $upstream, redis => $redis, workers => 2,
    set => {
        segments_redis_timeout         => slow_ms(100),
        segments_redis_connect_timeout => slow_ms(2000),
        segments_idempotency_wait      => 'off',
        segments_idempotency_lease     => slow_ms(10_000),
    });

my @workers = $gateway->worker_pids;


# shorter and longer than a time-out

my $pid = $redis->process->pid;
my $test = $$;

my $stopper = Segments::Process->spawn(name => 'stopper', code => sub {
    while (getppid == $test) {
        for my $pause (0.02, 0.15, 0.3) {
            kill 'STOP', $pid;
            select undef, undef, undef, $pause;
            kill 'CONT', $pid;
            select undef, undef, undef, 0.05;
        }
    }
});

my (%count, @wrong);

for my $round (1 .. 10) {
    my @names = map { ("r$round-$_") x 2 } 1 .. 25;

    # half of them leave again, in whatever state

    my @leaving = map {
        my $c = $gateway->connect;
        $c->send_request($gateway->create_request(key => "l$round-$_",
            body => { name => "l$round-$_" }));
        $c;
    } 1 .. 15;

    my @answers = parallel(map {
        [$gateway, $gateway->create_request(key => $_, body => { name => $_ })]
    } @names);

    $_->close for @leaving;

    for my $i (0 .. $#names) {
        my $answer = $answers[$i];
        my $kind = $answer ? $answer->summary : 'no answer';

        $count{$kind}++;

        push @wrong, "$names[$i]: $kind " . $answer->body
            if $kind =~ /\A201/ && $answer->json->{name} ne $names[$i];
    }
}

$stopper->stop('KILL');
kill 'CONT', $pid;

my @strange = grep {
    !/\A(?:201\ (?:recorded|unstored|replayed\ marked)
        |409\ in-progress\ idempotency_in_progress
        |503\ -\ storage_error)\z/x
} sort keys %count;

is_deeply(\@strange, [], 'kinds of answers') or diag explain \%count;
is_deeply(\@wrong, [], 'each client gets its own answer');
cmp_ok($count{'201 recorded'} // 0, '>', 0, 'some passed')
    or diag explain \%count;

my %sent;
$sent{ $_->header('Idempotency-Key') }++ for $upstream->requests;

is_deeply([grep { $sent{$_} > 1 } sort keys %sent], [], 'nothing ran twice');

wait_for { $gateway->create(key => 'last')->status == 201 } 20,
    'the gateway to notice';

is_deeply([$gateway->worker_pids], \@workers, 'no worker died');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
