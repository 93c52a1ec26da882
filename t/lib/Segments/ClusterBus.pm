package Segments::ClusterBus;

# What the nodes of a cluster say to each other passes through here, so that
# one of them can be cut off from the others.  Its clients still reach it.
#
#     my $bus = Segments::ClusterBus->start(6);
#     $bus->inner($i), $bus->outer($i)      the ports: where node $i listens,
#                                           and where the others look for it
#     $bus->cut($i, $id)                    the node of that number and name
#     $bus->mend

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;

use Segments::Process;
use Segments::Util qw(free_port slurp spew tempdir);

my $instances = 0;


sub start {
    my ($class, $nodes) = @_;

    my $self = bless { flag => tempdir() . '/bus' . ++$instances }, $class;
    my @listen;

    for my $i (0 .. $nodes - 1) {
        $self->{inner}[$i] = free_port();
        $self->{outer}[$i] = free_port();

        push @listen, IO::Socket::INET->new(Listen => 100, ReuseAddr => 1,
            LocalAddr => "127.0.0.1:$self->{outer}[$i]")
            || die "cannot listen: $!";
    }

    $self->{process} = Segments::Process->spawn(name => 'bus',
        output => "$self->{flag}.output",
        code => sub { $self->serve(@listen) });

    close $_ for @listen;

    return $self;
}


sub inner { return $_[0]{inner}[$_[1]] }
sub outer { return $_[0]{outer}[$_[1]] }


sub cut {
    my ($self, $i, $id) = @_;

    spew("$self->{flag}.new", "$i $id");
    rename "$self->{flag}.new", $self->{flag} or die "rename: $!";

    return;
}


sub mend {
    my ($self) = @_;

    unlink $self->{flag};

    return;
}


sub serve {
    my ($self, @listen) = @_;

    my $test = getppid;
    my %ends;

    $SIG{PIPE} = 'IGNORE';

    while (getppid == $test) {
        my @ready = IO::Select->new(@listen, map { $_->{socket} }
            values %ends)->can_read(0.02);
        my ($cut, $id) = -e $self->{flag} ? split(/ /, slurp($self->{flag}))
            : ();

        for my $end (@{[ values %ends ]}) {
            remove($end, \%ends) if defined $cut && $end->{other}
                && ($end->{to} == $cut || $end->{from} eq $id);
        }

        for my $socket (@ready) {
            my ($i) = grep { $listen[$_] == $socket } 0 .. $#listen;

            if (defined $i) {
                add($_, \%ends) for $self->pair(scalar $socket->accept, $i);

            } elsif (my $end = $ends{$socket}) {
                pass($end, $id // '') or remove($end, \%ends);
            }
        }
    }

    return;
}


# the ends of a connection to a node

sub pair {
    my ($self, $one, $i) = @_;

    my $other = $one && IO::Socket::INET->new(
        PeerAddr => "127.0.0.1:$self->{inner}[$i]") or return;

    my @ends = map { { socket => $_, to => $i, from => '', read => '' } }
        $one, $other;

    ($ends[0]{other}, $ends[1]{other}) = @ends[1, 0];
    $ends[0]{first} = 1;

    return @ends;
}


sub add {
    my ($end, $ends) = @_;

    $ends->{ $end->{socket} } = $end;

    return;
}


sub remove {
    my ($end, $ends) = @_;

    my $other = delete $end->{other} or return;

    delete $other->{other};

    for ($end, $other) {
        delete $ends->{ $_->{socket} };
        close $_->{socket};
    }

    return;
}


# a message's header names its sender; of the first it may be in pieces

sub pass {
    my ($end, $cut) = @_;

    my $other = $end->{other} or return 0;
    my $n = sysread $end->{socket}, my $bytes, 65536;

    return 0 if !$n;

    if ($end->{first} && $end->{from} eq '') {
        $end->{read} .= $bytes;

        return 1 if length $end->{read} < 80;

        $bytes = delete $end->{read};
        $_->{from} = substr $bytes, 40, 40 for $end, $other;

        return 0 if $end->{from} eq $cut;
    }

    while (length $bytes) {
        $n = syswrite $other->{socket}, $bytes;
        return 0 if !defined $n;
        substr $bytes, 0, $n, '';
    }

    return 1;
}


1;
