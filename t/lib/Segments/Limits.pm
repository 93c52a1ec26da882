package Segments::Limits;

# What tests of limits do again and again.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(limits earn owed);


# RateLimit-Policy and RateLimit of an answer, each with all its lines; where
# seconds are given, up to a minute less counts as so many

sub limits {
    my ($answer, $seconds) = @_;

    my $text = join ' ', map { join ', ', $answer->headers($_) }
        qw(RateLimit-Policy RateLimit);

    $text =~ s/(?<=;t=)([0-9]+)/
        $1 <= $seconds && $1 > $seconds - 60 ? $seconds : $1/ge if $seconds;

    return $text;
}


# as if so many seconds had passed since

sub earn {
    my ($redis, $key, $seconds) = @_;

    my ($whole, $part) = split / /, $redis->cmd('GET', $key);

    $redis->cmd('SET', $key, join(' ', $whole - 1_000_000 * $seconds, $part),
        'PX', 600_000);

    return;
}


# seconds until nothing is owed

sub owed {
    my ($redis, $key) = @_;

    my ($whole) = split / /, $redis->cmd('GET', $key) // return 0;
    my ($s, $us) = @{ $redis->cmd('TIME') };

    return $whole / 1_000_000 - $s - $us / 1_000_000;
}


1;
