package Segments::Redis;

# A redis-server of the test's own on a unix socket, and a small client.
#
# Replies: strings and integers as they are, nil as undef, arrays as array
# references, errors as objects that print as their message.

use strict;
use warnings;

use File::Temp;
use IO::Socket::UNIX;

my $BINARY = $ENV{TEST_REDIS_SERVER} // 'redis-server';


sub new {
    my ($class, @options) = @_;

    my $dir = File::Temp->newdir('segments-redis-XXXXXX', TMPDIR => 1);
    my $self = bless { dir => $dir, path => "$dir/socket", buffer => '',
                       owner => $$ }, $class;

    $self->start(@options);
    $self->{socket} = IO::Socket::UNIX->new(Peer => $self->{path})
        or die "cannot connect to $self->{path}: $!";

    return $self;
}


# its log tells when it is ready
sub start {
    my ($self, @options) = @_;

    my $pid = open($self->{log}, '-|') // die "cannot fork: $!";

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec $BINARY, '--port', 0, '--unixsocket', $self->{path},
             '--dir', "$self->{dir}", '--save', '', '--appendonly', 'no',
             @options
            or die "cannot run $BINARY: $!";
    }

    $self->{pid} = $pid;

    my $log = '';

    while (defined(my $line = readline $self->{log})) {
        return if $line =~ /ready to accept connections/i;
        $log .= $line;
    }

    die "$BINARY did not start:\n$log";
}


sub command {
    my ($self, @words) = @_;
    return ($self->pipeline(\@words))[0];
}


# all at once: one write, then the replies
sub pipeline {
    my ($self, @commands) = @_;

    my $bytes = '';

    for my $words (@commands) {
        $bytes .= '*' . @$words . "\r\n"
                  . join '', map { '$' . length() . "\r\n$_\r\n" } @$words;
    }

    my $sent = 0;

    while ($sent < length $bytes) {
        $sent += syswrite($self->{socket}, $bytes, length($bytes) - $sent,
                          $sent)
                 // die "cannot write to Redis: $!";
    }

    return map { $self->reply() } @commands;
}


sub reply {
    my ($self) = @_;

    my ($type, $rest) = $self->line() =~ /\A([-+:\$*])(.*)\z/s
        or die 'not a Redis reply';

    return $rest if $type =~ /[+:]/;
    return bless \$rest, 'Segments::Redis::Error' if $type eq '-';
    return undef if $rest < 0;
    return [map { $self->reply() } 1 .. $rest] if $type eq '*';

    my $string = $self->take($rest + 2);
    return substr $string, 0, $rest;
}


sub line {
    my ($self) = @_;

    my $end;
    $self->fill() while ($end = index $self->{buffer}, "\r\n") < 0;

    my $line = substr $self->{buffer}, 0, $end + 2, '';
    return substr $line, 0, $end;
}


sub take {
    my ($self, $length) = @_;

    $self->fill() while length $self->{buffer} < $length;
    return substr $self->{buffer}, 0, $length, '';
}


sub fill {
    my ($self) = @_;

    sysread($self->{socket}, $self->{buffer}, 65536, length $self->{buffer})
        or die 'Redis closed the connection';
}


sub DESTROY {
    my ($self) = @_;

    return if !$self->{pid} || $self->{owner} != $$;

    local ($?, $!);

    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    close $self->{log};
}


package Segments::Redis::Error;

use overload '""' => sub { ${$_[0]} };


1;
