package Segments::Util;

# Small things that every part of the library needs.

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use File::Find qw(find);
use File::Spec;
use File::Temp;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(tempdir wait_for slow slow_ms exhaustive free_port slurp
    spew run find_program program_root source sources);

my $tempdir;
my @reserved;


# One directory for each test, removed when it ends unless TEST_LEAVE is set.
# Its name stays short: a socket's path has about a hundred bytes.

sub tempdir {
    $tempdir //= do {
        my $base = $ENV{TMPDIR} // '/tmp';
        $base = '/tmp' if length $base > 40;
        File::Temp->newdir('segments-XXXXXXXX', DIR => $base,
            CLEANUP => !$ENV{TEST_LEAVE});
    };

    return "$tempdir";
}


# Polls until the block returns something true, and returns that.

sub wait_for (&;$$) {
    my ($condition, $seconds, $what) = @_;

    my $deadline = time + slow($seconds // 10);

    while (1) {
        my $result = $condition->();
        return $result if $result;

        if (time > $deadline) {
            croak 'waited in vain for ' . ($what // 'a condition');
        }

        select undef, undef, undef, 0.005;
    }
}


# Seconds that are enough where the machine, not the program, is slow.

sub slow {
    my ($seconds) = @_;

    my $factor = $ENV{TEST_NGINX_SLOW} // ($ENV{TEST_NGINX_VALGRIND} ? 8 : 1);

    return $seconds * $factor;
}


# The same for a directive: slow_ms(200) is "200ms", or more.

sub slow_ms {
    my ($milliseconds) = @_;

    return int(slow($milliseconds)) . 'ms';
}


# Whether time does not matter: run-tests --all.

sub exhaustive {
    return $ENV{TEST_ALL} ? 1 : 0;
}


# A port that no other test has while this one lives: the UDP port of the same
# number is held as the reservation, at an address that nobody uses.  The range
# lies below the one from which the kernel serves outgoing connections.

sub free_port {
    for (1 .. 200) {
        my $port = 10000 + int rand 22000;

        my $reservation = IO::Socket::INET->new(Proto => 'udp',
            LocalAddr => '127.255.255.254', LocalPort => $port) or next;
        my $probe = IO::Socket::INET->new(Proto => 'tcp', ReuseAddr => 1,
            LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1) or next;

        close $probe;
        push @reserved, $reservation;

        return $port;
    }

    croak 'no free port';
}


sub slurp {
    my ($path) = @_;

    open my $fh, '<:raw', $path or return '';
    local $/;

    return <$fh> // '';
}


sub spew {
    my ($path, $content) = @_;

    open my $fh, '>:raw', $path or croak "cannot write $path: $!";
    print $fh $content;
    close $fh or croak "cannot write $path: $!";

    return $path;
}


# Runs a program to its end: its status as $? has it, and what it has said on
# both outputs.

sub run {
    my (@command) = @_;

    my $pid = open my $out, '-|';
    die "fork: $!" if !defined $pid;

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT or die $!;
        exec { $command[0] } @command or print "$command[0]: $!\n";
        STDOUT->flush;
        POSIX::_exit(127);              # what is to be ended is the parent's
    }

    my $text = do { local $/; <$out> };
    close $out;

    return ($?, defined $text ? $text : '');
}


sub find_program {
    my ($name) = @_;

    return $name if $name =~ m{/};

    for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/usr/local/sbin') {
        return "$dir/$name" if -x "$dir/$name";
    }

    croak "$name is not installed";
}


# the top of the checkout

sub program_root {
    my $path = File::Spec->rel2abs(__FILE__);

    $path =~ s{/t/lib/Segments/Util\.pm\z}{};

    return $path;
}


# A source's path by its name alone, in whatever folder of src/ it stands: here,
# or in another copy of the checkout.

sub source {
    my ($name, $top) = @_;

    my @found = sources(qr/\A\Q$name\E\z/, $top);

    croak "$name stands " . @found . ' times in src/' if @found != 1;

    return $found[0];
}


# the paths of all whose names match

sub sources {
    my ($names, $top) = @_;

    my @found;

    find({ no_chdir => 1, wanted => sub {
        push @found, $_ if -f && m{([^/]+)\z} && $1 =~ $names;
    } }, ($top // program_root()) . '/src');

    return sort @found;
}


1;
