package Bench::Contest;

# What is compared, in rounds: every contender has its turn in each, so that
# what else the machine does meets all of them.

use strict;
use warnings;

use Exporter qw(import);

use Bench::Load qw(load);

our @EXPORT_OK = qw($CONNECTIONS $SIZES_CONNECTIONS @SCENARIOS @SEALED @SIZES
    contest encryption is_scenario median merged ratio ratios scenarios sizes
    spread store_sizes strongest);

our $CONNECTIONS = 64;
our @SIZES = (200, 4096, 65536);
our @SCENARIOS = qw(forward create replay reject mixed);
our @SEALED = qw(create replay);

# Bodies of 64 KB on as many connections are more than a processor's caches
# hold, and bare nginx, which only copies them, is then measured by what other
# programs leave of these.
our $SIZES_CONNECTIONS = 16;

my $SIZE = 200;


# what --scenario may name, besides those above

my %FORWARD = ('forward-4k' => 4096, 'forward-64k' => 65536);

sub is_scenario {
    my ($name) = @_;

    return $FORWARD{$name} || grep { $_ eq $name } @SCENARIOS;
}


# The bare ones under the scenario that they are the limit of, then the others:
# one list of turns.  Of some scenarios only, where they are named.

sub scenarios {
    my %wanted = map { $_ => 1 } @_ ? @_ : @SCENARIOS;
    my @turns = (
        { contender => 'bare', scenario => 'forward', label => 'proxy_pass' },
        $wanted{create} ? { contender => 'bare', scenario => 'create',
          path => '/created', label => 'return 201' } : (),
        $wanted{reject} ? { contender => 'bare', scenario => 'reject',
          path => '/refused', label => 'return 400' } : (),
    );

    for my $scenario (grep { $wanted{$_} } @SCENARIOS) {
        push @turns, map {
            { contender => $_, scenario => $scenario, label => "$_ $scenario" }
        } qw(gateway lua pipelined);
    }

    return @turns > 1 ? [map { { size => $SIZE, %$_ } } @turns] : ();
}


# What the size of a body costs, with and without the gateway: one list for each
# size, for an nginx of its own.  One that had other sizes before may give its
# memory back to the kernel behind each request, and fault it in again.

sub sizes {
    my @named = @_;

    my %wanted = map { $_ => 1 } map { $FORWARD{$_} // () } @named;

    return map { sizes_list($_, !@named) } grep { !@named || $wanted{$_} }
        @SIZES;
}


sub sizes_list {
    my ($size, $all) = @_;

    my @turns = (
        { contender => 'bare', scenario => 'forward',
          label => "proxy_pass $size" },
        map({
            { contender => 'gateway', scenario => $_,
              label => "gateway $_ $size" }
        } 'forward', $all ? qw(create replay) : ()),
        map({
            { contender => $_, scenario => 'forward',
              label => "$_ forward $size" }
        } $size == $SIZE ? () : qw(lua pipelined)),
    );

    return [map {
        { size => $size, connections => $SIZES_CONNECTIONS, %$_ }
    } @turns];
}


# what sealed answers cost: the gateway with and without

sub encryption {
    return [map {
        my $scenario = $_;

        map {
            { contender => $_, scenario => $scenario, size => $SIZE,
              label => "$_ $scenario" }
        } qw(gateway sealing)
    } @SEALED];
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


# some runs' numbers as those of one

sub merged {
    my %all;

    for my $found (@_) {
        for my $label (keys %$found) {
            push @{ $all{$label}{$_} }, @{ $found->{$label}{$_} }
                for keys %{ $found->{$label} };
        }
    }

    return \%all;
}


# of each run

sub ratios {
    my ($runs, $label, $base, $what) = @_;

    return map { ratio(map { $_->{ $what // 'cpu' } } @$_{ $label, $base }) }
        @$runs;
}


# The median of all runs, and how far they are apart.

sub spread {
    my @ratios = sort { $a <=> $b } @_;

    return sprintf '%.2f', $ratios[0] if @ratios == 1;

    return sprintf '%.2f (%.2f to %.2f)', median(@ratios), @ratios[0, -1];
}


# which of some has the least of it

sub strongest {
    my ($runs, $what, @labels) = @_;

    my $found = merged(@$runs);
    my %least = map { $_ => tenth_percentile(@{ $found->{$_}{$what} }) }
        @labels;

    return (sort { $least{$a} <=> $least{$b} } @labels)[0];
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
