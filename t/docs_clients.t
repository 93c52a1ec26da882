#!/usr/bin/perl

# What docs/clients.md says of each answer: it is given, with these marks, the
# key is free or used then, and what the page advises leads on.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Test;
use Segments::Util qw(program_root);

my $OTHER = { name => 'Another one' };

my $page = slurp(program_root() . '/docs/clients.md');
my @rows = rows($page);

my $upstream = upstream();
my $redis = redis_server();
my $passwords = spew(tempdir() . '/passwords', "user:{PLAIN}right\n");

# one that is well, and all that go wrong

my $plain = gateway();
my %at = (
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
    impatient => gateway(set => { proxy_read_timeout => slow_ms(300) }),
    refused   => gateway(upstream => 'http://127.0.0.1:' . free_port()),
    no_redis  => gateway(redis => undef),
    hold      => gateway(set => { segments_idempotency_unknown => 'hold',
                    segments_idempotency_scope => 'hold' }),
);

# The ways to get each of the page's rows: what is called gets a key.

my %GET = (
    'none '                         => \&gone,
    '400 invalid_data'              => ask('plain', body => '{"name":1}'),
    '400 –'                         => mock('status=400'),
    '400 idempotency_key_invalid'   => sub { $plain->create(key => 'a b') },
    '400 idempotency_key_required'  => sub { $at{required}->create },
    '401 control_unauthorized'      => ask('basic'),
    '403 control_forbidden'         => ask('deny'),
    '404 invalid_request'           => at('POST', '/v4/segments/a/b'),
    '404 not_found'                 => at('GET', '/v4/segments/a~b'),
    '404 –'                         => mock('status=404'),
    '405 invalid_request'           => at('PUT', '/v4/segments/a'),
    '409 –'                         => mock('status=409'),
    '409 idempotency_in_progress'   => \&in_progress,
    '409 idempotency_answer_not_kept' => twice('forgetful'),
    '413 invalid_content'           => ask('small', body => '{"name":"'
                                        . 'a' x 100 . '"}'),
    '415 invalid_content'           => ask('plain', headers =>
                                        ['Content-Type' => 'text/plain']),
    '422 –'                         => mock('status=422'),
    '422 idempotency_key_reused'    => \&reused,
    '429 rate_limit_exceeded'       => \&limited,
    '429 –'                         => mock('status=429; header=Retry-After:1'),
    '500 unknown_error'             => ask('broken'),
    '503 unknown_error'             => ask('busy'),
    '5xx –'                         => mock('status=500'),
    '502 network_error'             => ask('refused'),
    '502 upstream_unauthorized'     => mock('status=401'),
    '503 storage_error'             => ask('no_redis'),
    '504 network_error'             => ask('impatient', mock => 'hold=never'),
    '504 idempotency_outcome_unknown' => twice('hold', mock => 'rst'),
);

# these leave the key used: the first one was sent

my %ALSO = (
    '5xx –'             => mock('status=503'),
    '502 network_error' => mock('rst'),
);

my %seen;

for my $row (@rows) {
    for my $status (split /, /, $row->{status}) {
        my $name = "$status $row->{code}";

        $seen{$name}++;
        check($name, $row, $_) for grep { $_ } $GET{$name}, $ALSO{$name};
    }
}

is_deeply([sort keys %seen], [sort keys %GET], 'every row');
is_deeply([grep { $_ > 1 } values %seen], [], 'each once');

# the codes are those of the page of errors

my %known = map { $_->{code} => 1 } @rows;
my ($errors) = slurp(program_root() . '/docs/errors.md')
    =~ /^\| when .*?\n(.*?)^\n/ms;
my @codes = map { split /, / } $errors =~ m{\| \w+ / (.*?) \|$}mg;

cmp_ok(@codes, '>', 20, 'codes');
is_deeply([grep { !$known{$_} } map { s/;.*//r } @codes], [],
    'none is left out');

in_short();
sentences();

is_deeply([$redis->keys_without_expiry], [], 'every key expires');

done_testing();


sub gateway {
    my (%args) = @_;

    my %set = (%Segments::Nginx::PATIENT, segments_idempotency_wait => 'off',
        %{ delete $args{set} // {} });

    return nginx(upstream => $upstream, redis => $redis, %args, set => \%set);
}


sub rows {
    my ($text) = @_;

    my ($table) = $text =~ /^\| status \|.*\n\|(?:---\|)+\n((?:\|.*\n)+)/m;
    my @names = qw(status code mark key again after why);
    my @found;

    for my $line (split /\n/, $table) {
        my %row;

        @row{@names} = $line =~ /(?<=\|) ?(.*?) ?(?=\|)/g;
        push @found, \%row;
    }

    return @found;
}


# a row, by one of the ways to get there

sub check {
    my ($name, $row, $get) = @_;

    my $key = 'key-' . $name =~ s/[^\w]+/-/gr . ($get == $GET{$name} ? '' : 2);
    my $answer = $get->($key);

    is(said($answer, $row), $name, "$name: given");

    if ($answer) {
        my $mark = $answer->header('Idempotency-Status') // '–';
        my $after = defined $answer->header('Retry-After') ? 1 : 0;

        is($mark, $row->{mark}, "$name: Idempotency-Status");
        is($after, $row->{after} =~ /Retry-After/ ? 1 : 0,
            "$name: Retry-After");
    }

    again($name, $row, $key, $get);

    # by another body

    $key = "$key-other";
    $get->($key);

    my $other = where($get)->create(key => $key, body => $OTHER)->summary;

    is($other, $row->{key} eq 'used' ? '422 mismatch idempotency_key_reused'
        : '201 recorded', "$name: the key is $row->{key}")
        if $row->{key} =~ /free|used/;

    $upstream->release($key);

    return;
}


sub said {
    my ($answer, $row) = @_;

    return 'none ' if !$answer;

    my $status = $answer->status;
    my $code = $answer->json->{error}{code};

    $status =~ s/\A5\d\d/5xx/ if $row->{status} eq '5xx';

    # the upstream's own
    return "$status " . ($code =~ /\Amock_/ ? '–' : $code);
}


# what the page advises

sub again {
    my ($name, $row, $key, $get) = @_;

    my $advice = $row->{again};
    my $gateway = where($get);

    if ($advice eq 'no' && $row->{key} eq 'used') {
        is(said($get->($key), $row), $name, "$name: always the same");

    } elsif ($advice =~ /\Amended, with a new key/) {
        is(said($get->($key), $row), $name, "$name: always the same");
        is($gateway->create(key => "$key-mended")->status, 201,
            "$name: $advice");

    } elsif ($advice =~ /with the same key\z/) {
        $upstream->release($key);
        wait_for { $gateway->create(key => $key)->status == 201 } 10,
            "$name: $advice";

    } elsif ($advice =~ /with a(?:nother)? (?:new )?key/) {
        is($gateway->create(key => "$key-new")->status, 201, "$name: $advice");

    } else {
        is($advice, 'no', "$name: an advice");
    }

    return;
}


# where the key is, and nothing is wrong

sub where {
    my ($get) = @_;

    return $get == $GET{'504 idempotency_outcome_unknown'} ? $at{hold} : $plain;
}


sub ask {
    my ($name, @request) = @_;

    return sub { ($at{$name} // $plain)->create(key => $_[0], @request) };
}


sub mock {
    my ($words) = @_;

    return ask('plain', mock => $words);
}


sub at {
    my ($method, $uri) = @_;

    return sub {
        $plain->request($method, $uri, key => $_[0],
            $method eq 'GET' ? () : (body => $OTHER));
    };
}


sub twice {
    my ($name, @request) = @_;

    return sub {
        $at{$name}->create(key => $_[0], @request);
        return $at{$name}->create(key => $_[0]);
    };
}


sub held {
    my ($key) = @_;

    my $c = $plain->connect;

    $c->send_request($plain->create_request(key => $key, mock => "hold=$key"));
    $upstream->wait_held($key);

    return $c;
}


# the client has given up

sub gone {
    my ($key) = @_;

    held($key)->close;
    $upstream->release($key);

    return;
}


my @running;


sub in_progress {
    my ($key) = @_;

    push @running, held($key);

    return $plain->create(key => $key);
}


sub reused {
    my ($key) = @_;

    $plain->create(key => $key);

    return $plain->create(key => $key, body => { name => 'a' });
}


sub limited {
    my ($key) = @_;

    # the one that there is
    $at{limited}->create;

    return $at{limited}->create(key => $key);
}


# The four lines before the table say no other thing than the table.  What is to
# be mended may be the credentials or the key itself, or not worth it.

sub in_short {
    my ($lines) = $page =~ /^In short:\n\n(.*?)\n\n/ms;
    my @words = $lines =~ /^- \*\*(.*?)\*\*/mg;
    my ($same, $mended, $new, $never) = map { qr/$_/ } 'with the same key\z',
        'same key\z|\Ano\z|with (?:a|another) key\z', 'with a new key',
        '\Ano\z';

    is_deeply(\@words, ['Again, as it was, with the same key:',
        'Mended, with the same key:', 'Mended, with a new key:',
        'Not again:'], 'in short');

    for my $row (@rows) {
        my ($status, $code, $mark) = @$row{qw(status code mark)};

        my $again = $mark eq 'held' || $code =~ /answer_not_kept/ ? $never
            : $status =~ /\A(?:none|429|5)/ || $code =~ /in_progress/ ? $same
            : $mark =~ /recorded|replayed|mismatch/ ? $new
            : $mark eq '–' ? $mended
            : undef;

        ok($again && $row->{again} =~ $again, "in short: $status $code")
            or diag("$row->{again}, \"$mark\"");
    }

    return;
}


# the page's other words

sub sentences {
    for my $key (qw(undefined null)) {
        is($plain->create(key => $key)->summary, '201 recorded',
            "$key is a key");
        is($plain->create(key => $key, body => $OTHER)->status, 422,
            "$key is one key");
    }

    my %types = (
        'application/json; charset=utf-8'   => 201,
        'application/json;charset="UTF-8"'  => 201,
        'application/json; odata=verbose'   => 415,
        'application/json; charset=latin1'  => 415,
    );

    for my $type (sort keys %types) {
        is($plain->create(headers => ['Content-Type' => $type])->status,
            $types{$type}, $type);
    }

    is($plain->create(headers => ['Content-Type' => 'application/json',
        'Content-Encoding' => 'gzip'])->status, 415, 'gzip');

    # CORS: what the example exposes is what the page wants to be exposed

    my $conf = slurp(program_root() . '/conf-examples/browser-clients.conf');
    my ($exposed) = $page =~ /^\| `Access-Control-Expose-Headers` \| (.*) \|$/m;
    my %values = $conf =~ /map "" \$(cors_\w+) \{\s+default  "(.*)";/g;

    1 while $values{cors_exposed} =~ s/\$(\w+)/$values{$1}/g;

    is_deeply([sort $exposed =~ /`([\w-]+)`/g],
        [sort split /, /, $values{cors_exposed}], 'exposed headers');

    return;
}
