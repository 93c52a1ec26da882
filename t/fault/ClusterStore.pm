package ClusterStore;

# A Store that is a cluster.
#
# Replicas replace nobody unless they are told to: a master that is stopped or
# started again is waited for, and comes back with what it had.
#
#     $store->busy_tag($dice)       the hash tag of something that is stored
#     $store->owner($tag)           a tag's master
#     $store->holds($server)        a sub that says whether that has a tag now
#     $store->tenants               whose records are everywhere
#     $store->speaker($dice)        a server to be cut off
#     $store->replica($server)      one of a master's that has all that it has
#     $store->refresh               after slots or masters have changed
#     $store->part($server, $replica), $store->parted
#     $store->promote($replica, $allowed)
#     $store->join_again($server)

use strict;
use warnings;

use parent 'Store';

use Segments::Cluster;
use Segments::Util qw(spew tempdir);

my @TENANTS = qw(ada bob cy dan);

# of the limit

my $LIMIT = 'live:';

# what the gateways are told of it: numbers of servers

my @URLS = ([0, 1, 2], [2, 1, 0]);

# who replicates is somebody who can be refused

my $REPLICATION = 'replication';


sub start {
    my ($class) = @_;

    my $cluster = Segments::Cluster->start(bus => 1, options => {
        %Store::OPTIONS,
        'aclfile' => spew(tempdir() . '/acl',
            "user $REPLICATION on nopass ~* &* +\@all\n"),
        'masteruser' => $REPLICATION,
        'masterauth' => $REPLICATION,
        'cluster-allow-replica-migration' => 'no',
    });

    my $self = bless { cluster => $cluster }, $class;

    for my $server ($self->all) {
        $self->promote($server, 0);
        $server->{options}{'cluster-replica-no-failover'} = 'yes';
    }

    $self->refresh;

    return $self;
}


sub urls {
    my ($self) = @_;

    my @servers = $self->{cluster}->servers;

    return map { $self->{cluster}->url(@servers[@$_]) } @URLS;
}


sub front   { return }
sub tenants { return @TENANTS }
sub servers { return @{ $_[0]{masters} } }
sub all     { return $_[0]{cluster}->servers }
sub probe   { return ($_[0]->all)[0]->socket }


sub owner {
    my ($self, $tag) = @_;

    return owner_of($self->{slots}, slot($tag));
}


sub owner_of {
    my ($slots, $slot) = @_;

    return (map { $_->[2] } grep { $_->[0] <= $slot && $slot <= $_->[1] }
        @$slots)[0];
}


sub holds {
    my ($self, $server) = @_;

    my @slots = @{ $self->{slots} };

    return sub { owner_of(\@slots, slot($_[0])) == $server };
}


# one that nobody uses

sub own_tag {
    my ($self, $server) = @_;

    my $n = 0;

    $n++ while $self->owner("own$n") != $server;

    return "own$n";
}


sub busy_tag {
    my ($self, $dice) = @_;

    my $key = $dice->pick($self->servers)->cmd('RANDOMKEY') // '';

    return $key =~ /\{(live:.*?)\}/ ? $1 : $LIMIT;
}


# one that has something of ours: all of them have

sub victim {
    my ($self, $dice) = @_;

    return $dice->pick($self->servers);
}


# One that is to be cut off: what the first node of a URL says counts most.

sub speaker {
    my ($self, $dice) = @_;

    my $first = $self->{cluster}{servers}[ $dice->pick(map { $_->[0] } @URLS) ];

    return $dice->chance(0.7) && grep({ $_ == $first } $self->servers) ? $first
        : $self->victim($dice);
}


sub refresh {
    my ($self) = @_;

    my $cluster = $self->{cluster};
    my @masters = grep { $_->cmd('ROLE')->[0] eq 'master'
        && $_->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/ } $self->all;
    my ($one) = @masters or die "the cluster has no master\n";
    my $slots = $one->cmd('CLUSTER', 'SLOTS');

    $self->{slots} = [map {
        my ($first, $last, $master) = @$_;

        [$first, $last, grep { $_->port == $master->[1] } $self->all];
    } @$slots];

    my %ports = map { $_->[2][1] => 1 } @$slots;

    $self->{masters} = [grep { $ports{ $_->port } } @masters];

    return;
}


# CRC16, as the specification of a cluster has it

sub slot {
    my ($tag) = @_;

    my $crc = 0;

    for my $byte (unpack 'C*', $tag) {
        $crc ^= $byte << 8;
        $crc = ($crc << 1 ^ ($crc & 0x8000 ? 0x1021 : 0)) & 0xffff for 1 .. 8;
    }

    return $crc % 16384;
}


# in the order of the commands

sub ask {
    my ($self, @commands) = @_;

    my (%servers, %numbers, @replies);

    for my $i (0 .. $#commands) {
        my ($tag) = $commands[$i][1] =~ /\{(.*?)\}/;
        my $server = $self->owner($tag);

        $servers{ $server->port } = $server;
        push @{ $numbers{ $server->port } }, $i;
    }

    for my $port (keys %servers) {
        my @own = @{ $numbers{$port} };

        @replies[@own] = $servers{$port}->client->pipeline(@commands[@own]);
    }

    for my $reply (grep { ref eq 'Segments::Redis::Error' } @replies) {
        die "a node of the cluster says: $reply\n";
    }

    return @replies;
}


sub remove {
    my ($self, @names) = @_;

    $self->ask(map { ['UNLINK', $_] } @names);

    return;
}


sub ready {
    my ($self, $server) = @_;

    return 0 if !$self->SUPER::ready($server);

    return $self->healthy($self->all);
}


# who listens knows of a cluster that is whole

sub healthy {
    my ($self, @servers) = @_;

    return !grep { $_->cmd('CLUSTER', 'INFO') !~ /cluster_state:ok/ } @servers;
}


sub resume {
    my ($self) = @_;

    $_->resume for $self->all;

    return;
}


# undef where none has all yet

sub replica {
    my ($self, $server) = @_;

    for my $replica ($self->all) {
        my $role = $replica->cmd('ROLE');

        next if $role->[0] ne 'slave' || $role->[2] != $server->port
            || $role->[3] ne 'connected';

        my $tag = $self->own_tag($server);

        $server->cmd('SET', "written:{$tag}", 1, 'PX', 60_000);

        return $replica if $server->cmd('WAIT', 1, 2000) >= 1;
    }

    return;
}


# Nothing that this master is told from now on reaches anyone else.

sub part {
    my ($self, $server) = @_;

    $server->cmd('ACL', 'SETUSER', $REPLICATION, 'off');
    $server->cmd('CLIENT', 'KILL', 'TYPE', 'replica');
    $self->{cluster}->cut_off($server);

    return;
}


sub promote {
    my ($self, $replica, $allowed) = @_;

    $replica->cmd('CONFIG', 'SET', 'cluster-replica-no-failover',
        $allowed ? 'no' : 'yes');

    return;
}


# whether the replica has become the master of a cluster without the other

sub replaced {
    my ($self, $server, $replica) = @_;

    my $tag = $self->own_tag($server);

    return 0 if $replica->cmd('ROLE')->[0] ne 'master'
        || !$self->healthy(grep { $_ != $server } $self->all)
        || $self->healthy($server);

    return $replica->cmd('SET', "written:{$tag}", 2, 'PX', 60_000) eq 'OK';
}


sub join_again {
    my ($self, $server) = @_;

    $server->cmd('ACL', 'SETUSER', $REPLICATION, 'on');
    $self->{cluster}->join_again;

    return;
}


# whether all is as before, but for who is whose

sub whole {
    my ($self) = @_;

    for my $server ($self->all) {
        return 0 if !$self->healthy($server);

        my $role = $server->cmd('ROLE');

        return 0 if $role->[0] eq 'slave' && $role->[3] ne 'connected';
    }

    return 3 == grep { $_->cmd('ROLE')->[0] eq 'master' } $self->all;
}


# The steps of a slot's move.

sub begin_move {
    my ($self, $tag, $to) = @_;

    my $from = $self->owner($tag);
    my ($from_id, $to_id) = map { $_->cmd('CLUSTER', 'MYID') } $from, $to;
    my $slot = slot($tag);

    $self->{cluster}->ok($to, 'SETSLOT', $slot, 'IMPORTING', $from_id);
    $self->{cluster}->ok($from, 'SETSLOT', $slot, 'MIGRATING', $to_id);

    return;
}


# some keys; false where there are none left

sub move_some {
    my ($self, $tag, $to, $n) = @_;

    my $from = $self->owner($tag);
    my $keys = $from->cmd('CLUSTER', 'GETKEYSINSLOT', slot($tag), $n);

    return 0 if !@$keys;

    my $said = $from->cmd('MIGRATE', '127.0.0.1', $to->port, '', 0, 5000,
        'KEYS', @$keys);

    die "MIGRATE: $said\n" if "$said" !~ /\A(?:OK|NOKEY|IOERR.*)\z/;

    return 1;
}


sub end_move {
    my ($self, $tag, $to) = @_;

    my $id = $to->cmd('CLUSTER', 'MYID');

    for my $server ($to, grep { $_ != $to } $self->servers) {
        $self->{cluster}->ok($server, 'SETSLOT', slot($tag), 'NODE',
            $id);
    }

    unshift @{ $self->{slots} }, [slot($tag), slot($tag), $to];

    return;
}


1;
