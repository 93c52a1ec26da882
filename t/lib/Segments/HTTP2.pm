package Segments::HTTP2;

# A small HTTP/2 client with prior knowledge.
#
#     my $c = h2($port);
#     my $answer = $c->request('POST', '/v4/segments', body => '{}');
#     my $id = $c->send_request('POST', '/v4/segments', body => '{}');
#     $c->reset($id);   $c->close;
#     my $answer = $c->read_response($id);
#
# Options as in Segments::HTTP; besides, end => 0 leaves the stream open for
# send_data().  An answer has "rst" (an error code) where the server reset the
# stream before its end.

use strict;
use warnings;

use Carp qw(croak);
use JSON::PP ();
use Time::HiRes qw(time);

use Segments::HTTP;
use Segments::HTTP::Response;
use Segments::HTTP2::HPACK;
use Segments::Util qw(slow);

my %TYPES = (DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6,
    GOAWAY => 7, WINDOW_UPDATE => 8, CONTINUATION => 9);
my %NAMES = reverse %TYPES;

my ($ACK, $END_STREAM, $END_HEADERS, $PADDED) = (1, 1, 4, 8);


sub connect {
    my ($class, $address, %args) = @_;

    $address = $address->address if ref $address;

    my $self = bless {
        http    => Segments::HTTP->connect($address, %args),
        timeout => slow($args{timeout} // 15),
        in      => '',
        next_id => 1,
        streams => {},
        hpack   => Segments::HTTP2::HPACK->new,
        window  => 65535,
        initial => 65535,
    }, $class;

    $self->{http} or return;
    $self->{http}->send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    $self->send_frame('SETTINGS', 0, 0, '');

    return $self;
}


sub send_frame {
    my ($self, $type, $flags, $stream, $payload) = @_;

    return $self->{http}->send(substr(pack('N', length $payload), 1)
        . pack('CCN', $TYPES{$type}, $flags, $stream) . $payload);
}


# returns the stream's id

sub send_request {
    my ($self, $method, $uri, %args) = @_;

    my $id = $self->{next_id};
    my $body = $args{body};
    my $end = $args{end} // 1;

    $body = JSON::PP->new->utf8->canonical->encode($body) if ref $body;

    my @fields = (':method' => $method, ':scheme' => 'http', ':path' => $uri,
        ':authority' => 'localhost', fields_of(\%args, $body));

    $self->{next_id} += 2;
    $self->{streams}{$id} = { window => $self->{initial}, body => '',
                              interim => [] };

    $self->send_frame('HEADERS', $END_HEADERS
        | (!defined $body && $end ? $END_STREAM : 0), $id,
        Segments::HTTP2::HPACK::encode(@fields));

    $self->send_data($id, $body, $end) if defined $body;

    return $id;
}


sub fields_of {
    my ($args, $body) = @_;

    my %given;
    my @headers = @{ $args->{headers} // [] };
    my @fields;

    while (my ($name, $value) = splice @headers, 0, 2) {
        $given{ lc $name } = 1;
        push @fields, lc $name, $value if defined $value;
    }

    my %added = (
        'idempotency-key' => $args->{key},
        'x-mock'          => $args->{mock},
        'content-type'    => defined $body ? 'application/json' : undef,
    );

    for my $name (grep { defined $added{$_} && !$given{$_} } sort keys %added) {
        push @fields, $name, $added{$name};
    }

    return @fields;
}


# as the windows allow

sub send_data {
    my ($self, $id, $bytes, $end) = @_;

    my $deadline = time + $self->{timeout};
    my $stream = $self->{streams}{$id};

    while (1) {
        my $room = length $bytes;

        for my $limit ($self->{window}, $stream->{window}, 16384) {
            $room = $limit if $limit < $room;
        }

        if ($room <= 0 && length $bytes) {
            return if $stream->{ended} || $self->{closed};
            $self->read_frame($deadline - time)
                or croak 'no window for the body';
            next;
        }

        my $piece = substr $bytes, 0, $room, '';
        my $last = !length $bytes;

        $self->{window} -= $room;
        $stream->{window} -= $room;
        $self->send_frame('DATA', ($end // 1) && $last ? $END_STREAM : 0, $id,
            $piece);

        last if $last;
    }

    return;
}


sub request {
    my ($self, $method, $uri, %args) = @_;

    return $self->read_response($self->send_request($method, $uri, %args),
        $args{timeout} ? slow($args{timeout}) : ());
}


# undef where none came in time, or the connection was closed before

sub read_response {
    my ($self, $id, $seconds) = @_;

    my $deadline = time + ($seconds // $self->{timeout});
    my $stream = $self->{streams}{$id} or croak "no stream $id";

    while (!$stream->{ended}) {
        $self->read_frame($deadline - time) or return;
    }

    return $stream->{response} if $stream->{response};
    return bless { status => 0, fields => [], body => '', interim => [],
                   rst => $stream->{rst} }, 'Segments::HTTP2::Response';
}


# false: nothing in time, or closed

sub read_frame {
    my ($self, $seconds) = @_;

    my $deadline = time + $seconds;

    while (1) {
        if (length $self->{in} >= 9) {
            my $length = unpack 'N', "\0" . $self->{in};
            last if length $self->{in} >= 9 + $length;
        }

        my $bytes = $self->{http}->read_bytes($deadline - time);

        if (!defined $bytes || $bytes eq '') {
            $self->{closed} = 1 if defined $bytes;
            return 0;
        }

        $self->{in} .= $bytes;
    }

    my $length = unpack 'N', "\0" . $self->{in};
    my ($type, $flags, $id) = unpack 'x3 C C N', $self->{in};
    my $payload = substr $self->{in}, 9, $length;

    substr $self->{in}, 0, 9 + $length, '';

    $self->handle($NAMES{$type} // '', $flags, $id, $payload);

    return 1;
}


sub handle {
    my ($self, $type, $flags, $id, $payload) = @_;

    my $stream = $self->{streams}{$id};

    if ($type eq 'SETTINGS') {
        $self->settings($payload) if !($flags & $ACK);

    } elsif ($type eq 'PING') {
        $self->send_frame('PING', $ACK, 0, $payload) if !($flags & $ACK);

    } elsif ($type eq 'WINDOW_UPDATE') {
        my $target = $id ? $stream : $self;
        $target->{window} += unpack('N', $payload) if $target;

    } elsif ($type eq 'GOAWAY') {
        $self->{goaway} = unpack 'x4 N', $payload;

    } elsif ($type eq 'RST_STREAM' && $stream) {
        $stream->{rst} = unpack 'N', $payload;
        $stream->{response}{rst} = $stream->{rst} if $stream->{response};
        $stream->{ended} = 1;

    } elsif ($type eq 'HEADERS' || $type eq 'CONTINUATION') {
        $self->headers($stream, $flags, $payload);

    } elsif ($type eq 'DATA' && $stream) {
        $payload = substr $payload, 1, -ord($payload) || length $payload
            if $flags & $PADDED;
        $stream->{response}{body} .= $payload;
        $stream->{ended} = 1 if $flags & $END_STREAM;

        # the windows never close
        if (length $payload) {
            my $size = pack 'N', length $payload;
            $self->send_frame('WINDOW_UPDATE', 0, 0, $size);
            $self->send_frame('WINDOW_UPDATE', 0, $id, $size)
                if !$stream->{ended};
        }
    }

    return;
}


sub settings {
    my ($self, $payload) = @_;

    while (length $payload) {
        my ($name, $value) = unpack 'n N', substr $payload, 0, 6, '';
        next if $name != 4;

        for my $stream (values %{ $self->{streams} }) {
            $stream->{window} += $value - $self->{initial};
        }

        $self->{initial} = $value;
    }

    return $self->send_frame('SETTINGS', $ACK, 0, '');
}


sub headers {
    my ($self, $stream, $flags, $payload) = @_;

    $self->{block} .= $payload;
    $self->{block_ends} ||= $flags & $END_STREAM;

    return if !($flags & $END_HEADERS);

    my @fields = $self->{hpack}->decode(delete $self->{block});
    my $ends = delete $self->{block_ends};

    return if !$stream;

    my ($status) = map { $_->[1] } grep { $_->[0] eq ':status' } @fields;

    if (defined $status) {
        my $response = bless {
            status  => $status,
            version => '2',
            fields  => [grep { $_->[0] !~ /\A:/ } @fields],
            body    => '',
            interim => $stream->{interim},
        }, 'Segments::HTTP2::Response';

        if ($status =~ /\A1/) {
            push @{ $stream->{interim} }, $response;
            return;
        }

        $stream->{response} = $response;
    }

    $stream->{ended} = 1 if $ends;

    return;
}


# RST_STREAM; 8 is CANCEL

sub reset {
    my ($self, $id, $code) = @_;

    return $self->send_frame('RST_STREAM', 0, $id, pack 'N', $code // 8);
}


# The same, and returns when the gateway has read it: what comes behind on the
# connection is answered.

sub reset_read {
    my ($self, $id) = @_;

    $self->reset($id);

    my $answer = $self->request('PATCH', '/v4/segments');

    $answer && $answer->status == 405 or die 'not answered';

    return;
}


sub goaway {
    my ($self) = @_;

    return $self->send_frame('GOAWAY', 0, 0, pack 'NN', 0, 0);
}


# the code of the server's GOAWAY, undef before

sub goaway_received { return $_[0]{goaway} }


# FIN, or RST

sub close {
    my ($self, %args) = @_;

    return $args{reset} ? $self->{http}->reset : $self->{http}->close;
}


package Segments::HTTP2::Response;

use parent -norequire, 'Segments::HTTP::Response';

sub rst { return $_[0]{rst} }


1;
