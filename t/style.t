#!/usr/bin/perl

# How the sources are written: lines that one can read in a terminal, a comment
# that says what a file is about, two blank lines between functions.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Util qw(slurp sources);

my $COLUMNS = 80;

my @sources = sources(qr/\.(?:c|h|lua)\z/);

cmp_ok(scalar(@sources), '>', 100, 'sources');

for my $source (@sources) {
    my $name = $source =~ s{.*/src/}{}r;
    my $text = slurp($source);
    my @lines = split /\n/, $text;

    my @wrong = (
        (map { "too long: $_" } grep { length > $COLUMNS } @lines),
        (map { "blanks: $_" } grep { /[ \t]\z|\t/ } @lines),
        ($text =~ m{\A(?:\n?/\*|-- )} ? () : 'no comment at its beginning'),
        ($text =~ /[^\n]\n\z/ ? () : 'no line at its end'),
        ($name =~ /\.c\z/ && $text =~ /^\}\n(?:\n?|\n{3,})(?=[^\s#])/m
            ? 'functions apart by other than two lines' : ()),
    );

    is("@wrong", '', $name);
}

done_testing();
