package Segments::Value;

# The value of a record, by docs/record.md and not by the module's own code.
#
#     my $record = decode($value, $name);     undef: it is none
#     my $value = encode($name, %$record);
#
# A record is a hash: state (claimed, unknown, answered, tombstone), fp and
# token in hexadecimal, and as the state has them from (absent, unknown), ttl,
# term (the lease, as long as it is), status, headers, body, awaited (the
# channels, in braces each), items (all of them, as they stand).

use strict;
use warnings;

use Digest::SHA qw(sha256);

use parent 'Exporter';

our @EXPORT_OK = qw(decode encode item);

my %LETTER = (claimed => 'c', unknown => 'u', answered => 'a',
    tombstone => 't');
my %STATE = reverse %LETTER;

my %USUAL = (
    "\1" => "Content-Type: application/json\n",
    "\2" => "Content-Type: application/json; charset=utf-8\n",
);

my %HEAD = (claimed => 72, unknown => 44, answered => 70, tombstone => 62);


sub decode {
    my ($value, $name) = @_;

    return undef if !defined $value || $value !~ /\A1([cuat])\0([au-])/;

    my %record = (v => 1, state => $STATE{$1});
    my $from = $2;
    my $head = $HEAD{$record{state}};

    return undef if length $value < $head;
    return undef if defined $name && substr($value, 4, 8) ne check($name);

    $record{fp} = unpack 'H*', substr $value, 12, 32;
    $record{token} = unpack 'H*', substr $value, 44, 16 if $head > 44;

    my $items = substr $value, $head;

    if ($record{state} eq 'claimed') {
        return undef if $from eq '-';
        $record{from} = $from eq 'a' ? 'absent' : 'unknown';
        @record{qw(ttl term)} = map { number($_) } unpack 'x60 a6 a6', $value;
        return undef if !$record{ttl} || !$record{term};

    } elsif ($from ne '-') {
        return undef;
    }

    if ($head == 62 || $head == 70) {
        $record{status} = unpack 'x60 n', $value;
        return undef if $record{status} < 200 || $record{status} > 599;
    }

    if ($head == 70) {
        my ($headers, $body) = unpack 'x62 N N', $value;
        return undef if length $items < $headers + $body;

        $record{headers} = substr $items, 0, $headers, '';
        $record{body} = substr $items, 0, $body, '';
        $record{headers} = lines($record{headers});
    }

    $record{items} = $items if length $items;

    while (length $items) {
        return undef if length $items < 3;

        my ($type, $length) = unpack 'C n', $items;
        return undef if length $items < 3 + $length;

        my $item = substr substr($items, 0, 3 + $length, ''), 3;
        $record{awaited} .= "{$item}" if $type == 1;
    }

    return \%record;
}


# some stand there as a byte each; what are no headers stays as it is

sub lines {
    my ($headers) = @_;

    my $lines = '';

    while ($headers =~ /\G(?:([\1\2])|([^\0-\x20:]+: [^\n]*\n))/gc) {
        $lines .= $2 // $USUAL{$1};
    }

    return (pos($headers) // 0) == length $headers ? $lines : $headers;
}


sub encode {
    my ($name, %record) = @_;

    my $state = $record{state};
    my $value = "1$LETTER{$state}\0"
        . ($state eq 'claimed' ? substr $record{from}, 0, 1 : '-')
        . check($name) . pack 'H64', $record{fp};

    $value .= pack 'H32', $record{token} if $state ne 'unknown';
    $value .= bytes($record{ttl}) . bytes($record{term}) if $state eq 'claimed';
    $value .= pack 'n', $record{status} if $state =~ /answered|tombstone/;
    $value .= pack('N N', map { length } @record{qw(headers body)})
        . $record{headers} . $record{body} if $state eq 'answered';

    return $value . ($record{items} // '');
}


sub item {
    my ($type, $bytes) = @_;
    return pack 'C n/a', $type, $bytes;
}


sub check {
    my ($name) = @_;
    return substr sha256($name), 0, 8;
}


sub number {
    my ($high, $low) = unpack 'n N', $_[0];
    return $high * 2 ** 32 + $low;
}


sub bytes {
    my ($n) = @_;
    return pack 'n N', int($n / 2 ** 32), $n % 2 ** 32;
}


1;
