package Segments::PoorRedis;

# A server that speaks just enough: it greets, answers each record command with
# "mismatch", and has bad habits.  Each connection is written down: whose it is,
# and when it was made.
#
#     my $poor = Segments::PoorRedis->start(hang_up => 1);   after each answer
#     my $poor = Segments::PoorRedis->start(hang_up => 'unanswered');
#     $poor->restart        every connection ends, and new ones do at once
#     $poor->accepts        points in time, seconds
#     $poor->connects       for each [process, not before, not after], seconds
#                           of a clock that is never set: here one may be
#                           accepted late where the machine is busy
#     $poor->at_rest        true while INFO, which it has answered, is the last
#                           thing that it was asked

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use Socket qw(SOL_SOCKET SO_PEERCRED);
use Time::HiRes qw(clock_gettime time CLOCK_MONOTONIC);

use Segments::Process;
use Segments::Value;
use Segments::Util qw(slurp spew tempdir);

my $instances = 0;


sub start {
    my ($class, %args) = @_;

    my $base = tempdir() . '/poor' . ++$instances;
    my $self = bless { path => "$base.sock", log => "$base.log",
        flag => "$base.flag", %args }, $class;

    my $listen = IO::Socket::UNIX->new(Local => $self->{path}, Listen => 512)
        or die "$self->{path}: $!";

    $self->{process} = Segments::Process->spawn(name => 'a poor Redis',
        output => $self->{log}, code => sub { $self->serve($listen) });

    return $self;
}


sub url { return "unix:$_[0]{path}" }


sub restart {
    my ($self) = @_;

    spew($self->{flag}, '');

    return;
}


sub accepts {
    my ($self) = @_;

    return map { (split)[0] } $self->lines(qr/^[0-9]/);
}


sub connects {
    my ($self) = @_;

    return map { [(split)[1 .. 3]] } $self->lines(qr/^[0-9]/);
}


sub at_rest {
    my ($self) = @_;

    return slurp($self->{log}) =~ /^INFO\n\z/m;
}


sub lines {
    my ($self, $pattern) = @_;

    return grep { /$pattern/ } split /\n/, slurp($self->{log});
}


sub serve {
    my ($self, $listen) = @_;

    my $all = IO::Select->new($listen);
    my $none = 0;           # when nobody had connected
    my %in;

    $listen->blocking(0);

    $| = 1;
    $SIG{PIPE} = 'IGNORE';

    while (1) {
        my @ready = $all->can_read(0.01);
        my $restarting = -e $self->{flag};

        if ($restarting) {
            $all->remove($_) && close $_ for grep { $_ != $listen }
                $all->handles;
        }

        for my $socket (@ready) {
            if ($socket == $listen) {
                my $now = clock_gettime(CLOCK_MONOTONIC);

                while (my $new = $listen->accept) {
                    report($new, $none);
                    $all->add($new) if !$restarting;
                    $now = clock_gettime(CLOCK_MONOTONIC);
                }

                $none = $now;
                next;
            }

            next if $restarting;

            my $n = sysread $socket, $in{$socket}, 65536, length($in{$socket}
                // '');

            if ($n && $self->answer($socket, \$in{$socket})) {
                next;
            }

            delete $in{$socket};
            $all->remove($socket);
            close $socket;
        }
    }
}


sub report {
    my ($new, $none) = @_;

    my ($pid) = unpack 'i', getsockopt $new, SOL_SOCKET, SO_PEERCRED;

    printf "%.3f %d %.6f %.6f\n", time, $pid, $none,
        clock_gettime(CLOCK_MONOTONIC);

    return;
}


# false: to be closed

sub answer {
    my ($self, $socket, $in) = @_;

    my ($out, $info, $answered) = ('');

    $out .= "+PONG\r\n" if $$in =~ s/\A.*PING\r\n//s;

    if ($$in =~ s/\A.*INFO\r\n//s) {
        $out .= "\$0\r\n\r\n";
        $info = 1;
    }

    my $unanswered = $$in =~ /EVAL/
        && ($self->{hang_up} // '') eq 'unanswered';
    my @commands = $$in =~ /\r\n(segments:[^\r]*)\r\n\$5\r\n(claim)\r\n
        \$16\r\n(.{8})/gsx;

    # its last argument; in one piece, as short as it is
    if (!$unanswered && @commands
        && $$in =~ /(?:retry|hold)\r\n\$0\r\n\r\n\z/)
    {
        while (my ($name, $verb, $token) = splice @commands, 0, 3) {
            my $value = Segments::Value::encode($name, state => 'unknown',
                fp => 'ff' x 32);

            $out .= "*3\r\n\$13\r\n$verb$token\r\n\$5\r\nfound\r\n\$"
                . length($value) . "\r\n$value\r\n";
        }

        $$in = '';
        $answered = 1;
    }

    # what stands before a command that is not answered is, in the same piece
    # too

    syswrite $socket, $out if $out ne '';
    print "INFO\n" if $info;

    return !$unanswered && !($self->{hang_up} && $answered);
}


1;
