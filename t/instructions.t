#!/usr/bin/perl

# What a request costs: no scenario takes three hundredths more instructions
# than the stored ratio to a bare nginx allows.  bench/instructions --write
# stores.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../bench/lib";
use Segments::Test;

use Bench::Instructions qw(count_instructions ratios setting);
use JSON::PP ();

my $TOLERANCE = 1.03;

plan(skip_all => 'valgrind is not installed')
    if system('valgrind --version > /dev/null 2>&1');

my $stored = JSON::PP->new->decode(
    slurp("$FindBin::Bin/../bench/instructions.json"));
my $expected = $stored->{ratios}{ setting() };

plan(skip_all => 'no numbers are stored for ' . setting()) if !$expected;

my $counted = count_instructions();
my $ratios = ratios($counted);

for my $scenario (sort keys %$ratios) {
    my $allowed = $TOLERANCE * $expected->{$scenario};

    cmp_ok($ratios->{$scenario}, '<=', $allowed, $scenario);
    note "$scenario: $ratios->{$scenario}, stored $expected->{$scenario}";
}

is_deeply([sort keys %$expected], [sort keys %$ratios], 'all scenarios');

done_testing();
