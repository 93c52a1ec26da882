#!/usr/bin/perl

# conf-examples/compose.yaml and container.conf: every file that they name is
# there, or made by the operator.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Util qw(program_root slurp);

my $dir = program_root() . '/conf-examples';
my $compose = slurp("$dir/compose.yaml");
my $said = join '', $compose =~ /^(#.*\n)/mg;
my %defined = map { $_ => 1 } $compose =~ /^  ([\w-]+):\n    file:/mg;

unlike($compose, qr/\t/, 'compose: no tab');

for my $file ($compose =~ m{^      - \./([^:]+):}mg) {
    ok(-e "$dir/$file", "compose: $file");
}

for my $file ($compose =~ m{file: \./secrets/(\S+)}g) {
    like($said, qr/^#     \Q$file\E  /m, "compose: says what $file is");
}

for my $list ($compose =~ /^    secrets:\n((?:      - .*\n)+)/mg) {
    ok($defined{$_}, "compose: secret $_") for $list =~ /- (\S+)/g;
}

my $conf = slurp("$dir/container.conf");

for my $path ($conf =~ m{/run/secrets/([\w-]+)}g) {
    ok($defined{$path}, "container.conf: secret $path");
}

done_testing();
