#!/usr/bin/perl

# What a create takes of a worker's memory while its upstream has not answered:
# hardly more than it does with proxy_pass alone, and no second block of the
# request's pool, which would be 4 KB.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../bench/lib";
use Segments::Test;

use Bench::Waiting qw(memory_of_waiting);

# bytes: 11.5 KB where bare nginx takes 10

my $MORE = 1536;
my $REQUESTS = 1000;

my $bytes = memory_of_waiting($REQUESTS);
my $more = $bytes->{gateway} - $bytes->{proxy};

note "a create that waits: $bytes->{gateway}, with proxy_pass $bytes->{proxy}";

cmp_ok($bytes->{proxy}, '>', 4096, 'memory of waiting requests is seen');
cmp_ok($more, '<=', $MORE, 'memory of a create beside that of proxy_pass');

done_testing();
