package World;

# What surrounds the record: requests, the network, the upstream, time.
#
# Actors.  Each is one request in one gateway with a token of its own; all use
# the same idempotency key, some with another body.
#
#     idle -> asking -> owner -> sent -> answered -> ended
#                `-> told           `------------^
#
# An asking actor hears the verdict on its claim, or nothing, and then it gives
# back what it may hold.  An owner sends its request upstream, or cannot.  What
# was sent is executed or refused or lost; its answer arrives or does not.
# An actor may crash in every state; it is then never heard of again.
#
# Network.  A command that was sent once may reach Redis at any later time,
# any number of times, in any order, or never; a reply arrives or does not.
# So a command lost, delayed, or sent again on another connection needs no
# step of its own: a claim may arrive from the asking on, a renewal from the
# owning on, and an end (complete, bury, give_back, unknown) from the end on,
# for ever; claims and answers as a native command or as a script.  Whoever
# finds the key in progress leaves a channel.  The same for a request on its way
# upstream, which arrives once.
#
# Upstream.  It executes each request, or honours keys: then it executes one
# request of a key, and gives that one's answer to all.  An answer is known by
# the name of the actor whose request was executed.
#
# Time.  A tick takes one unit off the expiry, and so off the lease.  Redis may
# also lose its data at any time.
#
# A world's state is a string of words: the record, the answer that Redis
# acknowledged, the actors whose requests were executed, then one word for
# each actor.  A step changes one actor and what is shared; as few of these
# pairs exist, steps are computed once for each.
#
# Actors with the same body differ in their names only.  Of all states that
# become equal when they are renamed one is explored: the one in which they
# stand in order.

use strict;
use warnings;

use Segments::RecordModel;
use Promises;

my @NAMES = qw(A B C D);

# Of an actor, one character each:
#   pc       its state, see %PC
#   owned    it was told that the key is its own
#   end      how it ended: give_back, unknown, complete, bury
#   answer   whose request was executed for it
#   flying   its request is on its way
# and, for the promises only:
#   effect   its request had an effect in this life of the record
#   old      its claim belongs to an earlier life of the record
#   lapsed   its lease ran out, or it left the outcome unknown
#   live     what is left of its lease, by its own clock
my @FIELDS = qw(pc owned end answer flying effect old lapsed live);

my %PC = (idle => 'i', asking => 'a', told => 't', owner => 'o', sent => 's',
          answered => 'x', ended => 'e', crashed => 'c');

my %END = (give_back => 'g', unknown => 'u', complete => 'c', bury => 'b');
my %VERB = reverse %END;
my %NATIVE = (c => 'ifeq', b => 'ifeq_bury');

my %DEFAULTS = (bodies => [1, 1, 2], policy => 'retry', honours => 0,
                lease => 1, ttl => 2);


sub new {
    my ($class, %options) = @_;

    my $self = bless { %DEFAULTS, %options, steps => {}, applied => {} },
                     $class;

    my $bodies = $self->{bodies};
    my %alike;

    push @{ $alike{$bodies->[$_]} }, $_ for 0 .. $#$bodies;

    $self->{actors} = scalar @$bodies;
    $self->{alike} = [grep { @$_ > 1 } values %alike];

    return $self;
}


sub start {
    my ($self) = @_;

    return join ' ', '-', '-', '0' x $self->{actors},
                     ('i0--00000') x $self->{actors};
}


sub steps {
    my ($self, $state) = @_;

    my ($record, $acked, $executed, @actors) = split / /, $state;
    my $shared = "$record $acked $executed";
    my @steps;

    for my $i (0 .. $#actors) {
        my $known = $self->{steps}{"$i $shared $actors[$i]"}
                        //= $self->changes($i, $shared, $actors[$i]);

        my $before = join '', map { " $_" } @actors[0 .. $i - 1];
        my $after = join '', map { " $_" } @actors[$i + 1 .. $#actors];

        push @steps, map {
            [$_->[0], "$_->[1]$before $_->[2]$after", $_->[3]]
        } @$known;
    }

    if ($record ne '-') {
        push @steps, $self->tick($record, $acked, $executed, @actors);
        push @steps, ['Redis loses its data', new_life($executed, @actors)];
    }

    return @steps;
}


# Where actors cannot be told apart their order does not matter: then the same
# state may be explored twice.

sub ordered {
    my ($self, $state) = @_;

    my ($record, $acked, $executed, @actors) = split / /, $state;
    my @places = 0 .. $#actors;

    for my $alike (@{ $self->{alike} }) {
        my %looks = map {
            my $name = $NAMES[$_];
            my $actor = $actors[$_] =~ tr/A-D/o/r;

            substr $actor, 3, 1, 'own' if substr($actors[$_], 3, 1) eq $name;

            ($_ => join ' ', $actor, substr($executed, $_, 1),
                $acked eq $name, $record =~ /=$name/g)
        } @$alike;

        @places[@$alike] = sort { $looks{$a} cmp $looks{$b} } @$alike;
    }

    return $state if "@places" eq "@{[0 .. $#actors]}";

    my %name = map { ($NAMES[$places[$_]] => $NAMES[$_]) } 0 .. $#actors;
    my $renamed = join ' ', $record, $acked,
        join('', map { substr $executed, $_, 1 } @places), @actors[@places];

    return $renamed =~ s/([A-D])/$name{$1}/gr,
        join ', ', map { "$NAMES[$places[$_]] is $NAMES[$_]" }
            grep { $places[$_] != $_ } 0 .. $#actors;
}


# Steps of one actor, each [label, shared, actor, broken promise].

sub changes {
    my ($self, $i, $shared, $text) = @_;

    return [grep { $_->[1] ne $shared || $_->[2] ne $text || $_->[3] }
                 $self->actor_steps($i, $shared, $text)];
}


sub actor_steps {
    my ($self, $i, $shared, $text) = @_;

    my (%actor, @steps);
    @actor{@FIELDS} = split //, $text;

    my $step = sub {
        my ($label, %change) = @_;
        push @steps, ["$NAMES[$i] $label", $shared, encode(%actor, %change)];
    };

    my $pc = $actor{pc};

    if ($pc eq $PC{idle}) {
        $step->('asks', pc => $PC{asking});
        return @steps;
    }

    if ($pc =~ /[aosx]/) {
        $step->('crashes', pc => $PC{crashed});
    }

    if ($pc eq $PC{asking}) {
        $step->('hears nothing', after_silence());
    }

    if ($pc eq $PC{owner}) {
        $step->('sends', pc => $PC{sent}, flying => 1);
        $step->('cannot reach the upstream', ends('give_back'));
    }

    if ($pc eq $PC{sent}) {
        $step->('waits in vain', ends(outcome_of_silence()));
        $step->('is refused by the upstream', ends('give_back'), flying => 0)
            if $actor{flying};
    }

    if ($pc eq $PC{answered}) {
        $step->('is answered', ends('complete'), answer => $actor{answer});
        $step->('is answered at length', ends('bury'));
        $step->('loses the answer', ends(outcome_of_silence()));
    }

    push @steps, $self->executed($i, $shared, %actor) if $actor{flying};
    push @steps, map { $self->command($i, $shared, $_, %actor) }
        qw(set claim);
    push @steps, $self->command($i, $shared, 'renew', %actor)
        if $actor{owned};
    push @steps, map { $self->command($i, $shared, $_, %actor) }
        $VERB{$actor{end}}, $NATIVE{$actor{end}} // ()
        if $actor{end} ne '-';

    return @steps;
}


# What actors decide.

sub after_silence {
    return ends('give_back');
}


sub outcome_of_silence {
    return 'unknown';
}


sub upstream_key {
    my ($self, $i) = @_;
    return $self->{bodies}[$i];
}


sub ends {
    my ($verb) = @_;
    return (pc => $PC{ended}, end => $END{$verb}, answer => '-');
}


sub executed {
    my ($self, $i, $shared, %actor) = @_;

    my ($record, $acked, $executed) = split / /, $shared;

    my ($first) = !$self->{honours} ? () : grep {
        substr($executed, $_, 1)
        && $self->upstream_key($_) eq $self->upstream_key($i)
    } 0 .. $self->{actors} - 1;

    $actor{flying} = 0;

    if (!defined $first) {
        substr($executed, $i, 1, 1);
        $actor{effect} = 1 if !$actor{old};
    }

    if ($actor{pc} eq $PC{sent}) {
        $actor{pc} = $PC{answered};
        $actor{answer} = $NAMES[$first // $i];
    }

    return ["$NAMES[$i]'s request is executed", "$record $acked $executed",
            encode(%actor)];
}


# A command of an actor reaches Redis.

sub command {
    my ($self, $i, $shared, $verb, %actor) = @_;

    my ($record, $acked, $executed) = split / /, $shared;
    my @command = $self->arguments($i, $verb, $actor{answer});

    my ($verdict, $after, $broken)
        = @{ $self->{applied}{"$record @command"}
                //= [$self->applied($record, \@command, $NAMES[$i])] };

    if ($verdict eq 'ok') {
        $actor{live} = $verb =~ /set|claim|renew/ ? $self->{lease} : 0;
        $actor{old} = 0 if $verb =~ /set|claim/;
        $actor{lapsed} = 1 if $verb eq 'unknown';
        $acked = $actor{answer} if $verb =~ /complete|ifeq\z/ && $acked eq '-';
        $acked = 'long' if $verb =~ /bury/ && $acked eq '-';
    }

    my $label = "$NAMES[$i]'s $verb: $verdict";
    $shared = "$after $acked $executed";

    if ($verb !~ /set|claim/ || $verdict eq 'more'
        || $actor{pc} ne $PC{asking})
    {
        return [$label, $shared, encode(%actor), $broken];
    }

    my %heard = $verdict eq 'ok' ? (pc => $PC{owner}, owned => 1)
                                 : (pc => $PC{told});

    return ["$label, heard", $shared, encode(%actor, %heard), $broken],
           ["$label, not heard", $shared, encode(%actor), $broken];
}


sub arguments {
    my ($self, $i, $verb, $answer) = @_;

    my $token = $NAMES[$i];
    my $body = $self->{bodies}[$i];
    my ($lease, $ttl) = @$self{qw(lease ttl)};

    return ($verb, $token, $body, $lease, $ttl, $self->{policy}, 'w')
        if $verb =~ /set|claim/;
    return ($verb, $token) if $verb eq 'renew';
    return ($verb, $token, $body, $ttl, 201, 'h', $answer)
        if $verb =~ /complete|ifeq\z/;
    return ($verb, $token, $body, $ttl, 201) if $verb =~ /bury/;
    return ($verb, $token, $ttl);
}


sub applied {
    my ($self, $text, $command, $name) = @_;

    my $before = record_of($text);
    my ($verdict, $after, @told)
        = Segments::RecordModel::apply($before, $command);

    my $broken = Promises::broken_by_command($before, $command, $verdict,
                                             $after, $name, @told);

    return $verdict->[0], text_of($after), $broken;
}


# Time.

sub tick {
    my ($self, $text, $acked, $executed, @actors) = @_;

    my ($later, $lapsed, $broken)
        = @{ $self->{ticked}{$text} //= [ticked(record_of($text))] };

    if ($later eq '-') {
        return ['the record expires', new_life($executed, @actors), $broken];
    }

    for my $i (0 .. $#actors) {
        my $late = $NAMES[$i] eq $lapsed ? 1 : 0;

        $actors[$i] = $self->{older}{"$actors[$i]$late"}
                          //= older($actors[$i], $late);
    }

    return ['time passes', "$later $acked $executed @actors"];
}


# the record, and whose lease ran out
sub ticked {
    my ($record) = @_;

    my $running = running($record);

    $record->{expires}--;

    my $lapsed = $running && !running($record) ? $record->{fields}{token} : '';

    return '-', $lapsed, Promises::broken_by_expiry($record)
        if !$record->{expires};

    return text_of($record), $lapsed;
}


# in plain words, and not by the rule that may be wrong
sub running {
    my ($record) = @_;
    my $fields = $record->{fields};

    return $fields->{state} eq 'claimed'
           && $record->{expires} > $fields->{ttl} - $fields->{lease};
}


sub older {
    my ($text, $lapsed) = @_;

    my %actor;
    @actor{@FIELDS} = split //, $text;

    $actor{live}-- if $actor{live};
    $actor{lapsed} = 1 if $lapsed;

    return encode(%actor);
}


# the key is free; what came before counts no more
sub new_life {
    my ($executed, @actors) = @_;

    return join ' ', '-', '-', $executed, map { outlived($_) } @actors;
}


my %outlived;

sub outlived {
    my ($text) = @_;

    return $outlived{$text} //= do {
        my %actor;
        @actor{@FIELDS} = split //, $text;

        $actor{old} = 1 if $actor{pc} ne $PC{idle};
        @actor{qw(effect lapsed live)} = (0, 0, 0);

        encode(%actor);
    };
}


# What can make no difference any more is forgotten.

sub encode {
    my (%actor) = @_;

    if ($actor{pc} !~ /[iaos]/ && !$actor{flying}) {
        $actor{old} = 0;
        $actor{lapsed} = 0 if !$actor{effect};
    }

    return join '', @actor{@FIELDS};
}


sub text_of {
    my ($record) = @_;

    return '-' if !$record;

    my $fields = $record->{fields};

    return join ',', 'expires=' . ($record->{expires} // 'never'),
                     map { "$_=$fields->{$_}" } sort keys %$fields;
}


sub record_of {
    my ($text) = @_;

    return undef if $text eq '-';

    my %fields = map { split /=/, $_, 2 } split /,/, $text;
    my $expires = delete $fields{expires};

    return { fields => \%fields,
             expires => $expires eq 'never' ? undef : $expires };
}


1;
