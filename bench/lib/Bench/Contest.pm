package Bench::Contest;

# What is compared, in rounds: every contender has its turn in each, so that
# what else the machine does meets all of them.

use strict;
use warnings;

use Exporter qw(import);

use Bench::Load qw(load);

our @EXPORT_OK = qw($CONNECTIONS $SIZES_CONNECTIONS @SIZES contest median ratio
    scenarios sizes store_sizes);

our $CONNECTIONS = 64;
our @SIZES = (200, 4096, 65536);

# Bodies of 64 KB on as many connections are more than a processor's caches
# hold, and bare nginx, which only copies them, is then measured by what other
# programs leave of these.
our $SIZES_CONNECTIONS = 16;

my $SIZE = 200;


# The bare ones under the scenario that they are the limit of, then the others:
# one list of turns.

sub scenarios {
    my @turns = (
        { contender => 'bare', scenario => 'forward', label => 'proxy_pass' },
        { contender => 'bare', scenario => 'create', path => '/created',
          label => 'return 201' },
        { contender => 'bare', scenario => 'reject', path => '/refused',
          label => 'return 400' },
    );

    for my $scenario (qw(forward create replay reject mixed)) {
        push @turns, map {
            { contender => $_, scenario => $scenario, label => "$_ $scenario" }
        } qw(gateway lua pipelined);
    }

    return [map { { size => $SIZE, %$_ } } @turns];
}


# What the size of a body costs, with and without the gateway: one list for each
# size, for an nginx of its own.  One that had other sizes before may give its
# memory back to the kernel behind each request, and fault it in again.

sub sizes {
    my @lists;

    for my $size (@SIZES) {
        my @turns = (
            { contender => 'bare', scenario => 'forward',
              label => "proxy_pass $size" },
            map {
                { contender => 'gateway', scenario => $_,
                  label => "gateway $_ $size" }
            } qw(forward create replay)
        );

        push @lists, [map {
            { size => $size, connections => $SIZES_CONNECTIONS, %$_ }
        } @turns];
    }

    return @lists;
}


# the same store, empty and full; "records" are there besides the load's own

sub store_sizes {
    return [map {
        { contender => 'gateway', scenario => $_, size => $SIZE,
          label => "gateway $_" }
    } qw(create replay)];
}


# For some lists of turns; every turn has a second in each lap of its list,
# "seconds" laps are a round, and there are "rounds" of them.  Returns
# { label => { cpu => [one number for each lap], ... } }.

sub contest {
    my ($field, $lists, %args) = @_;

    my %found;

    for my $round (1 .. $args{rounds}) {
        for my $turns (@$lists) {
            for my $got (laps($field, $turns, %args)) {
                for my $label (keys %$got) {
                    push @{ $found{$label}{$_} }, $got->{$label}{$_}
                        for keys %{ $got->{$label} };
                }
            }
        }

        print STDERR "round $round of $args{rounds}\n" if -t STDERR;
    }

    return \%found;
}


sub laps {
    my ($field, $turns, %args) = @_;

    # where a program's memory lies and what LuaJIT happened to compile stays
    # as long as it lives

    $field->renew;

    # what grows once, and what LuaJIT compiles, is no part of it

    lap($field, $turns, %args);

    return map { lap($field, $turns, %args) } 1 .. $args{seconds};
}


# in another order each time: what follows what is not always the same

sub lap {
    my ($field, $turns, %args) = @_;

    my @order = @$turns;
    push @order, splice @order, 0, int(rand @order);

    return { map { $_->{label} => turn($field, $_, %args) } @order };
}


sub turn {
    my ($field, $turn, %args) = @_;

    $field->empty if !$args{keep};

    return load($field, $turn->{contender}, $turn->{scenario},
        connections => $CONNECTIONS, seconds => 1, %$turn);
}


sub median {
    my @sorted = sort { $a <=> $b } @_;

    return @sorted % 2 ? $sorted[$#sorted / 2]
        : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}


# Of what is hardly disturbed: whatever else the machine does only ever adds,
# and at times to most of what is measured.

sub ratio {
    my ($one, $base) = @_;

    return tenth_percentile(@$one) / tenth_percentile(@$base);
}


sub tenth_percentile {
    my @sorted = sort { $a <=> $b } @_;

    my $at = $#sorted / 10;
    my $i = int $at;

    return $sorted[$i] if $i == $at;

    return $sorted[$i] + ($at - $i) * ($sorted[$i + 1] - $sorted[$i]);
}


1;
