#!/usr/bin/perl

# run: once

# The fault harness finds what it is there to find: the module is built with
# one rule got wrong at a time, and a run has to notice it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/fault";
use Catch;
use Segments::Test;


# two of those on a cluster take a minute each: "t/fault/run --mistakes" is for
# all of them

my $WANTED = qr/\A(?!a reply is taken without|a master that is cut off)/;

alarm 900;                              # each run has a limit of its own
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

Catch::all(sub {
    my ($result) = @_;

    ok($result->{caught}, "found: $result->{name}")
        or diag("found $result->{found} instead of $result->{expected}\n"
            . $result->{output});
}, $WANTED);

done_testing();
