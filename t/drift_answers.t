#!/usr/bin/perl

# Answers of the upstream that are not as documented: each way is counted by
# operation and field, and told of once; the client has the answer as it came.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Segments::Metrics;
use Segments::Test;

my $JSON = JSON::PP->new->utf8->canonical;
my $RULE = { metric => 'm', comparator => 'eq', value => 'v' };
my $SEGMENT = {
    object     => 'segment',
    id         => 'a',
    url        => '/v4/segments/a',
    name       => 'A',
    is_system  => JSON::PP::false,
    conditions => [$RULE],
    created_at => '2026-01-15T10:30:00Z',
    updated_at => '2026-01-15T10:30:00Z',
};
my $LIST = {
    object   => 'list',
    url      => '/v4/segments',
    data     => [$SEGMENT],
    has_more => JSON::PP::false,
};
my $ERROR = { type => 'request', code => 'invalid_data', message => 'm' };

my $upstream = upstream();
my $redis = redis_server();
my %args = (
    upstream => $upstream,
    redis    => $redis,
    http     => 'segments_zone segments 1m; log_format none escape=json'
        . ' \'{"contract":"$segments_contract"}\';',
    server   => 'location /metrics { segments_metrics; access_log off; }'
        . ' access_log %%DIR%%/contract.log none;',
);
my %set = (segments_operations => 'all', segments_contract => 'log',
    %Segments::Nginx::PATIENT);

my %asks = (
    create      => ['POST', '/v4/segments', body => { name => 'A' }],
    list        => ['GET', '/v4/segments'],
    list_system => ['GET', '/v4/segments/system'],
    get         => ['GET', '/v4/segments/a'],
    update      => ['PUT', '/v4/segments/a', body => { name => 'A' }],
    delete      => ['DELETE', '/v4/segments/a'],
);

my $nginx = nginx(%args, set => \%set);
my %logged;

as_documented();
planted();
with_keys();
left();
the_lines();
sampled();
without();

done_testing();


sub as_documented {
    ask($nginx, $_) for sort keys %asks;
    ask($nginx, list => $LIST);
    ask($nginx, get => { error => $ERROR }, status => 404);

    is_deeply([contract($nginx, 8)], [('ok') x 8], 'as documented');
    is_deeply(drift($nginx), {}, 'nothing is counted');
    is(answers($nginx, 'ok'), 8, 'but as such');
    is(scalar(lines($nginx)), 0, 'and nothing is logged');

    return;
}


# each kind, by the field that it is in

sub planted {
    my @planted = (
        [list => '(status)', '', status => 302, empty => 1],
        [get => '(HTML)', '<html>not here</html>', status => 404,
            type => 'text/html'],
        [get => '(HTML)', '<!doctype html>', status => 200],
        [get => '(Content-Type)', $SEGMENT, type => 'text/plain'],
        [get => '(JSON)', 'ok'],
        [get => '(JSON)', '', empty => 1, type => 'application/json'],
        [create => '(body)', '[]'],
        [delete => '(body)', $SEGMENT, status => 200],
        map({ my $member = $_; my %less = %$SEGMENT; delete $less{$member};
            ([get => $member, \%less],
                [update => $member, { %$SEGMENT, $member => {} }],
                [list => "data[].$member", { %$LIST, data => [\%less] }])
        } sort keys %$SEGMENT),
        [get => 'conditions[]', { %$SEGMENT, conditions => ['a'] }],
        map({ my $member = $_; my $rule = { %$RULE, $member => 1 };
            ([create => "conditions[].$member",
                { %$SEGMENT, conditions => [$RULE, $rule] }],
            [list_system => "data[].conditions[].$member",
                { %$LIST, data => [{ %$SEGMENT, conditions => [$rule] }] }])
        } 'metric', 'comparator', 'value', 'negate'),
        [get => 'conditions[].comparator', { %$SEGMENT,
            conditions => [{ %$RULE, comparator => 'in' }] }],
        [get => 'object', { %$SEGMENT, object => 'segments' }],
        [get => 'created_at', { %$SEGMENT, created_at => 'today' }],
        map({ [list => $_, { %$LIST, $_ => 1 }] } sort(keys %$LIST),
            'next_cursor'),
        [list => 'data[]', { %$LIST, data => [$SEGMENT, undef] }],
        [get => 'error', { error => 'gone' }, status => 404],
        map({ [create => "error.$_", { error => { %$ERROR, $_ => 1 } },
            status => 422] } sort(keys %$ERROR), 'details'),
        [get => 'error.type', { error => { %$ERROR, type => 'user' } },
            status => 500],
        [get => 'error.details', { error => { %$ERROR, details => [] } },
            status => 400],
        [get => 'error.details[].field', { error => { %$ERROR,
            details => [{ message => 'm' }] } }, status => 400],
        [get => 'error.code', { error => { %$ERROR, code => undef } },
            status => 401],
    );

    for (@planted) {
        my ($operation, $field, $answer, %words) = @$_;

        counts($operation, $field, 'drift', $answer, %words);
    }

    # what came besides is counted apart, and is no drift

    for (
        [get => '(body)', { %$SEGMENT, tags => [] }],
        [get => 'conditions[]', { %$SEGMENT,
            conditions => [{ %$RULE, id => 1 }] }],
        [list => '(body)', { %$LIST, total => 1 }],
        [list => 'data[]', { %$LIST, data => [{ %$SEGMENT, tags => [] }] }],
        [create => 'error', { error => { %$ERROR, doc => '' } },
            status => 400],
        [create => '(body)', { error => $ERROR, _meta => {} }, status => 400],
    ) {
        my ($operation, $field, $answer, %words) = @$_;

        counts($operation, $field, 'additional', $answer, %words);
    }

    # a name of the upstream's is no label

    my ($all) = $nginx->request('GET', '/metrics')->body;

    unlike($all, qr/tags|_meta|\btotal\b/, 'no name of the upstream is shown');

    return;
}


# an answer that is held until Redis knows it is compared as well

sub with_keys {
    my $answer = $nginx->create(key => 'k',
        mock => words({ %$SEGMENT, name => 1 }));

    is($answer->summary, '201 recorded', 'drift with a key');
    is($answer->json->{name}, 1, 'as it came');

    $nginx->create(key => 'k');

    is_deeply([contract($nginx, 2)], ['drift', ''], 'a replay is not compared');

    $nginx->create(key => 'large', mock => 'body=70000');
    $nginx->create(key => 'u', mock => words({ %$SEGMENT, name => 1 },
        status => 401));

    is_deeply([contract($nginx, 2)], ['drift', 'drift'],
        'too large to be recorded, or replaced: compared all the same');

    return;
}


# what cannot be compared

sub left {
    my $before = answers($nginx, 'unchecked');

    $nginx->request('GET', '/v4/segments', mock => 'body=131073');
    $nginx->request('GET', '/v4/segments', mock => 'body=131073; chunked');
    $nginx->request('GET', '/v4/segments', mock => 'truncate');
    $nginx->create(key => 'cut', mock => 'truncate');
    $nginx->request('GET', '/v4/segments', mock => 'status=304; empty');
    $nginx->request('GET', '/v4/segments', mock => 'status=206');

    is_deeply([contract($nginx, 6)], [('unchecked') x 6], 'not compared');
    is(answers($nginx, 'unchecked') - $before, 6, 'and counted as such');

    $nginx->request('GET', '/v4/segments', mock => 'rst');
    $nginx->request('GET', '/v4/segments/~');
    $nginx->create(body => '{');

    is_deeply([contract($nginx, 3)], [('') x 3],
        'no answer of the upstream, nothing to compare');

    return;
}


# one of each kind so far, whatever there was

sub the_lines {
    my @lines = lines($nginx);

    is(scalar @lines, 2, 'two lines');
    like($lines[0], qr/\[warn\].* upstream's\ answer\ to\ "list"\ is\ not
        \ as\ documented:\ "\(status\)"\ is\ not\ documented,\ 1\ such/x,
        'the first drift');
    like($lines[1], qr/\[notice\].* upstream's\ answer\ to\ "get"\ has\ more
        \ than\ documented:\ members\ of\ "\(body\)",\ 1\ such/x,
        'the first that came besides');

    # workers share them

    my $two = nginx(%args, workers => 2, set => \%set);
    my $count = 0;

    $two->request('GET', '/v4/segments/a', mock => 'text=x') for 1 .. 40;
    wait_for { $count = answers($two, 'drift'); $count == 40 } 10,
        'answers to be compared';

    is(scalar(lines($two)), 1, 'one line of two workers');

    return;
}


sub sampled {
    my $some = nginx(%args, set => { %set, segments_contract =>
        'log sample=2' });
    my %found;

    $some->request('GET', '/v4/segments/a') for 1 .. 200;
    $found{$_}++ for contract($some, 200);

    is($found{ok} + $found{unchecked}, 200, 'a sample');
    cmp_ok($found{ok}, '>', 50, 'a half of them is compared');
    cmp_ok($found{unchecked}, '>', 50, 'a half is not');

    return;
}


sub without {
    my $off = nginx(%args, set => { %set, segments_contract => 'off' });

    $off->request('GET', '/v4/segments/a', mock => 'text=x');

    is_deeply([contract($off, 1)], [''], 'off: nothing is compared');
    is(scalar(grep { $_->[0] =~ /^segments_contract/ }
        Segments::Metrics->of($off)->series), 0, 'nothing is shown');
    is(scalar(lines($off)), 0, 'nothing is logged');

    # no metrics: the log has it all the same

    my $blind = nginx(%args, http => $args{http} =~ s/segments_zone.*?;//r,
        server => $args{server} =~ s/location.*?\}//r, set => \%set);

    $blind->request('GET', '/v4/segments/a', mock => 'text=x');

    is_deeply([contract($blind, 1)], ['drift'], 'without a zone');
    is(scalar(lines($blind)), 1, 'one line');

    # a header field comes before the end

    my $early = nginx(%args, set => \%set, location =>
        'add_header X-Contract $segments_contract always;');

    is($early->request('GET', '/v4/segments/a')->header('X-Contract'),
        'unchecked', 'not known while the answer is sent');
    is_deeply([contract($early, 1)], ['ok'], 'but when it is logged');

    return;
}


sub counts {
    my ($operation, $field, $kind, $answer, %words) = @_;

    my $name = "$operation: $field" . ($kind eq 'drift' ? '' : ", $kind");
    my $got = ask($nginx, $operation, $answer, %words);
    my $body = ref $answer ? $JSON->encode($answer) : $answer;

    if (($words{status} // 200) != 401) {
        is($got->body, $body, "$name: the client has it as it came");
    }

    is_deeply([contract($nginx, 1)], [$kind eq 'drift' ? 'drift' : 'ok'],
        $name);
    is_deeply(drift($nginx), { "$kind $operation $field" => 1 },
        "$name: is counted, and nothing else");

    return;
}


sub ask {
    my ($server, $operation, $answer, %words) = @_;

    my ($method, $path, %more) = @{ $asks{$operation} };

    $more{mock} = words($answer, %words) if defined $answer;

    return $server->request($method, $path, %more);
}


sub words {
    my ($answer, %words) = @_;

    my $text = ref $answer ? $JSON->encode($answer) : $answer;

    $words{text} = $text =~ s/;/%3B/gr if length $text;

    return join '; ', map { "$_=$words{$_}" } sort keys %words;
}


# what each of the next requests was found to be

sub contract {
    my ($server, $n) = @_;

    my $seen = $logged{$server} += $n;
    my @lines;

    wait_for { @lines = split /\n/, -e $server->dir . '/contract.log'
        ? slurp($server->dir . '/contract.log') : '';
        @lines >= $seen } 10, 'the log';

    return map { $JSON->decode($_)->{contract} } @lines[-$n .. -1];
}


# what has been counted since the last call

sub drift {
    my ($server) = @_;

    my (%now, %new);

    for (Segments::Metrics->of($server)->series) {
        my ($metric, $labels, $n) = @$_;

        $now{"$1 $labels->{operation} $labels->{field}"} = $n
            if $metric =~ /^segments_contract_(drift|additional)_total$/;
    }

    for (keys %now) {
        my $more = $now{$_} - ($logged{"$server $_"} // 0);

        $new{$_} = $more if $more;
        $logged{"$server $_"} = $now{$_};
    }

    return \%new;
}


sub answers {
    my ($server, $contract) = @_;

    return Segments::Metrics->of($server)->value(
        'segments_contract_answers_total', contract => $contract);
}


sub lines {
    my ($server) = @_;

    return grep { /upstream's answer/ } split /\n/, $server->error_log;
}
