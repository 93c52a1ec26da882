package Explorer;

# Breadth first over every state that can be reached, so that the first
# counter-example found is a shortest one.
#
# A state is a string.  $steps->($state) returns a list of
# [label, state, broken promise or undef]; $broken->($state) names the promise
# that a state breaks, if any.  $ordered->($state) returns the state that stands
# for it and all others that are the same but for names, and what was renamed.

use strict;
use warnings;


sub explore {
    my ($start, $steps, $broken, $ordered) = @_;

    my @queue = ($start);
    my @from = (undef);                 # [index of the parent, label]
    my %seen = ($start => 1);
    my $taken = 0;

    for (my $i = 0; $i < @queue; $i++) {

        for my $step ($steps->($queue[$i])) {
            my ($label, $state, $promise) = @$step;

            $taken++;

            next if !defined $promise && $seen{$state}++;

            my ($same, $renamed) = $ordered->($state);

            if ($renamed) {
                next if !defined $promise && $seen{$same}++;
                ($label, $state) = ("$label, $renamed", $same);
            }

            push @queue, $state;
            push @from, [$i, $label];

            $promise //= $broken->($state);
            next if !defined $promise;

            return { states => scalar @queue, steps => $taken,
                     broken => $promise,
                     trace => trace(\@queue, \@from, $#queue) };
        }
    }

    return { states => scalar @queue, steps => $taken };
}


sub trace {
    my ($queue, $from, $i) = @_;

    my @lines;

    while (my $parent = $from->[$i]) {
        unshift @lines, sprintf '%-44s %s', $parent->[1], $queue->[$i];
        $i = $parent->[0];
    }

    return \@lines;
}


1;
