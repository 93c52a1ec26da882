package Bench::Store;

# What a recording costs a server: its commands are played to it, some at once
# in one write, and the server's instructions or its CPU counted.
#
#     my $cost = instructions_of($engine, $recording);
#     my ($cost, ...) = cpu_of($engine, $rounds, $recording, ...);
#     $cost->{claim}       of one; so are completion, create, replay, limit, and
#                          set: SET with a record's name and an answer's body
#     my $bytes = bytes_of($engine, $recording);
#     $bytes->{record}     of one in memory; set: of a SET as above;
#                          replication: of a create

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use IO::Socket::UNIX;

use Bench::Contest qw(median);
use Bench::Instructions qw(instructions);
use Bench::Messages qw(answer);
use Bench::Processes qw(cpu_seconds);
use Bench::Recording qw($ANSWER);
use Bench::Resp qw(command replies);
use Segments::RedisServer;
use Segments::Util qw(tempdir wait_for);

our @EXPORT_OK = qw(busiest_of_three bytes_of cpu_of instructions_of);

my $AT_ONCE = 16;
my $counts = 0;

# its own timers are not what is measured

my %OPTIONS = (hz => 1, 'dynamic-hz' => 'no',
    'maxmemory-policy' => 'noeviction');


# what is played, in this order, to a server that is empty before

sub pieces {
    my ($recording) = @_;

    my @create = @{ $recording->{create} };

    return (
        [set        => [map { set($_) } @{ $recording->{names} }]],
        ['empty'],
        [claim      => [map { $_->[0] } @create]],
        [completion => [map { @$_[1 .. $#$_] } @create]],
        [replay     => [map { @$_ } @{ $recording->{replay} }]],
        [limit      => [map { @$_ } @{ $recording->{limit} }]],
    );
}


sub set { return command('SET', $_[0], answer($ANSWER)) }


# Measures each piece by a pair of calls: before, and then for the number.

sub played {
    my ($redis, $recording, $before, $number) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => $redis->socket)
        or die "cannot connect to the server: $!\n";
    my $keys = @{ $recording->{create} };
    my %cost;

    $redis->cmd('FLUSHALL');
    play($socket, 1, 0, @{ $recording->{before} });

    for my $piece (pieces($recording)) {
        my ($name, $commands) = @$piece;

        if ($name eq 'empty') {
            $redis->cmd('FLUSHALL');
            next;
        }

        $before->();
        play($socket, $AT_ONCE, 1, @$commands);
        $cost{$name} = $number->() / $keys;
    }

    $cost{create} = $cost{claim} + $cost{completion};

    return \%cost;
}


sub play {
    my ($socket, $at_once, $checked, @commands) = @_;

    while (my @some = splice @commands, 0, $at_once) {
        my $bytes = '';

        syswrite $socket, join '', @some;

        while (replies($bytes) < @some) {
            IO::Select->new($socket)->can_read(60)
                && sysread $socket, $bytes, 65536, length $bytes
                or die "the server does not answer\n";
        }

        next if !$checked;

        for my $reply (replies($bytes)) {
            die "the server refuses: $reply\n" if $reply =~ /\A-/;
        }
    }

    return;
}


# ECHO is what callgrind ends a count at: nothing else here calls it.

sub instructions_of {
    my ($engine, $recording) = @_;

    my $path = tempdir() . '/store' . ++$counts;
    my $part = 0;

    local $ENV{ENGINE_UNDER} = 'valgrind --tool=callgrind --quiet '
        . "--dump-before=echoCommand --callgrind-out-file=$path";

    my $redis = started($engine);
    my $count = sub {
        $redis->cmd('ECHO', 'a');
        return instructions("$path." . ++$part);
    };

    $count->();

    my $nothing = $count->();
    my $cost = played($redis, $recording, $count,
        sub { $count->() - $nothing });

    $redis->stop;

    return $cost;
}


# Microseconds; the median of some rounds, in each of which all recordings have
# their turn.

sub cpu_of {
    my ($engine, $rounds, @recordings) = @_;

    my $redis = started($engine);
    my $pid = $redis->process->pid;
    my (@all, $began);

    for (1 .. $rounds) {
        for my $i (0 .. $#recordings) {
            my $cost = played($redis, $recordings[$i],
                sub { $began = cpu_seconds($pid) },
                sub { 1e6 * (cpu_seconds($pid) - $began) });

            push @{ $all[$i]{$_} }, $cost->{$_} for keys %$cost;
        }
    }

    $redis->stop;

    return map { medians($_) } @all;
}


sub medians {
    my ($all) = @_;

    return { map { $_ => median(@{ $all->{$_} }) } keys %$all };
}


sub bytes_of {
    my ($engine, $recording) = @_;

    my $redis = started($engine, 'repl-ping-replica-period' => 3600,
        'repl-diskless-sync-delay' => 0);
    my $replica = started($engine, replicaof => '127.0.0.1 ' . $redis->port);
    my $socket = IO::Socket::UNIX->new(Peer => $redis->socket)
        or die "cannot connect to the server: $!\n";
    my $offset = sub {
        return $redis->cmd('INFO', 'replication')
            =~ /^master_repl_offset:(\d+)/m ? $1 : die "no offset\n";
    };

    wait_for {
        $replica->cmd('INFO', 'replication') =~ /^master_link_status:up/m;
    } 60, 'the replica';

    play($socket, 1, 0, @{ $recording->{before} });

    my @create = @{ $recording->{create} };
    my $before = $offset->();

    play($socket, $AT_ONCE, 1, map { $_->[0] } @create);
    play($socket, $AT_ONCE, 1, map { @$_[1 .. $#$_] } @create);

    my $replicated = ($offset->() - $before) / @create;
    my $name = $recording->{names}[0];
    my $record = $redis->cmd('MEMORY', 'USAGE', $name, 'SAMPLES', 0);

    play($socket, 1, 1, set($name));

    my $set = $redis->cmd('MEMORY', 'USAGE', $name, 'SAMPLES', 0);

    $_->stop for $replica, $redis;

    return { record => $record, set => $set, replication => $replicated };
}


sub started {
    my ($engine, %options) = @_;

    return $engine->use(sub {
        Segments::RedisServer->start(options => { %OPTIONS, %options });
    });
}


# Of three masters with a third of the slots each, what share of the records the
# one has that has most.

sub busiest_of_three {
    my ($recording) = @_;

    my @names = @{ $recording->{names} };
    my @n = (0, 0, 0);

    $n[int slot($_) * 3 / 16384]++ for @names;

    return (sort { $b <=> $a } @n)[0] / @names;
}


# CRC-16 of what stands in the first braces, or of the whole name

sub slot {
    my ($name) = @_;

    my $crc = 0;

    for my $byte (unpack 'C*', $name =~ /\{([^}]+)\}/ ? $1 : $name) {
        $crc ^= $byte << 8;
        $crc = ($crc & 0x8000 ? $crc << 1 ^ 0x1021 : $crc << 1) & 0xffff
            for 1 .. 8;
    }

    return $crc % 16384;
}


1;
