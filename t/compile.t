#!/usr/bin/perl

# The module compiles without a warning by other compilers, and for other
# machines, than those that the tests run on.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Util qw(program_root tempdir);

plan skip_all => 'no sources of nginx here' if !-d '/usr/share/nginx/src';

$ENV{BUILD} = tempdir();

my @lines = qx{@{[ program_root() ]}/tools/compile-matrix 2>&1};
my @made = grep { /^(?:ok|failed|left out) / } @lines;

is($?, 0, 'compiled') or diag(@lines);
cmp_ok(scalar(grep { /^ok / } @made), '>=', 1, 'by one at least');
is(scalar @made, 6, 'all of them named') or diag(@lines);
note(@made);

done_testing();
