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

        ['a renewal does not compare tokens',
         "${record}::may_renew", sub { $_[0] && $_[0]{fields}{lease} },
         qr/no two leases/],

        ['a give-back does not compare tokens',
         "${record}::may_give_back", sub { $_[0] && $_[0]{fields}{lease} },
         qr/who lost the key/],

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
         qr/accepted answer/],

        ['a take-over forgets the earlier try',
         "${record}::take_over",
         sub {
             my ($key, $now, $token, $lease, $ttl) = @_;
             return Segments::RecordModel::first_claim($now, $token,
                 $key->{fields}{fp}, $lease, $ttl);
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
             my ($now, $token, $fp, $lease) = @_;
             return { fields => { v => 1, state => 'claimed', fp => $fp,
                                  since => $now, token => $token,
                                  lease => $now + $lease,
                                  from => 'absent' } };
         },
         qr/has an expiry/],

        ['a renewal does not raise the expiry',
         "${record}::renewed_expiry", sub { $_[0]{expires} },
         qr/under a running lease/, $SLOW],

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
