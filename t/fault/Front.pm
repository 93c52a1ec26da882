package Front;

# What stands between a gateway and its Redis' TCP port, as a NAT does: it
# passes bytes on, and may forget connections.  What comes by a forgotten one is
# swallowed, in both directions, and nobody is told.  It is a process of its
# own.
#
#     my $front = Front->start($port);
#     $front->tcp_url
#     $front->forget(0.5)   those by which nothing came for so many seconds, at
#                           least; returns how many that are, and how many
#                           others there are

use strict;
use warnings;

use IO::Handle;
use IO::Socket::INET;
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);

use Loop;
use Segments::Process;
use Segments::Util qw(free_port);


sub start {
    my ($class, $redis) = @_;

    my $port = free_port();
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 128, ReuseAddr => 1)
        or die "cannot listen: $!\n";

    socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";

    my $process = Segments::Process->spawn(
        name => 'front of Redis',
        code => sub { close $here; serve($listener, $there, $redis) },
    );

    close $there;
    close $listener;

    return bless { process => $process, port => $port, control => $here },
        $class;
}


sub tcp_url { return "redis://127.0.0.1:$_[0]{port}" }


sub forget {
    my ($self, $seconds) = @_;

    syswrite $self->{control}, "$seconds\n";

    my $line = readline $self->{control} // die "the front has ended\n";

    return split / /, $line;
}


# What follows runs in the process.

my ($loop, $redis);
my %clients;                            # the gateway's ends, by descriptor


sub serve {
    my ($listener, $control, $port) = @_;

    ($loop, $redis) = (Loop->new, $port);

    $SIG{PIPE} = 'IGNORE';
    $listener->blocking(0);

    $loop->on_read(fileno $listener, sub {
        while (accept my $socket, $listener) {
            pass_on($socket);
        }
    });

    $loop->on_read(fileno $control, sub {
        my $seconds = readline $control // POSIX::_exit(0);

        syswrite $control, join(' ', forget_idle($seconds)) . "\n";
    });

    $loop->turn while 1;

    return;
}


sub forget_idle {
    my ($seconds) = @_;

    my @known = grep { !$_->{forgotten} } values %clients;
    my @idle = grep { $_->{heard} <= $loop->now - $seconds } @known;

    $_->{forgotten} = $_->{other}{forgotten} = 1 for @idle;

    return (scalar @idle, @known - @idle);
}


sub pass_on {
    my ($socket) = @_;

    my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$redis")
        or return close $socket;

    my @ends = map { { socket => $_, fd => fileno $_, heard => $loop->now,
        out => '' } } $socket, $server;

    ($ends[0]{other}, $ends[1]{other}) = @ends[1, 0];
    $clients{ $ends[0]{fd} } = $ends[0];

    for my $end (@ends) {
        $end->{socket}->blocking(0);
        $loop->on_read($end->{fd}, sub { come($end) });
    }

    return;
}


sub come {
    my ($end) = @_;

    my $n = sysread $end->{socket}, my $bytes, 65536;

    if (!$n) {
        return if !defined $n && $!{EAGAIN};
        return ended($end);
    }

    return if $end->{forgotten};

    my $other = $end->{other};

    $end->{heard} = $other->{heard} = $loop->now;
    $other->{out} .= $bytes;

    return put($other);
}


sub put {
    my ($end) = @_;

    my $n = syswrite $end->{socket}, $end->{out};

    return if !defined $n && !$!{EAGAIN};       # reading tells

    substr $end->{out}, 0, $n, '' if $n;
    $loop->on_write($end->{fd}, length $end->{out} ? sub { put($end) } : undef);

    return;
}


# Of a forgotten one the other side is not told, but what nobody has any more is
# not kept here either.

sub ended {
    my ($end) = @_;

    my $client = $clients{ $end->{fd} };

    if ($end->{forgotten} && !$client) {
        $loop->forget($end->{fd});
        return;
    }

    $client //= $end->{other};

    delete $clients{ $client->{fd} };

    my @ends = ($client, $client->{other});     # each may be the last to know

    for my $one (@ends) {
        $loop->forget($one->{fd});
        close $one->{socket};
        delete $one->{other};
    }

    return;
}


1;
