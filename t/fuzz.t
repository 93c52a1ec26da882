#!/usr/bin/perl

# Fuzzing of the contract layer, and of what the Redis client reads, for a
# bounded time, from a corpus of seeds.
# TEST_FUZZ_SECONDS is the time for each target.
#
# run: long

use warnings;
use strict;

use Test::More;

use Cwd qw/ abs_path /;
use File::Basename qw/ basename dirname /;
use File::Copy qw/ copy /;
use File::Path qw/ make_path /;
use File::Temp qw/ tempdir /;
use FindBin;
use MIME::Base64 qw/ encode_base64 /;

use lib "$FindBin::Bin/lib";

use Segments::Util qw/ exhaustive run sources /;

###############################################################################

my $root = abs_path(dirname(__FILE__) . '/..');
my $build = $ENV{TEST_BUILD_DIR} || "$root/build/fuzz";
my $seconds = $ENV{TEST_FUZZ_SECONDS} || (exhaustive() ? 60 : 2);

# other compilers have no fuzzer: without clang's this has to fail

my @cc = ($ENV{FUZZ_CC} || 'clang', qw/ -std=c11 -g -O1
    -fno-omit-frame-pointer -fsanitize=fuzzer-no-link -fsanitize=address
    -fsanitize=undefined -fno-sanitize-recover=undefined
    -Wall -Wextra -Werror /, "-I$root/src", "-I$root/t/fuzz",

    # small enough to be met by small inputs

    qw/ -DSG_CURSOR_USUAL=10 -DSG_CURSOR_OVERLAP=150
    -DSG_CURSOR_HEAD=200 /);
my @libs = qw/ -ljansson -lhiredis -lcrypto -lm /;

my @sources = (sources(qr/\A(?:sg_.*|ngx_redis_(?:expect|facts|parse
    |reader|sieve|slot|straight|swift|verdict|words))\.c\z/x),
    "$root/t/fuzz/strict.c", "$root/t/fuzz/plain.c");
my @targets = sort glob "$root/t/fuzz/fuzz_*.c";

plan tests => 3 * @targets;

make_path($build);

# what the targets share is compiled once

my @objects = map { object($_) } @sources;

###############################################################################

for my $source (@targets) {
    my ($target) = basename($source) =~ /^fuzz_(\w+)\.c$/;

    my ($rc, $out) = run(@cc, '-fsanitize=fuzzer', '-o', "$build/fuzz_$target",
        $source, @objects, @libs);

    is($rc, 0, "$target target builds") or diag($out);

    my $temp = tempdir(CLEANUP => 1);
    my $seeds = seed($target, "$temp/corpus");

    ($rc, $out) = $rc == 0 ? fuzz($target, $temp) : (-1, 'not built');

    ok($rc == 0 && $out !~ /Sanitizer|runtime error/, "$target properties hold")
        or diag("exit status $rc\n$out" . artifacts($temp));

    # the seeds were run, and more than they

    my ($runs) = $out =~ /^stat::number_of_executed_units:\s*(\d+)/m;
    cmp_ok($runs || 0, '>', $seeds || 1e9, "$target inputs were tried");
}

###############################################################################

# named also where it could not be made: then no target can be linked

sub object {
    my ($source) = @_;

    my $object = "$build/" . basename($source, '.c') . '.o';

    unlink $object;

    my ($rc, $out) = run(@cc, '-c', '-o', $object, $source);
    diag($out) if $rc != 0;

    return $object;
}

sub seed {
    my ($target, $dir) = @_;

    make_path($dir);

    my @seeds = glob "$root/t/fuzz/corpus/$target/*";
    copy($_, $dir) or die "copy $_: $!" for @seeds;

    return scalar @seeds;
}

sub fuzz {
    my ($target, $temp) = @_;

    my $dict = "$root/t/fuzz/$target.dict";

    return run("$build/fuzz_$target", "-max_total_time=$seconds",
        '-max_len=4096', '-timeout=10', '-rss_limit_mb=1024',
        '-print_final_stats=1', '-verbosity=0', "-artifact_prefix=$temp/",
        -e $dict ? "-dict=$dict" : (), "$temp/corpus");
}

# what to keep as a seed once the bug is mended

sub artifacts {
    my ($temp) = @_;

    my $text = '';

    for my $file (grep { -f } glob "$temp/*") {
        open my $fh, '<:raw', $file or next;
        my $bytes = do { local $/; <$fh> };
        $text .= basename($file) . ', base64: ' . encode_base64($bytes);
    }

    return $text;
}

###############################################################################
