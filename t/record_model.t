#!/usr/bin/perl

# The record and what surrounds it, in all interleavings; then deliberate
# mistakes, each of which must be found.
#
# run: long

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib", "$FindBin::Bin/model";

use Explorer;
use Mistakes;
use Promises;
use World;


my @WORLDS = (
    ['retry, two requests and one with another body', {}],
    ['hold, two requests and one with another body', { policy => 'hold' }],
    ['retry, three requests', { bodies => [1, 1, 1] }],
    ['hold, three requests', { bodies => [1, 1, 1], policy => 'hold' }],
    ['retry, two requests, an upstream that honours keys',
     { bodies => [1, 1], honours => 1 }],
    ['retry, two requests, a longer lease',
     { bodies => [1, 1], lease => 2, ttl => 3 }],
);

for (@WORLDS) {
    my ($name, $options) = @$_;
    my $found = explore($options);

    ok(!$found->{broken}, "$name: $found->{states} states, "
                          . "$found->{steps} steps")
        or explain_trace($found);
}

for (Mistakes::all()) {
    my ($name, $function, $instead, $promise, $options) = @$_;

    no strict 'refs';
    no warnings 'redefine';
    local *{$function} = $instead;

    my $found = explore({ bodies => [1, 1], %{$options // {}} });
    $found = explore({ %{$options // {}} }) if !$found->{broken};

    like($found->{broken} // '', $promise, "found: $name");
    explain_trace($found, \&note);
}

# Where nobody is renamed everything is explored: it is the same.

for my $policy (qw(retry hold)) {
    my $world = World->new(bodies => [1, 1], policy => $policy);
    my ($all, $some) = map { reached($world, $_) }
        sub { $_[0] }, sub { $world->ordered(@_) };

    cmp_ok(scalar keys %$some, '>', 1000, "$policy: by names in order");
    is_deeply($some, $all, "$policy: nothing is left out");
}

done_testing();


sub explore {
    my ($options) = @_;

    my $world = World->new(%$options);

    return Explorer::explore($world->start(), sub { $world->steps(@_) },
                             sub { Promises::broken_in($world, @_) },
                             sub { $world->ordered(@_) });
}


# the states that stand for those that are met

sub reached {
    my ($world, $ordered) = @_;

    my %reached;

    Explorer::explore($world->start(), sub {
        $reached{ ($world->ordered(@_))[0] } = 1;
        return $world->steps(@_);
    }, sub { undef }, $ordered);

    return \%reached;
}


sub explain_trace {
    my ($found, $say) = @_;

    $say //= \&diag;
    $say->("broken: $found->{broken}") if $found->{broken};
    $say->("    $_") for @{$found->{trace} // []};
}
