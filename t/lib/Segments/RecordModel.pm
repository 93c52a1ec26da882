package Segments::RecordModel;

# The record of one idempotency key, as a pure function.
#
#     ($verdict, $key) = apply($key, [verb, arguments ...], $now)
#
# A key is undef (absent) or { fields => {...}, expires => milliseconds left }.
# Commands and verdicts are those of record.lua, word for word, but for
# "limited", a claim whose limits refuse: the explorer in t/model proves
# promises about this function, and t/record_script.t plays it against the
# script in a real Redis.
#
#                       claim
#     absent ------------------------------> claimed <--.
#        ^                                    | | |     | claim, once the lease
#        |   give_back, nothing tried before  | | |     | is over or the state
#        `------------------------------------' | |     | is unknown
#                                               | |     |
#         give_back of a take-over, unknown     | |     |
#     unknown <---------------------------------' | ----'
#        |                                        |
#        |   complete, bury                       |
#        `-----------> answered, buried <---------'
#
# Each rule that can be got wrong is a function of its own, so that
# t/model/Mistakes.pm can get it wrong.

use strict;
use warnings;

use List::Util qw(max);

my $VERSION = 1;

my %NEEDED = (
    claimed  => [qw(token lease from)],
    unknown  => [],
    answered => [qw(token status headers body)],
    buried   => [qw(token status)],
);

my %SHAPE = (
    since  => qr/\A[0-9]{1,15}\z/,
    lease  => qr/\A[0-9]{1,15}\z/,
    from   => qr/\A(?:absent|unknown)\z/,
    status => qr/\A[0-9]{3}\z/,
);

my %VERBS = (
    claim     => sub { claim(@_) },
    limited   => sub { limited(@_) },
    renew     => sub { renew(@_) },
    complete  => sub { complete(@_) },
    bury      => sub { bury(@_) },
    give_back => sub { give_back(@_) },
    unknown   => sub { unknown(@_) },
);


sub apply {
    my ($key, $command, $now) = @_;
    my ($verb, @args) = @$command;

    my $bad = $key && unreadable($key->{fields});

    return ['unreadable', $bad], $key if $bad;
    return $VERBS{$verb}->($key, $now, @args);
}


# the first field that cannot be used
sub unreadable {
    my ($record) = @_;

    return 'v' if ($record->{v} // '') ne $VERSION;

    my $needed = $NEEDED{$record->{state} // ''};
    return 'state' if !$needed;

    for my $field ('fp', 'since', @$needed) {
        my $value = $record->{$field};
        return $field if !defined $value;
        return $field if $SHAPE{$field} && $value !~ $SHAPE{$field};
    }

    return undef;
}


sub claim {
    my ($key, $now, $token, $fp, $lease, $ttl, $policy, $channel) = @_;

    if (!$key) {
        return ['ok'], first_claim($now, $token, $fp, $lease, $ttl);
    }

    my $record = $key->{fields};

    return ['mismatch'], $key if !same_body($record, $fp);

    if (settled($record)) {
        return found($record), $key;
    }

    if ($record->{state} eq 'claimed') {

        # the reply was lost and the claim is sent again
        if (owned_by($record, $token)) {
            return ['ok'],
                changed($key, { lease => $now + $lease }, $ttl);
        }

        if (lease_left($record, $now) > 0) {
            return ['in_progress', lease_left($record, $now)],
                awaited($key, $channel);
        }
    }

    return ['held'], $key if $policy eq 'hold';
    return ['ok'], take_over($key, $now, $token, $lease, $ttl);
}


# a claim whose limits refuse
sub limited {
    my ($key, $now, $token, @args) = @_;

    my ($verdict, $after) = claim($key, $now, $token, @args);
    my $paid = $key && owned_by($key->{fields}, $token);

    return $verdict, $after if $verdict->[0] ne 'ok' || $paid;
    return ['limited'], $key;
}


sub renew {
    my ($key, $now, $token, $lease) = @_;

    return ['stale'], $key if !may_renew($key, $token);

    return ['ok'], changed($key, { lease => $now + $lease },
                           renewed_expiry($key, $lease));
}


sub complete {
    my ($key, $now, $token, $fp, $ttl, $status, $headers, $body) = @_;

    return settle($key, $now, $token, $ttl,
                  { state => 'answered', fp => $fp, status => $status,
                    headers => $headers, body => $body });
}


sub bury {
    my ($key, $now, $token, $fp, $ttl, $status) = @_;

    return settle($key, $now, $token, $ttl,
                  { state => 'buried', fp => $fp, status => $status });
}


sub settle {
    my ($key, $now, $token, $ttl, $end) = @_;

    return ['ok'], $key if settled_by($key, $token);
    return ['stale'], $key if !may_settle($key, $token, $end->{fp});

    my $since = $key ? $key->{fields}{since} : $now;

    return ['ok'], changed($key, { v => $VERSION, since => $since,
                                   token => $token, lease => undef,
                                   from => undef, awaited => undef, %$end },
                           $ttl);
}


sub give_back {
    my ($key, $now, $token) = @_;

    return ['stale'], $key if !may_give_back($key, $token);
    return ['ok'], given_back($key);
}


sub unknown {
    my ($key, $now, $token) = @_;

    return ['stale'], $key if !may_give_back($key, $token);
    return ['ok'], left_unknown($key);
}


# The rules.

sub same_body {
    my ($record, $fp) = @_;
    return $record->{fp} eq $fp;
}


sub owned_by {
    my ($record, $token) = @_;
    return $record->{state} eq 'claimed' && $record->{token} eq $token;
}


sub lease_left {
    my ($record, $now) = @_;
    return $record->{lease} - $now;
}


sub settled {
    my ($record) = @_;
    return $record->{state} =~ /\A(?:answered|buried)\z/;
}


sub settled_by {
    my ($key, $token) = @_;
    return $key && settled($key->{fields}) && $key->{fields}{token} eq $token;
}


sub may_renew {
    my ($key, $token) = @_;
    return $key && owned_by($key->{fields}, $token);
}


sub may_give_back {
    my ($key, $token) = @_;
    return $key && owned_by($key->{fields}, $token);
}


# A definite answer is also taken where nobody owns the key: after an outcome
# that was unknown so far, and after Redis lost the record.
sub may_settle {
    my ($key, $token, $fp) = @_;

    return 1 if !$key;
    return 1 if owned_by($key->{fields}, $token);
    return $key->{fields}{state} eq 'unknown' && same_body($key->{fields}, $fp);
}


sub found {
    my ($record) = @_;

    return ['tombstone', $record->{status}] if $record->{state} eq 'buried';
    return ['replay', @$record{qw(status headers body)}];
}


sub first_claim {
    my ($now, $token, $fp, $lease, $ttl) = @_;

    return changed(undef, { v => $VERSION, state => 'claimed', fp => $fp,
                            since => $now, token => $token,
                            lease => $now + $lease, from => 'absent' },
                   $ttl);
}


sub take_over {
    my ($key, $now, $token, $lease, $ttl) = @_;

    return changed($key, { state => 'claimed', token => $token,
                           lease => $now + $lease, from => 'unknown' },
                   $ttl);
}


# whose end is told to the channel
sub awaited {
    my ($key, $channel) = @_;

    return $key if !defined $channel;

    my $channels = $key->{fields}{awaited} // '';
    $channels .= "{$channel}" if index($channels, "{$channel}") < 0;

    return changed($key, { awaited => $channels }, $key->{expires});
}


sub renewed_expiry {
    my ($key, $lease) = @_;
    return max($key->{expires} // 0, $lease);
}


sub given_back {
    my ($key) = @_;

    return undef if $key->{fields}{from} eq 'absent';
    return left_unknown($key);
}


sub left_unknown {
    my ($key) = @_;

    return changed($key, { state => 'unknown', token => undef,
                           lease => undef, from => undef, awaited => undef },
                   $key->{expires});
}


# a copy; a field set to undef is removed
sub changed {
    my ($key, $change, $expires) = @_;

    my %fields = ($key ? %{$key->{fields}} : (), %$change);
    delete @fields{grep { !defined $fields{$_} } keys %fields};

    return { fields => \%fields, expires => $expires };
}


1;
