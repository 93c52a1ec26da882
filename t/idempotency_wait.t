#!/usr/bin/perl

# Duplicates wait for the first one's answer, at any gateway, and get it when
# it is there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

use Time::HiRes qw(time);


my $BUSY = '409 in-progress idempotency_in_progress';
my $AGAIN = '201 replayed marked';
my $LONG = slow_ms(30_000);

my $upstream = upstream();
my $redis = redis_server();

sub gateway {
    my ($wait, %more) = @_;

    return nginx(upstream => $upstream, redis => $redis, %more, set => {
        %Segments::Nginx::PATIENT,
        segments_idempotency_wait  => $wait,
        segments_idempotency_lease => '900s',       # nobody asks by himself
        %{ $more{set} // {} },
    });
}

my @gateways = map { gateway($LONG, workers => 2, listen => 'reuseport') } 1, 2;
my $http2 = gateway($LONG, listen => 'http2');

# a create whose answer the upstream holds under the key's name

sub running {
    my ($key, %more) = @_;

    my $c = $gateways[0]->connect;

    $c->send_request($gateways[0]->create_request(key => $key,
        mock => "hold=$key" . ($more{mock} // '')));
    $upstream->wait_held($key);

    return $c;
}


# so many duplicates, which have asked twice: once to hear that they have to
# wait, and once to be told when it is over

sub waiting {
    my ($key, $count, %more) = @_;

    my $asked = asked();
    my @waiting;

    for my $n (1 .. $count) {
        my $gateway = $more{gateway} // $gateways[$n % 2];
        my $c = $gateway->connect;

        $c->send_request($gateway->create_request(key => $key));
        push @waiting, $c;
    }

    wait_for { asked() >= $asked + 2 * $count } 10, 'duplicates to wait';

    return @waiting;
}


sub asked { return $redis->commands->{evalsha} // 0 }


sub answers { return map { $_->read_response(undef) } @_ }


sub counts {
    my %counts;

    $counts{ $_ ? $_->summary : 'no answer' }++ for @_;

    return \%counts;
}


# everywhere, and on HTTP/2

{
    my $first = running('a');
    my @waiting = waiting('a', 20);

    my $h2 = h2($http2);
    my $asked = asked();
    my $stream = $h2->send_request($http2->create_request(key => 'a'));
    wait_for { asked() >= $asked + 2 } 10, 'a stream to wait';

    is((grep { !$_->usable } @waiting), 0, 'nobody is answered');
    is($gateways[1]->create(key => 'a', body => { name => 'b' })->summary,
        '422 mismatch idempotency_key_reused', 'another body does not wait');

    my ($name) = $redis->keys('*:a}:create');
    like($redis->record($name)->{awaited},
        qr/\A(?:\{segments:channel:\w+\})+\z/, 'the record knows who waits');

    $upstream->release('a');

    my $answer = $first->read_response;
    my @answers = answers(@waiting);
    my $on_stream = $h2->read_response($stream);

    is($answer->summary, '201 recorded', 'the first one is answered');
    is_deeply(counts(@answers), { $AGAIN => 20 }, 'and the others');
    is_deeply([grep { $_->body ne $answer->body } @answers], [],
        'with the same answer');
    is($on_stream->summary, $AGAIN, 'so on HTTP/2');
    is($upstream->count, 1, 'one upstream request');
    ok(!exists $redis->record($name)->{awaited}, 'nobody waits any more');

    wait_for {
        21 == grep { $_->{outcome} eq 'replayed' }
            map { $_->access } @gateways, $http2
    } 10, 'the outcome in the access log';
}


# while they wait nothing happens

{
    my $first = running('idle');
    my @waiting = waiting('idle', 10);
    my $before = asked();

    # what takes a while and asks for nothing
    my $c = $gateways[0]->connect;
    $c->send_request($gateways[0]->create_request(mock => 'delay=1'));
    is($c->read_response->status, 201, 'some time has passed');

    is(asked(), $before, 'nobody asked meanwhile');
    is((grep { !$_->usable } @waiting), 0, 'all wait');

    $upstream->release('idle');
    is_deeply(counts(answers(@waiting)), { $AGAIN => 10 }, 'then replayed');
}


# the first one fails: one of them takes its place, and the others wait for it

my %FAILS = (
    'given back'       => '; status=429',
    'outcome unknown'  => '; status=500',
    'connection reset' => '; rst',
);

for my $how (sort keys %FAILS) {
    my $key = $how =~ s/\W/-/gr;
    my $first = running($key, mock => $FAILS{$how});
    my @waiting = waiting($key, 10);
    my $count = $upstream->count;

    $upstream->default('hold=second');
    $upstream->release($key);

    cmp_ok($first->read_response->status, '>=', 429, "$how: the first fails");

    wait_for { $upstream->count > $count } 10, 'another try';
    $upstream->release('second');
    $upstream->default('');

    is_deeply(counts(answers(@waiting)), { '201 recorded' => 1, $AGAIN => 9 },
        "$how: one runs, the others wait on");
    is($upstream->count, $count + 1, "$how: one more upstream request");
}


# by default

{
    my %args = (upstream => $upstream, redis => $redis);
    my %set = (%Segments::Nginx::PATIENT,
        segments_idempotency_lease => '900s');
    my $gateway = nginx(%args, set => \%set);
    my $off = nginx(%args, set => {
        %set, segments_idempotency_wait => 'off' });
    my $first = running('default');
    my @waiting = waiting('default', 16, gateway => $gateway);

    is($gateway->create(key => 'default')->summary, $BUSY,
        'by default 16 wait for a key');
    is((grep { !$_->usable } @waiting), 0, 'and wait');
    is($off->create(key => 'default')->summary, $BUSY, 'off: told at once');
    is($off->create(key => 'default')->header('Retry-After'), 1,
        'off: Retry-After');

    $upstream->release('default');
    is($first->read_response->summary, '201 recorded', 'the first one');
    is_deeply(counts(answers(@waiting)), { $AGAIN => 16 },
        'by default: then replayed');
}


# the wait ends before the answer comes

{
    my $first = running('long');
    my $impatient = gateway('1s');
    my $start = time;
    my $answer = $impatient->create(key => 'long');
    my $spent = time - $start;

    is($answer->summary, $BUSY, 'told when the wait is over');
    is($answer->header('Retry-After'), 1, 'it may be there at any moment');
    cmp_ok($spent, '>=', 1, 'not before');
    cmp_ok($spent, '<', 1 + slow(1), 'and not much later');
    is(($impatient->access(1))[0]{outcome}, 'in_progress', 'outcome');

    $upstream->release('long');
    is($first->read_response->summary, '201 recorded', 'the first one runs on');
}


is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();
