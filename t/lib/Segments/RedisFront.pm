package Segments::RedisFront;

# A real Redis that can be slow, or refuse, when it is asked for one thing: a
# process in front of it, which hands commands over one at a time, in order.
#
#     my $front = Segments::RedisFront->start($redis);
#     my $nginx = nginx(redis => $front, ...);
#
#     $front->rule(complete => 'wait=0.5');     before Redis gets it
#     $front->rule(complete => 'late=0.5');     before its reply is handed on
#     $front->rule(complete => 'error=OOM no memory');    instead of Redis
#     $front->rule(complete => 'pass');
#
#     $front->path(0.02);     seconds that all bytes take, each way
#     $front->forget;         what comes by the connections that are there is
#                             swallowed from now on, in both directions
#     $front->stall;          so it is, but kept
#     $front->flow;           and goes on
#
# The thing is the verb of a record's script (claim, renew, complete, ...), or
# else the command's own name.  commands() are those that came, as arrays of
# their first words: thing, key, token, fingerprint, without the script.

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use Time::HiRes qw(time);

use Segments::Process;
use Segments::Util qw(slurp tempdir);

my $instances = 0;


sub start {
    my ($class, $redis) = @_;

    my $base = tempdir() . '/front' . ++$instances;
    my $self = bless {
        socket  => "$base.sock",
        control => "$base.control",
        log     => "$base.log",
    }, $class;

    my ($listen, $control) = map {
        IO::Socket::UNIX->new(Local => $_, Listen => 128)
            or die "cannot listen: $!"
    } @$self{qw(socket control)};

    $self->{process} = Segments::Process->spawn(
        name   => 'front of Redis',
        output => "$base.output",
        code   => sub {
            serve($listen, $control, $redis->socket, $self->{log});
        },
    );

    return $self;
}


sub url     { return "unix:$_[0]{socket}" }
sub process { return $_[0]{process} }


sub rule {
    my ($self, $thing, $what) = @_;

    my $socket = IO::Socket::UNIX->new(Peer => $self->{control})
        or die "the front of Redis is not running: $!";

    syswrite $socket, "$thing $what\n";
    <$socket> // die 'the front of Redis has ended';

    return;
}


sub path   { return $_[0]->rule('*path', $_[1]) }
sub forget { return $_[0]->rule('*all', 'forget') }
sub stall  { return $_[0]->rule('*all', 'stall') }
sub flow   { return $_[0]->rule('*all', 'flow') }


sub commands {
    my ($self, $thing) = @_;

    return grep { !defined $thing || $_->[0] eq $thing }
        map { JSON::PP->new->latin1->decode($_) }
        slurp($self->{log}) =~ /(.*)\n/g;
}


sub serve {
    my ($listen, $control, $redis, $path) = @_;

    my $test = getppid;
    my (%conns, %rules);

    $SIG{PIPE} = 'IGNORE';

    open my $log, '>>:raw', $path or die "$path: $!";

    while (getppid == $test) {
        my @timers = map {
            ($_->{timer} // (), $_->{stalled} || !@{ $_->{way} }
                ? () : $_->{way}[0][0])
        } values %conns;
        my ($first) = sort { $a <=> $b } time + 1, @timers;
        my $wait = $first - time;

        my @ready = IO::Select->new($listen, $control, map { $_->{socket} }
            values %conns)->can_read($wait > 0 ? $wait : 0);

        for my $socket (@ready) {
            if ($socket == $control) {
                set_rule(\%rules, scalar $control->accept, values %conns);

            } elsif ($socket == $listen) {
                add($_, \%conns)
                    for pair(scalar $listen->accept, $redis);

            } elsif (my $c = $conns{$socket}) {
                take($c, $rules{'*path'} // 0) or remove($c, \%conns);
            }
        }

        arrive($_) for values %conns;

        for my $c (grep { !$_->{server} } values %conns) {
            1 while advance($c, \%rules, $log);
        }
    }

    return;
}


sub set_rule {
    my ($rules, $socket, @conns) = @_;

    my ($thing, $what) = <$socket> =~ /\A(\S+) (.*)\n/;

    $rules->{$thing} = $what;

    if ($thing eq '*all') {
        for my $c (@conns) {
            $c->{stalled} = $what ne 'flow';
            $c->{forgotten} = 1 if $what eq 'forget';
        }
    }

    syswrite $socket, "ok\n";

    return;
}


# the two ends of a connection, each knowing the other

sub pair {
    my ($client, $path) = @_;

    my $server = IO::Socket::UNIX->new(Peer => $path);

    if (!$server) {
        close $client;
        return;
    }

    my $front = { socket => $client, in => '', way => [] };
    my $back = { socket => $server, in => '', way => [], server => 1,
        other => $front };

    $front->{other} = $back;

    return ($front, $back);
}


sub add {
    my ($c, $conns) = @_;

    $conns->{ $c->{socket} } = $c;

    return;
}


sub remove {
    my ($c, $conns) = @_;

    my @ends = ($c, $c->{other});       # each may be the other's last reference

    for my $end (@ends) {
        delete $conns->{ $end->{socket} };
        close $end->{socket};
        delete $end->{other};
    }

    return;
}


sub take {
    my ($c, $path) = @_;

    my $n = sysread $c->{socket}, my $bytes, 1 << 20;

    # both ways at once, as commands are handed over one at a time; that the
    # connection was made has taken as long

    $path *= $c->{server} ? 0 : $c->{begun}++ ? 2 : 4;

    push @{ $c->{way} }, [time + $path, $bytes] if $n && !$c->{forgotten};

    return $n;
}


sub arrive {
    my ($c) = @_;

    return if $c->{stalled} || $c->{forgotten};

    while (@{ $c->{way} } && $c->{way}[0][0] <= time) {
        $c->{in} .= shift(@{ $c->{way} })->[1];
    }

    return;
}


# one step of the connection's command; false where it has to wait

sub advance {
    my ($c, $rules, $log) = @_;

    return 0 if $c->{timer} && $c->{timer} > time;

    delete $c->{timer};

    if (!$c->{command}) {
        my $length = length_of(\$c->{in}, 0) or return 0;

        $c->{command} = substr $c->{in}, 0, $length, '';

        my @words = words($c->{command});

        # the answer may be large, which is in the value

        splice @words, 6;
        length > 200 and $_ = substr $_, 0, 200 for @words;

        syswrite $log, JSON::PP->new->latin1->encode(\@words) . "\n";
        $c->{rule} = $rules->{ $words[0] } // 'pass';

        if ($c->{rule} =~ /\Aerror=(.*)/) {
            put($c, "-$1\r\n");
            delete $c->{command};
            return 1;
        }

        $c->{timer} = time + $1 if $c->{rule} =~ /\Await=(.*)/;

        return 1;
    }

    if (!$c->{sent}) {
        put($c->{other}, $c->{command});
        $c->{sent} = 1;
        return 1;
    }

    my $length = length_of(\$c->{other}{in}, 0) or return 0;

    if ($c->{rule} =~ s/\Alate=(.*)//) {
        $c->{timer} = time + $1;
        return 1;
    }

    put($c, substr $c->{other}{in}, 0, $length, '');
    delete @$c{qw(command sent)};

    return 1;
}


sub put {
    my ($c, $bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $c->{socket}, $bytes;
        return if !defined $n;
        substr $bytes, 0, $n, '';
    }

    return;
}


sub words {
    my ($bytes) = @_;

    my @words;
    my $pos = index($bytes, "\n") + 1;

    while ($pos < length $bytes) {
        my $end = index $bytes, "\n", $pos;
        my $length = substr $bytes, $pos + 1, $end - $pos - 2;

        push @words, substr $bytes, $end + 1, $length;
        $pos = $end + 1 + $length + 2;
    }

    # EVALSHA digest 1 key verb token ..., or an answer's value, which has both

    return ($1 eq 'a' ? 'complete' : 'bury', $words[3], $2,
            @words[4 .. $#words])
        if $words[0] =~ /\Aeval/i && $words[4] =~ /\A1([at])\0.{41}(.{16})/s;

    # and the same without a script

    return ($1 eq 'a' ? 'complete' : 'bury', $words[1], $2,
            @words[2 .. $#words])
        if ($words[3] // '') eq 'IFEQ'
            && $words[2] =~ /\A1([at])\0.{41}(.{16})/s;

    return ($words[4], $words[3], @words[5 .. $#words])
        if $words[0] =~ /\Aeval/i;

    return (lc $words[0], @words[1 .. $#words]);
}


# where the value that begins at $pos of the text ends, or undef

sub length_of {
    my ($text, $pos) = @_;

    my $end = index $$text, "\r\n", $pos;
    return if $end < 0;

    my $type = substr $$text, $pos, 1;
    my $rest = substr $$text, $pos + 1, $end - $pos - 1;

    $end += 2;

    return $end if $type =~ /[-+:]/ || $rest < 0;

    if ($type eq '$') {
        $end += $rest + 2;
        return $end <= length $$text ? $end : undef;
    }

    for (1 .. $rest) {
        $end = length_of($text, $end) // return;
    }

    return $end;
}


1;
