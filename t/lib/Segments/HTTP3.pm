package Segments::HTTP3;

# A client of HTTP/3: one connection, which a process of Python with aioquic
# holds.
#
#     my $c = h3($nginx);
#     my $answer = $c->request('POST', '/v4/segments', body => '{}');
#     my $id = $c->send_request('POST', '/v4/segments', body => '{}');
#     my $answer = $c->read_response($id);
#     $c->reset($id);       # neither sends any more nor wants an answer
#     $c->refuse($id);      # has sent all, and wants no answer
#     $c->close;            # the connection
#     $c->vanish;           # says nothing any more, not even that
#
# Options as in Segments::HTTP; besides, end => 0 leaves the stream open.  An
# answer has "rst" (an error code) where the server reset the stream.

use strict;
use warnings;

use Carp qw(croak);
use File::Basename qw(dirname);
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use Time::HiRes qw(time);

use Segments::HTTP2;
use Segments::Process;
use Segments::Util qw(find_program slow slurp tempdir);

my $instances = 0;
my $json = JSON::PP->new->latin1;


# why there is no HTTP/3 here; undef where there is

sub missing {
    my $nginx = find_program($ENV{TEST_NGINX_BINARY} // 'nginx');

    return 'nginx has no HTTP/3'
        if `"$nginx" -V 2>&1` !~ /--with-http_v3_module/;
    return 'no python3-aioquic'
        if system('python3 -c "import aioquic" > /dev/null 2>&1') != 0;

    return;
}


# what a server needs besides its listen for TCP

sub listen {
    my ($crt, $key) = @_;

    return "listen 127.0.0.1:%%PORT%% quic;\n"
        . "ssl_certificate $crt;\nssl_certificate_key $key;\n";
}


# a process for any number of connections: the socket on which it is told of
# them, see client.py

sub process {
    my ($output) = @_;

    my $control = tempdir() . '/http3.' . ++$instances;
    my $listening = IO::Socket::UNIX->new(Local => $control, Listen => 1)
        or die "cannot listen: $!";

    Segments::Process->spawn(
        name   => 'HTTP/3 client',
        argv   => [find_program('python3'), '-B',
            dirname(__FILE__) . '/HTTP3/client.py', $control],
        output => $output,
    );

    IO::Select->new($listening)->can_read(slow(20))
        or croak 'no HTTP/3 client: ' . slurp($output);
    unlink $control;

    return scalar $listening->accept;
}


sub connect {
    my ($class, $address, %args) = @_;

    $address = $address->address if ref $address;

    my $output = tempdir() . '/http3.' . ($instances + 1) . '.output';

    my $self = bless {
        timeout => slow($args{timeout} // 15),
        output  => $output,
        socket  => process($output),
        streams => {},
        in      => '',
    }, $class;

    $self->command(open => ['127.0.0.1', 0 + $address]);

    return $self;
}


sub send_request {
    my ($self, $method, $uri, %args) = @_;

    my $id = $self->command(request_command($method, $uri, %args))
        ->{stream};

    $self->{streams}{$id} = undef;

    return $id;
}


# as the process wants it

sub request_command {
    my ($method, $uri, %args) = @_;

    my $body = $args{body};

    $body = JSON::PP->new->utf8->canonical->encode($body) if ref $body;

    my @list = (':method' => $method, ':scheme' => 'https',
        ':authority' => 'localhost', ':path' => $uri,
        Segments::HTTP2::fields_of(\%args, $body));
    my @fields;

    push @fields, [splice @list, 0, 2] while @list;

    return (fields => \@fields, body => $body,
        end => $args{end} // 1 ? JSON::PP::true : JSON::PP::false);
}


sub request {
    my ($self, $method, $uri, %args) = @_;

    return $self->read_response($self->send_request($method, $uri, %args));
}


# undef where none came in time, or the connection was closed before

sub read_response {
    my ($self, $id) = @_;

    my $deadline = time + $self->{timeout};

    while (!$self->{streams}{$id}) {
        $self->read_line($deadline) or return;
    }

    return response($self->{streams}{$id});
}


# of what the process told

sub response {
    my ($told) = @_;

    my ($status) = map { $_->[1] } grep { $_->[0] eq ':status' }
        @{ $told->{fields} };

    return bless {
        status  => $status // 0,
        fields  => [grep { $_->[0] !~ /\A:/ } @{ $told->{fields} }],
        body    => $told->{body},
        interim => [],
        rst     => $told->{rst},
    }, 'Segments::HTTP2::Response';
}


sub reset  { return $_[0]->command(reset => $_[1]) }
sub refuse { return $_[0]->command(stop => $_[1]) }
sub close  { return $_[0]->command(close => 1) }
sub vanish { return $_[0]->command(vanish => 1) }


sub command {
    my ($self, %command) = @_;

    my $deadline = time + $self->{timeout};

    syswrite $self->{socket}, line(c => 1, %command);

    while (1) {
        my $told = $self->read_line($deadline)
            or croak 'the HTTP/3 client does not answer: '
                . slurp($self->{output});

        return $told if !exists $told->{answer};
    }
}


sub line { return $json->encode({@_}) . "\n" }


# false: nothing in time, or closed

sub read_line {
    my ($self, $deadline) = @_;

    my $told;

    while (!($told = told(\$self->{in}))) {
        IO::Select->new($self->{socket})->can_read($deadline - time) or return;
        sysread $self->{socket}, $self->{in}, 65536, length $self->{in}
            or return;
    }

    $self->{streams}{ $told->{answer} } = $told if exists $told->{answer};

    return $told->{closed} ? undef : $told;
}


# takes the first line out of the text; undef where there is none yet

sub told {
    my ($text) = @_;

    my $end = index $$text, "\n";

    return $end < 0 ? undef : $json->decode(substr $$text, 0, $end + 1, '');
}


1;
