package Loop;

# A process' events: sockets through select(2), and timers that are exact to
# ten milliseconds.

use strict;
use warnings;

use Time::HiRes qw(time);

my $TICK = 0.01;


sub new {
    my ($class) = @_;

    my $now = time;

    return bless {
        now      => $now,
        tick     => int($now / $TICK),
        timers   => {},
        reading  => '',
        writing  => '',
        on_read  => [],
        on_write => [],
    }, $class;
}


# of the current turn; seconds

sub now { return $_[0]{now} }


# Once, after so many seconds, never within this call.

sub after {
    my ($self, $seconds, $code) = @_;

    my $tick = int(($self->{now} + $seconds) / $TICK) + 1;

    $tick = $self->{tick} + 1 if $tick <= $self->{tick};
    push @{ $self->{timers}{$tick} }, $code;

    return;
}


sub on_read {
    my ($self, $fd, $code) = @_;

    $self->{on_read}[$fd] = $code;
    vec($self->{reading}, $fd, 1) = 1;

    return;
}


sub on_write {
    my ($self, $fd, $code) = @_;

    $self->{on_write}[$fd] = $code;
    vec($self->{writing}, $fd, 1) = $code ? 1 : 0;

    return;
}


# before the descriptor is closed

sub forget {
    my ($self, $fd) = @_;

    $self->{on_read}[$fd] = $self->{on_write}[$fd] = undef;
    vec($self->{reading}, $fd, 1) = 0;
    vec($self->{writing}, $fd, 1) = 0;

    return;
}


# Returns how many seconds passed that nobody spent waiting: how late this
# process is.

sub turn {
    my ($self) = @_;

    my ($r, $w) = ($self->{reading}, $self->{writing});
    my $before = time;
    my $n = select $r, $w, undef, $TICK;

    $self->{now} = time;

    if ($n > 0) {
        dispatch($w, $self->{on_write}) if $w =~ /[^\0]/;
        dispatch($r, $self->{on_read});
    }

    $self->run_timers;

    return time - $before - $TICK;
}


sub dispatch {
    my ($ready, $handlers) = @_;

    my $bits = unpack 'b*', $ready;
    my $fd = -1;

    while (($fd = index $bits, '1', $fd + 1) >= 0) {
        my $code = $handlers->[$fd];
        $code->() if $code;
    }

    return;
}


sub run_timers {
    my ($self) = @_;

    my $last = int($self->{now} / $TICK);

    while ($self->{tick} < $last) {
        my $due = delete $self->{timers}{ ++$self->{tick} } or next;
        $_->() for @$due;
    }

    return;
}


1;
