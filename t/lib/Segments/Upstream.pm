package Segments::Upstream;

# A stand-in for the API: a process that answers, and writes down every request
# that reaches it before it answers.
#
# How it answers a request is said by the request itself, in "X-Mock" headers
# (several, or one with ";" between the words; %3B in a word stands for one),
# else by next() or default():
#
#     status=500              reason=Text        header=Name:value (repeated)
#     body=100                that many bytes    text=...     empty
#     type=text/plain         no-type            gzip
#     early-hints             a 103 first        interim=100,102  others first
#     interim-field=Name: value                  one more field of those
#     hold-final=NAME         the final answer behind them, on release
#     chunked                 no-length          ends when the connection does
#     http10                  keepalive=off      http11
#     delay=1.5               seconds before the answer
#     hold=NAME               answers when the test calls release(NAME)
#     hold-body=NAME          header and half of the body, the rest on release
#     dribble=N               the answer in pieces of N bytes
#     close=before-read | after-read | mid-headers | mid-body
#     rst                     RST instead of FIN; alone: after the read
#     truncate                closes before the announced length
#     garbage                 bytes that are not HTTP
#     raw=...                 these bytes and no others, %XX for one; closes
#     chunked; bad-chunk      a chunk's size that is none, with the header, or
#                             behind it: bad-chunk=behind; hold-end=NAME, the
#                             end of the connection on release
#     effect, no-effect       whether it counts as carried out (2xx does)
#
# Without a word: 201 and a new segment to a create, 200 to list, get and
# update, 204 to a delete.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;

use Segments::Process;
use Segments::Upstream::Server;
use Segments::Util qw(free_port tempdir wait_for);

my $instances = 0;


# honour_keys => 1: as an API that replays its own first answer to a key

sub start {
    my ($class, %args) = @_;

    my $base = tempdir() . '/upstream' . ++$instances;

    my $self = bless {
        port    => free_port(),
        unix    => "$base.sock",
        control => "$base.control",
        log     => "$base.log",
        output  => "$base.output",
        options => {%args},
        events  => [],
        read    => 0,           # so many bytes of the log
    }, $class;

    $self->listen;

    return $self;
}


sub listen {
    my ($self) = @_;

    unlink $self->{unix}, $self->{control};

    my $control = IO::Socket::UNIX->new(Local => $self->{control},
        Listen => 128) or die "cannot listen: $!";
    my @listening = (
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', ReuseAddr => 1,
            LocalPort => $self->{port}, Proto => 'tcp', Listen => 1024),
        IO::Socket::UNIX->new(Local => $self->{unix}, Listen => 1024),
    );

    die "cannot listen: $!" if grep { !$_ } @listening;

    $self->{process} = Segments::Process->spawn(
        name   => 'upstream',
        output => $self->{output},
        code   => sub {
            Segments::Upstream::Server->new(
                %{ $self->{options} },
                control => $control,
                listen  => \@listening,
                log     => $self->{log},
            )->run;
        },
    );

    return;
}


# afterwards connections are refused, until listen()

sub stop {
    my ($self) = @_;

    $self->{process}->stop('TERM');
    unlink $self->{unix}, $self->{control};

    return;
}


sub port    { return $_[0]{port} }
sub unix    { return $_[0]{unix} }
sub address { return $_[0]{port} }
sub process { return $_[0]{process} }
sub url     { return "http://127.0.0.1:$_[0]{port}" }


# What happened so far, oldest first: hashes with "event" (connect, request,
# held, answer, closed, effect), "conn" and "time".

sub events {
    my ($self) = @_;

    # bodies may be large: what was read before is not read again

    ($self->{read}, my @new)
        = Segments::Upstream::Server::records($self->{log}, $self->{read});

    push @{ $self->{events} }, @new;

    return @{ $self->{events} };
}


# what happened so far shall not be seen any more

sub forget {
    my ($self) = @_;

    $self->events;
    $self->{events} = [];

    return;
}


# Requests that came completely: method, uri, version, line, headers
# ([name, value], ...), head (its bytes), body (its bytes, chunks joined),
# conn, n.

sub requests {
    my ($self, %filter) = @_;

    my @requests = grep { $_->{event} eq 'request' } $self->events;

    for my $member (keys %filter) {
        @requests = grep { $_->{$member} eq $filter{$member} } @requests;
    }

    return map { bless $_, 'Segments::Upstream::Request' } @requests;
}


sub count {
    my ($self, %filter) = @_;

    return scalar(my @requests = $self->requests(%filter));
}


# connections that were accepted

sub connections {
    my ($self) = @_;

    return scalar grep { $_->{event} eq 'connect' } $self->events;
}


# segments that were created, changed or deleted

sub effects {
    my ($self) = @_;

    return scalar grep { $_->{event} eq 'effect' } $self->events;
}


sub wait_requests {
    my ($self, $count, %filter) = @_;

    wait_for { $self->count(%filter) >= $count } 10, "$count upstream requests";

    return $self->requests(%filter);
}


# until that many requests have been held under the name

sub wait_held {
    my ($self, $name, $count) = @_;

    $count //= 1;

    return wait_for {
        $count <= grep { $_->{event} eq 'held' && $_->{name} eq $name }
            $self->events;
    } 10, "$count requests held as $name";
}


# those held under the name go on, and later ones are not held

sub release {
    my ($self, $name) = @_;

    return $self->control("release $name");
}


# the words for one request without X-Mock, or several, in order

sub next {
    my ($self, @words) = @_;

    $self->control("next $_") for @words;

    return;
}


# the words for every other request without X-Mock

sub default {
    my ($self, $words) = @_;

    return $self->control("default $words");
}


# from now on, 401 to whoever comes with another Secret Key

sub accept {
    my ($self, @keys) = @_;

    return $self->control("accept @keys");
}


sub control {
    my ($self, $line) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => $self->{control})
        or die "the upstream is not running: $!";

    syswrite $socket, "$line\n";
    my $answer = <$socket>;

    defined $answer && $answer eq "ok\n"
        or die 'the upstream refused: ' . ($answer // 'no answer');

    return;
}


package Segments::Upstream::Request;


sub header {
    my ($self, $name) = @_;

    return ($self->headers($name))[0];
}


sub headers {
    my ($self, $name) = @_;

    return map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{ $self->{headers} };
}


sub method { return $_[0]{method} }
sub uri    { return $_[0]{uri} }
sub body   { return $_[0]{body} }


1;
