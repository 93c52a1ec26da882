#!/usr/bin/perl

# Stored answers that nobody who reads Redis can read: sealed, and with a names'
# key nothing of what a client says is shown.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $BODY = '{"id":"a-secret-id"}';
my $MOCK = "text=$BODY; header=ETag: a-secret-tag";

my $upstream = upstream();
my $redis = redis_server();
my $dir = tempdir();
my %file = map { $_ => spew("$dir/$_", key($_)) } qw(one two three names);

sealed();
altered();
elsewhere();
many();
fleet();
rotated();
names();
others();

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();


sub sealed {
    my $nginx = gateway("key_file=$file{one}");
    my $first = $nginx->create(key => 'k', mock => $MOCK);

    is($first->summary, '201 recorded', 'sealed');
    is($first->body, $BODY, 'the client has it in the clear');

    my $name = record('k');
    my $value = $redis->cmd('GET', $name);

    unlike($value, qr/a-secret|Content-Type|json/, 'nothing is in the clear');
    like($name, qr/alice/, 'but names');
    is(length $value, 70 + length("\1ETag: a-secret-tag\n$BODY") + 43,
        'it is as long as it has to be');

    my $again = $nginx->create(key => 'k');

    is($again->summary, '201 replayed marked', 'opened');
    is($again->body, $BODY, 'its body');
    is($again->header('ETag'), 'a-secret-tag', 'its headers');
    is($nginx->create(key => 'k', body => { name => 'x' })->status, 422,
        'another body is told, sealed or not');

    # the same answer to another key has another seal

    $nginx->create(key => 'other', mock => $MOCK);

    my $other = $redis->cmd('GET', record('other'));

    isnt(substr($other, 70), substr($value, 70), 'no two are alike');
    is(substr($other, -40, 8), substr($value, -40, 8), 'but for their key');
    isnt(substr($other, -32, 16), substr($value, -32, 16), 'a salt each');

    # nothing, no body, and too much

    is($nginx->create(key => $_->[0], mock => $_->[1])->summary, "$_->[2] "
        . 'recorded', $_->[0]) for
        ['empty', 'empty', 201], ['none', 'status=204; empty', 204],
        ['large', 'body=100000', 201];
    is($nginx->create(key => 'empty')->summary, '201 replayed marked',
        'empty: opened');
    is($nginx->create(key => 'none')->summary, '204 replayed marked',
        'none: opened');
    is($nginx->create(key => 'large')->status, 409, 'large: a tombstone');

    return;
}


# not a byte of what was sealed, nor of what says what it is

sub altered {
    my $nginx = gateway("key_file=$file{one}");

    $nginx->create(key => 'altered', mock => $MOCK);

    my $name = record('altered');
    my $value = $redis->cmd('GET', $name);
    my $count = $upstream->count;
    my $mark = length $nginx->error_log;

    # token, status, lengths, headers, body, item

    my %status;

    for my $at (44 .. 59, 61, 70 .. length($value) - 44,
        length($value) - 40 .. length($value) - 1)
    {
        substr(my $bad = $value, $at, 1) ^= "\1";
        $redis->cmd('SET', $name, $bad, 'KEEPTTL');
        $status{ $nginx->create(key => 'altered')->status }++;
    }

    is_deeply([keys %status], [503], 'not as it was sealed: 503');
    is($upstream->count, $count, 'and nothing is sent');
    like($nginx->error_log($mark), qr/cannot be opened: it is not as it was/,
        'which is said');
    like($nginx->error_log($mark), qr/sealed with a key that is not at hand/,
        'or that it is of another key');

    # a byte of the headers that goes to the body

    my ($headers, $body) = unpack 'NN', substr $value, 62, 8;

    substr(my $bad = $value, 62, 8) = pack 'NN', $headers - 1, $body + 1;
    $redis->cmd('SET', $name, $bad, 'KEEPTTL');
    is($nginx->create(key => 'altered')->status, 503, 'cut elsewhere: 503');

    # passed off as one that is in the clear

    substr($bad = $value, 2, 1) = "\0";
    $redis->cmd('SET', $name, $bad, 'KEEPTTL');
    is($nginx->create(key => 'altered')->status, 503, 'no flag: 503');
    is($upstream->count, $count, 'and nothing is sent');

    $redis->cmd('SET', $name, $value, 'KEEPTTL');
    is($nginx->create(key => 'altered')->body, $BODY, 'as it was: opened');

    # another record's, with what names it

    $nginx->create(key => 'moved', mock => $MOCK);

    my $there = record('moved');
    my $moved = $redis->cmd('GET', $there);

    substr($moved, 12) = substr $value, 12;
    $redis->cmd('SET', $there, $moved, 'KEEPTTL');

    is($nginx->create(key => 'moved')->status, 503, 'moved: 503');
    is($upstream->count, $count + 1, 'and is not sent');

    return;
}


# a gateway without the key, or with another, does not run over it

sub elsewhere {
    gateway("key_file=$file{one}")->create(key => 'kept', mock => $MOCK);

    my $count = $upstream->count;

    for (['another key', "key_file=$file{two}"], ['no key', 'off']) {
        my ($name, $encryption) = @$_;

        my $nginx = gateway($encryption);

        is($nginx->create(key => 'kept')->status, 503, "$name: 503");
        is($nginx->told(qr/sealed with a key that is not at hand/), 1,
            "$name: is said");
    }

    is($upstream->count, $count, 'and nothing is sent');

    return;
}


# each names another record: they are of one kind, and leave room for others

sub many {
    my $COUNT = 40;
    my $SECRET = $Segments::Nginx::SECRET;
    my $nginx = gateway("key_file=$file{one}");

    is(answered($nginx, $COUNT, 201), $COUNT, 'many: sealed');

    $nginx = gateway("key_file=$file{two}");

    is(answered($nginx, $COUNT, 503), $COUNT, 'many: none is opened');
    is($nginx->create(key => 'back', mock => "text=$SECRET")->status, 201,
        'many: something else is wrong, too');
    $nginx->wait_log(qr/sent the Secret Key back/);
    $nginx->quit;

    my $kind = qr/sealed with a key that is not at hand/;

    is($nginx->told($kind), $COUNT, 'many: all are counted');
    cmp_ok(scalar(() = $nginx->error_log =~ /$kind/g), '<=', 4,
        'many: in few lines');
    unlike($nginx->error_log, qr/lines of other kinds/, 'many: none is lost');

    return;
}


sub answered {
    my ($nginx, $count, $status) = @_;

    return scalar grep { $_ && $_->status == $status } parallel(map {
        [$nginx, $nginx->create_request(key => "many$_", mock => $MOCK)]
    } 1 .. $count);
}


# first every gateway can open, then each seals; what was there stays readable

sub fleet {
    my $off = gateway('off');
    my $opens = gateway("key_file=$file{one} write=off");
    my $seals = gateway("key_file=$file{one}");

    $off->create(key => 'plain', mock => $MOCK);
    is($seals->create(key => 'plain')->body, $BODY, 'from before: replayed');

    $opens->create(key => 'opens', mock => $MOCK);
    like($redis->cmd('GET', record('opens')), qr/\Q$BODY/,
        'write=off: in the clear');
    is($off->create(key => 'opens')->body, $BODY, 'for those without a key');

    $seals->create(key => 'seals', mock => $MOCK);
    is($opens->create(key => 'seals')->body, $BODY, 'write=off: opens');

    return;
}


# another key, without a reload

sub rotated {
    my $now = spew("$dir/now", key('one'));
    my $next = spew("$dir/next", key('two'));
    my $nginx = gateway("key_file=$now previous=$next");

    $nginx->create(key => 'old', mock => $MOCK);

    my $mark = length $nginx->error_log;

    spew($now, key('two'));
    wait_for { $nginx->error_log($mark) =~ /"\Q$now\E" has a new sealing key/ }
        20, 'the key to be taken up';

    $nginx->create(key => 'new', mock => $MOCK);

    isnt(id('new'), id('old'), 'another key seals');
    is($nginx->create(key => $_)->body, $BODY, "$_: opened") for qw(old new);

    # what is not good is not taken up

    spew($now, "too short\n");
    wait_for { $nginx->error_log($mark)
        =~ /must hold 32 bytes.*, the sealing key at hand stays/ } 20,
        'the file to be refused';

    $nginx->create(key => 'stays', mock => $MOCK);
    is(id('stays'), id('new'), 'the key at hand stays');

    # and by a reload, with the old one behind

    my $other = gateway("key_file=$file{three} previous=$file{two}"
        . " previous=$file{one}");

    is($other->create(key => $_)->body, $BODY, "$_: opened by a previous one")
        for qw(old new);

    return;
}


# what a client says is not shown, either

sub names {
    my $hidden = "key_file=$file{one} names_key_file=$file{names}";
    my %before = map { $_ => 1 } $redis->keys;
    my $nginx = gateway($hidden, segments_rate_limit =>
        'rate=1r/m burst=100 key=$http_x_user');

    my $first = $nginx->create(key => 'hidden', mock => $MOCK);

    is($first->summary, '201 recorded', 'names: sealed');

    my @names = grep { !$before{$_} } $redis->keys;

    is(scalar @names, 2, 'names: a record and a limit');
    unlike("@names", qr/alice|hidden/, 'names: neither scope nor key');
    is($nginx->create(key => 'hidden')->body, $BODY, 'names: opened');
    is($nginx->create(key => 'hidden', body => { name => 'x' })->status, 422,
        'names: another body is told');

    my ($name) = grep { !/:limit:/ } @names;
    my $plain = gateway("key_file=$file{one}");

    $plain->create(key => 'hidden', mock => $MOCK);
    isnt(substr($redis->cmd('GET', record('hidden')), 12, 32),
        substr($redis->cmd('GET', $name), 12, 32),
        'names: nor is the body told by its fingerprint');

    # the upstream's key is of what the client said

    my @keys = map { $_->header('Idempotency-Key') } ($upstream->requests)
        [-2, -1];

    is($keys[0], $keys[1], 'names: the upstream has the same key');

    # a scope begins the names of its records

    my %seen = map { $_ => 1 } $redis->keys;

    $nginx->create(key => 'second', mock => $MOCK);

    my ($second) = grep { !$seen{$_} } $redis->keys;
    my ($scope) = $name =~ /\A(segments:\{live:[0-9a-f]{32}:)/;

    ok($scope && index($second, $scope) == 0, 'names: a scope begins alike')
        or diag("$name\n$second");

    return;
}


# a waiting duplicate, HTTP answers of 4xx, a limit's replay

sub others {
    my $nginx = gateway("key_file=$file{one}",
        segments_idempotency_wait => '5s');

    my $c = $nginx->connect;
    my @waiting = map { $nginx->connect } 1 .. 4;

    $c->send_request($nginx->create_request(key => 'wait', headers =>
        ['X-User' => 'alice'], mock => "hold=a; $MOCK"));
    $upstream->wait_held('a');
    $_->send_request($nginx->create_request(key => 'wait', headers =>
        ['X-User' => 'alice'])) for @waiting;
    $upstream->release('a');

    is($c->read_response->summary, '201 recorded', 'the first');
    is($_->read_response->body, $BODY, 'who waited has it opened')
        for @waiting;

    is($nginx->create(key => 'refused', mock => 'status=422')->summary,
        '422 recorded mock_422', 'a 4xx');
    unlike($redis->cmd('GET', record('refused')), qr/mock/, 'sealed');
    is($nginx->create(key => 'refused')->summary,
        '422 replayed marked mock_422', 'opened');

    return;
}


sub gateway {
    my ($encryption, %set) = @_;

    return Client->new(nginx(upstream => $upstream, redis => $redis, set => {
        %Segments::Nginx::PATIENT,
        segments_idempotency_scope      => '$http_x_user',
        segments_idempotency_encryption => $encryption,
        %set,
    }));
}


sub key {
    my ($name) = @_;

    return unpack('H*', substr $name x 32, 0, 32) . "\n";
}


sub record {
    my ($key) = @_;

    my ($name) = grep { /[:{]\Q$key\E[:}]|:\Q$key\E\z/ } $redis->keys;

    return $name // die "no record of $key";
}


# which key sealed it

sub id {
    my ($key) = @_;

    return substr $redis->cmd('GET', record($key)), -40, 8;
}


# one gateway, and alice

package Client;

our $AUTOLOAD;

sub new {
    my ($class, $nginx) = @_;

    return bless { nginx => $nginx }, $class;
}


sub create {
    my ($self, %args) = @_;

    return $self->{nginx}->create(headers => ['X-User' => 'alice'], %args);
}


sub AUTOLOAD {
    my ($self, @args) = @_;

    my $name = $AUTOLOAD =~ s/.*:://r;

    return if $name eq 'DESTROY';

    return $self->{nginx}->$name(@args);
}
