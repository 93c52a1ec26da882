package Segments::DNS;

# A name server on 127.0.0.1: A records with a time to live of a second.
#
#     my $dns = Segments::DNS->start(localhost => ['127.0.0.2']);
#     $dns->set(localhost => ['127.0.0.3', '127.0.0.4']);
#     $dns->set(localhost => 'silence');      no answer
#     $dns->set(localhost => []);             no such name
#     "resolver " . $dns->address . " valid=1s;"

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();

use Segments::Process;
use Segments::Util qw(slurp spew tempdir);

my $instances = 0;


sub start {
    my ($class, %zone) = @_;

    my $base = tempdir() . '/dns' . ++$instances;
    my $socket = IO::Socket::INET->new(Proto => 'udp',
        LocalAddr => '127.0.0.1') or die "dns: $!";

    my $self = bless { zone => \%zone, path => "$base.zone",
        log => "$base.log", port => $socket->sockport }, $class;

    $self->set;

    Segments::Process->spawn(name => 'dns', output => $self->{log},
        code => sub {
            $| = 1;

            while (1) {
                my $from = $socket->recv(my $query, 1024) or next;
                my $answer = $self->answer($query) or next;
                $socket->send($answer, 0, $from);
            }
        });

    return $self;
}


sub address { return "127.0.0.1:$_[0]{port}" }


sub set {
    my ($self, %zone) = @_;

    $self->{zone} = { %{ $self->{zone} }, %zone };

    spew("$self->{path}.new", JSON::PP->new->encode($self->{zone}));
    rename "$self->{path}.new", $self->{path} or die "$self->{path}: $!";

    return;
}


# how often a name was asked for

sub queries {
    my ($self, $name) = @_;

    return scalar(() = slurp($self->{log}) =~ /^\Q$name\E$/mg);
}


sub answer {
    my ($self, $query) = @_;

    my ($id, $name, $pos) = (substr($query, 0, 2), '', 12);

    while (my $length = ord substr $query, $pos, 1) {
        $name .= ($name eq '' ? '' : '.') . substr $query, $pos + 1, $length;
        $pos += $length + 1;
    }

    my $question = substr $query, 12, $pos + 5 - 12;
    my $type = unpack 'n', substr $query, $pos + 1, 2;
    my $found = JSON::PP->new->decode(slurp($self->{path}))->{ lc $name };

    print "$name\n" if $type == 1;

    return if defined $found && !ref $found;

    my @addresses = $type == 1 ? @{ $found // [] } : ();
    my $code = $found && @$found ? 0 : 3;

    return $id . pack('n5', 0x8180 | $code, 1, scalar @addresses, 0, 0)
        . $question
        . join '', map { pack 'nnnNnC4', 0xc00c, 1, 1, 1, 4, split /\./ }
            @addresses;
}


1;
