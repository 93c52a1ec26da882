#!/usr/bin/perl

# A short run of the fault harness: what docs/promises.md says holds while
# workers die, sleep and reload, Redis stops, restarts and forgets its scripts,
# the upstream fails in every way, and clients leave.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/fault";
use Plan;
use Short;
use Segments::Test;


my $requests = slow(1) > 1 ? 3000 : 6000;
my $text = fault_run('short', 150, '--requests', $requests,
    '--period', $requests / 8, '--often', 12, '--least', 2,
    '--wait', '500ms');                 # of a part of the copies

my ($sent) = $text =~ /^([0-9]+) requests in /m;

cmp_ok($sent // 0, '>=', $requests, 'requests');

my %count = $text =~ /^    (\S+) +([0-9]+)$/mg;
my @seldom = grep { ($count{$_} // 0) < 2 } Plan::kinds();

is("@seldom", '', 'every kind of fault');

my %answers = $text =~ /^    ([0-9]{3} \S+) +([0-9]+)$/mg;

cmp_ok($answers{"$_"} // 0, '>', 0, $_)
    for '201 recorded', '201 replayed', '409 in-progress', '422 mismatch',
        '504 held', '503 -';

done_testing();
