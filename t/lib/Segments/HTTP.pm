package Segments::HTTP;

# A raw HTTP/1.1 client: what is sent is what the test wrote.
#
#     my $answer = http($port, 'POST', '/v4/segments', body => '{}');
#     my $c = Segments::HTTP->connect($port);
#     $c->send_request('GET', '/');   $c->send("...");   $c->read_response;
#     my @answers = parallel(map { [$port, 'GET', '/'] } 1 .. 200);
#
# An address is a port on 127.0.0.1, "host:port" or the path of a unix socket.
# Options of a request: headers => [Name => value, ...] (undef leaves out one
# that would be added), body => bytes or a structure to encode, chunked => 1 or
# [pieces], version => '1.0', mock => 'status=500' (see Segments::Upstream),
# key => Idempotency-Key, timeout => seconds.

use strict;
use warnings;

use Carp qw(croak);
use Errno qw(EAGAIN EINPROGRESS EINTR EWOULDBLOCK);
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use Segments::HTTP::Response;
use Segments::Util qw(slow);

our @EXPORT_OK = qw(http parallel request_bytes);

$SIG{PIPE} = 'IGNORE';


sub connect {
    my ($class, $address, %args) = @_;

    my $socket = open_socket($address) or return;

    return bless {
        socket  => $socket,
        parser  => Segments::HTTP::Response->parser,
        timeout => slow($args{timeout} // 15),
    }, $class;
}


sub open_socket {
    my ($address) = @_;

    if ($address =~ m{/}) {
        return IO::Socket::UNIX->new(Peer => $address);
    }

    my ($host, $port) = $address =~ /\A(?:(.*):)?([0-9]+)\z/
        or croak "bad address $address";

    my $socket = IO::Socket::INET->new(PeerAddr => $host // '127.0.0.1',
        PeerPort => $port, Proto => 'tcp') or return;

    $socket->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);

    return $socket;
}


sub request_bytes {
    my ($method, $uri, %args) = @_;

    my %given;
    my @headers = @{ $args{headers} // [] };
    my $body = $args{body};

    if (ref $body) {
        $body = JSON::PP->new->utf8->canonical->encode($body);
    }

    for (my $i = 0; $i < @headers; $i += 2) {
        $given{ lc $headers[$i] } = 1;
    }

    my @added = (Host => 'localhost');
    push @added, 'Idempotency-Key' => $args{key} if defined $args{key};
    push @added, 'X-Mock' => $args{mock} if defined $args{mock};
    push @added, 'Content-Type' => 'application/json' if defined $body;

    if ($args{chunked}) {
        push @added, 'Transfer-Encoding' => 'chunked';

    } elsif (defined $body) {
        push @added, 'Content-Length' => length $body;
    }

    push @added, Connection => 'close' if $args{close};

    my $text = "$method $uri HTTP/" . ($args{version} // '1.1') . "\r\n";

    while (my ($name, $value) = splice @added, 0, 2) {
        $text .= "$name: $value\r\n" if !$given{ lc $name };
    }

    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n" if defined $value;
    }

    return $text . "\r\n" . body_bytes($body, $args{chunked});
}


sub body_bytes {
    my ($body, $chunked) = @_;

    return $body // '' if !$chunked;

    my @pieces = ref $chunked ? @$chunked : grep { length } $body // '';

    return join '', map({ sprintf "%x\r\n%s\r\n", length, $_ } @pieces),
        "0\r\n\r\n";
}


# all of it; false once the peer has closed

sub send {
    my ($self, $bytes) = @_;

    my $deadline = time + $self->{timeout};

    while (length $bytes) {
        IO::Select->new($self->{socket})->can_write($deadline - time)
            or croak 'cannot send: time-out';

        my $n = syswrite $self->{socket}, $bytes;

        if (!defined $n) {
            next if $! == EINTR;
            return 0;
        }

        substr $bytes, 0, $n, '';
    }

    return 1;
}


sub send_request {
    my ($self, $method, $uri, %args) = @_;

    $self->{parser}->expect($method);

    return $self->send(request_bytes($method, $uri, %args));
}


sub request {
    my ($self, $method, $uri, %args) = @_;

    $self->send_request($method, $uri, %args);

    return $self->read_response($args{timeout} ? slow($args{timeout}) : ());
}


# undef where the peer closed, or nothing came, before a status line.  A reply
# to "HEAD" sent by send() alone: read_response(undef, 'HEAD').

sub read_response {
    my ($self, $seconds, $method) = @_;

    my $deadline = time + ($seconds // $self->{timeout});

    $self->{parser}->expect($method) if $method;

    while (1) {
        my $response = $self->{parser}->next;
        return $response if $response;

        my $bytes = $self->read_bytes($deadline - time);

        return if !defined $bytes;
        return $self->{parser}->finish if $bytes eq '';

        $self->{parser}->feed($bytes);
    }
}


# undef: nothing in time; '': closed, or reset

sub read_bytes {
    my ($self, $seconds) = @_;

    $seconds = 0 if $seconds < 0;

    IO::Select->new($self->{socket})->can_read($seconds) or return;

    my $n = sysread $self->{socket}, my $bytes, 65536;

    if (!defined $n) {
        $self->{reset} = $!{ECONNRESET} ? 1 : 0;
        return '';
    }

    return $bytes;
}


# true once the peer has closed; what else it sends until then is thrown away

sub wait_closed {
    my ($self, $seconds) = @_;

    my $deadline = time + slow($seconds // 10);

    while (time < $deadline) {
        my $bytes = $self->read_bytes($deadline - time);
        return 1 if defined $bytes && $bytes eq '';
    }

    return 0;
}


# nothing to read and not closed: the connection can carry another request

sub usable {
    my ($self) = @_;

    return !IO::Select->new($self->{socket})->can_read(0);
}


sub was_reset {
    my ($self) = @_;

    return $self->{reset} // 0;
}


sub shutdown_write {
    my ($self) = @_;

    return shutdown $self->{socket}, 1;
}


sub close {
    my ($self) = @_;

    return CORE::close $self->{socket};
}


# RST instead of FIN

sub reset {
    my ($self) = @_;

    $self->{socket}->setsockopt(SOL_SOCKET, SO_LINGER, pack 'll', 1, 0);

    return CORE::close $self->{socket};
}


# one request on a connection of its own

sub http {
    my ($address, $method, $uri, %args) = @_;

    my $c = Segments::HTTP->connect($address, %args) or return;

    return $c->request($method, $uri, close => 1, %args);
}


# All at once; the answers in the order of the requests, undef where none came.

sub parallel {
    my @all = map { start_one(@$_) } @_;

    my $deadline = time + slow(60);
    my %running = map { fileno $_->{socket} => $_ } grep { $_->{socket} } @all;
    my $readable = IO::Select->new(map { $_->{socket} } values %running);
    my $writable = IO::Select->new(map { $_->{socket} } values %running);

    while (%running && time < $deadline) {
        my ($r, $w) = IO::Select->select($readable, $writable, undef, 1);

        for my $socket (@{ $w // [] }) {
            my $one = $running{ fileno $socket } or next;
            my $n = syswrite $socket, $one->{out};

            substr $one->{out}, 0, $n, '' if $n;
            $writable->remove($socket) if !defined $n || !length $one->{out};
        }

        for my $socket (@{ $r // [] }) {
            my $one = $running{ fileno $socket };
            my $n = sysread $socket, my $bytes, 65536;

            $one->{parser}->feed($bytes) if $n;
            $one->{response} = $one->{parser}->next;
            next if $n && !$one->{response};

            $one->{response} //= $one->{parser}->finish;

            delete $running{ fileno $socket };
            $readable->remove($socket);
            $writable->remove($socket);
            CORE::close $socket;
        }
    }

    return map { $_->{response} } @all;
}


sub start_one {
    my ($address, $method, $uri, %args) = @_;

    $address = $address->address if ref $address;

    my $parser = Segments::HTTP::Response->parser;
    $parser->expect($method);

    my $socket = open_socket($address);
    $socket->blocking(0) if $socket;

    return {
        socket => $socket,
        parser => $parser,
        out    => request_bytes($method, $uri, close => 1, %args),
    };
}


1;
