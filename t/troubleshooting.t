#!/usr/bin/perl

# TROUBLESHOOTING.md has every message that the sources can write, and none that
# they cannot.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;

use Segments::Util qw(program_root slurp sources);

my $STRING = qr/"(?:[^"\\\n]|\\.)*"/;
my $PARENTHESES = qr/(\((?:[^()"']|$STRING|'(?:[^'\\]|\\.)*'|(?-1))*\))/;

# in front of what a setter or a reader returns
my $FILLED = qr/\A(?:"\.\.\." directive|key file "\.\.\.") /;

# what nginx' own names for system calls stand for
my %CALL = (
    ngx_open_file_n  => 'open()',
    ngx_read_fd_n    => 'read()',
    ngx_close_file_n => 'close()',
);

# not for the error log: how the contract names violations to a client
my $OF_CLIENTS = qr{/sg_[^/]+\z};

my @sources = grep { !/$OF_CLIENTS/ } sources(qr/\.c\z/);
my %written = map { messages(slurp($_), s{.*/src/}{src/}r) } @sources;
my %documented = map { $_ => 1 } documented();

cmp_ok(scalar(keys %written), '>', 100, 'messages in the sources');

my @missing = grep { !known($_) } sort keys %written;
my @gone = grep { !stands($_) } sort keys %documented;

is(scalar @missing, 0, 'every message is in TROUBLESHOOTING.md')
    or diag(map { "missing ($written{$_}):\n    `$_`\n" } @missing);
is(scalar @gone, 0, 'every message of TROUBLESHOOTING.md is in the sources')
    or diag(map { "not in the sources:\n    `$_`\n" } @gone);

# the words that errors of Redis begin with, each with a row

my @WORDS = qw(MOVED ASK CLUSTERDOWN TRYAGAIN READONLY OOM NOPERM NOAUTH
    WRONGPASS WRONGTYPE MISCONF NOREPLICAS LOADING MASTERDOWN BUSY NOSCRIPT
    CROSSSLOT ERR);

my %rows = rows('What Redis refuses with');
my %known = map { $_ => 1 } @WORDS;

is_deeply([grep { !$rows{$_} } @WORDS], [], 'a row for each word of Redis');
is_deeply([grep { !$known{$_} } sort keys %rows], [], 'and no other row');
is_deeply([grep { 2 != grep { /\w.*\.\z/s } @{ $rows{$_} // [] } } @WORDS], [],
    'what each means, and what to do');
cmp_ok(scalar(words_of_sources()), '>=', 6, 'words that the sources know');
is_deeply([grep { !$rows{$_} } words_of_sources()], [],
    'a row for each word that the sources know');

done_testing();


# a table's rows: the first cell, without its quotes => the others

sub rows {
    my ($heading) = @_;

    my ($section) = slurp(program_root() . '/TROUBLESHOOTING.md')
        =~ /^#+ \Q$heading\E\n(.*?)(?=^#)/ms or return;

    return map {
        my ($word, @cells) = split / \| /;
        ($word =~ tr/`//dr, \@cells);
    } $section =~ /^\| (`.*) \|$/mg;
}


# what the client of Redis compares an error's beginning, or its text, with

sub words_of_sources {
    my %words;

    for my $path (sources(qr/\Angx_redis.*\.c\z/)) {
        my $text = slurp($path);

        $words{$1}++ while $text
            =~ /(?:ngx_redis_(?:begins|contains)|strstr)
                \([^;"]*"-?([A-Z]{3,})\b[ ]?"/gx;
    }

    my @words = sort keys %words;

    return @words;
}


# message => file.  A message is what is logged, or what a directive's setter or
# a reader returns, with "..." for what is filled in.

sub messages {
    my ($text, $file) = @_;

    my @macros = $text =~ /^\#define\s+(\w+)\(\w+,\s*\.\.\.\)[^\n]*\\\n
        [^\n]*log_error\([^\n]*__VA_ARGS__/mgx;
    my $calls = join '|', qw(ngx_log_error ngx_conf_log_error ngx_ssl_error
        ngx_connection_error), @macros;
    my @found;

    $text =~ s{/\*.*?\*/}{}gs;
    $text =~ s/^\#define.*(?:\\\n.*)*//mg;

    while ($text =~ /\b(?:$calls)\s*$PARENTHESES/g) {
        my ($format) = $1 =~ /((?:(?:$STRING|ngx_\w+_n)\s*)+)/ or next;
        push @found, message($format);
    }

    while ($text =~ /\breturn\s+(?:\(char\ \*\)\s*)?((?:$STRING\s*)+);/gx) {
        push @found, message($1);
    }

    # Whatever reads like a message reaches the log by some way, as a reason
    # that is handed on does.  What clients are told begins with a capital
    # letter.

    $text =~ s/\bngx_log_debug\d\s*$PARENTHESES//g;

    while ($text =~ /((?:$STRING\s*)+)/g) {
        my $message = message($1);
        push @found, $message if $message =~ /\A[a-z"].* .* /;
    }

    return map { $_ => $file } @found;
}


sub message {
    my ($format) = @_;

    $format =~ s{\b(ngx_\w+_n)\b}{"\"" . ($CALL{$1} // $1) . "\""}ge;

    return join('', map { substr $_, 1, -1 } $format =~ /$STRING/g)
        =~ s/\\"/"/gr =~ s/%(?:\*|[0-9]+)?(?:u[zilDA]|V|[a-zA-Z])/.../gr
        =~ s/%%/%/gr =~ s/(?:\.\.\.)+/.../gr;
}


# entries are items of a list that have nothing but the message

sub documented {
    my $page = slurp(program_root() . '/TROUBLESHOOTING.md');

    my @entries;

    push @entries, $2 while $page =~ /^- (`+)(.+)\1$/mg;

    return @entries;
}


# A setter's message is the end of one of nginx', a reason that of another's.

sub known {
    my ($message) = @_;

    return $documented{$message}
        || grep { /$FILLED\Q$message\E\z/ } keys %documented;
}


sub stands {
    my ($entry) = @_;

    return $written{$entry}
        || grep { $entry =~ /$FILLED\Q$_\E\z/ } keys %written;
}
