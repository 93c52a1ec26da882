#!/usr/bin/perl

# What a newcomer reads first is short, and as true as the files that it shows.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Process;
use Segments::Util qw(program_root slurp tempdir);

my $LINES = 200;

my $top = program_root();
my $page = slurp("$top/README.md");

cmp_ok($page =~ tr/\n//, '<=', $LINES, "no more than $LINES lines");

my ($first) = $page =~ /\A((?:.*\n){20})/;

like($first, qr{\(docs/gateway\.svg\)}, 'the picture is on the first screen');
is(drawn(), slurp("$top/docs/gateway.svg"),
    'the picture is what tools/diagram draws');

my ($shown) = $page =~ /^```nginx\n(segments_redis .*?)^```\n/ms;

is($shown, slurp("$top/conf-examples/gateway.conf") =~ s/^#.*\n//mgr
    =~ s/\A\n+//r, 'the configuration is that of conf-examples/gateway.conf');

for my $command ($page =~ m{^\./([\w-]+)$}mg) {
    ok(-x "$top/$command", "there is ./$command");
}

my ($promises) = $page =~ /^## What is promised\n(.*?)^## /ms;

is(() = $promises =~ /^- \*\*/mg, 6, 'six promises');

done_testing();


sub drawn {
    my $output = tempdir() . '/diagram';

    Segments::Process->spawn(name => 'diagram', output => $output,
        argv => ["$top/tools/diagram"])->wait(30);

    return slurp($output);
}
