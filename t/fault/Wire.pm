package Wire;

# The clients' side: tries on connections that are kept and used again, a few
# on HTTP/2, and on HTTP/3.
#
# A try is a hash with gateway (0 or 1), uri, headers (an array), body, and
# perhaps protocol => 'h2' or 'h3' and abort => [how, seconds], where how is
# fin, rst, h2-reset, h2-close, h3-refuse or h3-close.  It ends once: the
# callback gets the try, and an answer, or undef and why there is none: cut,
# aborted, refused, silent.
#
# An answer: status, mark (Idempotency-Status), replayed, retry_after, code,
# body, and "kept", all of it that a retry has to get again.

use strict;
use warnings;

use Errno qw(EAGAIN EINPROGRESS);
use Socket qw(PF_INET SOCK_STREAM SOCK_NONBLOCK SOL_SOCKET SO_LINGER
    pack_sockaddr_in inet_aton);

use Segments::HTTP;
use Segments::HTTP2;
use Segments::HTTP3;
use Segments::Util qw(tempdir);

# seconds in which an HTTP/3 connection comes about that is to be closed
my $HANDSHAKE = 5;

my $KEPT = qr/content-type|content-language|location|etag|last-modified|link
    |cache-control/xi;


# addresses => [[h1 port, h2 port], ...], loop, done => callback,
# patience => seconds in which an answer must come

sub new {
    my ($class, %args) = @_;

    return bless {
        %args,
        idle     => [map { [] } @{ $args{addresses} }],
        open     => {},
        inflight => 0,
    }, $class;
}


sub inflight { return $_[0]{inflight} }


sub send {
    my ($self, $try) = @_;

    $self->{inflight}++;
    $try->{sent} = $self->{loop}->now;

    my $protocol = $try->{protocol} // 'h1';
    my $c = $protocol eq 'h3' ? $self->send_h3($try)
        : $protocol eq 'h2' ? $self->send_h2($try) : $self->send_h1($try);

    # not within this call

    if (!$c) {
        $self->{loop}->after(0, sub { $self->end($try, undef, 'refused') });
        return;
    }

    $try->{connection} = $c;
    $c->{try} = $try;

    my ($how, $seconds) = @{ $try->{abort} // [] };

    $seconds = $HANDSHAKE if $c->{h3};
    $self->{loop}->after($seconds, sub { $self->abort($try, $how) }) if $how;

    return;
}


# every so often: those that wait for too long

sub check_patience {
    my ($self) = @_;

    my $limit = $self->{loop}->now - $self->{patience};

    for my $c (values %{ $self->{open} }) {
        my $try = $c->{try} or next;
        next if $try->{sent} > $limit;

        $self->close($c);
        $self->end($try, undef, 'silent');
    }

    return;
}


sub end {
    my ($self, $try, $answer, $why) = @_;

    return if $try->{ended}++;

    $self->{inflight}--;
    delete $try->{connection};
    $self->{done}->($try, $answer, $why);

    return;
}


sub abort {
    my ($self, $try, $how) = @_;

    my $c = $try->{connection};
    return if $try->{ended} || !$c;

    if ($how eq 'h2-reset') {
        $c->{h2}->reset($c->{stream});

        # what nginx makes of the rest of the connection
        $self->{loop}->after(0.05, sub { $self->close($c) });
        $c->{try} = undef;

    } elsif ($how eq 'h3-refuse' && defined $c->{stream}) {
        $self->tell_h3($c, stop => $c->{stream});
        $self->{loop}->after(0.05, sub { $self->close($c) });
        $c->{try} = undef;

    } else {
        $self->close($c, $how eq 'rst');
    }

    return $self->end($try, undef, 'aborted');
}


sub close {
    my ($self, $c, $reset) = @_;

    return if $c->{closed}++;
    return $self->close_h3($c) if $c->{h3};

    $self->{loop}->forget($c->{fd});
    delete $self->{open}{ $c->{fd} };

    setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0
        if $reset;
    CORE::close $c->{socket};

    return;
}


sub close_all {
    my ($self) = @_;

    $self->close($_) for values %{ $self->{open} };

    return;
}


sub lost {
    my ($self, $c) = @_;

    my $try = $c->{try};

    $self->close($c);

    return $try ? $self->end($try, undef, 'cut') : undef;
}


# HTTP/1.1

sub send_h1 {
    my ($self, $try) = @_;

    my $bytes = join "\r\n", "POST $try->{uri} HTTP/1.1", 'Host: localhost',
        'Content-Type: application/json',
        'Content-Length: ' . length $try->{body}, @{ $try->{headers} }, '',
        $try->{body};

    my $idle = $self->{idle}[ $try->{gateway} ];

    while (my $c = pop @$idle) {
        next if $c->{closed};

        if (defined syswrite $c->{socket}, $bytes) {
            return $c;
        }

        $self->close($c);
    }

    return $self->connect($try->{gateway}, $bytes);
}


sub connect {
    my ($self, $gateway, $bytes) = @_;

    socket my $socket, PF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0
        or die "socket: $!\n";

    my $address = $self->{sockaddr}[$gateway] //= pack_sockaddr_in(
        $self->{addresses}[$gateway][0], inet_aton('127.0.0.1'));

    my $connected = CORE::connect $socket, $address;

    return if !$connected && $! != EINPROGRESS;

    my $c = { socket => $socket, fd => fileno $socket, in => '',
              gateway => $gateway };

    $self->{open}{ $c->{fd} } = $c;
    $self->{loop}->on_read($c->{fd}, sub { $self->read_h1($c) });

    if ($connected) {
        syswrite $socket, $bytes;
        return $c;
    }

    $self->{loop}->on_write($c->{fd}, sub {
        $self->{loop}->on_write($c->{fd}, undef);
        syswrite $socket, $bytes;
    });

    return $c;
}


sub read_h1 {
    my ($self, $c) = @_;

    my $n = sysread $c->{socket}, $c->{in}, 65536, length $c->{in};

    if (!$n) {
        return if !defined $n && $! == EAGAIN;
        return $self->lost($c);
    }

    my $end = index $c->{in}, "\r\n\r\n";
    return if $end < 0;

    my $head = substr $c->{in}, 0, $end + 2;
    my $body;

    if ($head =~ /\r\nContent-Length: ([0-9]+)/) {
        return if length $c->{in} < $end + 4 + $1;
        $body = substr $c->{in}, $end + 4;

    } elsif ($head =~ /\r\nTransfer-Encoding: chunked/) {
        $body = chunks(substr $c->{in}, $end + 4) // return;

    } else {
        die "an answer without a length: $head\n";
    }

    my $try = $c->{try};

    $c->{in} = '';
    $c->{try} = undef;

    if ($head =~ /\r\nConnection: close\r\n/) {
        $self->close($c);

    } else {
        push @{ $self->{idle}[ $c->{gateway} ] }, $c;
    }

    die "an answer to nothing: $head\n" if !$try;

    return $self->end($try, answer($head, $body));
}


# undef until they are complete

sub chunks {
    my ($text) = @_;

    my $body = '';

    while ($text =~ /\G([0-9a-f]+)\r\n/gci) {
        my $size = hex $1;

        return $body if $size == 0 && $text =~ /\G\r\n\z/;
        return if length $text < pos($text) + $size + 2;

        $body .= substr $text, pos $text, $size;
        pos($text) += $size + 2;
    }

    return;
}


sub answer {
    my ($head, $body) = @_;

    my ($status) = $head =~ m{\AHTTP/1.1 ([0-9]{3})}
        or die "not an answer: $head\n";

    my $kept = join "\n", sort map { s/\A([^:]+)/\L$1/r }
        $head =~ /^((?:$KEPT): [^\r]*)\r$/mgo;

    return {
        status      => $status,
        mark        => ($head =~ /^Idempotency-Status: ([a-z-]+)\r$/m)[0] // '',
        replayed    => $head =~ /^Idempotent-Replayed: true\r$/m ? 1 : 0,
        retry_after => ($head =~ /^Retry-After: ([0-9]+)\r$/m)[0] // 0,
        code        => ($body =~ /"code":"([a-z_0-9]+)"/)[0] // '',
        body        => $body,
        kept        => "$status\n$kept\n\n$body",
    };
}


# HTTP/2, a connection for each try

sub send_h2 {
    my ($self, $try) = @_;

    my $port = $self->{addresses}[ $try->{gateway} ][1];
    my $h2 = Segments::HTTP2->connect($port) or return;
    my $socket = $h2->{http}{socket};

    my $c = { socket => $socket, fd => fileno $socket, h2 => $h2 };

    $c->{stream} = $h2->send_request('POST', $try->{uri},
        body => $try->{body},
        headers => [map { split /: /, $_, 2 } @{ $try->{headers} }]);

    $self->{open}{ $c->{fd} } = $c;
    $self->{loop}->on_read($c->{fd}, sub { $self->read_h2($c) });

    return $c;
}


sub read_h2 {
    my ($self, $c) = @_;

    my $h2 = $c->{h2};

    1 while $h2->read_frame(0);

    my $stream = $h2->{streams}{ $c->{stream} };
    my $try = $c->{try};

    if (!$try) {
        $self->close($c) if $h2->{closed};
        return;
    }

    if (!$stream->{ended} || !$stream->{response}
        || defined $stream->{response}{rst})
    {
        $self->lost($c) if $h2->{closed} || $stream->{ended};
        return;
    }

    $self->close($c);

    return $self->end($try, answer_of($stream->{response}));
}


# as if it had come by HTTP/1.1

sub answer_of {
    my ($response) = @_;

    my $head = join "\r\n", 'HTTP/1.1 ' . $response->status,
        (map { join ': ', $_->[0] =~ s/(\A|-)([a-z])/$1\U$2/gr, $_->[1] }
            $response->fields), '';

    return answer($head, $response->body);
}


# HTTP/3, a connection for each try, all of them held by one process

sub send_h3 {
    my ($self, $try) = @_;

    $self->start_h3 if !$self->{h3};

    my $c = { h3 => ++$self->{h3}{number} };

    $self->{open}{"h3 $c->{h3}"} = $self->{h3}{connections}{ $c->{h3} } = $c;

    $self->tell_h3($c,
        open => ['127.0.0.1', $self->{addresses}[ $try->{gateway} ][1]],
        Segments::HTTP3::request_command('POST', $try->{uri},
            body => $try->{body},
            headers => [map { split /: /, $_, 2 } @{ $try->{headers} }]));

    return $c;
}


sub start_h3 {
    my ($self) = @_;

    my $socket = Segments::HTTP3::process(tempdir() . '/http3.output');

    $self->{h3} = { socket => $socket, in => '', connections => {} };
    $self->{loop}->on_read(fileno $socket, sub { $self->read_h3 });

    return;
}


sub tell_h3 {
    my ($self, $c, %command) = @_;

    syswrite $self->{h3}{socket},
        Segments::HTTP3::line(c => $c->{h3}, %command);

    return;
}


sub close_h3 {
    my ($self, $c) = @_;

    delete $self->{open}{"h3 $c->{h3}"};
    delete $self->{h3}{connections}{ $c->{h3} };
    $self->tell_h3($c, close => 1);

    return;
}


sub read_h3 {
    my ($self) = @_;

    my $h3 = $self->{h3};

    sysread $h3->{socket}, $h3->{in}, 65536, length $h3->{in}
        or die "the HTTP/3 client is gone\n";

    while (my $told = Segments::HTTP3::told(\$h3->{in})) {
        my $c = $h3->{connections}{ $told->{c} } or next;

        $self->told_h3($c, $told);
    }

    return;
}


sub told_h3 {
    my ($self, $c, $told) = @_;

    my $try = $c->{try};

    if (exists $told->{stream}) {
        $c->{stream} = $told->{stream};

        my ($how, $seconds) = @{ $try->{abort} // [] };

        $self->{loop}->after($seconds, sub { $self->abort($try, $how) })
            if $how;

    } elsif ($told->{closed} || exists $told->{rst} && defined $told->{rst}) {
        $self->lost($c);

    } elsif (exists $told->{answer} && $try) {
        $self->close($c);
        $self->end($try, answer_of(Segments::HTTP3::response($told)));
    }

    return;
}


1;
