package Segments::Cluster;

# Three masters and three replicas, all real.
#
#     my $cluster = Segments::Cluster->start(options => {...},
#         tls => [$certificate, $key, $authority], bus => 1);
#     $cluster->url                 redis+cluster://...
#     $cluster->slot($key)          of a key
#     $cluster->owner($slot)        Segments::RedisServer, now
#     $cluster->keys                of all masters
#     $cluster->migrate($slot, $to, $between)   to another master, key by key;
#                                   $between is called while both have some
#     $cluster->migrate($slot, $to, $between, $n)   when the new one has $n, or
#                                   all that there are
#     $cluster->cut_off($server)    from the others, where there is a bus; it
#     $cluster->join_again          still answers

use strict;
use warnings;

use Segments::ClusterBus;
use Segments::RedisServer;
use Segments::Util qw(free_port slow wait_for);


sub start {
    my ($class, %args) = @_;

    my @tls = @{ $args{tls} // [] };
    my $bus = $args{bus} && Segments::ClusterBus->start(6);
    my @servers = map {
        Segments::RedisServer->start(options => {
            'cluster-enabled'      => 'yes',
            $bus ? (
                'cluster-port' => $bus->inner($_),
                'cluster-announce-bus-port' => $bus->outer($_),
            ) : ('cluster-port' => free_port()),
            'cluster-node-timeout' => int slow(1000),
            'repl-diskless-sync-delay' => 0,
            @tls ? (Segments::RedisServer::tls_options(@tls),
                'tls-cluster' => 'yes') : (),
            %{ $args{options} // {} },
        })
    } 0 .. 5;

    my $self = bless { servers => \@servers, tls => !!@tls, bus => $bus },
        $class;

    for my $i (0 .. 5) {
        $servers[$i]->cmd('CLUSTER', 'SET-CONFIG-EPOCH', $i + 1);
        $servers[$i]->cmd('CLUSTER', 'ADDSLOTSRANGE', int(16384 * $i / 3),
            int(16384 * ($i + 1) / 3) - 1) if $i < 3;
        $servers[0]->cmd('CLUSTER', 'MEET', '127.0.0.1',
            $servers[$i]->peer_port,
            $servers[$i]{options}{'cluster-announce-bus-port'}
                // $servers[$i]{options}{'cluster-port'}) if $i;
    }

    $self->all('to meet', sub {
        6 == (() = $_[0]->cmd('CLUSTER', 'NODES') =~ /connected/g)
            && $_[0]->cmd('CLUSTER', 'NODES') !~ /handshake|fail/;
    });

    for my $i (3 .. 5) {
        my $id = $servers[$i - 3]->cmd('CLUSTER', 'MYID');

        wait_for {
            "@{[ $servers[$i]->cmd('CLUSTER', 'REPLICATE', $id) ]}" eq 'OK';
        } 20, 'a replica';
    }

    $self->all('to be ready', sub {
        $_[0]->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/
            && 3 == (() = $_[0]->cmd('CLUSTER', 'NODES') =~ / slave |,slave /g)
            && ($_[0]->cmd('ROLE')->[0] eq 'master'
                || $_[0]->cmd('INFO', 'replication')
                    =~ /master_link_status:up/);
    });

    return $self;
}


sub all {
    my ($self, $what, $condition) = @_;

    for my $server ($self->servers) {
        wait_for { $condition->($server) } 40, "the cluster $what";
    }

    return;
}


sub servers { return grep { $_->process->alive } @{ $_[0]{servers} } }


sub masters {
    my ($self) = @_;

    return grep { $_->cmd('ROLE')->[0] eq 'master' } $self->servers;
}


sub url {
    my ($self, @servers) = @_;

    @servers = @{ $self->{servers} }[0 .. 2] if !@servers;

    return ($self->{tls} ? 'rediss' : 'redis') . '+cluster://'
        . join ',', map { '127.0.0.1:' . $_->peer_port } @servers;
}


sub slot {
    my ($self, $key) = @_;

    return ($self->servers)[0]->cmd('CLUSTER', 'KEYSLOT', $key);
}


# A key like the one that is given, whose record is in the slot of the scope's
# key "x": so that many of them move at once.

my %near;

sub key_in_slot {
    my ($scope, $key) = @_;

    return $near{"$scope/$key"} //= do {
        my $wanted = crc16("live:$scope:x") % 16384;
        my $start = crc16("live:$scope:$key~");
        my $n = 0;

        $n++ while crc16($n, $start) % 16384 != $wanted;

        "$key~$n";
    };
}


# as the specification of a cluster has it

my @CRC16 = map {
    my $crc = $_ << 8;

    $crc = ($crc << 1 ^ ($crc & 0x8000 ? 0x1021 : 0)) & 0xffff for 1 .. 8;
    $crc;
} 0 .. 255;

sub crc16 {
    my ($bytes, $crc) = @_;

    $crc //= 0;
    $crc = ($crc << 8 & 0xffff) ^ $CRC16[$crc >> 8 ^ $_]
        for unpack 'C*', $bytes;

    return $crc;
}


sub owner {
    my ($self, $slot) = @_;

    for my $range (@{ ($self->servers)[0]->cmd('CLUSTER', 'SLOTS') }) {
        next if $slot < $range->[0] || $slot > $range->[1];

        return (grep { $_->port == $range->[2][1] } $self->servers)[0];
    }

    return;
}


sub keys {
    my ($self) = @_;

    return map { $_->keys } $self->masters;
}


sub migrate {
    my ($self, $slot, $to, $between, $n) = @_;

    my $from = $self->owner($slot);
    my ($from_id, $to_id) = map { $_->cmd('CLUSTER', 'MYID') } $from, $to;

    $self->ok($to, 'SETSLOT', $slot, 'IMPORTING', $from_id);
    $self->ok($from, 'SETSLOT', $slot, 'MIGRATING', $to_id);

    my $moved = 0;

    $between->() if $between && !($n // 1);

    while (my ($key) = @{ $from->cmd('CLUSTER', 'GETKEYSINSLOT', $slot, 1) }) {
        my $said = $from->cmd('MIGRATE', '127.0.0.1', $to->port, $key, 0, 5000);
        die "MIGRATE: $said" if $said !~ /\A(?:OK|NOKEY)\z/;
        $between->() if $between && ++$moved == ($n // 1);
    }

    $between->() if $between && $moved < ($n // 1);

    $self->ok($_, 'SETSLOT', $slot, 'NODE', $to_id) for $to, $from;

    return;
}


sub cut_off {
    my ($self, $server) = @_;

    my ($i) = grep { $self->{servers}[$_] == $server } 0 .. 5;

    $self->{bus}->cut($i, $server->cmd('CLUSTER', 'MYID'));

    return;
}


sub join_again {
    my ($self) = @_;

    $self->{bus}->mend;

    return;
}


sub ok {
    my ($self, $server, @words) = @_;

    my $said = $server->cmd('CLUSTER', @words);
    die "CLUSTER @words: $said" if "$said" ne 'OK';

    return;
}


1;
