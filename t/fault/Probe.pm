package Probe;

# Asks Redis for nothing, often: where the answer takes long though nobody has
# stopped it, the machine is slow.

use strict;
use warnings;

use Socket qw(PF_UNIX SOCK_NONBLOCK SOCK_STREAM pack_sockaddr_un);

use Clock;


# loop, clock, path => of Redis' socket

sub new {
    my ($class, %args) = @_;

    return bless {%args}, $class;
}


# a question, unless one is on its way

sub send {
    my ($self) = @_;

    return if $self->{asked};

    $self->connect or return if !$self->{socket};

    syswrite($self->{socket}, "PING\r\n") or return $self->close;
    $self->{asked} = $self->{loop}->now;

    return;
}


sub connect {
    my ($self) = @_;

    socket my $socket, PF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0
        or die "socket: $!\n";
    CORE::connect $socket, pack_sockaddr_un($self->{path}) or return 0;

    $self->{socket} = $socket;
    $self->{loop}->on_read(fileno $socket, sub { $self->answered });

    return 1;
}


sub answered {
    my ($self) = @_;

    sysread $self->{socket}, my $bytes, 1024 or return $self->close;

    my $asked = delete $self->{asked} // return;
    my $now = $self->{loop}->now;

    $self->{clock}->slow($asked, $now) if $now - $asked > $Clock::LATE
        && !$self->{clock}->disturbed('redis', $asked, $now);

    return;
}


sub close {
    my ($self) = @_;

    $self->{loop}->forget(fileno $self->{socket});
    CORE::close delete $self->{socket};
    delete $self->{asked};

    return;
}


1;
