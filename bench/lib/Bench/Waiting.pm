package Bench::Waiting;

# The memory of a worker for each create whose upstream has not answered yet.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;
use Socket qw(SOMAXCONN);

use Bench::Messages qw(headers segment);
use Bench::Processes qw(resident workers_of);
use Bench::Servers qw(start_nginx);
use Bench::Field;
use Segments::HTTP qw(request_bytes);
use Segments::Process;
use Segments::RedisServer;
use Segments::Util qw(slurp spew tempdir wait_for);

our @EXPORT_OK = qw(memory_of_waiting);


# { proxy => bytes, gateway => bytes } for a request, with so many at once

sub memory_of_waiting {
    my ($n) = @_;

    return { map { $_ => memory_of($_, $n) } qw(proxy gateway) };
}


# Two workers share the requests: there are two connections for each, and a
# process may not open as many files.

sub memory_of {
    my ($what, $n) = @_;

    my ($silent, $port, $count) = silent_upstream();
    my $redis = Segments::RedisServer->start;
    my $nginx = start_nginx('waiting',
        UPSTREAM => $port,
        REDIS    => $redis->port,
        FILES    => Bench::Field::files(),
    );
    my $master = $nginx->{process}->pid;
    my $workers = wait_for {
        my @pids = workers_of($master);
        @pids == 2 && \@pids;
    } 20, 'two workers';

    # the first ones make nginx grow to its usual size

    my @sockets = requests($nginx->{port}, $what, 100, 'first');
    wait_for { slurp($count) >= 100 } 60, 'requests to wait';

    my $before = sum(map { resident($_) } @$workers);

    push @sockets, requests($nginx->{port}, $what, $n, 'then');
    wait_for { slurp($count) >= 100 + $n } 120, 'requests to wait';

    my $after = sum(map { resident($_) } @$workers);

    close $_ for @sockets;
    $_->stop for $nginx->{process}, $silent;
    $redis->stop;

    return int(($after - $before) / $n);
}


sub sum {
    my $sum = 0;

    $sum += $_ for @_;

    return $sum;
}


sub requests {
    my ($port, $what, $n, $tag) = @_;

    return map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $port, Proto => 'tcp') or die "cannot connect: $!\n";

        syswrite $socket, request_bytes('POST', "/$what/v4/segments",
            body => segment(200), headers => [headers("waiting-$tag-$_")]);

        $socket;
    } 1 .. $n;
}


# Takes connections, and the first bytes of each, and never answers.  Their
# number stands in a file.

sub silent_upstream {
    my $listening = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        ReuseAddr => 1, Proto => 'tcp', Listen => SOMAXCONN)
        or die "cannot listen: $!\n";
    my $count = spew(tempdir() . '/waiting', '0');

    my $process = Segments::Process->spawn(
        name => 'silent upstream',
        code => sub { listen_only($listening, $count) },
    );

    my $port = $listening->sockport;
    close $listening;

    return ($process, $port, $count);
}


sub listen_only {
    my ($listening, $count) = @_;

    my @kept;

    while (my $c = $listening->accept) {
        push @kept, $c;
        spew("$count.new", scalar @kept);
        rename "$count.new", $count;
    }

    return;
}


1;
