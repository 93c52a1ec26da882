package Promises;

# What users are promised, in plain words.  The life of a record begins with
# its first claim and ends with its expiry (or when Redis loses its data);
# giving back does not end it.
#
#  1 Under "hold" a key has at most one effect in the life of its record.
#  2 Under "retry" it has another only after the earlier try's outcome was
#    left unknown or that try's lease ran out.  A retry carries the same
#    upstream key, so an upstream that honours keys has one effect for ever.
#  3 A stored answer is one that the upstream gave to a request with this
#    body.  It is never replaced by another.
#  4 A request with another body neither runs nor gets that answer while the
#    record stands; it is told that the key is used, and the record keeps the
#    body that it began with.
#  5 No two owners' leases run at a time.
#  6 Once Redis has accepted an answer, every claim is told that answer until
#    the record expires.
#  7 A record always has an expiry, and does not expire under a running lease.
#  8 No key is stuck: once the lease is over, a request with the same body
#    runs or gets the answer; under "hold" it may be told that it is held.
#  9 Whoever lost the key changes nothing in another's record.
# 10 A claim that is sent again, because its reply was lost, is won again.
# 11 After an effect, the key is never free again in the life of its record.
# 12 Whoever waits for a claim is told of its end, or of that of the claim that
#    has taken over.
# 13 A claim that is won has its whole lease before it.
# 14 Who owns a key may go on with it.
# 15 An answer that is sent again, because its reply was lost, is taken.

use strict;
use warnings;

use Segments::RecordModel;

my %PROMISE = (
    1  => 'under hold a key has one effect',
    2  => 'under retry a key has another effect only after an unknown one',
    21 => 'an upstream that honours keys has one effect',
    3  => 'a stored answer is one that the upstream gave',
    31 => 'a stored answer is never replaced',
    4  => 'another body is told that the key is used',
    41 => 'another body never runs',
    42 => 'the key keeps its body',
    5  => 'no two leases run at a time',
    6  => 'an accepted answer is told from then on',
    7  => 'a record has an expiry',
    71 => 'a record does not expire under a running lease',
    8  => 'no key is stuck',
    9  => 'who lost the key changes nothing',
    10 => 'a claim sent again is won again',
    11 => 'after an effect the key is not free',
    12 => 'who waits is told',
    13 => 'who wins has a whole lease',
    14 => 'who owns a key goes on',
    15 => 'an answer sent again is taken',
);


# Of a command that took a record from $before to $after.

sub broken_by_command {
    my ($before, $command, $verdict, $after, $name, @told) = @_;

    my $old = $before && $before->{fields};
    my $same = same($before, $after);
    my $verb = $command->[0];

    if ($old && $verb =~ /set|claim/ && $old->{fp} ne $command->[2]) {
        return $PROMISE{4} if $verdict->[0] ne 'mismatch' || !$same;
    }

    if ($old && $old->{state} eq 'claimed') {
        my $mine = $old->{token} eq $name;

        return $PROMISE{10}
            if $verb eq 'claim' && $mine && $verdict->[0] ne 'ok';
        return $PROMISE{9} if $verb ne 'claim' && !$mine && !$same;
        return $PROMISE{14} if $verb eq 'renew' && $mine
                               && $verdict->[0] ne 'ok';
        return $PROMISE{12} if $old->{awaited} && !$same && !@told
                               && !($after && $after->{fields}{awaited});
    }

    if ($verb =~ /set|claim|renew/ && $verdict->[0] eq 'ok') {
        return $PROMISE{13}
            if !$after || ($after->{expires} // 0)
                          != ($after->{fields}{ttl} // -1);
    }

    if ($old && $old->{state} =~ /answered|tombstone/) {
        return $PROMISE{31} if !$same;
        return $PROMISE{15}
            if $verb =~ /\A(?:complete|bury)\z/ && $old->{token} eq $name
               && $verdict->[0] ne 'ok';
        return $PROMISE{6}
            if $verb =~ /set|claim/ && $old->{fp} eq $command->[2]
               && "@$verdict" ne told($old);
    }

    if ($old && $after && $old->{fp} ne $after->{fields}{fp}) {
        return $PROMISE{42};
    }

    if ($after) {
        return $PROMISE{7} if !$after->{expires};
        return $PROMISE{8} if stuck($after);
    }

    return undef;
}


sub told {
    my ($record) = @_;

    return "tombstone $record->{status}" if $record->{state} eq 'tombstone';
    return "replay @$record{qw(status headers body)}";
}


sub same {
    my ($one, $other) = map { World::text_of($_) } @_;
    return $one eq $other;
}


sub stuck {
    my ($key) = @_;

    my $fields = $key->{fields};
    my $left = $fields->{state} eq 'claimed'
        ? $fields->{ttl} - $fields->{lease} : $key->{expires};
    my $later = { %$key, expires => $left || 1 };
    my @claim = ('claim', 'somebody', $fields->{fp}, 1, 2);

    my ($retry) = Segments::RecordModel::apply($later, [@claim, 'retry']);
    my ($hold) = Segments::RecordModel::apply($later, [@claim, 'hold']);

    return $retry->[0] !~ /\A(?:ok|replay|tombstone)\z/
           || $hold->[0] !~ /\A(?:ok|replay|tombstone|held)\z/;
}


sub broken_by_expiry {
    my ($record) = @_;
    return World::running($record) ? $PROMISE{71} : undef;
}


# Of a state of a whole world.

sub broken_in {
    my ($world, $state) = @_;

    my ($text, $acked, $executed, @actors) = split / /, $state;
    my ($live, $effects, $safe, $body) = (0, 0, 0);

    for my $i (0 .. $#actors) {
        my (undef, $effect, undef, $lapsed, $clock)
            = unpack 'a5aaaa', $actors[$i];

        $live++ if $clock;
        next if !$effect;

        $body //= $world->{bodies}[$i];
        return $PROMISE{41} if $body ne $world->{bodies}[$i];

        $effects++;
        $safe++ if !$lapsed;
    }

    return $PROMISE{5} if $live > 1;
    return $PROMISE{1} if $world->{policy} eq 'hold' && $effects > 1;
    return $PROMISE{2} if $safe > 1;
    return $PROMISE{11} if $effects && $text eq '-';

    my $known = $world->{sound}{"$text $acked $executed"}
                    //= [broken_answer($world, $text, $acked, $executed)];

    return $known->[0];
}


sub broken_answer {
    my ($world, $text, $acked, $executed) = @_;

    my @bodies = map { substr($executed, $_, 1) ? $world->{bodies}[$_] : '' }
                     0 .. length($executed) - 1;

    if ($world->{honours}) {
        my %times;
        return $PROMISE{21} if grep { $_ && $times{$_}++ } @bodies;
    }

    if ($text =~ /\bbody=(.),.*\bfp=(.)/) {
        my ($answer, $body) = ($1, $2);
        my $i = index 'ABCD', $answer;

        return $PROMISE{3} if $i < 0 || $bodies[$i] ne $body;
    }

    if ($acked ne '-') {
        my $kept = $acked eq 'long' ? 'state=tombstone' : "body=$acked";
        return $PROMISE{6} if $text !~ /\b$kept\b/;
    }

    return undef;
}


1;
