#!/usr/bin/perl

# run: once, long

# Short runs of the fault harness with what fault_short.t does not have: a
# cluster, whose slots move to nodes without the scripts and whose masters are
# cut off, and connections to Redis that are forgotten.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/fault";
use Short;
use Segments::Test;


alarm slow(500);

for (
    ['cluster', [qw(move-slot cut-off redis-stop redis-kill)],
     qw(--cluster --period 300 --often 4)],
    ['front', ['forget'],
     '--kinds', 'forget,redis-stop,slow,kill,twins', qw(--period 300)],
) {
    my ($name, $kinds, @options) = @$_;
    my $text = fault_run($name, 240, '--requests', 1500, '--seconds', 90,
        '--wait', '500ms', @options);

    my %count = $text =~ /^    (\S+) +([0-9]+)$/mg;

    cmp_ok($count{$_} // 0, '>', 0, "$name, $_") for @$kinds;

    my %answers = $text =~ /^    ([0-9]{3} \S+) +([0-9]+)$/mg;

    cmp_ok($answers{$_} // 0, '>', 0, "$name, $_")
        for '201 recorded', '201 replayed', '503 -';
}

done_testing();
