#!/usr/bin/perl

# Whoever follows a link of a page arrives: the file is there, and the heading.
# And so is every file that a page names.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Basename qw(dirname);
use Test::More;

use Segments::Util qw(program_root slurp sources);

my $top = program_root();
my @pages = map { s{\A\Q$top\E/}{}r } glob("$top/*.md $top/docs/*.md");
my %text = map { $_ => without_code(slurp("$top/$_")) } @pages;
my %anchors = map { $_ => { map { $_ => 1 } anchors($text{$_}) } } @pages;
my %linked = ('README.md' => 1);
my $count = 0;

for my $page (@pages) {
    my @links = links($text{$page});

    $count += @links;

    is_deeply([grep { !arrives($page, $_) } @links], [], "links of $page");
    is_deeply([twice($text{$page})], [], "no heading of $page stands twice");
    is_deeply([grep { !is_there($_) } files(slurp("$top/$page"))], [],
        "files of $page");
}

cmp_ok($count, '>', 100, 'links');
is_deeply([grep { !$linked{$_} } @pages], [], 'a link leads to every page');

done_testing();


# A page of another host is not asked for.

sub arrives {
    my ($page, $link) = @_;

    return 1 if $link =~ m{\Ahttps?://};

    my ($path, $anchor) = $link =~ /\A([^#]*)(?:#(.+))?\z/ or return 0;
    my $file = length $path ? below(dirname($page), $path) : $page;

    return 0 if !-e "$top/$file";

    $linked{$file} = 1;

    return !defined $anchor || ($anchors{$file} && $anchors{$file}{$anchor});
}


# "docs", "../README.md" => "README.md"

sub below {
    my ($dir, $path) = @_;

    my @names = grep { $_ ne '.' } split(m{/}, $dir), split(m{/}, $path);
    my @way;

    for my $name (@names) {
        if ($name eq '..') {
            @way or return '..';        # out of the checkout
            pop @way;
            next;
        }

        push @way, $name;
    }

    return join '/', @way;
}


# what looks like a file of ours, by its path or, if it is a source, by its name

sub files {
    my ($text) = @_;

    return $text =~ m{(?<![\w./-])
        ((?:t|tools|bench|docs|conf-examples)/\w[\w./-]*\w (?!\S*\.\.\.)
        | (?:ngx_redis|ngx_http_segments|sg)_\w+\.[ch]\b)}gx;
}


sub is_there {
    my ($file) = @_;

    return $file =~ m{/} ? -e "$top/$file" : @{[sources(qr/\A\Q$file\E\z/)]};
}


sub without_code {
    my ($text) = @_;

    $text =~ s/^```.*?^```$//gms;

    return $text;
}


# The text of a link may go on in the next line, and have brackets in quotes.

sub links {
    my ($text) = @_;

    $text =~ s/`[^`\n]*`/code/g;

    return $text =~ /\]\(([^)\s]+)\)/g;
}


# as GitHub makes them of headings: lower case, "-" for a space, no punctuation

sub anchors {
    my ($text) = @_;

    return map { lc s/[^\w\- ]//gr =~ tr/ /-/r } headings($text);
}


sub headings {
    my ($text) = @_;

    return $text =~ /^#+ (.+)$/mg;
}


sub twice {
    my ($text) = @_;

    my %seen;

    return grep { $seen{$_}++ } anchors($text);
}
