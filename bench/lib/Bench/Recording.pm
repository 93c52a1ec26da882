package Bench::Recording;

# What the gateway says to Redis, and hears: requests go through it one by one,
# and a relay between both writes down the bytes.  So what is measured with it
# is what the module sends, whatever that is.
#
#     my $recording = record(redis => $server, module => $path, keys => $n);
#     $recording->{before}     commands until everything was done once
#     $recording->{create}     for each key the commands of a create; so do
#                              replay, and limit: a create with a limit
#     $recording->{names}      of the keys' records
#     $recording->{bytes}      both ways, for a create

use strict;
use warnings;

use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOMAXCONN);

use Bench::Messages qw(answer headers segment);
use Bench::Resp qw(commands replies);
use Bench::Servers qw(start_nginx);
use Segments::HTTP;
use Segments::Process;
use Segments::Util qw(free_port slurp tempdir);

our @EXPORT_OK = qw($ANSWER record);

our $ANSWER = 300;                      # bytes
my $SIZE = 200;
my $WARM_UP = 3;
my $recordings = 0;

# what a connection begins with, and what is not about records

my $ASIDE = qr/\A(?:AUTH|HELLO|CLIENT|SELECT|PING|ROLE|INFO|P?SUBSCRIBE)\z/;


sub record {
    my (%args) = @_;

    my $dir = tempdir() . '/recording' . ++$recordings;
    mkdir $dir or die "$dir: $!\n";

    my ($relay, $port) = relay($dir, $args{redis}->port);
    my $upstream = start_nginx('upstream', FILES => 1024,
        COUNTER => free_port(), SEGMENT => answer($ANSWER));

    local $ENV{TEST_NGINX_MODULE} = $args{module} if $args{module};

    my $nginx = start_nginx('instructions', UPSTREAM => $upstream->{port},
        REDIS => $port);
    my $c = Segments::HTTP->connect($nginx->{port});

    my @phases = (
        [before => sub {
            for my $i (1 .. $WARM_UP) {
                create($c, 'gateway', "before-$i") for 1, 2;
                create($c, 'limit', "first-$i");
            }
        }],
        map({ my ($phase, $location, @tag) = @$_;
            [$phase => sub {
                create($c, $location, key(@tag, $_)) for 1 .. $args{keys};
            }];
        } [qw(create gateway)], [qw(replay gateway)], [qw(limit limit l)]),
    );

    my (%ends, %recording);

    for my $phase (@phases) {
        $phase->[1]->();
        $ends{ $phase->[0] } = sizes($dir);
    }

    $_->stop for $nginx->{process}, $upstream->{process}, $relay;

    read_phases($dir, \%recording, \%ends, map { $_->[0] } @phases);

    return \%recording;
}


# 36 characters, as a UUID has

sub key {
    my $which = join '', @_;

    return sprintf 'recorded-%s-%s', 'k' x (26 - length $which), $which;
}


sub create {
    my ($c, $location, $key) = @_;

    my $answer = $c->request('POST', "/$location/v4/segments",
        body => segment($SIZE), headers => [headers($key)]);

    $answer && $answer->status == 201
        or die 'recording: ' . ($answer ? $answer->status : 'no answer') . "\n";

    return;
}


# Each connection has two files.  Bytes stand there before they go on: what has
# been answered is in them.

sub relay {
    my ($dir, $redis) = @_;

    my $listening = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        Proto => 'tcp', Listen => SOMAXCONN) or die "cannot listen: $!\n";
    my $process = Segments::Process->spawn(
        name => 'relay',
        code => sub { pass_on($listening, $dir, $redis) },
    );
    my $port = $listening->sockport;

    close $listening;

    return ($process, $port);
}


sub pass_on {
    my ($listening, $dir, $redis) = @_;

    my $select = IO::Select->new($listening);
    my (%to, $n);

    while (my @ready = $select->can_read) {
        for my $from (@ready) {
            if ($from == $listening) {
                my $client = $listening->accept or next;
                my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                    PeerPort => $redis, Proto => 'tcp') or die "redis: $!\n";

                $n++;
                $to{$client} = [$server, written("$dir/$n.out")];
                $to{$server} = [$client, written("$dir/$n.in")];
                $select->add($client, $server);
                next;
            }

            my ($other, $file) = @{ $to{$from} };
            my $bytes;

            if (!sysread $from, $bytes, 65536) {
                $select->remove($from, $other);
                close $_ for $from, $other;
                next;
            }

            syswrite $file, $bytes;
            syswrite $other, $bytes;
        }
    }

    return;
}


sub written {
    my ($path) = @_;

    open my $fh, '>', $path or die "$path: $!\n";

    return $fh;
}


sub sizes {
    my ($dir) = @_;

    return { map { $_ => -s $_ } glob "$dir/*.out" };
}


# of each connection, where a phase began and ended

sub read_phases {
    my ($dir, $recording, $ends, @phases) = @_;

    my ($n, $bytes) = (0, 0);

    for my $path (glob "$dir/*.out") {
        my @sent = commands(slurp($path));
        my @heard = replies(slurp($path =~ s/out\z/in/r));
        my $at = 0;

        for my $i (0 .. $#sent) {
            my ($text, @words) = @{ $sent[$i] };
            my ($phase) = grep { $at < ($ends->{$_}{$path} // 0) } @phases;

            $at += length $text;
            next if $words[0] =~ $ASIDE || !$phase;

            if ($phase eq 'before') {
                push @{ $recording->{before} }, $text;
                next;
            }

            my ($key) = "@words" =~ /(recorded-k+-l?\d+)/ or next;

            push @{ $recording->{$phase}{$key} }, $text;
            next if $phase ne 'create';

            my ($name) = grep { /\Q$key\E/ } @words;

            $recording->{names}{$name} = 1;
            $bytes += length($text) + length($heard[$i] // '');
        }
    }

    $recording->{names} = [sort keys %{ $recording->{names} }];
    $n = keys %{ $recording->{create} };

    for my $phase (qw(create replay limit)) {
        my $of = $recording->{$phase};

        keys %$of == $n or die "recording: not all of $phase was seen\n";
        $recording->{$phase} = [map { $of->{$_} } sort keys %$of];
    }

    $recording->{bytes} = $bytes / $n;

    return;
}


1;
