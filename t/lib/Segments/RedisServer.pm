package Segments::RedisServer;

# A real redis-server, or $TEST_REDIS_SERVER, on a unix socket of its own and
# a TCP port of its own, which keeps nothing.

use strict;
use warnings;

use Carp qw(croak);

use Segments::Process;
use Segments::Util qw(find_program free_port slurp tempdir wait_for);
use Segments::Value;

my $instances = 0;


# options => { requirepass => '...' }

sub start {
    my ($self, %args) = @_;

    $self = $self->new(%args) if !ref $self;
    $self->launch;

    wait_for {
        $self->{process}->alive or croak 'Redis did not start: '
            . slurp("$self->{dir}/output");
        $self->ready;
    } 20, 'Redis to start';

    return $self;
}


# only begins to start it: ready() tells whether it listens

sub launch {
    my ($self) = @_;

    my %options = (
        port       => $self->{port},
        bind       => '127.0.0.1 -::1',     # "localhost" may be both
        unixsocket => $self->{socket},
        dir        => $self->{dir},
        save       => '',
        appendonly => 'no',
        daemonize  => 'no',
        %{ $self->{options} },
    );

    # before Redis 7.0 each word has to stand for itself

    my @words = map {
        ("--$_", $_ eq 'replicaof' ? split(/ /, $options{$_}) : $options{$_})
    } sort keys %options;

    $self->{process} = Segments::Process->spawn(
        name   => 'redis-server',
        argv   => [find_program($ENV{TEST_REDIS_SERVER} // 'redis-server'),
                   @words],
        output => "$self->{dir}/output",
    );

    return;
}


sub ready {
    my ($self) = @_;

    return 0 if !-S $self->{socket} || !eval { $self->client };

    # a Valkey of 9.1 has asked itself for its configuration

    $self->{base} = { $self->calls };

    return 1;
}


sub new {
    my ($class, %args) = @_;

    my $dir = tempdir() . '/redis' . ++$instances;

    mkdir $dir or croak "$dir: $!";

    return bless {
        dir     => $dir,
        socket  => "$dir/redis.sock",
        port    => free_port(),
        options => $args{options} // {},
        own     => {},
    }, $class;
}


sub url     { return "unix:$_[0]{socket}" }
sub tcp_url { return "redis://127.0.0.1:$_[0]{port}" }
sub socket  { return $_[0]{socket} }
sub port    { return $_[0]{port} }
sub process { return $_[0]{process} }
sub dir     { return $_[0]{dir} }


# what makes a server speak TLS, on a port of its own besides the other one

sub tls_options {
    my ($certificate, $key, $authority) = @_;

    return (
        'tls-port'         => free_port(),
        'tls-cert-file'    => $certificate,
        'tls-key-file'     => $key,
        'tls-ca-cert-file' => $authority,
        'tls-auth-clients' => 'no',
        'tls-replication'  => 'yes',
    );
}


# of those servers that speak TLS with each other, the TLS one

sub peer_port {
    my ($self) = @_;

    return $self->{options}{'tls-port'} // $self->{port};
}


# start() again gives an empty one with the same addresses

sub stop {
    my ($self, $signal) = @_;

    $self->forget_client;

    return $self->{process}->stop($signal // 'TERM');
}


# Until so many replicas have said that they have all that is written now.  WAIT
# does not tell: on a connection that has written nothing it counts those, too,
# that are only being sent their first copy.

sub wait_replicas {
    my ($self, $count) = @_;

    my $written;

    wait_for {
        my $info = eval { $self->cmd('INFO', 'replication') };

        # sentinels cut the clients of a server whose role they change

        if (!defined $info) {
            delete $self->{client};
            return 0;
        }

        $written //= $1 if $info =~ /^master_repl_offset:([0-9]+)/m;

        $count <= grep { $_ && $_ >= $written }
            $info =~ /^slave[0-9]+:.*\bstate=online,offset=([0-9]+)/mg;
    } 20, 'the replicas';

    return;
}


# its connection ends with the server

sub forget_client {
    my ($self) = @_;

    delete $self->{client};
    $self->{own} = {};

    return;
}


# it keeps its connections, and says nothing

sub pause {
    my ($self) = @_;

    return $self->{process}->signal('STOP');
}


sub resume {
    my ($self) = @_;

    return $self->{process}->signal('CONT');
}


sub client {
    my ($self) = @_;

    $self->{client} //= do {
        my $client = Segments::RedisServer::Client->new($self->{socket});
        my $password = $self->{options}{requirepass};

        $client->command('AUTH', $password) if defined $password;
        $client;
    };

    return $self->{client};
}


sub cmd {
    my ($self, @words) = @_;

    $self->{own}{ lc $words[0] }++;

    return $self->client->command(@words);
}


sub keys {
    my ($self, $pattern) = @_;

    my @keys = sort @{ $self->cmd('KEYS', $pattern // '*') };

    return @keys;
}


# A record, as a hash of Segments::Value.  Of a claim there are also "left",
# what is left of its lease, and "lease", until when that is, in milliseconds
# and by Redis' own clock.  What is no record: its bytes, as "value".

sub record {
    my ($self, $name) = @_;

    my $value = $self->cmd('GET', $name);

    return {} if !defined $value;

    my $record = Segments::Value::decode($value, $name)
        or return { value => $value };

    if ($record->{state} eq 'claimed') {
        my ($seconds, $micros) = @{ $self->cmd('TIME') };
        my $gone = $record->{ttl} - $self->cmd('PTTL', $name);

        $record->{left} = $record->{term} - $gone;
        $record->{lease} = $seconds * 1000 + int($micros / 1000)
            + $record->{left};
    }

    return $record;
}


# changes a record, or makes one; its expiry stays, or is a minute

sub set_record {
    my ($self, $name, %change) = @_;

    my $before = Segments::Value::decode($self->cmd('GET', $name)) // {};
    my $left = $self->cmd('PTTL', $name);

    my $said = $self->cmd('SET', $name,
        Segments::Value::encode($name, %$before, %change), 'PX',
        $left > 0 ? $left : 60_000);

    "$said" eq 'OK' or die $said;

    return;
}


# the record's value, cut, prolonged or otherwise changed

sub set_value {
    my ($self, $name, $change) = @_;

    my $left = $self->cmd('PTTL', $name);

    local $_ = $self->cmd('GET', $name);
    $change->();

    my $said = $self->cmd('SET', $name, $_, 'PX', $left > 0 ? $left : 60_000);
    "$said" eq 'OK' or die $said;

    return;
}


# a claim whose lease is over

sub end_lease {
    my ($self, $name) = @_;

    my $record = $self->record($name);

    # less than all of it is left, by as much as the lease is long

    $self->set_record($name, ttl => $self->cmd('PTTL', $name) + 1_000_000,
        term => 1000);

    return $record;
}


# whether SET has IFEQ

sub can_ifeq {
    my ($self) = @_;

    my $info = $self->client->command('INFO', 'server');
    my ($valkey) = $info =~ /^valkey_version:([0-9]+\.[0-9]+)/m;
    my ($redis) = $info =~ /^redis_version:([0-9]+\.[0-9]+)/m;

    return defined $valkey ? $valkey >= 8.1 : $redis >= 8.4;
}


# keys that would stay for ever: there should be none

sub keys_without_expiry {
    my ($self) = @_;

    return grep { $self->cmd('PTTL', $_) == -1 } $self->keys;
}


# How often each command came from others than this object: { evalsha => 2 }.
# What a script calls is counted too.

sub commands {
    my ($self) = @_;

    my %calls = $self->calls;

    $calls{$_} -= $self->{base}{$_} for CORE::keys %{ $self->{base} };

    for my $name (CORE::keys %calls) {
        my ($word) = split /\|/, $name;
        next if !$self->{own}{$word};
        $calls{$name} -= $self->{own}{$word};
    }

    delete @calls{qw(hello auth info)};

    return { map { $calls{$_} > 0 ? ($_ => $calls{$_}) : () }
        CORE::keys %calls };
}


sub calls {
    my ($self) = @_;

    return $self->client->command('INFO', 'commandstats')
        =~ /^cmdstat_([^:]+):calls=([0-9]+)/mg;
}


# the client of Segments::Redis on a server that somebody else has started

package Segments::RedisServer::Client;

use parent 'Segments::Redis';


sub new {
    my ($class, $path) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => $path)
        or die "cannot connect to $path: $!";

    return bless { socket => $socket, buffer => '' }, $class;
}


1;
