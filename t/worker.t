#!/usr/bin/perl

# What a worker has of its own: timers of one length in one queue, in a random
# order against what they are to do, and blocks of memory that are kept.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program program_root);

my $objects = ($ENV{BUILD} // program_root() . '/build') . '/objs';
my $nginx = '/usr/share/nginx/src';
my $program = tempdir() . '/worker';

my @include = map { m{^/} ? "-I$_" : "-I$nginx/$_" }
    slurp("$objects/Makefile") =~ /-I (\S+)/g;

is(run([find_program('cc'), qw(-g -O1 -fsanitize=undefined
    -fno-sanitize-recover=undefined -o), $program, @include,
    program_root() . '/t/lib/worker.c']), '', 'compiled');

my @lines = split /\n/, run([$program]);

is(scalar @lines, 18, 'checks in a program of their own');

for my $line (@lines) {
    my ($not, $name) = $line =~ /\A(not )?ok [0-9]+ - (.*)\z/;

    ok(defined $name && !$not, $name // $line);
}

done_testing();


sub run {
    my ($argv) = @_;

    my $output = tempdir() . '/output';
    my $process = Segments::Process->spawn(name => $argv->[0], argv => $argv,
        output => $output);

    ok($process->wait(120) && $process->status == 0, "$argv->[0] succeeds");

    return slurp($output);
}
