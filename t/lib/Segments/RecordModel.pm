package Segments::RecordModel;

# The record of one idempotency key, as a pure function.
#
#     ($verdict, $key, @told) = apply($key, [verb, arguments ...])
#
# A key is undef (absent) or { fields => {...}, expires => milliseconds left,
# or undef: never }.  The fields are those of Segments::Value, with "lease" for
# how long it is; "awaited" has the channels of those who wait, in braces each.
# Told are those that hear of the end of a claim.
#
# Verbs are those of claim.lua, renew.lua, settle.lua and drop.lua; besides
# "limited", a claim whose limits refuse; "set", the native claim; "ifeq", the
# native complete, and "ifeq_bury".  Verdicts are what the gateway makes of the
# reply: "more" is no verdict, the script is asked.
#
# The explorer in t/model proves promises about this function, and
# t/record_script.t plays it against scripts and commands in a real Redis.
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
#        `----------> answered, tombstone <-------'
#
# Each rule that can be got wrong is a function of its own, so that
# t/model/Mistakes.pm can get it wrong.

use strict;
use warnings;

my %VERBS = (
    claim     => sub { claim(@_) },
    set       => sub { set(@_) },
    limited   => sub { limited(@_) },
    renew     => sub { renew(@_) },
    complete  => sub { complete(@_) },
    ifeq      => sub { ifeq(@_) },
    ifeq_bury => sub { ifeq_bury(@_) },
    bury      => sub { bury(@_) },
    give_back => sub { give_back(@_) },
    unknown   => sub { unknown(@_) },
);


sub apply {
    my ($key, $command) = @_;
    my ($verb, @args) = @$command;

    return $VERBS{$verb}->($key, @args);
}


sub claim {
    my ($key, $token, $fp, $lease, $ttl, $policy, $channel) = @_;

    return ['ok'], first_claim($token, $fp, $lease, $ttl) if !$key;

    my $record = $key->{fields};

    return ['mismatch'], $key if !same_body($record, $fp);
    return found($record), $key if settled($record);

    if ($record->{state} eq 'claimed') {

        # the reply was lost and the claim is sent again
        return ['ok'], won_again($key, $ttl) if owned_by($record, $token);

        $key = begun_anew($key) if odd_expiry($key);

        return ['in_progress', lease_left($key)], awaited($key, $channel)
            if lease_left($key) > 0;
    }

    return ['held'], $key if $policy eq 'hold';
    return ['ok'], take_over($key, $token, $lease, $ttl);
}


# SET name value NX GET PX ttl
sub set {
    my ($key, $token, $fp, $lease, $ttl, $policy) = @_;

    return ['ok'], first_claim($token, $fp, $lease, $ttl) if may_set($key);

    my $record = $key->{fields};

    return ['mismatch'], $key if !same_body($record, $fp);
    return found($record), $key if settled($record);
    return ['held'], $key
        if $record->{state} eq 'unknown' && $policy eq 'hold';
    return ['more'], $key;
}


# a claim whose limits refuse
sub limited {
    my ($key, $token, @args) = @_;

    my ($verdict, $after) = claim($key, $token, @args);
    my $paid = $key && owned_by($key->{fields}, $token);

    return $verdict, $after if $verdict->[0] ne 'ok' || $paid;

    # what was seen of an odd expiry was mended
    return ['limited'], $key && $key->{fields}{state} eq 'claimed'
        && odd_expiry($key) ? begun_anew($key) : $key;
}


sub renew {
    my ($key, $token) = @_;

    return ['stale'], $key if !may_renew($key, $token);
    return ['ok'], renewed($key);
}


sub complete {
    my ($key, $token, $fp, $ttl, $status, $headers, $body) = @_;

    return settle($key, $token, $ttl,
                  { state => 'answered', fp => $fp, status => $status,
                    headers => $headers, body => $body });
}


sub bury {
    my ($key, $token, $fp, $ttl, $status) = @_;

    return settle($key, $token, $ttl,
                  { state => 'tombstone', fp => $fp, status => $status });
}


sub settle {
    my ($key, $token, $ttl, $end) = @_;

    return ['ok'], $key if settled_by($key, $token);
    return ['stale'], $key if !may_settle($key, $token, $end->{fp});
    return ['ok'], ended({ token => $token, %$end }, $ttl), told($key);
}


# SET name value IFEQ claimed PX ttl
sub ifeq {
    my ($key, $token, $fp, $ttl, $status, $headers, $body) = @_;

    return ['more'], $key if !as_it_was_made($key, $token, $fp);
    return ['ok'], ended({ token => $token, state => 'answered', fp => $fp,
                           status => $status, headers => $headers,
                           body => $body }, $ttl);
}


sub ifeq_bury {
    my ($key, $token, $fp, $ttl, $status) = @_;

    return ['more'], $key if !as_it_was_made($key, $token, $fp);
    return ['ok'], ended({ token => $token, state => 'tombstone', fp => $fp,
                           status => $status }, $ttl);
}


sub give_back {
    my ($key, $token, $ttl) = @_;

    return ['stale'], $key if !may_give_back($key, $token);
    return ['ok'], given_back($key, $ttl), told($key);
}


sub unknown {
    my ($key, $token, $ttl) = @_;

    return ['stale'], $key if !may_give_back($key, $token);
    return ['ok'], left_unknown($key, $ttl), told($key);
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


sub may_set {
    my ($key) = @_;
    return !$key;
}


# by Redis' clock alone
sub lease_left {
    my ($key) = @_;
    my ($ttl, $lease) = @{$key->{fields}}{qw(ttl lease)};

    return $lease - ($ttl - $key->{expires});
}


# none, or more than there can be: the lease begins anew, it never is over
sub odd_expiry {
    my ($key) = @_;

    return !defined $key->{expires} || $key->{expires} > $key->{fields}{ttl};
}


sub begun_anew {
    my ($key) = @_;
    return changed($key, {}, $key->{fields}{ttl});
}


sub settled {
    my ($record) = @_;
    return $record->{state} =~ /\A(?:answered|tombstone)\z/;
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


# byte by byte
sub as_it_was_made {
    my ($key, $token, $fp) = @_;

    return 0 if !$key || !owned_by($key->{fields}, $token);
    return same_body($key->{fields}, $fp) && $key->{fields}{from} eq 'absent'
           && !defined $key->{fields}{awaited};
}


sub found {
    my ($record) = @_;

    return ['tombstone', $record->{status}] if $record->{state} eq 'tombstone';
    return ['replay', @$record{qw(status headers body)}];
}


sub first_claim {
    my ($token, $fp, $lease, $ttl) = @_;

    return { fields => { state => 'claimed', fp => $fp, token => $token,
                         from => 'absent', ttl => $ttl, lease => $lease },
             expires => $ttl };
}


sub won_again {
    my ($key, $ttl) = @_;
    return changed($key, {}, $ttl);
}


sub take_over {
    my ($key, $token, $lease, $ttl) = @_;

    return changed($key, { state => 'claimed', token => $token,
                           from => 'unknown', ttl => $ttl, lease => $lease },
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


sub told {
    my ($key) = @_;
    return $key ? ($key->{fields}{awaited} // '') =~ /\{(.*?)\}/g : ();
}


sub renewed {
    my ($key) = @_;
    return changed($key, {}, $key->{fields}{ttl});
}


sub ended {
    my ($fields, $ttl) = @_;
    return { fields => $fields, expires => $ttl };
}


sub given_back {
    my ($key, $ttl) = @_;

    return undef if $key->{fields}{from} eq 'absent';
    return left_unknown($key, $ttl);
}


sub left_unknown {
    my ($key, $ttl) = @_;

    return { fields => { state => 'unknown', fp => $key->{fields}{fp} },
             expires => $ttl };
}


# a copy
sub changed {
    my ($key, $change, $expires) = @_;

    return { fields => { %{$key->{fields}}, %$change }, expires => $expires };
}


1;
