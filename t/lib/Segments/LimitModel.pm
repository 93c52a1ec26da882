package Segments::LimitModel;

# Rate limits as the textbook has them: GCRA with a theoretical arrival time,
# in whole numbers.  Neither shared with limit.lua nor like it.
#
#     my $limit = Segments::LimitModel->new(rate => 7, unit => 's', burst => 2);
#     $limit->passes($now)      whether one more create may pass; microseconds
#     $limit->spend($now)
#     $limit->left($now)        creates that may pass at once
#     $limit->reset($now)       whole seconds until that is one more, at least;
#                               0 when none is missing

use strict;
use warnings;

# microseconds from which on time is counted, so that 64 bits suffice
our $ORIGIN = 1_795_000_000_000_000;

my %SECONDS = (s => 1, m => 60, h => 3600, d => 86400);


# time is counted in pieces of which "rate" make a microsecond, so that the
# time between two creates is whole

sub new {
    my ($class, %args) = @_;

    return bless {
        %args,
        interval => $SECONDS{ $args{unit} } * 1_000_000,
        arrival  => 0,
    }, $class;
}


sub quota { return 1 + $_[0]{burst} }


# N, P and Q of limit.lua, in lowest terms where asked for

sub arguments {
    my ($self, $lowest) = @_;

    my ($n, $p) = @$self{qw(rate interval)};
    my $gcd = $lowest ? gcd($n, $p) : 1;

    return ($n / $gcd, $p / $gcd, $self->quota);
}


sub gcd {
    my ($one, $other) = @_;

    ($one, $other) = ($other, $one % $other) while $other;

    return $one;
}


sub arrives {
    my ($self, $now) = @_;

    $now = $self->{rate} * ($now - $ORIGIN);

    return ($now, $self->{arrival} > $now ? $self->{arrival} : $now);
}


sub passes {
    my ($self, $now) = @_;

    my ($at, $arrival) = $self->arrives($now);

    return $at >= $arrival - $self->{interval} * $self->{burst};
}


sub spend {
    my ($self, $now) = @_;

    my ($at, $arrival) = $self->arrives($now);

    $self->{arrival} = $arrival + $self->{interval};

    return;
}


# by trying, on a copy

sub left {
    my ($self, $now) = @_;

    my ($at, $arrival) = $self->arrives($now);
    my ($low, $high) = (0, $self->quota);

    while ($low < $high) {
        my $middle = int(($low + $high + 1) / 2);
        my $last = $arrival + $self->{interval} * ($middle - 1);

        if ($at >= $last - $self->{interval} * $self->{burst}) {
            $low = $middle;

        } else {
            $high = $middle - 1;
        }
    }

    return $low;
}


sub reset {
    my ($self, $now) = @_;

    my $left = $self->left($now);

    return 0 if $left == $self->quota;

    my ($low, $high) = (0, 1);

    $high *= 2 while $self->left($now + $high * 1_000_000) <= $left;

    while ($low + 1 < $high) {
        my $middle = int(($low + $high) / 2);

        if ($self->left($now + $middle * 1_000_000) > $left) {
            $high = $middle;

        } else {
            $low = $middle;
        }
    }

    return $high;
}


1;
