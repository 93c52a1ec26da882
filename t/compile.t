#!/usr/bin/perl

# The module is built without a warning by clang, too, and other compilers, for
# other machines than those that the tests run on, read its sources without one.
# That each of them builds all, with -flto too, is what tools/compile-matrix
# finds out without an option, in minutes: --all has it.
#
# run: once, long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Util qw(exhaustive program_root);

plan skip_all => 'no sources of nginx here' if !-d '/usr/share/nginx/src';

my $option = exhaustive() ? '' : '--syntax';
my @lines = qx{@{[ program_root() ]}/tools/compile-matrix $option 2>&1};
my @made = grep { /^(?:ok|failed|left out) / } @lines;

is($?, 0, 'compiled') or diag(@lines);
cmp_ok(scalar(grep { /^ok / } @made), '>=', exhaustive() ? 6 : 1,
    exhaustive() ? 'by all of them' : 'by one at least') or diag(@lines);
is(scalar @made, 6, 'all of them named') or diag(@lines);
note(@made);

done_testing();
