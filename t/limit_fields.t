#!/usr/bin/perl

# RateLimit-Policy and RateLimit: several limits, and beside an upstream's own.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::Limits;


my $upstream = upstream();
my $redis = redis_server();

my $gateway = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_operations  => 'all',
    segments_rate_limit  => [
        'rate=1r/h burst=2 key=$http_x_client name=client',
        'rate=1r/d burst=4 name=project',
        'rate=7r/d burst=6 key=$http_x_team name=team!',
    ],
});
my ($n, @policy) = (0, '"client";q=3;w=10800', '"project";q=5;w=432000',
    '"team!";q=7;w=86400');

sub create {
    my ($client, %more) = @_;

    my @headers = (defined $client ? ('X-Client' => $client) : (),
        @{ delete $more{headers} // [] });

    return $gateway->create(key => 'k' . ++$n, headers => \@headers, %more);
}

# q, w, r and t without the seconds that have passed

sub fields {
    my ($answer) = @_;

    return limits($answer) =~ s{(?<=;t=)([0-9]+)}{
        (grep { $1 <= $_ && $1 > $_ - 60 } 3600, 86400, 12343, $1)[0] }ger;
}


# only the limits that a request has

is(fields(create('a')), "$policy[0], $policy[1] "
    . '"client";r=2;t=3600, "project";r=4;t=86400', 'two');
is(fields(create(undef)), "$policy[1] " . '"project";r=3;t=86400', 'one');
is(fields(create('a', headers => ['X-Team' => 't'])),
    join(', ', @policy) . ' "client";r=1;t=3600, "project";r=2;t=86400, '
    . '"team!";r=6;t=12343', 'three');
is(fields(create('b')), "$policy[0], $policy[1] "
    . '"client";r=2;t=3600, "project";r=1;t=86400', 'another client');

# one of them refuses: the others are not spent

$gateway->create(key => 'again', headers => ['X-Client' => 'a']);

my %before = map { $_ => $redis->cmd('GET', $_) } grep { /:limit:/ }
    $redis->keys;
my $both = create('a', headers => ['X-Team' => 't']);

is($both->json->{error}{message},
    'The rate limit is exceeded: "client", "project"', 'two refuse');
is($both->header('Retry-After'),
    (sort { $b <=> $a } $both->header('RateLimit') =~ /r=0;t=([0-9]+)/g)[0],
    'Retry-After is the later one');
is(fields($both), join(', ', @policy) . ' "client";r=0;t=3600, '
    . '"project";r=0;t=86400, "team!";r=6;t=12343', 'all are told');
is_deeply({ map { $_ => $redis->cmd('GET', $_) } keys %before }, \%before,
    'none is spent');
like($gateway->error_log, qr/limiting creates by "client", "project", client:/,
    'both are logged');

$redis->cmd('DEL', 'segments:{live:}:limit:project');

my $one = create('a');

is($one->json->{error}{message}, 'The rate limit is exceeded: "client"',
    'one refuses');
is(fields($one), "$policy[0], $policy[1] "
    . '"client";r=0;t=3600, "project";r=5;t=0',
    'one refuses, the other is full');
is($redis->cmd('EXISTS', 'segments:{live:}:limit:project'), 0,
    'nor is the other spent');

is(fields(create(undef, mock => 'status=401')), "$policy[1] "
    . '"project";r=4;t=86400', 'a refused Secret Key');
is(fields(create(undef, mock => 'close=after-read')), ' ',
    'no answer of the upstream');
is(fields($gateway->request('GET', '/v4/segments')), ' ', 'a list');
is(fields($gateway->request('PUT', '/v4/segments/a', body => { name => 'b' })),
    ' ', 'an update');
$redis->cmd('DEL', 'segments:{live:}:limit:project');


# An upstream's own fields stay as they are.  An equal name would be read as
# one limit, and the larger number believed.

sub beside {
    my (@fields) = @_;

    $redis->cmd('DEL', 'segments:{live:}:limit:project');

    return fields(create(undef, mock => join ';', map { "header=$_" }
        map { s/;/%3B/gr } @fields));
}

is(beside('RateLimit:"up";r=1;t=2', 'RateLimit-Policy:"up";q=9;w=1'),
    "\"up\";q=9;w=1, $policy[1] \"up\";r=1;t=2, \"project\";r=4;t=86400",
    'another name');
is(beside('RateLimit:"project";r=1;t=2', 'RateLimit-Policy:"project";q=9;w=1'),
    '"project";q=9;w=1, "project-2";q=5;w=432000 '
    . '"project";r=1;t=2, "project-2";r=4;t=86400', 'the same name');
is(beside('RateLimit-Policy:"a";q=1, "project";q=2',
    'RateLimit-Policy:project-2;q=1'),
    '"a";q=1, "project";q=2, project-2;q=1, "project-3";q=5;w=432000 '
    . '"project-3";r=4;t=86400', 'the next name, too');
is(beside('RateLimit:limit=10, remaining=2, reset=3'), "$policy[1] "
    . 'limit=10, remaining=2, reset=3, "project";r=4;t=86400',
    'an older syntax');

my $key = "k$n";

is(fields($gateway->create(key => $key)),
    "$policy[1] \"project\";r=4;t=86400", 'not replayed');
unlike(join(' ', %{ $redis->record($_) }), qr/ratelimit|remaining/i,
    "not stored: $_") for grep { /:\Q$key\E\}:create\z/ } $redis->keys;

is(beside('RateLimit:"project";r=0;t=2', 'status=429', 'Retry-After:7'),
    "\"project-2\";q=5;w=432000 \"project\";r=0;t=2, "
    . '"project-2";r=4;t=86400', '429 of the upstream');

$gateway->stop;


# whichever stands first

$gateway = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_rate_limit => ['rate=1r/d name=slow', 'rate=1r/h name=quick'],
});

$gateway->create;
like($gateway->create->header('Retry-After'), qr/\A86[34]\d\d\z/,
    'Retry-After is the later one, also where it stands first');

done_testing();
