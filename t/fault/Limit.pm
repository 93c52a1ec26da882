package Limit;

# Whether whatever went upstream has paid its limit, and little else has.
#
# The limit refuses nobody: it counts.  What is owed is taken out of Redis every
# second, before a create is earned back, and so tells exactly how often it was
# spent.

use strict;
use warnings;

use List::Util qw(sum0);

our $DIRECTIVE = 'rate=1r/m burst=100000';

my $KEY = 'segments:{live:}:limit:default';

my $PRICE = 60_000_000;                 # of a create, in microseconds


sub new {
    my ($class, %args) = @_;

    return bless { key => $KEY, %args, spent => 0, sent => 0, lost => 0 },
        $class;
}


# Once in a second.  What is sent is counted before what was paid for it.

sub check {
    my ($self) = @_;

    $self->{run}->upstream->counts(sub {
        my ($counts) = @_;

        return if !$self->{run}{fault}->redis_ready;

        $self->{sent} = sum0(values %$counts);
        $self->{spent} += $self->take;
        $self->judge;
    });

    return;
}


sub take {
    my ($self) = @_;

    my $server = $self->{store}->owner('live:');
    my ($free, $time) = $server->client->pipeline(['GETDEL', $self->{key}],
        ['TIME']);

    return 0 if !defined $free;

    my ($when) = split / /, $free;
    my $owed = $when - ($time->[0] * 1_000_000 + $time->[1]);

    return $owed <= 0 ? 0 : int(($owed - 1) / $PRICE) + 1;
}


# What was paid and not sent: a request that a fault has hit, or that is on its
# way.

sub judge {
    my ($self) = @_;

    my $run = $self->{run};
    my ($sent, $spent, $lost) = @$self{qw(sent spent lost)};
    my $answers = $run->{answers};
    my $failed = sum0(map { $answers->{$_} } grep { /\A5/ } keys %$answers);

    $run->violation('sent unpaid', "$sent creates, $spent paid, $lost at most "
        . 'lost') if $sent > $spent + $lost;
    $run->violation('paid unsent', "$sent creates, $spent paid")
        if $spent > $sent + $failed + $run->{hit} + 2 * $run->{concurrency};

    return;
}


# Around a time in which Redis may lose what was paid.  Calls back.

sub may_lose {
    my ($self, $code) = @_;

    $self->{run}->upstream->counts(sub {
        $self->{sent} = sum0(values %{ $_[0] });
        $self->{lossy} = $self->{sent};
        $code->();
    });

    return;
}


sub has_lost {
    my ($self, $code) = @_;

    $self->{run}->upstream->counts(sub {
        my $sent = sum0(values %{ $_[0] }) - delete $self->{lossy};

        $self->{lost} += $sent + $self->{run}{concurrency};
        $code->();
    });

    return;
}


sub summary {
    my ($self) = @_;

    return "limit: $self->{sent} creates sent, $self->{spent} paid"
        . ($self->{lost} ? ", at most $self->{lost} lost" : '') . "\n";
}


1;
