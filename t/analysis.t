#!/usr/bin/perl

# cppcheck finds nothing in what is written in C, shellcheck nothing in what is
# written for a shell, but for what is named with its reason.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Find qw(find);
use Test::More;

use Segments::Util qw(find_program program_root run slurp spew tempdir);

my $temp = tempdir();

my @cppcheck = ('cppcheck', '--quiet', '--std=c99', '-I', 'src',
    '--enable=warning,style,performance,portability',
    '--library=t/lib/cppcheck.cfg',
    '--template={file}:{line}: {id}: {message}');

my @shellcheck = qw(shellcheck --external-sources --format=gcc);

chdir program_root() or die "no sources: $!";

SKIP: {
    skip 'no cppcheck here', 2 if !there('cppcheck');

    spew("$temp/wrong.c", 'int f(void) { int a[2] = { 0 }; return a[2]; }');

    like(said(@cppcheck, "$temp/wrong.c"), qr/arrayIndexOutOfBounds/,
        'cppcheck sees what is wrong');
    is(said(@cppcheck, '--suppressions-list=t/lib/cppcheck.txt',
            files(qr/\.c\z/)), '', 'cppcheck finds nothing');
}

SKIP: {
    skip 'no shellcheck here', 2 if !there('shellcheck');

    spew("$temp/wrong", "#!/bin/sh\nrm -- \$1\n");

    like(said(@shellcheck, "$temp/wrong"), qr/SC2086/,
        'shellcheck sees what is wrong');

    my @scripts = grep { slurp($_) =~ /\A#!.*\bsh\n/ }
        files(qr{/[\w-]+(?:\.sh)?\z});

    is(said(@shellcheck, qw(config config.make), @scripts), '',
        'shellcheck finds nothing in ' . @scripts . ' scripts');
}

done_testing();


sub there {
    my ($program) = @_;

    return eval { find_program($program) };
}


sub said { return (run(@_))[1] }


sub files {
    my ($names) = @_;

    my @found;

    find({ no_chdir => 1, wanted => sub {
        $File::Find::prune = 1 if m{\A\./(?:build[^/]*|\.git)\z};
        push @found, $_ if -f && /$names/;
    } }, '.');

    return map { s{\A\./}{}r } sort @found;
}
