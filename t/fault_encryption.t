#!/usr/bin/perl

# A short run of the fault harness with sealed answers and hidden names: their
# keys are replaced while workers die, sleep and reload and Redis stops and
# restarts, and answers are altered in Redis.
#
# run: once, long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/fault";
use Short;
use Segments::Test;

my @KINDS = qw(rotate altered kill stop stop-long reload redis-stop redis-kill
    slow reset-after 5xx-after twins other-body abort-rst);

my $requests = 6000;
my $text = fault_run('encryption', 240, '--policy', 'hold',
    '--requests', $requests, '--kinds', join(',', @KINDS), '--period', 250,
    '--often', 4, '--least', 3);

my ($sent) = $text =~ /^([0-9]+) requests in /m;

cmp_ok($sent // 0, '>=', $requests, 'requests');

my %count = $text =~ /^    (\S+) +([0-9]+)$/mg;

cmp_ok($count{$_} // 0, '>=', 3, $_) for @KINDS;

# each of the keys has sealed, and was opened when others were in use; the last
# rotation may not have come to its end

my ($sealed) = $text =~ /^    ((?:[0-9a-f]{4}: [0-9]+ ?)+)$/m;
my @sealed = ($sealed // '') =~ /: ([0-9]+)/g;

cmp_ok(scalar @sealed, '>=', 3, 'sealing keys');
is((grep { $_ == 0 } @sealed[0 .. $#sealed - 1]), 0, 'each has sealed answers')
    or diag($sealed);

cmp_ok(($text =~ /^opened with a key that was not in use any more: (\d+)/m)[0]
    // 0, '>', 0, 'an older key has opened some');

my ($altered, $refused) = $text =~ /^altered: (\d+), refused: (\d+)$/m;

cmp_ok($refused // 0, '>', 0, 'altered answers are refused');

done_testing();
