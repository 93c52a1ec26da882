#!/usr/bin/perl

# How the pages are written: lines that one can read, and compare, in a
# terminal.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Util qw(program_root slurp);

my $COLUMNS = 80;

my $top = program_root();

for my $page (map { s{\A\Q$top\E/}{}r } glob("$top/*.md $top/docs/*.md")) {
    my @lines = split /\n/, slurp("$top/$page"), -1;

    is(pop @lines, '', "$page ends with its last line");
    like($lines[0], qr/^# \w/, "$page begins with what it is");

    is_deeply([grep { /\s\z|\t/ } @lines], [], "$page: blanks");
    is_deeply([grep { too_long($_) } without_code(@lines)], [],
        "$page: columns");
    is((grep { /^```/ } @lines) % 2, 0, "$page: each code ends");

    # a source may move to another folder
    is_deeply([grep { m{\bsrc/\S*\.(?:c|h|lua)\b} } @lines], [],
        "$page: sources by their names");
}

done_testing();


# Rows of tables, a log line and a link cannot be broken.

sub too_long {
    my ($line) = @_;

    return length $line > $COLUMNS && $line !~ /^\|/ && $line !~ /^- `+.*`\z/
        && $line =~ s/^(?:> )?\S+\z//r;
}


sub without_code {
    my (@lines) = @_;

    my ($code, @text) = (0);

    for my $line (@lines) {
        $code = !$code if $line =~ /^```/;
        push @text, $line if !$code;
    }

    return @text;
}
