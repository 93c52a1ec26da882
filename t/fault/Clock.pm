package Clock;

# When was what disturbed: slowness and faults are no violations, so a check
# that is about time asks here.

use strict;
use warnings;

use List::Util qw(max min sum0);

# what is remembered, in seconds
my $MEMORY = 120;

# this process was this late, in seconds: so may others have been
our $LATE = 0.15;


sub new {
    my ($class, %args) = @_;

    return bless {
        loop  => $args{loop},
        past  => {},            # what => [[begin, end or undef], ...]
        open  => {},            # what => how many at present
        sound => 0,
        last  => $args{loop}->now,
    }, $class;
}


# What it is that was disturbed: redis (it could not be reached), hiccup (it
# could, but not as before), upstream (it took no connections), killed and
# stopped (some worker), worker and a pid, reloaded, slowness (of the machine),
# lossy and a hash tag (its master took writes that are lost).

sub begin {
    my ($self, $what) = @_;

    push @{ $self->{past}{$what} }, [$self->{loop}->now];
    $self->{open}{$what}++;

    return;
}


sub finish {
    my ($self, $what) = @_;

    for my $span (@{ $self->{past}{$what} // [] }) {
        next if defined $span->[1];
        $span->[1] = $self->{loop}->now;
        last;
    }

    delete $self->{open}{$what} if !--$self->{open}{$what};
    $self->{ended}{$what} = $self->{loop}->now;

    return;
}


sub moment {
    my ($self, $what) = @_;

    my $now = $self->{loop}->now;

    push @{ $self->{past}{$what} }, [$now, $now];
    $self->{ended}{$what} = $now;

    return;
}


# whether it was disturbed at any time between the two, or is still

sub disturbed {
    my ($self, $what, $from, $to) = @_;

    return scalar grep { $_->[0] <= $to && ($_->[1] // $to) >= $from }
        @{ $self->{past}{$what} // [] };
}


# for how many seconds of those between the two, at most

sub disturbed_for {
    my ($self, $what, $from, $to) = @_;

    return sum0(map { min($_->[1] // $to, $to) - max($_->[0], $from) }
        grep { $_->[0] <= $to && ($_->[1] // $to) >= $from }
        @{ $self->{past}{$what} // [] });
}


# Seconds during which Redis answered and nothing was late.

sub sound { return $_[0]{sound} }


# each turn; "late" as of Loop

sub tick {
    my ($self, $late) = @_;

    my $now = $self->{loop}->now;
    my $passed = $now - $self->{last};

    $self->{last} = $now;

    if ($late > $LATE) {
        $self->slow($now - $late, $now);

    } elsif (!$self->{open}{redis}
             && ($self->{ended}{redis} // 0) < $now - 0.5)
    {
        $self->{sound} += $passed;
    }

    return;
}


# something took its time though nobody had stopped it

sub slow {
    my ($self, $from, $to) = @_;

    push @{ $self->{past}{slowness} }, [$from - 0.5, $to + 0.5];
    push @{ $self->{past}{late} }, [$from, $to];

    return;
}


# now and then

sub prune {
    my ($self) = @_;

    my $limit = $self->{loop}->now - $MEMORY;

    for my $what (keys %{ $self->{past} }) {
        my $spans = $self->{past}{$what};

        @$spans = grep { ($_->[1] // $limit) >= $limit } @$spans;
        delete $self->{past}{$what} if !@$spans;
    }

    return;
}


1;
