package Segments::Seal;

# What a key file makes, by docs/record.md and not by the module's own code.
#
#     key_id($secret)                       8 bytes: which key sealed an answer
#     hidden_scope($secret, $scope)         32 digits each, in a name
#     hidden_key($secret, $scope, $key)
#     hidden_limit($secret, $value)
#     seal_of($value)                       id and salt of a sealed answer; none
#                                           where it is not

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex);

use parent 'Exporter';

our @EXPORT_OK = qw(hidden_key hidden_limit hidden_scope key_id seal_of);


sub key_id { return substr made($_[0], 'key id'), 0, 8 }

sub hidden_scope { return digits($_[1], made($_[0], 'scope')) }

sub hidden_limit { return digits($_[1], made($_[0], 'limit')) }


sub hidden_key {
    my ($secret, $scope, $key) = @_;

    return digits(pack('Q>', length $scope) . $scope . $key,
        made($secret, 'key'));
}


sub digits { return substr hmac_sha256_hex(@_), 0, 32 }


# HKDF, without a salt

sub made {
    my ($secret, $label) = @_;

    return hmac_sha256("segments: $label\1", hmac_sha256($secret, "\0" x 32));
}


sub seal_of {
    my ($value) = @_;

    return if substr($value, 0, 3) ne "1a\1";

    my ($headers, $body) = unpack 'x62 N N', $value;
    my $items = substr $value, 70 + $headers + $body;

    while (length $items >= 3) {
        my ($type, $length) = unpack 'C n', $items;
        my $item = substr substr($items, 0, 3 + $length, ''), 3;

        return unpack 'a8 a16', $item if $type == 2;
    }

    return;
}


1;
