package Segments::Upstream::Server;

# The process behind Segments::Upstream: one loop, many connections.  An answer
# is a list of steps, which a connection walks through:
#
#     [send => bytes]  [wait => seconds]  [hold => name]  [close]  [reset]
#     [done]

use strict;
use warnings;

use IO::Compress::Gzip qw(gzip);
use IO::Select;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Storable qw(freeze thaw);
use Time::HiRes qw(time);

my %REASONS = (
    200 => 'OK', 201 => 'Created', 204 => 'No Content', 301 => 'Moved',
    400 => 'Bad Request', 401 => 'Unauthorized', 402 => 'Payment Required',
    403 => 'Forbidden', 404 => 'Not Found', 408 => 'Request Timeout',
    409 => 'Conflict', 418 => 'I am a teapot', 422 => 'Unprocessable Entity',
    425 => 'Too Early', 429 => 'Too Many Requests',
    500 => 'Internal Server Error', 502 => 'Bad Gateway',
    503 => 'Service Unavailable', 504 => 'Gateway Timeout',
);

my $CREATED = '2026-01-15T10:30:00Z';


sub new {
    my ($class, %args) = @_;

    open my $log, '>>:raw', $args{log} or die "$args{log}: $!";

    return bless {
        control   => $args{control},
        listen    => $args{listen},
        honour    => $args{honour_keys},
        log       => $log,
        conns     => {},        # by file descriptor
        released  => {},
        script    => [],
        default   => $args{default} // '',
        answers   => {},        # by Idempotency-Key
        accepted  => 0,
        requests  => 0,
        segments  => 0,
        test      => getppid,
    }, $class;
}


sub run {
    my ($self) = @_;

    my @listen = ($self->{control}, @{ $self->{listen} });

    $SIG{PIPE} = 'IGNORE';
    $_->blocking(0) for @listen;

    # a test that was killed takes its upstream along

    while (getppid == $self->{test}) {
        my @conns = values %{ $self->{conns} };
        my @writing = grep { length $_->{out} } @conns;

        my ($r, $w) = IO::Select->select(
            IO::Select->new(@listen, map { $_->{socket} } @conns),
            IO::Select->new(map { $_->{socket} } @writing), undef,
            $self->until_timer);

        for my $socket (@{ $r // [] }) {
            if (grep { $_ == $socket } @listen) {
                $self->accept($socket);

            } else {
                $self->readable($self->{conns}{ fileno $socket });
            }
        }

        for my $socket (@{ $w // [] }) {
            my $c = defined fileno $socket && $self->{conns}{ fileno $socket };
            $self->step($c) if $c;
        }

        $self->timers;
    }

    return;
}


sub until_timer {
    my ($self) = @_;

    my ($first) = sort { $a <=> $b } 1,
        map { $_->{timer} - time } grep { $_->{timer} }
        values %{ $self->{conns} };

    return $first > 0 ? $first : 0;
}


sub timers {
    my ($self) = @_;

    for my $c (grep { $_->{timer} } values %{ $self->{conns} }) {
        next if $c->{timer} > time;
        delete $c->{timer};
        $self->step($c);
    }

    return;
}


sub accept {
    my ($self, $listening) = @_;

    while (my $socket = $listening->accept) {
        my $c = {
            socket  => $socket,
            in      => '',
            out     => '',
            steps   => [],
            control => $listening == $self->{control},
        };

        $socket->blocking(0);
        $self->{conns}{ fileno $socket } = $c;

        next if $c->{control};

        $c->{n} = ++$self->{accepted};
        $self->record($c, 'connect');
    }

    return;
}


sub readable {
    my ($self, $c) = @_;

    return if !$c;

    my $n = sysread $c->{socket}, my $bytes, 65536;

    if (!defined $n) {
        return if $!{EAGAIN} || $!{EINTR};
        return $self->gone($c, 'reset');
    }

    return $self->gone($c, 'closed') if $n == 0;

    $c->{in} .= $bytes;

    return $c->{control} ? $self->command($c) : $self->next_request($c);
}


sub gone {
    my ($self, $c, $how) = @_;

    if (!$c->{control}) {
        $self->record($c, 'closed', how => $how, busy => $c->{busy} ? 1 : 0);
    }

    return $self->close($c);
}


sub close {
    my ($self, $c) = @_;

    delete $self->{conns}{ fileno $c->{socket} };
    CORE::close $c->{socket};

    return;
}


sub command {
    my ($self, $c) = @_;

    $c->{in} =~ s/\A(\w+) (.*)\n// or return;

    if ($1 eq 'release') {
        $self->release($2);

    } elsif ($1 eq 'next') {
        push @{ $self->{script} }, $2;

    } elsif ($1 eq 'default') {
        $self->{default} = $2;

    } elsif ($1 eq 'accept') {
        $self->{accepted_keys} = { map { ("Bearer $_" => 1) } split / /, $2 };
    }

    $c->{steps} = [[send => "ok\n"], ['done']];

    return $self->step($c);
}


sub release {
    my ($self, $name) = @_;

    $self->{released}{$name} = 1;

    for my $c (values %{ $self->{conns} }) {
        next if ($c->{held} // '') ne $name;
        delete $c->{held};
        $self->step($c);
    }

    return;
}


# walks on until the connection has to wait

sub step {
    my ($self, $c) = @_;

    return if $c->{held} || $c->{timer};

    while (1) {
        if (length $c->{out}) {
            my $n = syswrite $c->{socket}, $c->{out};

            if (!defined $n) {
                return if $!{EAGAIN};
                return $self->gone($c, 'reset');
            }

            substr $c->{out}, 0, $n, '';
            return if length $c->{out};
        }

        my $step = shift @{ $c->{steps} } or return;
        my ($verb, $value) = @$step;

        if ($verb eq 'send') {
            $c->{out} = $value;

        } elsif ($verb eq 'wait') {
            $c->{timer} = time + $value;
            return;

        } elsif ($verb eq 'hold') {
            $self->record($c, 'held', name => $value);
            next if $self->{released}{$value};
            $c->{held} = $value;
            return;

        } elsif ($verb eq 'done') {
            $self->record($c, 'answer') if !$c->{control};
            $c->{busy} = 0;
            return $self->next_request($c);

        } else {
            return $self->end($c, $verb);
        }
    }
}


sub end {
    my ($self, $c, $how) = @_;

    if ($how eq 'reset') {
        $c->{socket}->setsockopt(SOL_SOCKET, SO_LINGER, pack 'll', 1, 0);
    }

    $self->record($c, 'answer', how => $how);

    return $self->close($c);
}


sub next_request {
    my ($self, $c) = @_;

    return if $c->{busy} || $c->{control};

    my $request = $c->{request};

    if (!$request) {
        $c->{in} =~ s/\A(?:\r\n)+//;
        $c->{in} =~ s/\A(.*?\r\n)\r\n//s or return;

        $request = $c->{request} = parse_head($1);

        $request->{words} = $self->words($request);

        if (($request->{words}{close} // '') eq 'before-read') {
            return $self->end($c, $request->{words}{rst} ? 'reset' : 'close');
        }
    }

    read_body($c, $request) or return;

    delete $c->{request};
    $c->{busy} = 1;

    my %words = %{ delete $request->{words} };

    $self->record($c, 'request', %$request, n => ++$self->{requests});

    $c->{steps} = [$self->steps($c, $request, %words)];

    return $self->step($c);
}


sub parse_head {
    my ($head) = @_;

    my ($line, @lines) = split /\r\n/, $head;
    my ($method, $uri, $version) = split / /, $line;
    my @headers = map { /\A([^:]*):[ \t]*(.*?)[ \t]*\z/s ? [$1, $2] : () }
        @lines;

    return {
        head    => $head,
        line    => $line,
        method  => $method,
        uri     => $uri,
        version => $version,
        headers => \@headers,
        body    => '',
    };
}


sub header {
    my ($request, $name) = @_;

    return map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{ $request->{headers} };
}


sub read_body {
    my ($c, $request) = @_;

    my ($coding) = header($request, 'Transfer-Encoding');

    if (lc($coding // '') eq 'chunked') {
        return read_chunks($c, $request);
    }

    my ($length) = header($request, 'Content-Length');

    return 0 if length $c->{in} < ($length // 0);

    $request->{body} = substr $c->{in}, 0, $length // 0, '';

    return 1;
}


sub read_chunks {
    my ($c, $request) = @_;

    while ($c->{in} =~ /\A([0-9A-Fa-f]+)[^\r\n]*\r\n/) {
        my ($start, $size) = (length $&, hex $1);

        return 0 if length $c->{in} < $start + $size + 2;

        $request->{body} .= substr $c->{in}, $start, $size;
        substr $c->{in}, 0, $start + $size + 2, '';

        return 1 if $size == 0;
    }

    return 0;
}


sub words {
    my ($self, $request) = @_;

    my $keys = $self->{accepted_keys};

    if ($keys && !$keys->{ (header($request, 'Authorization'))[0] // '' }) {
        return { header => [], status => 401 };
    }

    my @texts = header($request, 'X-Mock');
    push @texts, shift @{ $self->{script} } // $self->{default} if !@texts;

    my %words = (header => []);

    for my $word (map { split /\s*;\s*/ } @texts) {
        my ($name, $value) = split /=/, $word, 2;

        $value =~ s/%3B/;/g if defined $value;

        if ($name eq 'header') {
            push @{ $words{header} }, $value;

        } else {
            $words{$name} = $value // 1;
        }
    }

    return \%words;
}


sub steps {
    my ($self, $c, $request, %words) = @_;

    my @steps;
    my $end = $words{rst} ? ['reset'] : ['close'];
    my ($head, $body) = $self->answer($c, $request, \%words);

    push @steps, [wait => $words{delay}] if $words{delay};
    push @steps, [hold => $words{hold}] if $words{hold};

    if ($words{garbage}) {
        return @steps, [send => "\x00\x01 this is no HTTP\r\n\r\n"], $end;
    }

    if (defined $words{raw}) {
        my $raw = $words{raw} =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger;

        return @steps, pieces($raw, $words{dribble}), $end;
    }

    if ($words{rst} && !$words{close} || ($words{close} // '') eq 'after-read')
    {
        return @steps, $end;
    }

    if (($words{close} // '') eq 'mid-headers') {
        return @steps, [send => substr $head, 0, length($head) / 2], $end;
    }

    if ($words{'early-hints'}) {
        push @steps, [send => "HTTP/1.1 103 Early Hints\r\n"
            . "Link: </style.css>; rel=preload\r\n\r\n"];
    }

    my $fields = join '', map { "$_\r\n" } 'Link: </early>',
        $words{'interim-field'} // ();

    push @steps, map { [send => "HTTP/1.1 $_ Interim\r\n$fields\r\n"] }
        split /,/, $words{interim} // '';
    push @steps, [hold => $words{'hold-final'}] if $words{'hold-final'};

    if ($words{'bad-chunk'}) {
        my $bad = "5\r\nhello\r\nZZ\r\n";
        my @hold = $words{'hold-end'} ? [hold => $words{'hold-end'}] : ();

        return @steps, $words{'bad-chunk'} eq 'behind'
            ? ([send => $head], [send => $bad], @hold, $end)
            : ([send => $head . $bad], @hold, $end);
    }

    if (($words{close} // '') eq 'mid-body' || $words{truncate}) {
        return @steps, [send => $head], [send => half($body)], $end;
    }

    if ($words{'hold-body'}) {
        push @steps, [send => $head . half($body)],
            [hold => $words{'hold-body'}];
        substr $body, 0, length half($body), '';
        $head = '';
    }

    push @steps, pieces($head . $body, $words{dribble});

    return @steps, $words{last} ? $end : ['done'];
}


sub half {
    my ($bytes) = @_;

    return substr $bytes, 0, int(length($bytes) / 2);
}


# the pause makes each piece a read of its own

sub pieces {
    my ($bytes, $size) = @_;

    return [send => $bytes] if !$size;

    return map { [send => $_], [wait => 0.001] } unpack "(a$size)*", $bytes;
}


sub answer {
    my ($self, $c, $request, $words) = @_;

    my ($key) = header($request, 'Idempotency-Key');
    my ($status, $body) = $self->outcome($request, $words, $key);

    $words->{status} = $status;

    if ($words->{body} && $words->{body} =~ /\A[0-9]+\z/) {
        $body = substr '0123456789abcdef' x ($words->{body} / 16 + 1), 0,
            $words->{body};
    }

    $body = $words->{text} if defined $words->{text};
    $body = '' if $words->{empty} || $request->{method} eq 'HEAD';

    if ($words->{gzip}) {
        gzip(\$body, \my $gzipped);
        $body = $gzipped;
        push @{ $words->{header} }, 'Content-Encoding: gzip';
    }

    return $self->framed($request, $words, $body);
}


# what the API does, once for a key where keys are honoured

sub outcome {
    my ($self, $request, $words, $key) = @_;

    if ($self->{honour} && defined $key && $self->{answers}{$key}) {
        return @{ $self->{answers}{$key} };
    }

    my ($status, $body) = $self->act($request);

    if (defined $words->{status} && $words->{status} !~ /\A2/) {
        ($status, $body) = ($words->{status}, $self->failure($words));

    } elsif (defined $words->{status}) {
        $status = $words->{status};
    }

    my $effect = $request->{method} ne 'GET' && $request->{method} ne 'HEAD'
        && ($status =~ /\A2/ || $words->{effect}) && !$words->{'no-effect'};

    if ($effect) {
        $self->record(undef, 'effect', method => $request->{method},
            uri => $request->{uri}, key => $key);

        if ($self->{honour} && defined $key) {
            my ($created, $segment) = $self->act($request);
            $self->{answers}{$key} = $status =~ /\A2/ ? [$status, $body]
                : [$created, $segment];
        }
    }

    return ($status, $body);
}


sub act {
    my ($self, $request) = @_;

    my ($path) = split /\?/, $request->{uri};

    if ($request->{method} eq 'POST') {
        my $id = 'segment-' . ++$self->{segments};
        return (201, $self->segment($id, $request));
    }

    return (204, '') if $request->{method} eq 'DELETE';

    if ($path =~ m{\A/v4/segments(?:/system)?\z}) {
        return (200, qq({"object":"list","url":"$path","data":[],)
            . '"has_more":false,"next_cursor":null}');
    }

    $path =~ m{([^/]*)\z};

    return (200, $self->segment($1, $request));
}


sub segment {
    my ($self, $id, $request) = @_;

    # decoding takes a second for each megabyte, and nobody reads that answer

    my $sent = length $request->{body} < 50_000
        && eval { JSON::PP->new->utf8->decode($request->{body}) };
    $sent = {} if ref $sent ne 'HASH';

    return JSON::PP->new->utf8->canonical->encode({
        object     => 'segment',
        id         => $id,
        url        => "/v4/segments/$id",
        name       => $sent->{name} // 'Premium users',
        is_system  => JSON::PP::true,
        conditions => $sent->{conditions} // [],
        created_at => $CREATED,
        updated_at => $CREATED,
    });
}


sub failure {
    my ($self, $words) = @_;

    return qq({"error":{"type":"request","code":"mock_$words->{status}",)
        . qq("message":"the stand-in said $words->{status}"}});
}


sub framed {
    my ($self, $request, $words, $body) = @_;

    my $status = $words->{status};
    my $reason = $words->{reason} // $REASONS{$status} // 'Status';
    my $old = $words->{http10}
        || $request->{version} eq 'HTTP/1.0' && !$words->{http11};
    my $wants = lc((header($request, 'Connection'))[0] // '');

    my $last = $words->{'no-length'} || $words->{http10}
        || $wants eq 'close'
        || $request->{version} eq 'HTTP/1.0' && $wants ne 'keep-alive'
        || ($words->{keepalive} // '') eq 'off';

    my $head = 'HTTP/' . ($old ? '1.0' : '1.1') . " $status $reason\r\n";

    if (!$words->{'no-type'} && (length $body || $words->{type})) {
        $head .= 'Content-Type: ' . ($words->{type} // 'application/json')
            . "\r\n";
    }

    $head .= "X-Request-Id: mock-$self->{requests}\r\n";
    $head .= "$_\r\n" for map { s/:\s*/: /r } @{ $words->{header} };
    $head .= 'Connection: ' . ($last ? 'close' : 'keep-alive') . "\r\n";

    if ($words->{chunked}) {
        $head .= "Transfer-Encoding: chunked\r\n";
        $body = join '',
            map({ sprintf "%x\r\n%s\r\n", length, $_ } unpack '(a1000)*',
                $body),
            "0\r\n\r\n";

    } elsif (!$words->{'no-length'} && $status != 204) {
        $head .= 'Content-Length: ' . length($body) . "\r\n";
    }

    $words->{last} = $last;

    return ("$head\r\n", $body);
}


sub record {
    my ($self, $c, $event, %more) = @_;

    my $record = freeze({
        %more,
        event => $event,
        time  => time,
        $c ? (conn => $c->{n}) : (),
    });

    syswrite $self->{log}, pack('N', length $record) . $record;

    return;
}


# What was recorded behind the first $from bytes of the file, and where to go
# on.  A record is its length and its content; the last may not be complete.

sub records {
    my ($path, $from) = @_;

    open my $fh, '<:raw', $path or return $from;
    seek $fh, $from, 0;

    my $bytes = do { local $/; <$fh> // '' };
    my $pos = 0;
    my @records;

    while (length($bytes) - $pos >= 4) {
        my $length = unpack 'N', substr $bytes, $pos, 4;
        last if length($bytes) - $pos < 4 + $length;

        push @records, thaw(substr $bytes, $pos + 4, $length);
        $pos += 4 + $length;
    }

    return ($from + $pos, @records);
}


1;
