package Recorder;

# The upstream: does what a request's X-Plan says, and keeps a ledger of what
# was executed.  It is a process of its own.
#
#     X-Plan: kind delay status size framing
#
# kind      ok, or a fault: see %EXECUTES
# delay     milliseconds before the answer
# status    of the answer when all goes well; below 300 it is an effect
# size      bytes of padding
# framing   length, chunked or close
#
# With "honour", requests whose names begin with "r" have one effect for each
# Idempotency-Key, and later ones get an answer that tells of it.
#
# Every answer has a serial number: two executions, and two answers, are never
# the same bytes.

use strict;
use warnings;

use IO::Handle;
use IO::Socket::INET;
use Socket qw(AF_UNIX MSG_DONTWAIT MSG_PEEK PF_UNSPEC SOCK_STREAM SOL_SOCKET
    SO_LINGER);
use Time::HiRes qw(time);

use Clock;
use Loop;
use Segments::Process;
use Segments::Util qw(free_port);

# how long after it was read an entry is still known
my $AFTERLIFE = 30;

# whether the request is executed before the fault

my %EXECUTES = (
    'ok'           => 1,
    'slow'         => 1,
    'reset-before' => 0,
    'reset-after'  => 1,
    'hang-before'  => 0,
    'hang-after'   => 1,
    '5xx-before'   => 0,
    '5xx-after'    => 1,
    'cut-headers'  => 1,
    'cut-body'     => 1,
    'refused-429'  => 0,
    'refused-401'  => 0,
);

# after these a gateway knows whether it was

my %CERTAIN = map { $_ => 1 } qw(ok slow refused-429 refused-401);

# for the driver: honour => 1

sub start {
    my ($class, %args) = @_;

    my $port = free_port();
    my $listener = listen_at($port) or die "cannot listen: $!\n";

    socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";

    my $process = Segments::Process->spawn(
        name => 'upstream',
        code => sub { close $here; serve($listener, $there, %args) },
    );

    close $there;
    close $listener;

    return bless {
        process => $process,
        port    => $port,
        control => $here,
        in      => '',
        waiting => {},
        late    => sub { },
        slow    => sub { },
    }, $class;
}


sub port    { return $_[0]{port} }
sub fd      { return fileno $_[0]{control} }
sub process { return $_[0]{process} }

# called back with a key and its entry when it is executed after that was read

sub on_late { $_[0]{late} = $_[1]; return }

# called back with two times between which the process did not run as it should

sub on_slow { $_[0]{slow} = $_[1]; return }


# Calls back with a key's entry; it is forgotten a while later.

sub entry {
    my ($self, $id, $code) = @_;

    return $self->ask("entry $id", $code);
}


# the same, and it stays

sub peek {
    my ($self, $id, $code) = @_;

    return $self->ask("peek $id", $code);
}


# calls back with { kind => how often it was done }

sub counts {
    my ($self, $code) = @_;

    return $self->ask('counts -', $code);
}


# calls back with { key => how many effects } of the entries that nobody read

sub unread {
    my ($self, $code) = @_;

    return $self->ask('unread -', $code);
}


# takes no connections for that long

sub refuse {
    my ($self, $seconds) = @_;

    syswrite $self->{control}, "refuse $seconds\n";

    return;
}


sub ask {
    my ($self, $line, $code) = @_;

    push @{ $self->{waiting}{$line} }, $code;
    syswrite $self->{control}, "$line\n";

    return;
}


sub read_replies {
    my ($self) = @_;

    sysread $self->{control}, $self->{in}, 65536, length $self->{in}
        or die "the upstream is gone\n";

    while ($self->{in} =~ s/\A(\w+ \S+)\t([^\n]*)\n//) {
        my ($line, $value) = ($1, $2);

        if ($line =~ /\Alate (.*)/) {
            $self->{late}->($1, parse($value));
            next;
        }

        if ($line =~ /\Aslow/) {
            $self->{slow}->(split / /, $value);
            next;
        }

        my $code = shift @{ $self->{waiting}{$line} };

        delete $self->{waiting}{$line} if !@{ $self->{waiting}{$line} };
        $code->($line =~ / -\z/ ? { split / /, $value } : parse($value));
    }

    return;
}


# An entry on its way: effects, upstream keys, overlaps, cancelled, doubts,
# how many are being worked on.

sub text_of {
    my ($entry) = @_;

    return join "\t", ('') x 4, 0, 0 if !$entry;

    return join "\t", join(' ', @{ $entry->{effects} }),
        join(' ', sort keys %{ $entry->{keys} }),
        join(' ', @{ $entry->{overlaps} }),
        join(' ', @{ $entry->{cancelled} }),
        $entry->{doubts}, scalar keys %{ $entry->{open} };
}


sub parse {
    my ($text) = @_;

    my ($effects, $keys, $overlaps, $cancelled, $doubts, $open)
        = split /\t/, $text, -1;

    return {
        effects   => [map { [split /:/] } split / /, $effects // ''],
        keys      => [map { [split /:/] } split / /, $keys // ''],
        overlaps  => [map { [split /:/] } split / /, $overlaps // ''],
        cancelled => [map { [split /:/] } split / /, $cancelled // ''],
        doubts    => $doubts || 0,
        open      => $open || 0,
    };
}


# What follows runs in the process.

my ($loop, $listener, $control, $honour);
my (%ledger, %honoured, %counts);
my ($effects, $serial) = (0, 0);
my $commands = '';


sub serve {
    my ($socket, $there, %args) = @_;

    ($loop, $control, $honour) = (Loop->new, $there, $args{honour});

    $SIG{PIPE} = 'IGNORE';
    accept_from($socket);

    $loop->on_read(fileno $control, \&read_commands);

    while (1) {
        my $late = $loop->turn;

        say_to_driver(sprintf "slow -\t%f %f\n", $loop->now - $late,
            $loop->now) if $late > $Clock::LATE;
    }

    return;
}


sub listen_at {
    my ($port) = @_;

    return IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 1024, ReuseAddr => 1);
}


sub accept_from {
    $listener = $_[0];
    $listener->blocking(0);

    $loop->on_read(fileno $listener, sub {
        while (accept my $socket, $listener) {
            new_connection($socket);
        }
    });

    return;
}


sub stop_listening {
    my ($seconds) = @_;

    return if !$listener;

    my $port = $listener->sockport;

    $loop->forget(fileno $listener);
    close $listener;
    $listener = undef;
    $loop->after($seconds, sub { accept_from(listen_at($port)
        // die "cannot listen again: $!\n") });

    return;
}


sub read_commands {
    sysread $control, $commands, 65536, length $commands or POSIX::_exit(0);

    my $replies = '';

    while ($commands =~ s/\A(\w+) (\S+)\n//) {
        my ($what, $id) = ($1, $2);

        if ($what eq 'refuse') {
            stop_listening($id);
            next;
        }

        $replies .= "$what $id\t" . ($what eq 'counts' ? join(' ', %counts)
            : $what eq 'unread' ? unread_entries()
            : text_of($ledger{$id})) . "\n";

        next if $what ne 'entry' || !$ledger{$id};

        $ledger{$id}{read} = 1;
        $loop->after($AFTERLIFE, sub { forget($id) });
    }

    say_to_driver($replies);

    return;
}


sub unread_entries {
    return join ' ', map { ($_, scalar @{ $ledger{$_}{effects} }) }
        grep { !$ledger{$_}{read} } keys %ledger;
}


sub say_to_driver {
    my ($bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $control, $bytes or POSIX::_exit(0);
        substr $bytes, 0, $n, '';
    }

    return;
}


sub forget {
    my ($id) = @_;

    my $entry = delete $ledger{$id} or return;

    delete @honoured{ map { (split /:/)[1] } keys %{ $entry->{keys} } };

    return;
}


sub new_connection {
    my ($socket) = @_;

    my $c = { socket => $socket, fd => fileno $socket, in => '' };

    $socket->blocking(0);
    $loop->on_read($c->{fd}, sub { read_request($c) });

    return;
}


sub read_request {
    my ($c) = @_;

    my $n = sysread $c->{socket}, $c->{in}, 65536, length $c->{in};

    if (!$n) {
        return if !defined $n && $!{EAGAIN};
        return gone($c);
    }

    my $end = index $c->{in}, "\r\n\r\n";
    return if $end < 0;

    my $head = substr $c->{in}, 0, $end + 2;
    my ($length) = $head =~ /^Content-Length: ([0-9]+)\r$/mi;

    return if length $c->{in} < $end + 4 + ($length // 0);

    my $body = substr $c->{in}, $end + 4, $length // 0;
    $c->{in} = '';

    received($c, $head, $body);

    return;
}


# the gateway hung up

sub gone {
    my ($c) = @_;

    my $request = $c->{request};

    if ($request) {
        push @{ $request->{entry}{cancelled} },
            "$request->{worker}:" . $loop->now
            if $request->{kind} !~ /\Ahang/;
        done($c);
    }

    return hang_up($c);
}


# the gateway may have gone without our having been told yet

sub hung_up {
    my ($c) = @_;

    my $sender = recv $c->{socket}, my $byte, 1, MSG_PEEK | MSG_DONTWAIT;

    return 0 if !defined $sender ? $!{EAGAIN} : length $byte;

    gone($c);

    return 1;
}


sub hang_up {
    my ($c, $reset) = @_;

    return if $c->{closed}++;

    $loop->forget($c->{fd});
    setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0
        if $reset;
    close $c->{socket};

    return;
}


sub done {
    my ($c) = @_;

    my $request = delete $c->{request} or return;

    delete $request->{connection};
    delete $request->{entry}{open}{ $request->{serial} };

    return;
}


sub received {
    my ($c, $head, $body) = @_;

    my ($plan, $tenant, $worker, $key) = map {
        $head =~ /^\Q$_\E: ([^\r]*)\r$/mi ? $1 : ''
    } qw(X-Plan X-Tenant X-Worker Idempotency-Key);
    my ($name, $variant) = $body =~ /"name":"([^":]+):([0-9]+)"/
        or return hang_up($c, 1);
    my ($kind, $delay, $status, $size, $framing) = split / /, $plan;

    my $id = "$tenant/$name";
    my $entry = $ledger{$id} //= { effects => [], keys => {}, open => {},
        overlaps => [], cancelled => [], doubts => 0 };

    my $request = $c->{request} = {
        connection => $c, entry => $entry, serial => ++$serial,
        worker => $worker, kind => $kind, status => $status, size => $size,
        key => $key, framing => $framing, tenant => $tenant,
        name => "$name:$variant", since => $loop->now,
    };

    for my $other (values %{ $entry->{open} }) {
        next if hung_up($other->{connection});
        push @{ $entry->{overlaps} }, join ':', $other->{worker},
            $other->{since}, $loop->now;
    }

    $entry->{open}{$serial} = $request;
    $entry->{keys}{"$variant:$key"} = 1 if $key ne '';
    $entry->{doubts}++ if !$CERTAIN{$kind};
    $counts{$kind}++;

    execute($request, $id, $variant) if $EXECUTES{$kind};

    return answer($c) if !$delay;

    $loop->after($delay / 1000, sub {
        answer($c) if $c->{request} && $c->{request} == $request;
    });

    return;
}


sub execute {
    my ($request, $id, $variant) = @_;

    my $honoured = $honour && $request->{name} =~ /\Ar/
        && $request->{key} ne '';

    if ($honoured && $honoured{ $request->{key} }) {
        $request->{effect} = $honoured{ $request->{key} };
        return;
    }

    return if $request->{status} >= 300;

    $request->{effect} = ++$effects;
    $honoured{ $request->{key} } = $effects if $honoured;

    my $entry = $request->{entry};

    push @{ $entry->{effects} }, "$effects:$variant";
    say_to_driver("late $id\t" . text_of($entry) . "\n")
        if $entry->{read};

    return;
}


sub answer {
    my ($c) = @_;

    my $request = $c->{request};
    my $kind = $request->{kind};

    return if $kind =~ /\Ahang/;

    if ($kind =~ /\Areset/) {
        done($c);
        return hang_up($c, 1);
    }

    my $bytes = answer_bytes($request);
    my $head = index($bytes, "\r\n\r\n") + 4;

    $bytes = substr $bytes, 0, $head / 2 if $kind eq 'cut-headers';
    $bytes = substr $bytes, 0, $head + (length($bytes) - $head) / 2
        if $kind eq 'cut-body';

    done($c);
    $c->{out} = $bytes;
    $c->{last} = $kind =~ /\Acut/ || $request->{framing} eq 'close';

    return send_out($c);
}


sub send_out {
    my ($c) = @_;

    my $n = syswrite $c->{socket}, $c->{out};

    return if !defined $n && !$!{EAGAIN};       # reading tells

    substr $c->{out}, 0, $n, '' if $n;

    if (length $c->{out}) {
        $loop->on_write($c->{fd}, sub { send_out($c) });
        return;
    }

    $loop->on_write($c->{fd}, undef);
    hang_up($c) if $c->{last};

    return;
}


sub answer_bytes {
    my ($request) = @_;

    my $kind = $request->{kind};
    my $n = $request->{serial};
    my $status = $kind =~ /\A5xx/ ? (500, 502, 503, 504)[$n % 4]
        : $kind =~ /\Arefused-(.*)/ ? $1 : $request->{status};
    my $framing = $kind eq 'cut-body' && $request->{framing} eq 'close'
        ? 'length' : $request->{framing};

    $request->{framing} = $framing;

    my $body = sprintf '{"id":"e%s","serial":%u,"tenant":"%s",'
        . '"name":"%s","error":{"type":"request","code":"mock_%u",'
        . '"message":"%s"}}', $request->{effect} // '-', $n,
        @$request{qw(tenant name)}, $status, 'x' x $request->{size};

    my $head = "HTTP/1.1 $status Mock\r\nContent-Type: application/json\r\n"
        . "ETag: \"$n\"\r\nLink: </$n>; rel=\"a\"\r\nLink: </b>\r\n"
        . "Location: /v4/segments/$n\r\nX-Serial: $n\r\n";

    return "${head}Connection: close\r\n\r\n$body" if $framing eq 'close';

    return $head . 'Content-Length: ' . length($body) . "\r\n\r\n$body"
        if $framing eq 'length';

    my $half = int(length($body) / 2);

    return $head . "Transfer-Encoding: chunked\r\n\r\n" . join '', map {
        sprintf "%x\r\n%s\r\n", length, $_
    } substr($body, 0, $half), substr($body, $half), '';
}


1;
