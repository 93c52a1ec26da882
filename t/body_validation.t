#!/usr/bin/perl

# A body that is not what the documentation says goes nowhere, and its sender
# learns all that is wrong with it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $INVALID = '400 request/invalid_data';
my $COMPARATORS = 'Must be one of eq, ne, gt, gte, lt, lte, contains, '
    . 'not_contains';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis,
    set => { segments_operations => 'all' });
my $pass = nginx(upstream => $upstream, redis => $redis,
    set => { segments_operations => 'all', segments_unknown_fields => 'pass' });

my $deep = sub { '{"name":"a","x":' . '[' x $_[0] . ']' x $_[0] . '}' };

# not JSON, or read differently by different parsers

my @broken = (
    ['nothing',             '',                               1, 0],
    ['space',               " \n",                            2, 0],
    ['a word',              'name',                           1, 4],
    ['cut',                 '{"name":"a"',                    1, 11],
    ['cut in the third line', "{\n\n  \"name\": }",           3, 11],
    ['trailing comma',      '{"name":"a",}',                  1, 13],
    ['bytes behind',        '{"name":"a"} x',                 1, 14],
    ['two values',          '{"name":"a"}{"name":"b"}',       1, 13],
    ['NUL behind',          "{\"name\":\"a\"}\0",             1, 13],
    ['NUL behind true',
        "{\"name\":\"a\",\"x\":true\0}",                       1, 21],
    ['NUL behind a number', "{\"name\":\"a\",\"x\":1\0}",      1, 18],
    ['NUL before a member', "{\0\"name\":\"a\"}",             1, 2],
    ['duplicate member',    '{"name":"a","name":"b"}',        1, 18],
    ['escaped duplicate',   '{"name":"a","n\\u0061me":"b"}',  1, 23],
    ['duplicate inside',
        '{"name":"a","conditions":[{"metric":"a","metric":"b"}]}', 1, 48],
    ['U+0000',              '{"name":"a\\u0000b"}'],
    ['NUL in a string',     "{\"name\":\"a\0b\"}"],
    ['lone surrogate',      '{"name":"\\ud800"}'],
    ['lone low surrogate',  '{"name":"\\udc00"}'],
    ['byte order mark',     "\xef\xbb\xbf{\"name\":\"a\"}",     1, 1,
                            'byte order mark'],
    ['UTF-16 with one',     "\xff\xfe{\0}\0",                     1, 1,
                            'byte order mark'],
    ['UTF-16',              "{\0\"\0n\0a\0m\0e\0\"\0:\0\"\0a\0\"\0}\0"],
    ['invalid UTF-8',       "{\"name\":\"\xff\"}",              1, 9,
                            'invalid UTF-8'],
    ['overlong UTF-8',      "{\"name\":\"\xc0\xaf\"}",          1, 9,
                            'invalid UTF-8'],
    ['surrogate as UTF-8',  "{\"name\":\"\xed\xa0\x80\"}",      1, 9,
                            'invalid UTF-8'],
    ['real overflow',       '{"name":"a","x":1E400}'],
    ['integer overflow',    '{"name":"a","x":9223372036854775808}'],
    ['leading zero',        '{"name":"a","x":01}'],
    ['NaN',                 '{"name":"a","x":NaN}'],
    ['single quotes',       "{'name':'a'}"],
    ['comment',             '{"name":"a"/* */}'],
    ['control character',   "{\"name\":\"a\tb\"}"],
    ['deeper than 16',      $deep->(16)],
    ['as deep as it goes',  $deep->(100_000)],
);

for my $server ($nginx, $pass) {
    for (@broken) {
        my ($name, $body, $line, $column, $cause) = @$_;

        my $answer = $server->create(body => $body, key => 'same');
        my $error = ($answer->json // {})->{error} // {};

        is(envelope($answer), $INVALID, $name);
        like($error->{message} // '', $line
            ? qr/line $line,? column $column\b/
            : qr/line 1,? column [0-9]+/, "$name: where");
        like($error->{message} // '', qr/: \Q$cause\E\z/, "$name: why")
            if $cause;
        is($error->{details}, undef, "$name: no details");
    }

    for ('[]', '[{"name":"a"}]', '"name"', '1', 'null', 'true') {
        is(envelope($server->create(body => $_, key => 'same')), $INVALID,
            "no object: $_");
    }
}

# the schema, every violation at once

my $condition = sub {
    return { metric => 'm', comparator => 'eq', value => 'v', @_ };
};
my $null = undef;
my $true = JSON::PP::true();

my @invalid = (
    ['nothing', {}, [name => 'Required']],
    ['null', { name => $null, conditions => $null },
        [name => 'Must be a string'], [conditions => 'Must be an array']],
    ['other types', { name => 1, conditions => {} },
        [name => 'Must be a string'], [conditions => 'Must be an array']],
    ['long name', { name => 'x' x 257 }, [name => 'Value is too long']],
    ['long name of two bytes each', { name => "\x{e4}" x 257 },
        [name => 'Value is too long']],
    ['long name beyond U+FFFF', { name => "\x{1f600}" x 257 },
        [name => 'Value is too long']],
    ['no objects', { name => 'a', conditions => [1, [], $null, 'x'] },
        map { ["conditions[$_]" => 'Must be an object'] } 0 .. 3],
    ['empty condition', { name => 'a', conditions => [{}] },
        map { ["conditions[0].$_" => 'Required'] }
        qw(metric comparator value)],
    ['types in a condition', { name => 'a', conditions => [
        $condition->(metric => 1, comparator => $true, value => 2,
            negate => 'false')] },
        ['conditions[0].metric' => 'Must be a string'],
        ['conditions[0].comparator' => 'Must be a string'],
        ['conditions[0].value' => 'Must be a string'],
        ['conditions[0].negate' => 'Must be a boolean']],
    ['nulls in a condition', { name => 'a', conditions => [
        $condition->(value => $null, negate => $null)] },
        ['conditions[0].value' => 'Must be a string'],
        ['conditions[0].negate' => 'Must be a boolean']],
    map({ ["comparator '$_'", { name => 'a', conditions => [
        $condition->(), $condition->(comparator => $_)] },
        ['conditions[1].comparator' => $COMPARATORS]] }
        '', 'EQ', 'eq ', '=', 'not_eq', 'contain'),
    ['everything', { name => 5, conditions => [$condition->(value => 1), {},
        $condition->(comparator => 'x', negate => 0)] },
        [name => 'Must be a string'],
        ['conditions[0].value' => 'Must be a string'],
        map({ ["conditions[1].$_" => 'Required'] }
            qw(metric comparator value)),
        ['conditions[2].comparator' => $COMPARATORS],
        ['conditions[2].negate' => 'Must be a boolean']],
);

my @unknown = (
    ['unknown members', { name => 'a', Id => 'b', conditions => [
        $condition->(field => 1)], Name => 'c' },
        ['conditions[0].field' => 'Unknown field'],
        [Name => 'Unknown field'], [Id => 'Unknown field']],
    ['unknown and required', { names => 'a' },
        [name => 'Required'], [names => 'Unknown field']],
);

for ([$nginx, @invalid, @unknown], [$pass, @invalid]) {
    my ($server, @rows) = @$_;

    for (@rows) {
        my ($name, $body, @expected) = @$_;

        for my $request (['POST', ''], ['PUT', '/a']) {
            my $answer = $server->request($request->[0],
                "/v4/segments$request->[1]", body => $body, key => 'same');
            my $error = ($answer->json // {})->{error} // {};

            is(envelope($answer), $INVALID, "$request->[0]: $name");
            is_deeply([sort { $a->[0] cmp $b->[0] }
                map { [$_->{field}, $_->{message}] }
                @{ $error->{details} // [] }],
                [sort { $a->[0] cmp $b->[0] } @expected],
                "$request->[0]: $name: what");
            is($error->{message}, 'Validation failed',
                "$request->[0]: $name: in general");
        }
    }
}

my $many = $nginx->create(body => { name => 'a', conditions => [(1) x 5000] });

my $error = $many->json->{error};

is_deeply([map { $_->{field} } @{ $error->{details} }],
    [map { "conditions[$_]" } 0 .. 99], 'the first 100 of 5000 violations');
is($error->{message}, 'Validation failed: 5000 violations, of which the first '
    . '100 are listed', 'how many there are');

is($upstream->connections, 0, 'no upstream connection');
is_deeply($redis->commands, {}, 'no Redis command');

# what GET shows can be changed and put back, and is no create

my $got = $nginx->request('GET', '/v4/segments/a');
my %changed = (%{ $got->json }, name => 'Changed');

is_deeply([sort keys %changed], [sort qw(object id url name is_system conditions
    created_at updated_at)], 'a segment');

for my $server ($nginx, $pass) {
    my $put = $server->request('PUT', '/v4/segments/a', body => \%changed);

    my ($sent) = $upstream->requests(method => 'PUT');

    is($put->status, 200, 'put back');
    is_deeply(JSON::PP::decode_json($sent->body), \%changed, 'as it is');
    $upstream->forget;
}

my %wrong = (%changed, is_system => 'no', id => 7);

is_deeply(details($nginx->request('PUT', '/v4/segments/a', body => \%wrong)),
    ['id: Must be a string', 'is_system: Must be a boolean'],
    'put back: types');
is_deeply(details($nginx->create(body => \%changed)),
    [map { "$_: Unknown field" }
        qw(created_at id is_system object updated_at url)], 'no create');
is($upstream->count, 0, 'neither is sent');

# the corrected body under the same key

my $corrected = $nginx->create(key => 'same');

is($corrected->status, 201, 'corrected');
is($corrected->header('Idempotency-Status'), 'recorded', 'key was free');

# valid, and forwarded as they are, byte for byte

for (
    ['name alone', '{"name":"a"}'],
    ['empty name', '{"name":""}'],
    ['name of 256 characters', '{"name":"' . 'x' x 256 . '"}'],
    ['name of 256 wide characters',
        '{"name":"' . "\xf0\x9f\x98\x80" x 256 . '"}'],
    ['name of 256 escaped characters',
        '{"name":"' . '\\ud83d\\ude00' x 256 . '"}'],
    ['no conditions', '{"name":"a","conditions":[]}'],
    ['eight comparators', '{"name":"a","conditions":[' . join(',', map {
        qq({"metric":"","comparator":"$_","value":"","negate":true})
        } qw(eq ne gt gte lt lte contains not_contains)) . ']}'],
    ['space and order',
        qq(\r\n{ "conditions" : [ ] ,\t"name":"\\u0061\\/" }\n)],
) {
    my ($name, $body) = @$_;

    is($nginx->create(body => $body)->status, 201, "create: $name");
    is(($upstream->requests)[-1]->body, $body, "create: $name upstream");
    is($nginx->request('PUT', '/v4/segments/a', body => $body)->status, 200,
        "update: $name");
    is(($upstream->requests)[-1]->body, $body, "update: $name upstream");
}

for (
    ['unknown members', '{"Name":1,"name":"a","conditions":[{"metric":"m",'
        . '"comparator":"eq","value":"v","x":{"y":[null]}}],"z":-1.5e3}'],
    ['16 levels', $deep->(15)],
    ['largest integers',
        '{"name":"a","x":[9223372036854775807,-9223372036854775808]}'],
) {
    my ($name, $body) = @$_;

    is($pass->create(body => $body)->status, 201, "passed: $name");
    is(($upstream->requests)[-1]->body, $body, "passed: $name upstream");
}

done_testing();


sub details {
    my ($answer) = @_;

    return [sort map { "$_->{field}: $_->{message}" }
        @{ $answer->json->{error}{details} }];
}
