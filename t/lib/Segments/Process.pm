package Segments::Process;

# A child of the test: a program, or Perl code.  It is ended by its pid, at the
# latest when the test ends, and never stays as a zombie.

use strict;
use warnings;

use Carp qw(croak);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(time);

use Segments::Util qw(slow);

my $owner = $$;
my @children;


# name, and argv or code; stdout and stderr go to the file "output"; env

sub spawn {
    my ($class, %args) = @_;

    my $pid = fork;
    croak "cannot fork: $!" if !defined $pid;

    if ($pid == 0) {
        eval { run_child(%args) };
        print STDERR "$args{name}: $@" if $@;
        POSIX::_exit(127);
    }

    my $self = bless { pid => $pid, name => $args{name}, owner => $$ }, $class;
    push @children, $self;

    return $self;
}


sub run_child {
    my (%args) = @_;

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP QUIT ALRM CHLD PIPE);
    alarm 0;

    $ENV{$_} = $args{env}{$_} for keys %{ $args{env} // {} };

    open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";

    if ($args{output}) {
        open STDOUT, '>>', $args{output} or die "$args{output}: $!\n";
        open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
    }

    if ($args{code}) {
        $args{code}->();
        POSIX::_exit(0);
    }

    my @argv = @{ $args{argv} };

    exec { $argv[0] } @argv or die "cannot run $argv[0]: $!\n";
}


sub pid {
    my ($self) = @_;

    return $self->{pid};
}


sub signal {
    my ($self, $signal) = @_;

    return $self->alive ? kill($signal, $self->{pid}) : 0;
}


sub alive {
    my ($self) = @_;

    return 0 if defined $self->{status};

    if (waitpid($self->{pid}, WNOHANG) == $self->{pid}) {
        $self->{status} = $?;
        return 0;
    }

    return 1;
}


# the wait status, as in $?

sub status {
    my ($self) = @_;

    $self->alive;

    return $self->{status};
}


# waits for its end; false where it is still alive after that many seconds

sub wait {
    my ($self, $seconds) = @_;

    my $deadline = time + slow($seconds);

    while ($self->alive) {
        return 0 if time > $deadline;
        select undef, undef, undef, 0.005;
    }

    return 1;
}


sub stop {
    my ($self, $signal, $seconds) = @_;

    $self->signal($signal // 'TERM');

    if (!$self->wait($seconds // 10)) {
        $self->signal('CONT');
        $self->signal('KILL');
        $self->wait(10);
        $self->{killed} = 1;
    }

    return $self->{status};
}


# those that are alive

sub children { return grep { $_->alive } @children }


sub stop_all {
    return if $$ != $owner;

    for my $child (reverse @children) {
        if ($child->alive) {
            $child->signal('CONT');
            $child->stop('TERM', 5);
        }
    }

    return;
}


1;
