#!/usr/bin/perl

# What each of conf-examples says: how a request ended goes into its log, or it
# says which example has that; and whether names are resolved again.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Util qw(program_root slurp);

my $examples = program_root() . '/conf-examples';

for my $path (glob "$examples/*.conf") {
    my ($name) = $path =~ m{([^/]+)\z};
    my $text = slurp($path);

    like($text, qr/\$segments_outcome/, "$name: outcome");
    like($text, qr/\bresolve[rd]\b/, "$name: names");
    is_deeply([grep { $_ ne 'nginx.conf' && !-e "$examples/$_" }
        $text =~ /^\s*# .*?([\w-]+\.conf)\b/mg], [],
        "$name: names examples that there are");
}

done_testing();
