package Bench::Resp;

# Redis' protocol, as far as bytes have to be told apart.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT_OK = qw(command commands replies);


# "SET", "name", "value" as it is sent

sub command {
    return '*' . @_ . "\r\n"
        . join '', map { '$' . length() . "\r\n$_\r\n" } @_;
}


# of what a client sent: [its text, its words] of each command

sub commands {
    my ($bytes) = @_;

    my @commands;
    my $at = 0;

    while ($at < length $bytes) {
        pos($bytes) = $at;
        $bytes =~ /\G\*(\d+)\r\n/gc or die "no command where one begins\n";

        my @words;

        for (1 .. $1) {
            $bytes =~ /\G\$(\d+)\r\n/gc or die "no word where one begins\n";
            push @words, substr $bytes, pos($bytes), $1;
            pos($bytes) += $1 + 2;
        }

        my $end = pos $bytes;

        push @commands, [substr($bytes, $at, $end - $at), @words];
        $at = $end;
    }

    return @commands;
}


# Of what a server sent: each reply that is there as a whole.

sub replies {
    my ($bytes) = @_;

    my @replies;
    my $at = 0;

    while (defined(my $end = reply_end(\$bytes, $at))) {
        push @replies, substr $bytes, $at, $end - $at;
        $at = $end;
    }

    return @replies;
}


sub reply_end {
    my ($bytes, $at) = @_;

    pos($$bytes) = $at;
    $$bytes =~ /\G([-+:\$*])([^\r]*)\r\n/gc or return;

    my ($kind, $n, $end) = ($1, $2, pos $$bytes);

    if ($kind eq '$' && $n >= 0) {
        $end += $n + 2;
        return $end <= length $$bytes ? $end : undef;
    }

    if ($kind eq '*') {
        for (1 .. $n) {
            $end = reply_end($bytes, $end) // return;
        }
    }

    return $end;
}


1;
