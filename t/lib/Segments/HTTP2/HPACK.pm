package Segments::HTTP2::HPACK;

# RFC 7541.  Written: literals without indexing and without Huffman codes.
# Read: everything.

use strict;
use warnings;

my @STATIC = (
    [':authority', ''],
    [':method', 'GET'],
    [':method', 'POST'],
    [':path', '/'],
    [':path', '/index.html'],
    [':scheme', 'http'],
    [':scheme', 'https'],
    [':status', '200'],
    [':status', '204'],
    [':status', '206'],
    [':status', '304'],
    [':status', '400'],
    [':status', '404'],
    [':status', '500'],
    ['accept-charset', ''],
    ['accept-encoding', 'gzip, deflate'],
    ['accept-language', ''],
    ['accept-ranges', ''],
    ['accept', ''],
    ['access-control-allow-origin', ''],
    ['age', ''],
    ['allow', ''],
    ['authorization', ''],
    ['cache-control', ''],
    ['content-disposition', ''],
    ['content-encoding', ''],
    ['content-language', ''],
    ['content-length', ''],
    ['content-location', ''],
    ['content-range', ''],
    ['content-type', ''],
    ['cookie', ''],
    ['date', ''],
    ['etag', ''],
    ['expect', ''],
    ['expires', ''],
    ['from', ''],
    ['host', ''],
    ['if-match', ''],
    ['if-modified-since', ''],
    ['if-none-match', ''],
    ['if-range', ''],
    ['if-unmodified-since', ''],
    ['last-modified', ''],
    ['link', ''],
    ['location', ''],
    ['max-forwards', ''],
    ['proxy-authenticate', ''],
    ['proxy-authorization', ''],
    ['range', ''],
    ['referer', ''],
    ['refresh', ''],
    ['retry-after', ''],
    ['server', ''],
    ['set-cookie', ''],
    ['strict-transport-security', ''],
    ['transfer-encoding', ''],
    ['user-agent', ''],
    ['vary', ''],
    ['via', ''],
    ['www-authenticate', ''],
);

# The code is canonical, so the lengths say it all (RFC 7541, appendix B).

my @HUFFMAN_LENGTHS = qw(
    13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28
    28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
    6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6
    5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
    13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7
    7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
    15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5
    6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
    20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23
    24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
    22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23
    21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
    26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25
    19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
    20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23
    26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
);

my %HUFFMAN = huffman_codes();


sub huffman_codes {
    my ($code, $length) = (0, 0);
    my %codes;

    for my $symbol (sort { $HUFFMAN_LENGTHS[$a] <=> $HUFFMAN_LENGTHS[$b]
                           || $a <=> $b } 0 .. 255)
    {
        $code <<= $HUFFMAN_LENGTHS[$symbol] - $length;
        $length = $HUFFMAN_LENGTHS[$symbol];
        $codes{ sprintf "%0${length}b", $code++ } = chr $symbol;
    }

    return %codes;
}


sub new {
    my ($class) = @_;

    return bless { dynamic => [], size => 0, max => 4096 }, $class;
}


sub encode {
    my (@fields) = @_;

    my $block = '';

    while (my ($name, $value) = splice @fields, 0, 2) {
        $block .= "\x00" . string($name) . string($value);
    }

    return $block;
}


sub string {
    my ($bytes) = @_;

    return integer(length $bytes, 7) . $bytes;
}


sub integer {
    my ($n, $bits) = @_;

    my $max = (1 << $bits) - 1;

    return chr $n if $n < $max;

    my $bytes = chr $max;
    $n -= $max;

    while ($n >= 128) {
        $bytes .= chr($n % 128 + 128);
        $n >>= 7;
    }

    return $bytes . chr $n;
}


# a header block as [name, value] pairs

sub decode {
    my ($self, $block) = @_;

    my @fields;

    while (length $block) {
        my $first = ord $block;

        if ($first & 0x80) {
            push @fields, $self->entry(take_integer(\$block, 7));

        } elsif ($first & 0x40) {
            push @fields, $self->literal(\$block, 6);
            $self->insert($fields[-1]);

        } elsif ($first & 0x20) {
            $self->{max} = take_integer(\$block, 5);
            $self->evict;

        } else {
            push @fields, $self->literal(\$block, 4);
        }
    }

    return @fields;
}


sub literal {
    my ($self, $block, $bits) = @_;

    my $index = take_integer($block, $bits);
    my $name = $index ? $self->entry($index)->[0] : take_string($block);

    return [$name, take_string($block)];
}


sub entry {
    my ($self, $index) = @_;

    return ($index <= @STATIC ? $STATIC[$index - 1]
        : $self->{dynamic}[$index - @STATIC - 1]) // die "no entry $index\n";
}


sub insert {
    my ($self, $field) = @_;

    unshift @{ $self->{dynamic} }, $field;
    $self->{size} += 32 + length join '', @$field;
    $self->evict;

    return;
}


sub evict {
    my ($self) = @_;

    while ($self->{size} > $self->{max}) {
        my $field = pop @{ $self->{dynamic} };
        $self->{size} -= 32 + length join '', @$field;
    }

    return;
}


sub take_integer {
    my ($block, $bits) = @_;

    my $max = (1 << $bits) - 1;
    my $n = ord(substr $$block, 0, 1, '') & $max;

    return $n if $n < $max;

    my $shift = 0;

    while (1) {
        my $byte = ord substr $$block, 0, 1, '';

        $n += ($byte & 127) << $shift;
        $shift += 7;
        return $n if $byte < 128;
    }
}


sub take_string {
    my ($block) = @_;

    my $huffman = ord($$block) & 0x80;
    my $length = take_integer($block, 7);
    my $bytes = substr $$block, 0, $length, '';

    return $huffman ? huffman_decode($bytes) : $bytes;
}


sub huffman_decode {
    my ($bytes) = @_;

    my ($text, $code) = ('', '');

    for my $bit (split //, unpack 'B*', $bytes) {
        $code .= $bit;
        next if !defined $HUFFMAN{$code};
        $text .= $HUFFMAN{$code};
        $code = '';
    }

    die "bad padding\n" if $code !~ /\A1{0,7}\z/;

    return $text;
}


1;
