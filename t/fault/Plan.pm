package Plan;

# What the seed fixes: what each key is, what becomes of each of its tries, and
# which fault of the gateways or of Redis comes when.  When is a number of
# requests, not a time.

use strict;
use warnings;

use Dice;
use Segments::HTTP3;

# faults of a try; each reaches the upstream, or the client, this often

my %TRY_FAULTS = (
    'slow'         => 0.006,
    'hang-before'  => 0.004,
    'hang-after'   => 0.004,
    map({ $_ => 0.008 } qw(reset-before reset-after 5xx-before 5xx-after
        cut-headers cut-body refused-429 refused-401)),
);

# HTTP/3 where there is some

my @HTTP3_FAULTS = Segments::HTTP3::missing() ? () : qw(h3-refuse h3-close);
my %CLIENT_FAULTS = map { $_ => 0.016 } qw(fin rst h2-reset h2-close),
    @HTTP3_FAULTS;

my @SYSTEM_FAULTS = qw(kill stop stop-long reload redis-stop redis-term
    redis-kill client-kill script-flush no-upstream);

# those of a cluster, of a front of Redis, and of sealed answers

my %SPECIAL_FAULTS = (
    cluster    => [qw(move-slot cut-off)],
    front      => ['forget'],
    encryption => ['rotate'],
);

# and those of single keys

my %KEY_FAULTS = (encryption => ['altered']);

# those that take their time come in so many periods only

my %SELDOM = ('cut-off' => 4, 'forget' => 4, 'rotate' => 12);


# The names of all faults; those of clients are "abort-...".  Where there is a
# cluster, a front, or encryption, there are more.

sub kinds {
    my (@there) = @_;

    return (@SYSTEM_FAULTS, (map { @{ $SPECIAL_FAULTS{$_} } } @there),
        (sort keys %TRY_FAULTS),
        (map { "abort-$_" } sort keys %CLIENT_FAULTS), 'other-body', 'twins',
        (map { @{ $KEY_FAULTS{$_} // [] } } @there));
}


# what these need: cluster, front, encryption

sub needed {
    my (@kinds) = @_;

    my %wanted = map { $_ => 1 } @kinds;

    return grep {
        grep { $wanted{$_} } @{ $SPECIAL_FAULTS{$_} },
            @{ $KEY_FAULTS{$_} // [] }
    } sort keys %SPECIAL_FAULTS;
}


sub has_http3 { return scalar @HTTP3_FAULTS }


# The faults of so many periods come in the first part of their time: then the
# system is left to itself for a while, and promises that need it are checked.

my $WAVE = 40;
my $ROUGH = 0.6;


# seed, policy (hold, retry or both), lease in ms, wait (true: a part of the
# tries waits), period: requests between two faults of one kind, kinds => names
# of the faults to leave in, often => a factor for the faults of
# tries

sub new {
    my ($class, %args) = @_;

    my %wanted = map { $_ => 1 } @{ $args{kinds} };
    my $often = $args{often} // 1;
    my $self = bless { %args, wanted => \%wanted }, $class;

    $self->{faults} = [map { [$TRY_FAULTS{$_} * $often, $_] }
        grep { $wanted{$_} } sort keys %TRY_FAULTS];
    $self->{aborts} = [map { [$CLIENT_FAULTS{$_} * $often, $_] }
        grep { $wanted{"abort-$_"} } sort keys %CLIENT_FAULTS];
    $self->{system} = [grep { $wanted{$_} } @SYSTEM_FAULTS,
        map { @{ $SPECIAL_FAULTS{$_} } } sort keys %SPECIAL_FAULTS];

    return $self;
}


# of key number n

sub key {
    my ($self, $n) = @_;

    my $dice = Dice->new($self->{seed}, 'key', $n);
    my $mode = $self->{policy} eq 'both' ? $dice->pick('hold', 'retry')
        : $self->{policy};
    my $tenant = $dice->pick(qw(ada bob cy dan));
    my $large = $dice->chance(0.03);
    my @tenants = $self->{wanted}{twins} && $dice->chance(0.1)
        ? qw(ada bob) : $tenant;

    # with dice of its own: what else becomes of a key stays

    my $seal = Dice->new($self->{seed}, 'seal', $n);

    return {
        altered => $self->{wanted}{altered} && $seal->chance(0.05)
            ? $seal->roll : undef,
        aged    => $self->{wanted}{rotate} && $seal->chance(0.1),
        number  => $n,
        name    => substr($mode, 0, 1) . $n,
        mode    => $mode,
        tenants => \@tenants,
        status  => $dice->chance(0.05) ? $dice->pick(400, 404, 409, 422)
            : $dice->pick(200, 201, 201),
        large   => $large,              # more than is kept
        size    => $large ? 70_000 : int(10 ** $dice->between(0, 3.3)),
        framing => $dice->pick(qw(length length chunked close)),
        copies  => $dice->pick_weighted([0.35, 1], [0.1, 2], [0.05, 4]) // 0,
        other   => $self->{wanted}{'other-body'} ? $dice->pick_weighted(
            [0.06, 'early'], [0.08, 'late']) : undef,
        again   => $dice->chance(0.5),
        recheck => $dice->chance(0.3),
    };
}


# the dice of one of a key's clients; its tries are rolled one after the other

sub dice {
    my ($self, @words) = @_;

    return Dice->new($self->{seed}, @words);
}


# The next try of a client; the first few only meet faults, so that every key
# comes to an end.

sub try {
    my ($self, $dice, $tried) = @_;

    my %try = (
        kind     => 'ok',
        delay    => $dice->chance(0.5) ? int $dice->between(1, 40) : 0,
        gateway  => $dice->pick(0, 1),
        protocol => $dice->chance(0.02) ? 'h2' : 'h1',
        waits    => $self->{wait} && $dice->chance(0.5),
    );

    return \%try if $tried >= 4;

    $try{kind} = $dice->pick_weighted(@{ $self->{faults} }) // 'ok';
    $try{delay} = int($self->{lease} * $dice->between(1.05, 1.4))
        if $try{kind} eq 'slow';

    my $how = $dice->pick_weighted(@{ $self->{aborts} });

    if ($how) {
        $try{abort} = [$how, $dice->between(0, 0.03)];
        $try{delay} += int $dice->between(10, 40);
        $try{protocol} = $how =~ /\A(h[23])/ ? $1 : 'h1';

        # a reload leaves the packets of old connections to new workers
        $try{gateway} = 1 if $try{protocol} eq 'h3';
    }

    return \%try;
}


# How long a client waits before its next try, after an answer of that kind.

sub pause {
    my ($self, $dice, $why, $retry_after) = @_;

    return $dice->between(0, 0.03) if $why eq 'cut' || $why eq 'aborted';
    return $dice->between(0.1, 0.7) if $why eq 'storage';
    return $dice->between(0.02, 0.12) if $why ne 'in-progress';

    return $dice->chance(0.1) ? ($retry_after // 1) * $dice->between(1, 1.2)
        : $dice->between(0.03, 0.25);
}


# The system's faults that are due once that many requests have been sent,
# since the last call: [kind, its number].

sub due {
    my ($self, $requests) = @_;

    my @due;

    for my $kind (@{ $self->{system} }) {
        my $next = $self->{next}{$kind} //= { number => 0 };

        while (1) {
            $next->{at} //= $self->when($kind, $next->{number});
            last if $next->{at} > $requests;

            push @due, [$kind, $next->{number}++];
            $next->{at} = undef;
        }
    }

    return @due;
}


sub when {
    my ($self, $kind, $number) = @_;

    my $at = ($number + $self->dice('when', $kind, $number)->roll)
        * ($SELDOM{$kind} // 1);
    my $wave = $WAVE * int($at / $WAVE);

    return $self->{period} * ($wave + $ROUGH * ($at - $wave));
}


1;
