package Bench::Check;

# Whether a contender of a field does its job at all; dies where it does not.
# What is broken would be measured for nothing.

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use JSON::PP ();

use Bench::Messages qw(answer broken envelope headers segment);
use Bench::Processes qw(workers_of);
use Segments::HTTP qw(http);
use Segments::Util qw(wait_for);

our @EXPORT_OK = qw(check_bare check_gateway check_lua create said told);

# what JSON libraries let through, or one of them

my @BROKEN = (
    '{"name":',
    '{"name":"A"} x',
    '[]',
    '{"name":"A","name":"A"}',
    '{"name":"A","\u006eame":"A"}',
    '{"name":"A","conditions":[' . Bench::Messages::condition(0)
        =~ s/\}/,"value":"0"}/r . ']}',
    '{"name":"\ud800"}',
    '{"name":"\udc00"}',
    '{"name":"\u0000"}',
    "{\"name\":\"a\tb\"}",
    "{\"name\":\"\xff\"}",
    "{\"name\":\"\xed\xa0\x80\"}",
    "\xef\xbb\xbf{\"name\":\"A\"}",
    '{"name":' . '[' x 17 . ']' x 17 . '}',
);

# and what is none of it

my @SOUND = (
    "{\"name\":\"\xc3\xa9 \\u00e9 \\ud83d\\ude00 \\\\u0000 \\\":\\n\"}",
    ' { "name" : "a:b" , "conditions" : [ ] } ',
);


sub create {
    my ($port, $body, $key, $path) = @_;

    return http($port, 'POST', $path // '/v4/segments', body => $body,
        headers => [headers($key)]);
}


sub said {
    my ($got, $status, $body, $idempotency) = @_;

    return $got && $got->status == $status && $got->body eq $body
        && ($got->header('Idempotency-Status') // '') eq ($idempotency // '')
        && ($got->header('Content-Type') // '') eq 'application/json';
}


sub told {
    my ($got) = @_;

    return $got ? join ' ', $got->status, $got->header('Content-Type') // '-',
        $got->header('Idempotency-Status') // '-', $got->body : 'no answer';
}


sub check_bare {
    my ($field, $name) = @_;

    my $port = $field->port($name);
    my $before = $field->forwarded;

    expect($name, 'proxy', create($port, segment(200), 'k'), 201, answer());
    expect($name, 'return 201', create($port, segment(200), 'k', '/created'),
        201, answer());
    expect($name, 'return 400', create($port, broken(200), 'k', '/refused'),
        400, envelope());

    $field->forwarded == $before + 1 or die "$name: not forwarded once\n";

    return;
}


sub check_gateway {
    my ($field, $name) = @_;

    my $port = $field->port($name);
    my $redis = $field->redis;

    $redis->cmd('FLUSHDB');

    my $before = $field->forwarded;
    my $forwarded = sub {
        my ($n, $what) = @_;

        $field->forwarded == $before + $n
            or die "$name: $what: the upstream got another number\n";
    };

    expect($name, 'no key', create($port, segment(200)), 201, answer());
    $forwarded->(1, 'no key');
    $redis->cmd('DBSIZE') == 0 or die "$name: a record without a key\n";

    for my $body (@SOUND) {
        create($port, $body)->status == 201 or die "$name: refuses: $body\n";
        $before++;
    }

    expect($name, 'create', create($port, segment(200), 'k1'), 201, answer(),
        'recorded');
    $forwarded->(2, 'create');

    # in the clear, or sealed

    ($name eq 'sealing') != (index(stored($field, 'k1'), answer()) >= 0)
        or die "$name: the answer was not stored, or not so\n";

    my $replayed = create($port, segment(200), 'k1');

    expect($name, 'replay', $replayed, 201, answer(), 'replayed');
    ($replayed->header('Idempotent-Replayed') // '') eq 'true'
        or die "$name: a replay is not marked\n";

    my $other = create($port, segment(300), 'k1');

    $other && $other->status == 422
        or die "$name: another body: ", told($other), "\n";

    expect($name, 'reject', create($port, broken(200), 'k2'), 400, envelope());
    create($port, segment(200), 'k 3')->status == 400
        or die "$name: a malformed key passes\n";

    for my $body (@BROKEN) {
        create($port, $body, 'k4')->status == 400
            or die "$name: passes: $body\n";
    }

    $forwarded->(2, 'all that is not to be forwarded');
    $redis->cmd('DBSIZE') == 1 or die "$name: records of what was refused\n";

    return;
}


# what is under the one name with this key in it, whatever it is

sub stored {
    my ($field, $key) = @_;

    my $redis = $field->redis;
    my ($name, @more) = grep { /^segments:.*\b\Q$key\E\b/ } $redis->keys;

    !@more && defined $name && $redis->cmd('PTTL', $name) > 0
        or croak "there is not one record of $key, which expires";

    return $redis->cmd('TYPE', $name) eq 'string' ? $redis->cmd('GET', $name)
        : join ' ', @{ $redis->cmd('HGETALL', $name) };
}


# And what an equal key gets that comes before the answer: the upstream is
# stopped meanwhile.

sub check_lua {
    my ($field, $name) = @_;

    check_gateway($field, $name);
    $field->redis->cmd('FLUSHDB');

    my $port = $field->port($name);
    my $upstream = (workers_of($field->{upstream}{process}->pid))[0];
    my $before = $field->forwarded;

    kill 'STOP', $upstream;

    my $ok = eval {
        my $c = Segments::HTTP->connect($port)
            or die "$name: cannot connect\n";

        $c->send_request('POST', '/v4/segments', body => segment(200),
            headers => [headers('k5')]);
        wait_for { $field->redis->cmd('DBSIZE') } 20, 'a claim';

        expect_status($name, 'in progress', 409, 'in-progress',
            create($port, segment(200), 'k5'));
        expect_status($name, 'another body', 422, 'mismatch',
            create($port, segment(300), 'k5'));

        kill 'CONT', $upstream;
        expect($name, 'the first one', $c->read_response, 201, answer(),
            'recorded');
    };
    my $why = $@;

    kill 'CONT', $upstream;
    $ok or die $why;

    $field->forwarded == $before + 1 or die "$name: not forwarded once\n";

    return;
}


sub expect_status {
    my ($name, $what, $status, $idempotency, $got) = @_;

    $got && $got->status == $status
        && ($got->header('Idempotency-Status') // '') eq $idempotency
        or die "$name: $what: ", told($got), "\n";

    return 1;
}


# the order of members is nobody's business

sub expect {
    my ($name, $what, $got, $status, $body, $idempotency) = @_;

    my $same = $got && $got->json && same($got->json,
        JSON::PP->new->decode($body));

    $same && said($got, $status, $got->body, $idempotency)
        or die "$name: $what: ", told($got), "\n";

    return 1;
}


sub same {
    my $json = JSON::PP->new->canonical->allow_nonref;

    return $json->encode($_[0]) eq $json->encode($_[1]);
}


1;
