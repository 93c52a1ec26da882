package Segments::Sentinels;

# A master, replicas, and sentinels that watch them, all real.
#
#     my $s = Segments::Sentinels->start(replicas => 1, sentinels => 3);
#     $s->url                     redis+sentinel://.../the-master
#     $s->master                  Segments::RedisServer, as the sentinels see it
#     $s->kill_master             at once; returns the server
#     $s->wait_master($not)       another one is master; returns it
#     $s->failover                as an operator would
#     options => {...}            of every server; sentinel => "text" of all
#     tls => [$certificate, $key, $authority]    they speak it with each other;
#     sentinel_tls => the same, of the sentinels, where they have another

use strict;
use warnings;

use IO::Socket::INET;

use Segments::Process;
use Segments::Redis;
use Segments::RedisServer;
use Segments::Util qw(find_program free_port slow slurp spew tempdir wait_for);

our $NAME = 'the-master';

my $instances = 0;


sub start {
    my ($class, %args) = @_;

    my $self = bless { sentinels => [], tls => !!$args{tls},
        dir => tempdir() . '/sentinels' . ++$instances }, $class;

    mkdir $self->{dir} or die "$self->{dir}: $!";

    my $master = start_server(%args);

    $self->{servers} = [$master, map {
        start_server(%args, replicaof => '127.0.0.1 ' . $master->peer_port)
    } 1 .. $args{replicas} // 1];

    $self->start_sentinel($master->peer_port, %args)
        for 1 .. $args{sentinels} // 3;

    my $others = @{ $self->{sentinels} } - 1;

    for my $sentinel (@{ $self->{sentinels} }) {
        wait_for {
            my %state = eval {
                @{ $sentinel->cmd('SENTINEL', 'MASTER', $NAME) };
            };
            ($state{'num-other-sentinels'} // -1) == $others
                && $state{'num-slaves'} >= @{ $self->{servers} } - 1;
        } 30, 'the sentinels to find each other';
    }

    return $self;
}


sub start_server {
    my (%args) = @_;

    return Segments::RedisServer->start(options => {
        %{ $args{options} // {} }, tls($args{tls}),
        $args{replicaof} ? (replicaof => $args{replicaof}) : (),
    });
}


sub tls {
    my ($files) = @_;

    return $files ? Segments::RedisServer::tls_options(@$files) : ();
}


sub start_sentinel {
    my ($self, $port, %args) = @_;

    my $n = 1 + @{ $self->{sentinels} };
    my $dir = "$self->{dir}/$n";
    my $down = int slow(500);

    mkdir $dir or die "$dir: $!";

    my $own = free_port();
    my %tls = tls($args{sentinel_tls} // $args{tls});

    spew("$dir/conf", join "\n", "port $own", 'bind 127.0.0.1', "dir $dir",
        map({ "$_ $tls{$_}" } sort keys %tls),
        "sentinel monitor $NAME 127.0.0.1 $port 2",
        "sentinel down-after-milliseconds $NAME $down",
        "sentinel failover-timeout $NAME " . 10 * $down,
        $args{sentinel} // '', '');

    my $process = Segments::Process->spawn(
        name   => "sentinel $n",
        argv   => [find_program($ENV{TEST_REDIS_SERVER} // 'redis-server'),
            "$dir/conf", '--sentinel'],
        output => "$dir/output",
    );

    push @{ $self->{sentinels} }, bless { port => $own, process => $process,
        peer_port => $tls{'tls-port'} // $own, dir => $dir },
        'Segments::Sentinels::One';

    return;
}


sub sentinels { return @{ $_[0]{sentinels} } }
sub servers   { return @{ $_[0]{servers} } }


sub url {
    my ($self, $scheme) = @_;

    $scheme //= $self->{tls} ? 'rediss+sentinel' : 'redis+sentinel';

    return "$scheme://"
        . join(',', map { "127.0.0.1:$_->{peer_port}" } $self->sentinels)
        . "/$NAME";
}


sub master {
    my ($self) = @_;

    for my $sentinel (grep { $_->{process}->alive } $self->sentinels) {
        my $place = eval {
            $sentinel->cmd('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', $NAME);
        } or next;

        return (grep { $_->peer_port == $place->[1] } $self->servers)[0];
    }

    return;
}


sub kill_master {
    my ($self) = @_;

    my $master = $self->master;

    $master->stop('KILL');

    return $master;
}


# seen by the sentinels, and by itself

sub wait_master {
    my ($self, $not) = @_;

    return wait_for {
        my $master = $self->master;

        # sentinels cut the clients of a server whose role they change
        delete $master->{client} if $master;

        $master && $master->port != $not->port
            && eval { $master->cmd('ROLE')->[0] eq 'master' } ? $master : undef;
    } 60, 'another master';
}


sub failover {
    my ($self) = @_;

    my $old = $self->master;

    wait_for {
        "@{[ ($self->sentinels)[0]->cmd('SENTINEL', 'FAILOVER', $NAME) ]}"
            eq 'OK';
    } 20, 'the sentinel to agree';

    return $self->wait_master($old);
}


package Segments::Sentinels::One;


sub port      { return $_[0]{port} }
sub peer_port { return $_[0]{peer_port} }
sub process   { return $_[0]{process} }


sub cmd {
    my ($self, @words) = @_;

    $self->{client} //= do {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $self->{port}, Proto => 'tcp')
            or die "sentinel: $!";

        bless { socket => $socket, buffer => '' }, 'Segments::Redis';
    };

    my $reply = eval { $self->{client}->command(@words) };

    delete $self->{client} if $@;
    die $@ if $@;

    return $reply;
}


sub stop {
    my ($self) = @_;

    delete $self->{client};

    return $self->{process}->stop('TERM');
}


1;
