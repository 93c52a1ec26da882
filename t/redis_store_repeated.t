#!/usr/bin/perl

# Redis does not take an answer for a while: its owner renews the claim and
# tries again, with the same token, for a whole lease; nobody else runs
# meanwhile, and somebody may once the owner has given up.
#
# run: long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::RedisFront;
use Segments::Test;

use Time::HiRes qw(time);


my $LEASE = slow(3);                    # seconds
my $BUSY = '409 in-progress idempotency_in_progress';

my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();
my $front = Segments::RedisFront->start($redis);

my %args = (upstream => $upstream, redis => $front, set => {
    segments_redis_timeout         => slow_ms(800),
    segments_redis_connect_timeout => slow_ms(800),
    segments_idempotency_wait      => 'off',
    segments_idempotency_lease     => slow_ms(3000),
});

my $nginx = nginx(%args);
my $other = nginx(%args);


# of a key, and of a verb

sub said {
    my ($key, $verb) = @_;

    return grep { $_->[1] =~ /:\Q$key\E\}:create\z/ } $front->commands($verb);
}


# refused, then taken just before its owner would give up

for my $try (['', 'complete', '201 replayed marked'],
    ['body=70000', 'bury', '409 replayed marked idempotency_answer_not_kept'])
{
    my ($mock, $verb, $replay) = @$try;

    $front->rule($verb => 'error=OOM command not allowed');

    my $first = $nginx->create(key => "long-$verb", mock => $mock);
    my $start = time;

    is($first->summary, '201 unstored', "$verb refused");

    my %seen;

    while (time - $start < $LEASE) {
        $seen{ $_->create(key => "long-$verb")->summary }++ for $nginx, $other;
        select undef, undef, undef, 0.05;
    }

    $front->rule($verb => 'pass');

    is_deeply([keys %seen], [$BUSY], 'busy for a whole lease');

    my $again;

    wait_for { $again = $other->create(key => "long-$verb");
        $again->summary ne $BUSY } 10, 'the answer to be stored';

    is($again->summary, $replay, 'stored at last');
    is(scalar(said("long-$verb", 'renew')) >= 2, 1, 'renewed meanwhile');

    my %tokens;
    $tokens{ $_->[2] }++ for said("long-$verb", $verb),
        said("long-$verb", 'renew');

    is(scalar keys %tokens, 1, 'by one owner');
    cmp_ok(scalar(said("long-$verb", $verb)), '>=', 3, 'that tried again');
    cmp_ok(scalar(said("long-$verb", $verb)), '<=', $LEASE + 4,
        'about once a second');
    is($upstream->count, $verb eq 'complete' ? 1 : 2, 'sent once');
}

# refused for longer: left to the lease, and then the retry runs

$front->rule(complete => 'error=OOM command not allowed');

my $start = time;
my $first = $nginx->create(key => 'lost');
my ($name) = grep { /:lost\}:create\z/ } $redis->keys;

is($first->summary, '201 unstored', 'refused');
$nginx->wait_log(qr/did not take the end of a claim for a whole lease/, 30);
cmp_ok(time - $start, '>=', $LEASE, 'given up after a lease');
is($other->create(key => 'lost')->summary, $BUSY, 'which it leaves renewed');

my $tries = said('lost', 'complete');

$front->rule(complete => 'pass');

my ($again, $before) = (undef, $upstream->count);

wait_for { $again = $other->create(key => 'lost'); $again->summary ne $BUSY }
    20, 'the lease to end';

is($again->summary, '201 recorded', 'then the retry runs');
is($upstream->count, $before + 1, 'and is sent');
is(scalar(grep { $_->[2] ne (said('lost', 'complete'))[0][2] }
    said('lost', 'complete')), 1, 'by another owner');
is(scalar(said('lost', 'complete')), $tries + 1, 'the first one has ended');

my @keys = map { $_->header('Idempotency-Key') } $upstream->requests;

is($keys[-1], $keys[-2], 'with the same upstream key');
is($upstream->effects, 3, 'each carried out once');
is($again->body, $first->body, 'the same answer');
is($nginx->create(key => 'lost')->summary, '201 replayed marked',
    'replayed from then on');


# taken, but its reply comes too late: sent again it is not taken twice, and the
# expiry stays as well

$front->rule(complete => 'late=' . slow(3));
is($nginx->create(key => 'twice')->summary, '201 unstored', 'a late reply');

($name) = grep { /:twice\}:create\z/ } $redis->keys;

my $value = $redis->cmd('GET', $name);

$redis->cmd('PEXPIRE', $name, 600_000);
$front->rule(complete => 'pass');
wait_for { said('twice', 'complete') >= 2 } 10, 'a second try';
is($other->create(key => 'twice')->summary, '201 replayed marked', 'there');
is($nginx->create(key => 'twice')->summary, '201 replayed marked', 'behind it');
ok($redis->cmd('GET', $name) eq $value, 'it changes nothing');
cmp_ok($redis->cmd('PTTL', $name), '<=', 600_000, 'nor the expiry');

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
