package Segments::Fronts;

# Programs that stand between a gateway and Redis, each with the configuration
# that its manual has for this.
#
#     my $front = front('haproxy', [$redis, $replica]);
#     $front->{url}        the words of segments_redis
#     $front->{name}       "haproxy 2.6.12"
#
# twemproxy, predixy, haproxy, stunnel; undef where one is not installed.
# $PREDIXY in the environment is a program that was built.

use strict;
use warnings;

use Exporter qw(import);

use IO::Select;
use IO::Socket::INET;

use Segments::Process;
use Segments::Util qw(find_program free_port slurp spew tempdir wait_for);

our @EXPORT_OK = qw(front);

my %PROGRAM = (
    twemproxy => 'nutcracker',
    predixy   => $ENV{PREDIXY} // 'predixy',
    haproxy   => 'haproxy',
    stunnel   => 'stunnel4',
);

my %VERSION = (
    twemproxy => '-V',
    predixy   => '-v',
    haproxy   => '-v',
    stunnel   => '-version',
);

my $count = 0;


# cluster => 1: the servers are nodes of one

sub front {
    my ($kind, $servers, %args) = @_;

    my $program = eval { find_program($PROGRAM{$kind}) } or return;
    my $port = free_port();
    my $dir = tempdir() . "/$kind" . ++$count;

    mkdir $dir or die "$dir: $!\n";

    my ($version) = `$program $VERSION{$kind} 2>&1` =~ /(\d+\.\d+(?:\.\d+)?)/;
    my ($conf, @argv) = Segments::Fronts->can($kind)
        ->($dir, $port, $servers, \%args);

    spew("$dir/conf", $conf);

    my $process = Segments::Process->spawn(
        name   => $kind,
        argv   => [$program, @argv],
        output => "$dir/output",
    );

    wait_for {
        $process->alive or die "$kind did not start: " . slurp("$dir/output");
        $kind eq 'haproxy' ? leads_to_master($port) : connects($port);
    } 20, "$kind to start";

    return { name => "$kind $version", process => $process,
        url => $kind eq 'stunnel'
            ? "rediss://127.0.0.1:$port tls_trusted_certificate=$dir/crt"
            : "redis://127.0.0.1:$port" };
}


sub connects {
    return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$_[0]", Proto => 'tcp');
}


# until it has checked them, haproxy holds all servers for good

sub leads_to_master {
    my ($port) = @_;

    for (1 .. 4) {
        my $socket = connects($port) or return;

        syswrite $socket, "ROLE\r\n";
        IO::Select->new($socket)->can_read(1) or return;
        sysread $socket, my $said, 4096;

        return if ($said // '') !~ /master/;
    }

    return 1;
}


sub twemproxy {
    my ($dir, $port, $servers) = @_;

    return (<<"CONF", '-c', "$dir/conf", '-s', free_port(), '-a', '127.0.0.1');
segments:
  listen: 127.0.0.1:$port
  redis: true
  hash: fnv1a_64
  hash_tag: "{}"
  distribution: ketama
  timeout: 2000
  servers:
   - 127.0.0.1:@{[ $servers->[0]->port ]}:1
CONF
}


sub predixy {
    my ($dir, $port, $servers, $args) = @_;

    my $all = join '', map {
        "        + 127.0.0.1:@{[ $_->port ]}\n"
    } @$servers;
    my $pool = $args->{cluster} ? <<"CONF" : <<"CONF";
ClusterServerPool {
    ServerTimeout 2
    Servers {
$all    }
}
CONF
StandaloneServerPool {
    Databases 16
    Hash crc16
    HashTag "{}"
    Distribution modula
    RefreshMethod fixed
    ServerTimeout 2
    Group segments {
$all    }
}
CONF

    return (<<"CONF", "$dir/conf");
Name segments
Bind 127.0.0.1:$port
WorkerThreads 1
Authority {
    Auth {
        Mode write
    }
}
$pool
CONF
}


# the one that is the master, as its own health check finds

sub haproxy {
    my ($dir, $port, $servers) = @_;

    my $n = 0;
    my $all = join '', map {
        my $at = $_->port;
        "    server redis@{[ ++$n ]} 127.0.0.1:$at check inter 100ms rise 1 "
            . "fall 2 on-marked-down shutdown-sessions\n";
    } @$servers;

    return (<<"CONF", '-db', '-f', "$dir/conf");
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
frontend segments
    bind 127.0.0.1:$port
    default_backend redis
backend redis
    option tcp-check
    tcp-check send INFO\\ replication\\r\\n
    tcp-check expect string role:master
$all
CONF
}


sub stunnel {
    my ($dir, $port, $servers) = @_;

    my $openssl = find_program('openssl');

    system("$openssl req -x509 -nodes -days 2 -newkey rsa:2048 -subj "
        . "/CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost "
        . "-keyout $dir/key -out $dir/crt 2> /dev/null") == 0
        or die "openssl failed\n";

    return (<<"CONF", "$dir/conf");
foreground = yes
pid =
[redis]
accept = 127.0.0.1:$port
connect = 127.0.0.1:@{[ $servers->[0]->port ]}
cert = $dir/crt
key = $dir/key
CONF
}


1;
