#!/usr/bin/perl

# run: once, long

# The fault harness finds what it is there to find: the module is built with
# one rule got wrong at a time, and a run has to notice it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/fault";
use Catch;
use Segments::Test;

alarm 900;                              # each run has a limit of its own
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

is_deeply([Mistakes::misplaced()], [], 'what is got wrong is there');

Catch::all(sub {
    my ($result) = @_;

    ok($result->{caught}, "found: $result->{name}")
        or diag("found $result->{found} instead of $result->{expected}\n"
            . $result->{output});
    note(sprintf "%.1f s", $result->{seconds});
});

done_testing();
