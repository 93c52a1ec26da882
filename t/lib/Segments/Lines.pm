package Segments::Lines;

# Lines of an error log that are written once, and then counted.
#
#     my @lines = told($gateway, $mark);    warnings and worse, from there on
#     counted(qr/refused/, @lines)          how often that happened

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(counted told);


sub told {
    my ($gateway, $mark) = @_;

    return grep { /\[(?:warn|error|crit|alert)\]/ }
        split /\n/, $gateway->error_log($mark);
}


sub counted {
    my ($text, @lines) = @_;

    my $sum = 0;

    for my $line (grep { /$text/ } @lines) {
        $sum += $line =~ / ([0-9]+) times more: / ? $1 : 1;
    }

    return $sum;
}


1;
