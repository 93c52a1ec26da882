#!/usr/bin/perl

# A request's life: the steps that the module allows are those that
# docs/architecture.md draws, and requests take each of them, and no other.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Test;
use Segments::Util qw(find_program program_root source sources);

my $upstream = upstream();
my $redis = redis_server();
my $cluster = redis_server(options => { 'cluster-enabled' => 'yes',
    'cluster-port' => free_port() });

one_writer();
is_deeply([drawn()], [allowed()], 'the drawing is of the steps');
alerts();

SKIP: {
    my $program = find_program($ENV{TEST_NGINX_BINARY} // 'nginx');

    skip 'nginx has no debug log', 1 if `$program -V 2>&1` !~ /--with-debug/;

    is_deeply([taken(alone(), in_a_cluster())], [allowed()],
        'each step is taken, and no other');
}

done_testing();


sub allowed {
    my ($table) = slurp(source('ngx_http_segments_state.c'))
        =~ /_steps\[\] = \{\n(.*?)^\};/ms or return;

    my @steps;

    for (split /(?=^ *\[ngx_http_segments_)/m, $table) {
        my ($from) = /\A\s*\[ngx_http_segments_(\w+)\]/ or next;
        push @steps, map { "$from -> $_" } /_to\((\w+)\)/g;
    }

    return sort @steps;
}


sub drawn {
    return sort map { s/-->/->/r }
        slurp(program_root() . '/docs/architecture.md')
            =~ /^    (\w+ --> \w+)(?: :.*)?$/mg;
}


# of what the log says of all requests

sub taken {
    my (@gateways) = @_;

    my %steps;

    for my $gateway (@gateways) {
        $steps{$_} = 1 for $gateway->error_log
            =~ /segments state (\w+ -> \w+)/g;
    }

    return sort keys %steps;
}


sub alone {
    my $gateway = nginx(upstream => $upstream, redis => $redis,
        log_level => 'debug', set => {
            segments_operations       => 'all',
            segments_idempotency_wait => slow_ms(1000),
            client_max_body_size      => '1k',
        });

    is($gateway->request('GET', '/v4/segments')->status, 200, 'a list');
    is($gateway->request('GET', '/v4/segments/a/b')->status, 404, 'no path');
    is($gateway->create->status, 201, 'a create');
    is($gateway->create(body => {})->status, 400, 'an invalid one');
    is($gateway->create(body => 'x' x 2000)->status, 413, 'a large one');

    my $c = $gateway->connect;

    $c->send("POST /v4/segments HTTP/1.1\r\nHost: a\r\n"
        . "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        . "7d0\r\n" . 'x' x 2000 . "\r\n0\r\n\r\n");
    is($c->read_response(undef, 'POST')->status, 413,
        'one that is large at last');

    is($gateway->create(key => 'a')->status, 201, 'a create with a key');
    is($gateway->create(key => 'a')->status, 201, 'its replay');
    is($gateway->create(key => 'cut', mock => 'truncate')->status, 502,
        'one whose answer is cut');

    $c = $gateway->connect;
    $c->send_request($gateway->create_request(key => 'held',
        mock => 'hold=held'));
    $upstream->wait_held('held');

    is($gateway->create(key => 'held')->status, 409, 'one that waits in vain');

    $upstream->release('held');
    is($c->read_response->status, 201, 'and the one that it has waited for');

    return $gateway;
}


sub in_a_cluster {
    $cluster->cmd('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
    wait_for { $cluster->cmd('CLUSTER', 'INFO') =~ /cluster_state:ok/ } 20,
        'the cluster';

    my $gateway = nginx(upstream => $upstream, log_level => 'debug',
        redis => 'redis+cluster://127.0.0.1:' . $cluster->port, set => {
            segments_redis_connect_timeout => slow_ms(3000),
            segments_rate_limit            => [
                'rate=1r/d burst=1 name=one key=$http_x_client',
                'rate=1r/d burst=9 name=other',
            ],
        });

    my @client = (headers => ['X-Client' => 'a']);

    is($gateway->create(@client)->status, 201, 'limits without a key');
    is($gateway->create(@client, key => 'a')->status, 201, 'and with one');
    is($gateway->create(@client)->status, 429, 'no more');

    return $gateway;
}


# A step that the table does not have is an alert, which no test outlives; so is
# each that it has, once it is taken away.

sub alerts {
    my $table = slurp(source('ngx_http_segments_state.c'));

    is_deeply([silent($table)], [allowed()], 'any other step is an alert');

    for my $step (allowed()) {
        my ($from, $to) = split / -> /, $step;

        my $less = $table =~ s{(
            ^\ +\[ngx_http_segments_$from\]\ =$ [^\[]*?
            ) \bngx_http_segments_to\($to\)}{${1}0}mxr;

        is_deeply([silent($less)], [grep { $_ ne $step } allowed()],
            "$step is one when it is taken away");
    }

    return;
}


# the steps that a request takes without an alert

sub silent {
    my ($table) = @_;

    my $dir = tempdir();
    my $nginx = '/usr/share/nginx/src';
    my $objects = Segments::Nginx::module_path() =~ s{[^/]+\z}{objs}r;
    my @include = slurp("$objects/Makefile") =~ /-I (\S+)/g;

    spew("$dir/state.c", $table);

    system('cc', '-o', "$dir/life", "-DSOURCE=\"$dir/state.c\"",
            map({ m{^/} ? "-I$_" : "-I$nginx/$_" } @include),
            program_root() . '/t/lib/life.c') == 0
        or die 'the steps do not compile';

    return sort split /\n/, `$dir/life`;
}


# what is said of a request is written in one place

sub one_writer {
    my %writers = (
        state              => 'ngx_http_segments_state.c',
        outcome            => 'ngx_http_segments_status.c',
        idempotency_status => 'ngx_http_segments_status.c',
        verdict            => 'ngx_http_segments_admit.c',
    );

    for my $member (sort keys %writers) {
        my @writers = grep { slurp($_) =~ /\bctx->$member = / }
            sources(qr/\.c\z/);

        is_deeply([map { s{.*/}{}r } @writers], [$writers{$member}],
            "$member has one writer");
    }

    return;
}
