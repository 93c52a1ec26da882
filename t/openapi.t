#!/usr/bin/perl

# docs/openapi.yaml: it is valid, each answer that it has is given and is what
# it says, and its schemas accept what the gateway accepts.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Clients;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program program_root source);

my ($packages, $reason) = npm_packages();

plan(skip_all => $reason) if !$packages;

my %REQUEST = (
    createSegment       => ['POST', '/v4/segments'],
    listSegments        => ['GET', '/v4/segments'],
    listSystemSegments  => ['GET', '/v4/segments/system'],
    getSegment          => ['GET', '/v4/segments/premium-users'],
    updateSegment       => ['PUT', '/v4/segments/premium-users'],
    deleteSegment       => ['DELETE', '/v4/segments/premium-users'],
);
my %INVALID = (name => 'a', colour => 'red', conditions => [
    { metric => 'm', comparator => 'equals', value => 'v' }]);
my $TRUE = JSON::PP::true();

my $upstream = upstream();
my $redis = redis_server();
my $passwords = spew(tempdir() . '/passwords', "user:{PLAIN}right\n");

my %at = (
    plain     => gateway(),
    required  => gateway(set => { segments_idempotency => 'required' }),
    basic     => gateway(location => 'auth_basic "closed"; '
                    . "auth_basic_user_file $passwords;"),
    deny      => gateway(location => 'deny all;'),
    broken    => gateway(location => 'auth_request /_broken;',
                    server => 'location = /_broken { internal; return 500; }'),
    busy      => gateway(location => 'return 503;'),
    small     => gateway(set => { client_max_body_size => 100 }),
    forgetful => gateway(set => { segments_idempotency_max_response => 10 }),
    limited   => gateway(set => { segments_rate_limit => 'rate=1r/d' }),
    crowded   => gateway(http => 'limit_req_zone $request_method$uri zone=z:1m'
                    . ' rate=1r/m; limit_req_status 429;',
                    location => 'limit_req zone=z;'),
    impatient => gateway(set => { proxy_read_timeout => slow_ms(200) }),
    refused   => gateway(upstream => 'http://127.0.0.1:' . free_port()),
    no_redis  => gateway(redis => undef),
    hold      => gateway(set => { segments_idempotency_unknown => 'hold' }),
    creates   => gateway(set => { segments_operations => 'create' }),
    gets      => gateway(set => { segments_operations => 'get' }),
);

# how each example of an answer is come by, for any operation

my %GET = (
    ''                  => sub { ask('plain', @_) },
    segment             => sub { ask('plain', @_) },
    segments            => sub { ask('plain', @_) },
    qonversion          => sub { ask('plain', $_[0], mock => "status=$_[1]") },
    invalid_body        => sub { ask('plain', $_[0], body => {%INVALID}) },
    not_json            => sub { ask('plain', $_[0],
                                body => '{"name":"a", }') },
    invalid_list        => sub { ask('plain', $_[0], query => '?limit=0') },
    invalid_query       => sub { ask('plain', $_[0], query => '?limit=1') },
    unexpected_body     => sub { ask('plain', $_[0], body => '{}') },
    content_type        => sub { ask('plain', $_[0], headers =>
                                ['Content-Type' => 'text/plain']) },
    content_encoding    => sub { ask('plain', $_[0], headers =>
                                ['Content-Type' => 'application/json',
                                    'Content-Encoding' => 'gzip']) },
    upstream_unauthorized => sub { ask('plain', $_[0], mock => 'status=401') },
    not_found           => sub { $at{plain}->request($REQUEST{$_[0]}[0],
                                '/v4/segments/a~b') },
    idempotency_key_invalid  => sub { ask('plain', $_[0], key => 'a b') },
    idempotency_key_required => sub { $at{required}->create },
    control_unauthorized => sub { ask('basic', @_) },
    control_forbidden   => sub { ask('deny', @_) },
    too_large           => sub { ask('small', $_[0], body => '{"name":"'
                                . 'a' x 100 . '"}') },
    unknown_error       => sub { ask('broken', @_) },
    unavailable         => sub { ask('busy', @_) },
    network_error       => sub { ask('refused', @_) },
    storage_error       => sub { ask('no_redis', @_) },
    timeout             => sub { ask('impatient', $_[0],
                                mock => 'hold=never') },
    not_allowed         => sub { ask($_[0] eq 'getSegment' ? 'creates' : 'gets',
                                @_) },
    rate_limit_exceeded => sub { ask('limited', $_[0]) for 1, 2;
                                ask('limited', @_) },
    too_many_requests   => sub { ask('crowded', $_[0]) for 1, 2;
                                ask('crowded', @_) },
    idempotency_in_progress     => \&in_progress,
    idempotency_answer_not_kept => sub { twice('forgetful', {}, {}) },
    idempotency_key_reused      => sub { twice('plain', {}, { body =>
                                        { name => 'a' } }) },
    idempotency_outcome_unknown => sub { twice('hold', { mock => 'rst' }, {}) },
);

my ($keys, @answers) = (0);

for (documented()) {
    my ($operation, $status, $example) = @$_;
    my $get = $GET{$example};

    ok($get, "$operation $status: a way to $example") or next;

    my $answer = $get->($operation, $status);

    push @answers, answer($operation, $example, $answer);
}

# of creates, what is given again, too

push @answers, map {
    answer('createSegment', $_->[1], twice(@$_[0, 2, 2]))
} ['plain', 'segment', {}], ['limited', 'rate_limit_exceeded', {}],
    map { ['plain', 'qonversion', { mock => "status=$_" }] } 400, 404, 409, 422;

my $json = JSON::PP->new->utf8->allow_nonref;

my @values = (values_of('NewSegment', sub { ask('plain', 'createSegment',
        body => $json->encode($_[0])) }, bodies()),
    values_of('ChangedSegment', sub { ask('plain', 'updateSegment',
        body => $json->encode($_[0])) }, bodies()),
    values_of('IdempotencyKey', sub { ask('plain', 'createSegment',
        key => $_[0]) }, keys_of_all_kinds()),
    values_of('SegmentId', sub { $at{plain}->request('GET',
        "/v4/segments/$_[0]") }, ids()));

like(slurp(program_root() . '/docs/openapi.yaml'), qr/^  version: \Q@{[
    slurp(source('sg_version.h')) =~ m{"([\d.]+)"$}m ]}\E$/m, 'version');

compare();

$_->close for in_progress();

done_testing();


sub gateway {
    my (%args) = @_;

    my %set = (%Segments::Nginx::PATIENT, segments_operations => 'all',
        segments_idempotency_wait => 'off', %{ delete $args{set} // {} });

    return nginx(upstream => $upstream, redis => $redis, %args, set => \%set);
}


# a request of an operation, with a key of its own if it may have one

sub ask {
    my ($name, $operation, @more) = @_;

    my %args = @more % 2 ? () : @more;
    my ($method, $uri) = @{ $REQUEST{$operation} };
    my $query = delete $args{query} // '';

    $args{key} //= 'key-' . ++$keys if $operation eq 'createSegment';
    $args{body} //= {%Segments::Nginx::EXAMPLE} if $method =~ /\AP/;

    return $at{$name}->request($method, "$uri$query", %args);
}


sub twice {
    my ($name, $first, $second) = @_;

    my $key = 'twice-' . ++$keys;

    $at{$name}->create(key => $key, %$first);

    return $at{$name}->create(key => $key, %$second);
}


# without arguments: those that run

my @running;

sub in_progress {
    my ($operation) = @_;

    return @running if !$operation;

    my $c = $at{plain}->connect;

    $c->send_request($at{plain}->create_request(key => 'running',
        mock => 'hold=running'));
    $upstream->wait_held('running');
    push @running, $c;

    return $at{plain}->create(key => 'running');
}


sub answer {
    my ($operation, $example, $answer) = @_;

    return {
        operation => $operation,
        example   => $example,
        status    => $answer->status,
        headers   => [map { [$_->[0], $_->[1]] } $answer->fields],
        body      => $answer->body,
    };
}


# operation, status and example of each answer, as the lines of the page have
# them; the validator sees that none is left out

sub documented {
    my $text = slurp(program_root() . '/docs/openapi.yaml');
    my ($responses) = $text =~ /^  responses:\n(.*?)^  \w/ms;
    my (%examples, @found);

    while ($responses =~ /^    (\w+):\n(.*?)(?=^    \w|\z)/msg) {
        my $response = $1;
        $examples{$response} = [$2 =~ m{#/components/examples/(\w+)}g];
    }

    while ($text
        =~ /^      operationId: (\w+)\n(.*?)(?=^    \w|^  \S|^\S)/msg)
    {
        my ($operation, $rest) = ($1, $2);

        while ($rest =~ m{^        '(\d+)':(?:.*/responses/(\w+))?}mg) {
            my ($status, $response) = ($1, $2);

            push @found, map { [$operation, $status, $_] }
                $response ? @{ $examples{$response} } : '';
        }
    }

    return @found;
}


sub values_of {
    my ($schema, $ask, @values) = @_;

    return map { {
        schema   => $schema,
        value    => $_,
        accepted => $ask->($_)->status < 300 ? $TRUE : JSON::PP::false(),
    } } @values;
}


sub bodies {
    my %condition = (metric => 'm', comparator => 'eq', value => 'v');

    return (
        { name => 'a' }, { name => '' }, {}, { name => undef }, { name => 1 },
        { name => 'x' x 256 }, { name => 'x' x 257 },
        { name => "\x{1f600}" x 256 }, { name => "\x{1f600}" x 257 },
        { name => 'a', other => 1 }, [], 'a', 1, undef,
        { name => 'a', conditions => undef }, { name => 'a', conditions => {} },
        { name => 'a', conditions => [] }, { name => 'a', conditions => [1] },
        { name => 'a', id => 'b', url => '', object => 'x', is_system => $TRUE,
            created_at => '', updated_at => 'never' },
        { name => 'a', is_system => 'true' }, { name => 'a', id => undef },
        map { { name => 'a', conditions => [{ %condition, %$_ }] } }
            {}, { negate => $TRUE }, { negate => 0 }, { negate => undef },
            { value => 1 }, { value => '' }, { metric => undef }, { id => 'a' },
            map { { comparator => $_ } } qw(ne gt gte lt lte contains
                not_contains EQ like), '', undef, 1,
    );
}


sub keys_of_all_kinds {
    return ('a', 'x' x 255, 'x' x 256, '"a b"', '""', '"a', 'a"b', 'a,b', 'a;b',
        'a\\b', 'a b', '"a\\"b"', '"a\\b"', '"' . 'x' x 255 . '"',
        '"' . 'x' x 256 . '"', "!#\$%&'()*+-./:<=>?@[]^_`{|}~", 'undefined',
        '"a";b', "\x7f");
}


sub ids {
    return ('a', 'A.b_c-9', 'x' x 256, 'x' x 257, 'a~b', 'a%20b', 'a+b', 'a:b');
}


sub compare {
    my $dir = tempdir();
    my $output = "$dir/openapi.output";

    spew("$dir/done.json", $json->encode({ answers => \@answers,
        values => \@values }));
    spew("$dir/openapi.mjs", slurp(program_root() . '/t/clients/openapi.mjs'));
    symlink $packages, "$dir/node_modules" or die "node_modules: $!";

    my $node = Segments::Process->spawn(name => 'node', output => $output,
        argv => [find_program('node'), "$dir/openapi.mjs", program_root()
            . '/docs/openapi.yaml', "$dir/done.json"]);

    ok($node->wait(60) && $node->status == 0, 'compared')
        or diag(slurp($output));

    my @lines = split /\n/, slurp($output);

    cmp_ok(@lines, '>', 200, 'all of it');

    for my $line (@lines) {
        my ($not, $name) = $line =~ /\A(not )?ok - (.*)/ or next;
        ok(!$not, $name);
    }

    return;
}
