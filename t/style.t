#!/usr/bin/perl

# How the sources are written: lines that one can read in a terminal, a comment
# that says what a file is about, two blank lines between functions.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Find qw(find);
use Test::More;

use Segments::Util qw(program_root slurp sources);

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

# What the system declares depends on what nginx defines before: where nginx is
# used, its own header is the first.

my %text = map { s{.*/src/}{}r => slurp($_) } grep { /[ch]\z/ } @sources;

is_deeply([grep { (first_of($_) // 'ngx_config.h') !~ /\Angx_/ }
    grep { !m{^(?:contract|redis/reply)/} }
    grep { !m{/ngx_redis_(?:straight|verdict|words)\.} }
    sort keys %text], [], "nginx' header comes first");

# what is written for the tests and the bench, data left out

my $top = program_root();

for my $path (programs()) {
    my @lines = split /\n/, slurp($path);

    utf8::decode($_) for @lines;

    is(join("\n", grep { length > $COLUMNS || /[ \t]\z/ } @lines), '',
        $path =~ s{\A\Q$top\E/}{}r);
}

done_testing();


# the system's header that a source comes to first, by way of others

sub first_of {
    my ($name, %seen) = @_;

    for ($text{$name} =~ /^#\s*include ([<"][^>"]+)/mg) {
        my ($bracket, $header) = /^(.)(.*)/;

        next if $header eq 'stddef.h';      # the compiler's own

        return $header if $bracket eq '<';
        next if !$text{$header} || $seen{$header};

        my $first = first_of($header, %seen, $name => 1);

        return $first if defined $first;
    }

    return undef;
}


sub programs {
    my @found = ("$top/run-tests", "$top/quickstart");

    find({ no_chdir => 1, wanted => sub {
        $File::Find::prune = 1 if m{/corpus\z};
        push @found, $_ if -f && m{(?:\.(?:t|pm|pl|py|lua|[ch])|/[\w-]+)\z};
    } }, map { "$top/$_" } qw(bench t tools));

    return sort @found;
}
