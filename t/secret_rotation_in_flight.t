#!/usr/bin/perl

# A key that is replaced while a request is running: the request ends as it
# began, and neither key reaches a client.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

# each begins as the other ends

my @KEYS = map { "sk_sk_number${_}_sk_abcdefghijklmnopqrstuvwxyz_sk_" } 0 .. 3;
my $HIDDEN = '*' x length $KEYS[0];

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, secret => $KEYS[0],
    set => { %Segments::Nginx::PATIENT, proxy_buffering => 'off' });
my @answers;

# with the first key: held before the answer, or in the middle of its body, when
# no other key can be known, and with a record or without

my %held = (
    'head'           => begin('hold=a', [0, 2], key => 'head'),
    'body'           => begin('hold-body=b', [0, 0], key => 'body'),
    'head, no key'   => begin('hold=c', [0, 2]),
    'body, no key'   => begin('hold-body=d', [0]),
    'bytes, no key'  => begin('hold=e;dribble=1', [2, 0]),
);

$upstream->wait_held($_) for qw(a b c d e);

# the answer to a retry may be what the first try, with the key before, left

my $c = begin('rst', [], key => 'retry');

is($c->read_response->status, 502, 'first try is cut');

rotate(1);

for my $args ([], [key => 'one'], [key => 'retry'], ['dribble=1']) {
    my $words = @$args % 2 ? shift @$args : '';

    $c = begin($words, [0, 1, 0], @$args);
    masked($c->read_response, "new request @$args", [0, 1, 0]);
    is(($upstream->requests)[-1]->header('Authorization'), "Bearer $KEYS[1]",
        "new request @$args: new key");
}

# twice replaced

rotate(2);

masked(begin('', [1, 2])->read_response, 'another one', [1, 2]);

$upstream->release($_) for qw(a b c d e);

masked($held{$_}->read_response, $_,
    /bytes/ ? [2, 0] : /body, / ? [0] : /body/ ? [0, 0] : [0, 2])
    for sort keys %held;

is(scalar(grep { $_->header('Authorization') eq "Bearer $KEYS[0]" }
    $upstream->requests), 6, 'sent with the first key');

# replays have none, and are replays: the record's name knows of no key

masked($nginx->create(key => $_->[0]), "$_->[0] replayed", $_->[1])
    for ['head', [0, 2]], ['body', [0, 0]], ['retry', [0, 1, 0]];
is($answers[-$_]->header('Idempotent-Replayed'), 'true', 'replayed')
    for 1 .. 3;

# a request of a worker that is being replaced itself

$c = begin('hold=reload', [2, 3]);
$upstream->wait_held('reload');

my ($worker) = $nginx->worker_pids;

rotate(3);
$nginx->reload;

masked(begin('', [3])->read_response, 'new worker', [3]);
is(($upstream->requests)[-1]->header('Authorization'), "Bearer $KEYS[3]",
    'new worker: new key');

$upstream->release('reload');
masked($c->read_response, 'old worker', [2, 3]);
$c->close;
wait_for { !grep { $_ == $worker } $nginx->living_pids } 10, 'its end';

# nobody has any of them

my $any = join '|', map { quotemeta } @KEYS;

is(scalar(grep { join("\n", $_->raw, $_->body) =~ /$any/ } @answers), 0,
    'no answer has one');
unlike(join("\n", map { %{ $redis->record($_) } } $redis->keys), qr/$any/,
    'no record has one');
unlike(join('', map { slurp($_) } glob $nginx->dir . '/*.log'), qr/$any/,
    'no log has one');

done_testing();


# a create whose answer has these keys, in its header and in its body

sub begin {
    my ($words, $keys, %args) = @_;

    my $c = $nginx->connect;

    $c->send_request($nginx->create_request(%args, mock => join ';',
        'status=201', 'text=' . join('<>', '', map({ $KEYS[$_] } @$keys), ''),
        map({ "header=X-Key:$KEYS[$_]" } @$keys), $words));

    return $c;
}


sub rotate {
    my ($to) = @_;

    my $mark = length $nginx->error_log;

    spew($nginx->dir . '/secret', "$KEYS[$to]\n");
    $nginx->wait_log(qr/has a new Secret Key/, 10, $mark);

    return;
}


sub masked {
    my ($answer, $name, $keys) = @_;

    push @answers, $answer;

    is($answer->status, 201, "$name: served");
    is($answer->body, join('<>', '', map({ $HIDDEN } @$keys), ''),
        "$name: masked in the body");
    is($answer->header('X-Key'), undef, "$name: dropped from the header");

    return;
}
