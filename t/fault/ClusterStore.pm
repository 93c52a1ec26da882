package ClusterStore;

# A Store that is a cluster.
#
# Replicas replace nobody unless they are told to: a master that is stopped or
# started again is waited for, and comes back with what it had.
#
#     $store->tags                  the hash tags of what the run stores
#     $store->owner($tag)           a tag's master
#     $store->tags_of($server)
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

# of the records of each tenant, and of the limit

my @TAGS = ((map { "live:$_" } qw(ada bob cy dan)), 'live:');

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
sub tags    { return @TAGS }
sub servers { return @{ $_[0]{masters} } }
sub all     { return $_[0]{cluster}->servers }
sub owner   { return $_[0]{owner}{ $_[1] } }
sub probe   { return ($_[0]->all)[0]->socket }


sub tags_of {
    my ($self, $server) = @_;

    return grep { $self->owner($_) == $server } @TAGS;
}


# one that has something of ours

sub victim {
    my ($self, $dice) = @_;

    return $self->owner($dice->pick(@TAGS));
}


# One that is to be cut off: what the first node of a URL says counts most.

sub speaker {
    my ($self, $dice) = @_;

    my $first = $self->{cluster}{servers}[ $dice->pick(map { $_->[0] } @URLS) ];

    return $dice->chance(0.7) && $self->tags_of($first) ? $first
        : $self->victim($dice);
}


sub refresh {
    my ($self) = @_;

    my $cluster = $self->{cluster};
    my @masters = grep { $_->cmd('ROLE')->[0] eq 'master'
        && $_->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/ } $self->all;
    my ($one) = @masters or die "the cluster has no master\n";
    my $slots = $one->cmd('CLUSTER', 'SLOTS');

    for my $tag (@TAGS) {
        my $slot = $self->slot($tag);
        my ($range) = grep { $_->[0] <= $slot && $slot <= $_->[1] } @$slots;

        $self->{owner}{$tag} = (grep { $_->port == $range->[2][1] }
            $self->all)[0];
    }

    my %ports = map { $_->[2][1] => 1 } @$slots;

    $self->{masters} = [grep { $ports{ $_->port } } @masters];

    return;
}


sub slot {
    my ($self, $tag) = @_;

    return $self->{slots}{$tag} //= $self->{cluster}->slot("{$tag}");
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

        my ($tag) = $self->tags_of($server);

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

    my ($tag) = $self->tags_of($server);

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
    my $slot = $self->slot($tag);

    $self->{cluster}->ok($to, 'SETSLOT', $slot, 'IMPORTING', $from_id);
    $self->{cluster}->ok($from, 'SETSLOT', $slot, 'MIGRATING', $to_id);

    return;
}


# some keys; false where there are none left

sub move_some {
    my ($self, $tag, $to, $n) = @_;

    my $from = $self->owner($tag);
    my $keys = $from->cmd('CLUSTER', 'GETKEYSINSLOT', $self->slot($tag), $n);

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
        $self->{cluster}->ok($server, 'SETSLOT', $self->slot($tag), 'NODE',
            $id);
    }

    $self->{owner}{$tag} = $to;

    return;
}


1;
