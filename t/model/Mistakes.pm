package Mistakes;

# One rule each, got wrong.  The exploration must find the promise that breaks.

use strict;
use warnings;

use Segments::RecordModel;
use World;

my $HOLD = { policy => 'hold' };
my $HONOURS = { honours => 1 };

# where a renewal can fall short of a lease
my $SLOW = { lease => 2, ttl => 3 };


# [what is wrong, the function, what stands for it, the promise, the world]

sub all {
    my $record = 'Segments::RecordModel';

    return (
        ['another body is not noticed',
         "${record}::same_body", sub { 1 },
         qr/another body is told/],

        ['a running lease is not respected',
         "${record}::lease_left", sub { 0 },
         qr/no two leases/],

        ['a lease never ends',
         "${record}::lease_left", sub { 1 },
         qr/no key is stuck/],

        ['a lease by another clock than the expiry',
         "${record}::lease_left", sub { $_[0]{fields}{lease} },
         qr/no key is stuck/],

        ['a renewal does not compare tokens',
         "${record}::may_renew",
         sub { $_[0] && $_[0]{fields}{state} eq 'claimed' },
         qr/no two leases|who lost the key/, $SLOW],

        ['a renewal compares the whole value',
         "${record}::may_renew",
         sub {
             my ($key, $token) = @_;
             return $key
                 && Segments::RecordModel::owned_by($key->{fields}, $token)
                 && !$key->{fields}{awaited};
         },
         qr/who owns a key goes on/],

        ['a renewal sets no expiry',
         "${record}::renewed", sub { $_[0] },
         qr/has a whole lease/, $SLOW],

        ['a give-back does not compare tokens',
         "${record}::may_give_back",
         sub { $_[0] && $_[0]{fields}{state} eq 'claimed' },
         qr/who lost the key/],

        ['a native completion does not compare tokens',
         "${record}::as_it_was_made",
         sub { $_[0] && $_[0]{fields}{state} eq 'claimed'
               && $_[0]{fields}{fp} eq $_[2] },
         qr/who lost the key|who waits is told/],

        ['a native completion does not see who waits',
         "${record}::as_it_was_made",
         sub {
             my ($key, $token) = @_;
             return $key
                 && Segments::RecordModel::owned_by($key->{fields}, $token);
         },
         qr/who waits is told/],

        ['a native claim runs over what is there',
         "${record}::may_set", sub { 1 },
         qr/lost the key|waits is told|another body|accepted|no two leases/],

        ['who waits for a claim that is taken over is forgotten',
         "${record}::take_over",
         sub {
             my ($key, $token, $lease, $ttl) = @_;
             my $after = Segments::RecordModel::first_claim($token,
                 $key->{fields}{fp}, $lease, $ttl);
             $after->{fields}{from} = 'unknown';
             return $after;
         },
         qr/who waits is told/],

        ['nobody is told',
         "${record}::told", sub { () },
         qr/who waits is told/],

        ['a claim sent again is won without an expiry anew',
         "${record}::won_again", sub { $_[0] },
         qr/has a whole lease/, $SLOW],

        ['a completion sent again is a stranger\'s',
         "${record}::settled_by", sub { 0 },
         qr/an answer sent again/],

        ['a completion is taken twice',
         "${record}::settle",
         sub {
             my ($key, $token, $ttl, $end) = @_;
             return ['ok'], Segments::RecordModel::ended(
                 { token => $token, %$end }, $ttl);
         },
         qr/never replaced|who lost the key|keeps its body|who waits is told/],

        ['a completion is unconditional',
         "${record}::may_settle", sub { 1 },
         qr/who lost the key/],

        ['a completion is taken from whoever has the same body',
         "${record}::may_settle",
         sub { !$_[0] || $_[0]{fields}{fp} eq $_[2] },
         qr/who lost the key/],

        ['a completion after an unknown outcome ignores the body',
         "${record}::may_settle",
         sub {
             my ($key, $token) = @_;
             return !$key || $key->{fields}{state} eq 'unknown'
                    || Segments::RecordModel::owned_by($key->{fields}, $token);
         },
         qr/the key keeps its body/, { bodies => [1, 2] }],

        ['a claim sent again is a stranger\'s',
         "${record}::owned_by",
         sub {
             my ($fields, $token) = @_;
             return (caller(1))[3] !~ /claim/
                    && $fields->{state} eq 'claimed'
                    && $fields->{token} eq $token;
         },
         qr/a claim sent again/],

        ['an answer is claimed over',
         "${record}::found", sub { ['ok'] },
         qr/accepted answer|whole lease/],

        ['a take-over forgets the earlier try',
         "${record}::take_over",
         sub {
             my ($key, $token, $lease, $ttl) = @_;
             return Segments::RecordModel::changed($key,
                 { state => 'claimed', token => $token, from => 'absent',
                   ttl => $ttl, lease => $lease }, $ttl);
         },
         qr/after an effect/],

        ['a give-back always deletes',
         "${record}::given_back", sub { undef },
         qr/after an effect/],

        ['an unknown outcome deletes',
         "${record}::left_unknown", sub { undef },
         qr/after an effect/],

        ['a claim sets no expiry',
         "${record}::first_claim",
         sub {
             my ($token, $fp, $lease, $ttl) = @_;
             return { fields => { state => 'claimed', fp => $fp,
                                  token => $token, from => 'absent',
                                  ttl => $ttl, lease => $lease } };
         },
         qr/has an expiry|has a whole lease/],

        ['an unknown outcome sets no expiry',
         "${record}::left_unknown",
         sub { return { fields => { state => 'unknown',
                                    fp => $_[0]{fields}{fp} } } },
         qr/has an expiry/],

        ['given back although it was sent',
         'World::outcome_of_silence', sub { 'give_back' },
         qr/after an effect/],

        ['given back although it was sent, under hold',
         'World::outcome_of_silence', sub { 'give_back' },
         qr/after an effect/, $HOLD],

        ['an answer is made up when none came',
         'World::outcome_of_silence', sub { 'complete' },
         qr/one that the upstream gave/],

        ['sent without a claim when Redis is silent',
         'World::after_silence', sub { (pc => 's', flying => 1) },
         qr/after an effect/],

        ['a retry carries another upstream key',
         'World::upstream_key', sub { $_[1] },
         qr/an upstream that honours keys/, $HONOURS],
    );
}


1;
