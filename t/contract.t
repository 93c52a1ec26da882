#!/usr/bin/perl

# The contract layer alone, without nginx, under sanitizers.
#
# run: long

use warnings;
use strict;

use Test::More;

use Cwd qw/ abs_path /;
use Digest::SHA qw/ sha256 sha256_hex /;
use Encode qw/ encode_utf8 /;
use File::Basename qw/ basename dirname /;
use File::Path qw/ make_path /;
use FindBin;
use JSON::PP;

use lib "$FindBin::Bin/lib";

use Segments::Util qw/ run sources /;

###############################################################################

my $root = abs_path(dirname(__FILE__) . '/..');
my $build = $ENV{TEST_BUILD_DIR} || "$root/build/unit";
my $vectors = "$root/t/vectors/fingerprint.json";

my @cc = ($ENV{CC} || 'gcc', qw/ -std=c11 -g -O1 -fno-omit-frame-pointer
    -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined
    -Wall -Wextra -Werror /, "-I$root/src", "-I$root/t/unit");
my @libs = qw/ -lcmocka -ljansson -lcrypto -lm /;

# these programs make every allocation fail once

my %flags = (
    test_memory => [ map { "-Wl,--wrap=$_" } qw/ malloc calloc realloc / ]
);

my @sources = sources(qr/\Asg_.*\.c\z/);
my @tests = sort glob "$root/t/unit/test_*.c";
my @headers = sources(qr/\Asg_.*\.h\z/);

plan tests => 4 + 2 * @tests;

make_path($build);

###############################################################################

my @objects = map { object($_) } @sources;

is(scalar(grep { !defined } @objects), 0, 'layer compiles');

# a header is complete by itself

is(join(' ', grep { !includes_alone($_) } @headers), '',
    'headers compile when included first');

for my $test (@tests) {
    my $name = basename($test, '.c');
    my ($rc, $out) = run(@cc, '-o', "$build/$name", $test,
        grep({ defined } @objects), @{ $flags{$name} || [] }, @libs);

    is($rc, 0, "$name compiles") or diag($out);

    SKIP: {
        skip "$name not built", 1 if $rc != 0;
        passes($name);
    }
}

# the published vectors agree with themselves, by another implementation

my $json = do { local $/; open my $fh, '<', $vectors or die $!; <$fh> };
$json = JSON::PP->new->utf8->decode($json);

is(join(', ', map { $_->{name} }
    grep { sha256_hex(encode_utf8($_->{canonical})) ne $_->{sha256} }
    @{ $json->{fingerprint} }), '', 'published fingerprints');

is(join(', ', map { $_->{name} }
    grep { uuid(@$_{qw/scope operation key fingerprint/}) ne $_->{uuid} }
    @{ $json->{upstream_key} }), '', 'published upstream keys');

###############################################################################

sub object {
    my ($source) = @_;

    my $object = "$build/" . basename($source, '.c') . '.o';
    my ($rc, $out) = run(@cc, '-c', '-o', $object, $source);

    diag($out) if $rc != 0;
    return $rc == 0 ? $object : undef;
}

sub includes_alone {
    my ($header) = @_;

    my ($rc, $out) = run(@cc, qw/ -fsyntax-only -x c -include /, $header,
        '/dev/null');

    diag($out) if $rc != 0;
    return $rc == 0;
}

sub passes {
    my ($name) = @_;

    local $ENV{TEST_VECTORS} = $vectors;
    local $ENV{TEST_SERIALIZERS} = "$root/t/vectors/serializers.json";
    local $ENV{ASAN_OPTIONS} = 'detect_leaks=1:allocator_may_return_null=1';
    local $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';
    local $ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';

    my ($rc, $out) = run("$build/$name");

    ok($rc == 0 && $out !~ /Sanitizer|runtime error/, $name)
        or diag("exit status $rc\n$out");
}

sub uuid {
    my ($scope, $operation, $key, $fingerprint) = @_;

    my @parts = map { encode_utf8($_) } $scope, $operation, $key;
    push @parts, pack('H*', $fingerprint);

    my $digest = sha256(join '', map { length($_) . ':' . $_ } @parts);
    my @bytes = unpack 'C16', $digest;

    $bytes[6] = $bytes[6] & 0x0f | 0x80;
    $bytes[8] = $bytes[8] & 0x3f | 0x80;

    return join '-', unpack 'A8 A4 A4 A4 A12',
        join '', map { sprintf '%02x', $_ } @bytes;
}

###############################################################################
