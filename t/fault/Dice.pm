package Dice;

# Numbers that follow from a seed, the same on every machine.

use strict;
use warnings;

use Digest::MD5 qw(md5);


# any words

sub new {
    my ($class, @seed) = @_;

    my $state = unpack('N', md5(join ' ', @seed)) || 1;

    return bless \$state, $class;
}


# from 0 up to, but without, 1

sub roll {
    my $x = ${ $_[0] };

    $x ^= $x << 13 & 0xffffffff;
    $x ^= $x >> 17;
    $x ^= $x << 5 & 0xffffffff;

    ${ $_[0] } = $x;

    return $x / 4294967296;
}


sub chance  { return $_[0]->roll < $_[1] }
sub between { return $_[1] + ($_[2] - $_[1]) * $_[0]->roll }
sub pick    { return $_[1 + int($_[0]->roll * (@_ - 1))] }


# one of [weight, value], ...; what is left to 1 is undef

sub pick_weighted {
    my ($self, @choices) = @_;

    my $at = $self->roll;

    for my $choice (@choices) {
        return $choice->[1] if ($at -= $choice->[0]) < 0;
    }

    return undef;
}


1;
