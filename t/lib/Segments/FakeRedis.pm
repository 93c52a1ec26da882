package Segments::FakeRedis;

# A Redis that plays a dialogue and notices when the other side says something
# else.  A step is a list:
#
#     [ACCEPT  => 'a']              waits for a connection and calls it "a"; the
#                                   first needs no step
#     [ON      => 'a']              what follows is about that connection
#     [EXPECT  => 'GET', qr/^k/]    a command with just these words; a word may
#                                   be a string, a pattern, bind('name') or a
#                                   sub; '...' as the last: whatever follows
#     [SEND    => $reply, ...]      replies, all at once
#     [DRIBBLE => $reply]           byte by byte
#     [BEGIN   => 9, $reply, ...]   their first nine bytes
#     ['REST']                        and the others
#     [GARBAGE => $bytes]           no reply at all
#     ['CLOSE']  ['RESET']              of the connection: FIN, and it waits for
#                                   the other side's; RST
#     ['CLOSED']                      waits for the other side to close
#     [WAIT    => 'name']           until the test calls go('name')
#     ['REFUSE']                      closes the listening socket
#     [ASIDE  => 'CLUSTER INFO', $reply]   from now on such a command needs no
#                                   step, and gets this reply in its turn
#
# A reply is "+OK", "-ERR text" or ":1" as it stands, undef (null), an array,
# a string (sent as a bulk string), or \"raw bytes"; a sub is called with the
# bound words, and "port", as a hash and returns a reply.
#
# Each reply is to the oldest command that has none.  Where that calls a script,
# an array gets the proof that it answers this command before its elements, and
# ['ok'] to an answer is the proof alone; bare([...]) is sent as it is.  What a
# script only finds is said by what it means:
# [mismatch], [replay => status, headers, body], [tombstone => status], [stale].
#
# After the last step the connections stay open and silent; another command is
# an error.  The test ends with ok($redis->played) or is($redis->result, 'ok').

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);

use Segments::Process;
use Segments::Util qw(free_port slurp tempdir wait_for);
use Segments::Value;

our @EXPORT_OK = qw(bare bind_word bulk proof resp);

my $instances = 0;

# the value of an answer or a tombstone: its state, and its token's beginning
my $ANSWER = qr/\A1([at])\0.{41}(.{8})/s;

# seconds in which the other side closes, too
my $PATIENCE = 20;


sub start {
    my ($class, @steps) = @_;

    my $base = tempdir() . '/fake' . ++$instances;

    my $self = bless {
        socket => "$base.sock",
        port   => free_port(),
        log    => "$base.log",
        steps  => \@steps,
    }, $class;

    my @listen = (
        IO::Socket::UNIX->new(Local => $self->{socket}, Listen => 128),
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', ReuseAddr => 1,
            LocalPort => $self->{port}, Proto => 'tcp', Listen => 128),
    );

    croak "cannot listen: $!" if grep { !$_ } @listen;

    pipe my $read, my $write or croak "pipe: $!";
    $self->{go} = $write;
    $self->{go}->autoflush(1);

    $self->{process} = Segments::Process->spawn(
        name   => 'fake Redis',
        output => "$base.output",
        code   => sub {
            close $write;
            my $player = Segments::FakeRedis::Player->new($self->{log}, $read,
                @listen);

            $player->{bound}{port} = $self->{port};
            $player->play(@steps);
        },
    );

    return $self;
}


sub url     { return "unix:$_[0]{socket}" }
sub tcp_url { return "redis://127.0.0.1:$_[0]{port}" }
sub port    { return $_[0]{port} }
sub process { return $_[0]{process} }


# the step [WAIT => name] goes on, now or when it is reached

sub go {
    my ($self, $name) = @_;

    syswrite $self->{go}, "$name\n";

    return;
}


sub events {
    my ($self) = @_;

    return map { JSON::PP->new->latin1->decode($_) }
        slurp($self->{log}) =~ /(.*)\n/g;
}


# the commands that came, each an array of words

sub commands {
    my ($self) = @_;

    return map { $_->{words} } grep { $_->{words} } $self->events;
}


# returns when that many steps are done

sub wait_step {
    my ($self, $count) = @_;

    wait_for { $count <= grep { $_->{done} } $self->events } 10,
        "step $count of the dialogue";

    return;
}


# 'ok' once the dialogue is over, or what went wrong

sub result {
    my ($self, $seconds) = @_;

    my $verdict = sub {
        my @events = $self->events;
        my ($error) = grep { $_->{error} } @events;

        return $error->{error} if $error;
        return @{ $self->{steps} } <= (grep { $_->{done} } @events)
            ? 'ok' : undef;
    };

    return eval { wait_for { $verdict->() } $seconds, 'the dialogue' }
        // 'not over after ' . (grep { $_->{done} } $self->events) . ' steps';
}


sub played {
    my ($self, $seconds) = @_;

    my $result = $self->result($seconds);

    print STDERR "# fake Redis: $result\n" if $result ne 'ok';

    return $result eq 'ok';
}


# a word that later replies can use, or the part of one that a pattern takes

sub bind_word {
    my ($name, $part) = @_;

    return bless { name => $name, part => $part },
        'Segments::FakeRedis::Binding';
}


# a bulk string, even where it begins with "+", "-" or ":"

sub bulk {
    my ($string) = @_;

    my $bytes = '$' . length($string) . "\r\n$string\r\n";

    return \$bytes;
}


# as it stands, though it is a script's

sub bare {
    my ($reply) = @_;

    my $bytes = resp($reply);

    return \$bytes;
}


# of the reply to a script's command, as an array of words

sub proof {
    my ($words) = @_;

    my (undef, undef, $nkeys, @rest) = @$words;

    return "$1$2" if $rest[$nkeys] =~ $ANSWER;

    return $rest[$nkeys] . substr $rest[$nkeys + 1], 0, 8;
}


# what a script says; of an answer that was taken, the proof alone

sub said {
    my ($words, @reply) = @_;

    my $proof = proof($words);

    return $proof if "@reply" eq 'ok' && $words->[-2] =~ $ANSWER;
    return [$proof, @{ found($words, @reply) }];
}


# what a script has found, where the reply says what that means

sub found {
    my ($words, $what, @rest) = @_;

    my (undef, undef, $nkeys, @args) = @$words;
    my ($name, $value) = ($args[0], $args[$nkeys + 2]);
    my @limits = ref $rest[-1] ? pop @rest : ();

    return ['found', undef, @limits] if $what eq 'stale';
    return [$what, @rest, @limits]
        if $what !~ /\A(?:mismatch|replay|tombstone)\z/;

    my %record = (token => 'ee' x 16, fp => unpack 'H*', substr $value, 12, 32);

    if ($what eq 'mismatch') {
        $record{state} = 'unknown';
        $record{fp} = 'ff' x 32;

    } else {
        $record{state} = $what eq 'replay' ? 'answered' : 'tombstone';
        @record{qw(status headers body)} = @rest;
    }

    return ['found', bulk(Segments::Value::encode($name, %record)), @limits];
}


sub resp {
    my ($reply) = @_;

    return "\$-1\r\n" if !defined $reply;
    return $$reply if ref $reply eq 'SCALAR';
    return '*' . @$reply . "\r\n" . join '', map { resp($_) } @$reply
        if ref $reply eq 'ARRAY';
    return "$reply\r\n" if $reply =~ /\A(?:[+-][^\r\n]*|:-?[0-9]+)\z/;

    return ${ bulk($reply) };
}


package Segments::FakeRedis::Player;

# The process that plays.  It reads only where a step needs it, and when the
# dialogue is over.


sub new {
    my ($class, $log, $go, @listen) = @_;

    open my $fh, '>>:raw', $log or die "$log: $!";

    return bless {
        log    => $fh,
        go     => $go,
        gone   => '',
        listen => \@listen,
        conns  => {},
        bound  => {},
        test   => getppid,
    }, $class;
}


sub play {
    my ($self, @steps) = @_;

    $SIG{PIPE} = 'IGNORE';

    my $n = 0;

    for my $step (@steps) {
        my ($verb, @args) = @$step;
        my $method = $self->can('do_' . lc $verb) or die "no step $verb";

        $n++;
        eval { $self->$method(@args); 1 }
            or return $self->fail("step $n, $verb: $@");

        $self->record(done => $n, verb => $verb);
    }

    return $self->stay($n);
}


sub fail {
    my ($self, $text) = @_;

    chomp $text;
    $self->record(error => $text);

    return;
}


# a test that was killed takes its Redis along

sub wait_readable {
    my ($self, @handles) = @_;

    while (1) {
        my @ready = IO::Select->new(@handles)->can_read(1);

        return @ready if @ready;
        die "the other side does not close\n"
            if $self->{deadline} && time > $self->{deadline};
        select undef, undef, undef, 1 if !@handles;
        POSIX::_exit(0) if getppid != $self->{test};
    }
}


sub do_accept {
    my ($self, $name) = @_;

    die "refused before\n" if !@{ $self->{listen} };

    my ($ready) = $self->wait_readable(@{ $self->{listen} });
    my $socket = $ready->accept or die "accept: $!\n";

    $self->{conns}{$name} = { socket => $socket, in => '' };
    $self->{on} = $name;

    return;
}


sub do_on {
    my ($self, $name) = @_;

    die "no connection $name\n" if !$self->{conns}{$name};
    $self->{on} = $name;

    return;
}


sub conn {
    my ($self) = @_;

    $self->do_accept('first') if !defined $self->{on};

    return $self->{conns}{ $self->{on} } // die "the connection is closed\n";
}


sub do_expect {
    my ($self, @pattern) = @_;

    my $c = $self->conn;
    my $words;

    while (!($words = $self->take_command($c))) {
        $self->fill($c) or die "the other side closed\n";
    }

    $self->record(words => $words);
    $self->match($words, @pattern);
    push @{ $c->{unanswered} }, $words;

    return;
}


sub fill {
    my ($self, $c) = @_;

    $self->wait_readable($c->{socket});

    my $n = sysread $c->{socket}, my $bytes, 65536;

    $c->{in} .= $bytes if $n;

    return $n;
}


# INFO, which comes when nothing else is on the connection, is answered at once:
# nobody has to expect it, except where $INFO is set

our $INFO;

sub take_command {
    my ($self, $c) = @_;

    while (1) {
        my $words = next_command($c) or return;

        my $reply = $self->{aside}{ lc join ' ', @$words }
            // (lc $words->[0] eq 'info' && !$INFO ? '' : return $words);

        push @{ $c->{unanswered} }, { reply => $reply };

        # who asks this may be gone already
        eval { $self->put($c, $self->asides($c)) };
    }
}


# what is due to those whose turn it is

sub asides {
    my ($self, $c) = @_;

    my $due = $c->{unanswered} // [];
    my $bytes = '';

    while (@$due && ref $due->[0] eq 'HASH') {
        my $reply = shift(@$due)->{reply};

        $bytes .= Segments::FakeRedis::resp($self->value($reply));
    }

    return $bytes;
}


sub do_aside {
    my ($self, $words, $reply) = @_;

    $self->{aside}{ lc $words } = $reply;

    return;
}


sub next_command {
    my ($c) = @_;

    return if $c->{in} eq '';

    my ($count) = $c->{in} =~ /\A\*([0-9]+)\r\n/ or do {
        die "not a command: $c->{in}\n" if $c->{in} !~ /\A\*[0-9]*\r?\z/;
        return;
    };

    my $pos = $+[0];
    my @words;

    for (1 .. $count) {
        pos($c->{in}) = $pos;
        $c->{in} =~ /\G\$([0-9]+)\r\n/g or return;

        my ($start, $length) = (pos($c->{in}), $1);

        return if length $c->{in} < $start + $length + 2;

        push @words, substr $c->{in}, $start, $length;
        $pos = $start + $length + 2;
    }

    substr $c->{in}, 0, $pos, '';

    return \@words;
}


sub match {
    my ($self, $words, @pattern) = @_;

    my $open = @pattern && !ref $pattern[-1] && $pattern[-1] eq '...';
    pop @pattern if $open;

    my $said = join ' ', map { length > 60 ? substr($_, 0, 60) . '..' : $_ }
        @$words;

    if (@$words < @pattern || @$words > @pattern && !$open) {
        die 'expected ' . @pattern . " words, got: $said\n";
    }

    for my $i (0 .. $#pattern) {
        my ($expected, $got) = ($pattern[$i], $words->[$i]);

        if (ref $expected eq 'Segments::FakeRedis::Binding') {
            my $bound = \$self->{bound}{ $expected->{name} };

            if ($expected->{part}) {
                ($got) = $got =~ $expected->{part}
                    or die "word $i should match $expected->{part}: $said\n";
            }

            $$bound //= $got;
            $expected = $$bound;
        }

        my $same = ref $expected eq 'Regexp' ? $got =~ $expected
            : ref $expected eq 'CODE' ? $expected->($got)
            : $i == 0 ? lc $got eq lc $expected
            : $got eq $expected;

        die "word $i should be $expected: $said\n" if !$same;
    }

    return;
}


sub do_send {
    my ($self, @replies) = @_;

    return $self->put($self->conn, $self->bytes(@replies));
}


sub bytes {
    my ($self, @replies) = @_;

    return join '', map {
        my $reply = $self->value($_);
        my $words = shift @{ $self->conn->{unanswered} };

        $reply = Segments::FakeRedis::said($words, @$reply)
            if ref $reply eq 'ARRAY' && $words && $words->[0] =~ /\AEVAL/i;

        Segments::FakeRedis::resp($reply) . $self->asides($self->conn);
    } @replies;
}


sub do_begin {
    my ($self, $size, @replies) = @_;

    my $c = $self->conn;

    $c->{rest} = $self->bytes(@replies);

    return $self->put($c, substr $c->{rest}, 0, $size, '');
}


sub do_rest {
    my ($self) = @_;

    my $c = $self->conn;

    return $self->put($c, delete $c->{rest});
}


sub value {
    my ($self, $reply) = @_;

    return ref $reply eq 'CODE' ? $reply->(%{ $self->{bound} }) : $reply;
}


sub put {
    my ($self, $c, $bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $c->{socket}, $bytes;
        die "the other side closed\n" if !defined $n;
        substr $bytes, 0, $n, '';
    }

    return;
}


# the pause makes each byte a read of its own

sub do_dribble {
    my ($self, @replies) = @_;

    my $c = $self->conn;

    for my $reply (@replies) {
        my $bytes = $self->bytes($reply);

        for my $byte (split //, $bytes) {
            $self->put($c, $byte);
            select undef, undef, undef, 0.001;
        }
    }

    return;
}


sub do_garbage {
    my ($self, $bytes) = @_;

    return $self->put($self->conn, $bytes // "\x00\xff no Redis\r\n");
}


# what is on its way here must not make a reset of it

sub do_close {
    my ($self) = @_;

    my $c = $self->conn;

    shutdown $c->{socket}, 1;

    local $self->{deadline} = time + Segments::Util::slow($PATIENCE);

    1 while $self->fill($c);

    return $self->drop;
}


sub drop {
    my ($self) = @_;

    close delete($self->{conns}{ $self->{on} })->{socket};
    delete $self->{on};

    return;
}


sub do_reset {
    my ($self) = @_;

    $self->conn->{socket}->setsockopt(Socket::SOL_SOCKET(),
        Socket::SO_LINGER(), pack 'll', 1, 0);

    return $self->drop;
}


sub do_closed {
    my ($self) = @_;

    my $c = $self->conn;

    1 while $self->fill($c);

    if (my $words = $self->take_command($c)) {
        die "unexpected command: @$words\n";
    }

    return $self->drop;
}


sub do_wait {
    my ($self, $name) = @_;

    while ($self->{gone} !~ /^\Q$name\E$/m) {
        $self->wait_readable($self->{go});
        sysread $self->{go}, my $bytes, 1024 or die "the test is gone\n";
        $self->{gone} .= $bytes;
    }

    return;
}


sub do_refuse {
    my ($self) = @_;

    close $_ for @{ $self->{listen} };
    $self->{listen} = [];

    return;
}


# silence, but not deafness

sub stay {
    my ($self, $steps) = @_;

    my %conns = map { $_->{socket} => $_ } values %{ $self->{conns} };

    while (1) {
        for my $c (values %conns) {
            if (my $words = eval { $self->take_command($c) }) {
                $self->record(words => $words);
                return $self->fail("after step $steps: @$words");
            }
        }

        my @sockets = map { $_->{socket} } values %conns;

        for my $socket ($self->wait_readable(@{ $self->{listen} }, @sockets)) {
            if (my $c = $conns{$socket}) {
                $self->fill($c) or delete $conns{$socket};

            } elsif (my $new = $socket->accept) {
                $conns{$new} = { socket => $new, in => '' };
            }
        }
    }
}


sub record {
    my ($self, %event) = @_;

    syswrite $self->{log}, JSON::PP->new->latin1->canonical->encode(\%event)
        . "\n";

    return;
}


1;
