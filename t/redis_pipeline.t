#!/usr/bin/perl

# Each worker has one connection, on which commands do not wait for each
# other's replies; and when it is cut under load, few requests suffer and none
# runs twice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Dialogue;
use Segments::Process;


my $upstream = upstream();

my %set = (
    segments_redis_timeout         => slow_ms(5000),
    segments_redis_connect_timeout => slow_ms(2000),
    segments_idempotency_lease     => '300s',
);


# no reply before all commands are there

my @keys = map { "p$_" } 1 .. 40;
my %asked;
my $fake = fake_redis(
    hello,
    (map { [EXPECT => 'EVALSHA', '...'] } @keys),
    [SEND => map { ['replay', '200', '', "reply $_"] } 1 .. @keys],
);
my $gateway = nginx(upstream => $upstream, redis => $fake, set => \%set);

my @answers = parallel(map {
    [$gateway, $gateway->create_request(key => $_)]
} @keys);

ok($fake->played, 'sent without waiting');

# each has the reply to its own command, whatever order they came in

my @commands = grep { $_->[0] eq 'EVALSHA' } $fake->commands;

$asked{ ($commands[$_][3] =~ /:([^:]*)\}:create\z/)[0] } = $_ + 1
    for 0 .. $#commands;

is_deeply([map { $_ ? $_->body : 'none' } @answers],
    [map { "reply $_" } @asked{@keys}], 'replies in order');


# one connection for each worker of a real one

my $redis = redis_server();

for my $workers (1, 2) {
    $gateway = nginx(upstream => $upstream, redis => $redis,
        workers => $workers, listen => 'reuseport', set => \%set);

    my %count;

    for (1 .. 3) {
        $count{ $_ ? $_->status : 'none' }++ for parallel(map {
            [$gateway, $gateway->create_request(key => "w$workers-$_")]
        } 1 .. 100);
    }

    my %pids = map { $_->{pid} => 1 } $gateway->access(300);

    is_deeply([sort keys %count], ['201'], "$workers, all answered")
        or diag explain \%count;

    # but for the one that asks
    is(scalar(() = $redis->cmd('CLIENT', 'LIST') =~ /\n/g) - 1,
        keys %pids, "$workers, connections");

    $gateway->quit;
}


# cut while in use

$gateway = nginx(upstream => $upstream, redis => $redis, workers => 2,
    set => \%set);

my $test = $$;
my $killer = Segments::Process->spawn(name => 'killer', code => sub {
    my $client = Segments::RedisServer::Client->new($redis->socket);

    while (getppid == $test) {
        $client->command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        select undef, undef, undef, 0.02;
    }
});

my (%count, @refused);

for my $round (1 .. 8) {
    my @names = map { "c$round-$_" } 1 .. 50;
    my @got = parallel(map {
        [$gateway, $gateway->create_request(key => $_)]
    } @names);

    for my $i (0 .. $#names) {
        my $kind = $got[$i] ? $got[$i]->summary : 'no answer';

        $count{$kind}++;
        push @refused, $names[$i] if $kind !~ /\A201/;
    }
}

ok($killer->alive, 'cut again and again');
$killer->stop('KILL');
delete $redis->{client};                # was cut, too

like($gateway->error_log, qr/redis closed the connection/, 'noticed');
is_deeply([grep { !/\A(?:201 recorded|201 unstored|503 - storage_error)\z/ }
    sort keys %count], [], 'kinds of answers') or diag explain \%count;
cmp_ok(scalar(@refused), '<', 40, 'few are refused') or diag explain \%count;

my %sent;
$sent{ $_->header('Idempotency-Key') }++ for $upstream->requests;

is_deeply([grep { $sent{$_} > 1 } sort keys %sent], [], 'nothing ran twice');
is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
