#!/usr/bin/perl

# segments_health: whether this worker's creates would find their Redis, before
# the first of them and later.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Segments::RedisFront;
use Segments::Test;

# long enough for whoever answers, and short for whoever does not

my $TIME = 4 * slow(100);               # milliseconds, both together
my $HALF = $TIME / 2 . 'ms';
my $LONG = slow_ms(30_000);

my %quick = (segments_redis_timeout => $HALF,
    segments_redis_connect_timeout => $HALF,
    segments_idempotency_lease => '300s');
my %patient = (segments_redis_timeout => '2s',
    segments_redis_connect_timeout => $LONG,
    segments_idempotency_lease => '300s');

my $upstream = upstream();

before_the_first();
fresh();
never_started();
silent();
passing();
several();
client_leaves();
reloaded();
forgotten();
loading();
page();
configured();

done_testing();


sub gateway {
    my (%args) = @_;

    return nginx(upstream => $upstream, %args, server => ($args{server} // '')
        . ' location = /health { segments_health; }');
}


# "status of HTTP, word: url usable [nodes]; ..."

sub health {
    my ($gateway, %args) = @_;

    return said($gateway->request('GET', '/health', %args));
}


sub said {
    my ($answer) = @_;

    my $said = JSON::PP->new->decode($answer->body);

    return join ' ', $answer->status, $said->{status}, map {
        my $redis = $_;
        ($redis->{url}, word($redis), map({ $_->{node}, word($_) }
            @{ $redis->{nodes} }));
    } @{ $said->{redis} };
}


sub word { return $_[0]{usable} ? 'yes' : 'no' }


sub healthy {
    my ($status, $redis, $usable) = @_;

    my $url = $redis->tcp_url;
    my ($node) = $url =~ m{//(.*)};

    return "$status $url $usable $node $usable";
}


# nothing was asked yet, by any worker

sub before_the_first {
    my $redis = redis_server(options => { requirepass => 'canary' });

    spew(tempdir() . '/password', "canary\n");

    my $gateway = gateway(set => \%patient, redis => $redis->tcp_url
        =~ s{//}{//default@}r . '/3 password_file=' . tempdir() . '/password');
    my $url = $redis->tcp_url;

    is(health($gateway), "200 ok $url/3 yes " . $url =~ s{.*//}{}r . ' yes',
        'before the first request');
    unlike($gateway->request('GET', '/health')->body, qr/canary|default/,
        'neither password nor user');
    is($upstream->count, 0, 'nothing was sent to the API');

    $redis->stop;

    return;
}


# a reply of the last second is enough

sub fresh {
    my $redis = redis_server();
    my $gateway = gateway(redis => $redis, set => \%patient);

    is($gateway->create(key => 'f')->status, 201, 'a create');

    my $pings = $redis->commands->{ping} // 0;

    is(health($gateway), join(' ', '200 ok', ($redis->url, 'yes') x 2),
        'behind a create');
    is($redis->commands->{ping}, $pings, 'known by its reply');

    # one that is older is not

    wait_for {
        health($gateway);
        $redis->commands->{ping} > $pings;
    } 20, 'a question';

    return;
}


sub never_started {
    my $redis = Segments::RedisServer->new;
    my $gateway = gateway(redis => $redis->tcp_url, set => \%quick);

    is(health($gateway), healthy('503 unusable', $redis, 'no'),
        'never started');
    is(envelope($gateway->create(key => 'n')), '503 internal/storage_error',
        'as a create is told');

    $redis->start;

    wait_for { health($gateway) =~ /^200/ } 20, 'a Redis that is there now';
    is(health($gateway), healthy('200 ok', $redis, 'yes'), 'there at last');

    $redis->stop('KILL');

    is(health($gateway), healthy('503 unusable', $redis, 'no'), 'gone');

    return;
}


# many ask: it is one question

sub silent {
    my $redis = redis_server();

    $redis->cmd('CONFIG', 'SET', 'maxclients', 100);
    $redis->pause;

    my $gateway = gateway(redis => $redis->tcp_url, set => \%quick);

    is(health($gateway), healthy('503 unusable', $redis, 'no'),
        'silent from the start');

    $redis->resume;
    wait_for { health($gateway) =~ /^200/ } 20, 'Redis to go on';

    my $before = $redis->commands->{ping};
    my $connections = $redis->cmd('INFO', 'stats')
        =~ /^total_connections_received:(\d+)/m ? $1 : die;

    $redis->pause;

    # what was heard in the last second has to be over

    wait_for { health($gateway) =~ /^503/ } 20, 'the silence to be noticed';

    my @answers = parallel(map { [$gateway, 'GET', '/health'] } 1 .. 50);

    is_deeply([grep { said($_) ne healthy('503 unusable', $redis, 'no') }
        @answers], [], 'fifty at once');

    $redis->resume;
    wait_for { health($gateway) =~ /^200/ } 20, 'Redis to go on again';

    # they shared their questions

    cmp_ok($redis->commands->{ping} - $before, '<', 40, 'few questions');

    $redis->stop;

    return;
}


# creates go on without it, announced

sub passing {
    my $redis = Segments::RedisServer->new;
    my $gateway = gateway(redis => $redis->tcp_url,
        set => { %quick, segments_redis_failure => 'pass' });

    is(health($gateway), healthy('200 degraded', $redis, 'no'), 'pass');
    is($gateway->create(key => 'p')->summary, '201 bypassed',
        'as a create is told');

    return;
}


# what creates do not need, is not asked for

sub several {
    my $redis = redis_server();
    my $gone = Segments::RedisServer->new;
    my $other = Segments::RedisServer->new;

    my $gateway = gateway(redis => $redis->tcp_url, set => \%quick,
        server => join ' ',
            place('/pass', $gone, 'segments_redis_failure pass;'),
            place('/list', $other, 'segments_operations list;'),
            place('/free', $other, 'segments_idempotency off;'));

    is(health($gateway), healthy('200 degraded', $redis, 'yes')
        . healthy('', $gone, 'no'), 'of two, one is gone');

    # one location's refusal is enough

    my $strict = gateway(redis => $redis->tcp_url, set => \%quick,
        server => place('/pass', $gone, 'segments_redis_failure pass;')
            . place('/reject', $gone, ''));

    like(health($strict), qr/^503 unusable /, 'needed by a stricter one');

    # a limit needs it without a key

    my $limited = gateway(redis => $gone->tcp_url, set => { %quick,
        segments_idempotency => 'off', segments_rate_limit => 'rate=1r/s' });

    is(health($limited), healthy('503 unusable', $gone, 'no'), 'a limit');

    my $none = gateway(redis => $gone->tcp_url,
        set => { segments_idempotency => 'off' });

    is(health($none), '200 ok', 'none is needed');

    $redis->stop;

    return;
}


sub place {
    my ($path, $redis, $more) = @_;

    return "location $path { segments_gateway on; $more"
        . ' segments_secret_key_file %%DIR%%/secret;'
        . " segments_redis_timeout $HALF; segments_redis_connect_timeout $HALF;"
        . " segments_redis_prefix $path; segments_redis " . $redis->tcp_url
        . '; proxy_pass %%UPSTREAM%%; }';
}


# the question stays out, and its reply finds nobody

sub client_leaves {
    my $redis = redis_server();
    my $front = Segments::RedisFront->start($redis);
    my $gateway = gateway(redis => $front, set => \%patient);

    $front->rule(ping => 'late=' . slow(0.3));

    my @clients = map { $gateway->connect } 1 .. 5;

    $_->send_request('GET', '/health') for @clients;
    wait_for { $front->commands } 20, 'the question';

    $_->close for splice @clients, 0, 3;

    is(said($_->read_response), join(' ', '200 ok', ($front->url, 'yes') x 2),
        'who has stayed') for @clients;

    is_deeply({ map { $_->{status} => 1 } $gateway->access(5) },
        { 200 => 1, 499 => 1 }, 'who has left');

    # all of them

    my $pings = () = $front->commands;

    wait_for {
        my $c = $gateway->connect;

        $c->send_request('GET', '/health');
        $c->close;

        $pings < (() = $front->commands);
    } 20, 'a question that nobody waits for';

    like(health($gateway), qr/^200 ok/, 'and the next one is answered');

    $redis->stop;

    return;
}


sub reloaded {
    my $redis = redis_server();
    my $front = Segments::RedisFront->start($redis);
    my $gateway = gateway(redis => $front, set => \%patient);

    $front->rule(ping => 'late=' . slow(0.5));

    my $c = $gateway->connect;

    $c->send_request('GET', '/health');
    wait_for { $front->commands } 20, 'the question';

    $gateway->reload;

    is(said($c->read_response), join(' ', '200 ok', ($front->url, 'yes') x 2),
        'asked before a reload');

    # one that is told to stop at once leaves nothing behind

    $c = $gateway->connect;
    $c->send_request('GET', '/health');

    $gateway->stop;
    $redis->stop;

    return;
}


# a connection that a NAT has forgotten costs a create nothing

sub forgotten {
    my $redis = redis_server();
    my $front = Segments::RedisFront->start($redis);
    my $gateway = gateway(redis => $front, set => {
        segments_redis_timeout         => slow_ms(1200),
        segments_redis_connect_timeout => slow_ms(1200),
        segments_idempotency_lease     => '300s',
    });

    like(health($gateway), qr/^200/, 'connected');
    $front->forget;

    # a reply of the last second has to be over, for the question to be needed

    my %said;

    wait_for {
        $said{ health($gateway) =~ s/ .*//r }++;
        $gateway->error_log =~ /nothing was heard from redis/;
    } 20, 'another connection';

    is_deeply([keys %said], [200], 'forgotten, and healthy throughout');

    $redis->stop;

    return;
}


# one that reads its file answers, and takes no commands

sub loading {
    my $fake = fake_redis(
        [ASIDE => 'INFO', ''],
        [EXPECT => 'PING'], [SEND => '+PONG'],
        [EXPECT => 'PING'],
        [SEND => '-LOADING Redis is loading the dataset in memory'],
        [EXPECT => 'PING'], [SEND => '+PONG'],
    );
    my $gateway = gateway(redis => $fake, set => \%patient);

    like(health($gateway), qr/^503/, 'loading');
    like(health($gateway), qr/^200/, 'loaded');
    ok($fake->played, 'dialogue') or diag($fake->result);

    return;
}


sub page {
    my $redis = redis_server();
    my $gateway = gateway(redis => $redis, set => \%patient);
    my $answer = $gateway->request('GET', '/health');

    is($answer->header('Content-Type'), 'application/json', 'type');
    is($answer->header('Cache-Control'), 'no-store', 'not to be stored');
    is($answer->header('Content-Length'), length $answer->body, 'length');

    my $head = $gateway->request('HEAD', '/health');

    is($head->status, 200, 'HEAD');
    is($head->body, '', 'HEAD: no body');
    is($gateway->request($_, '/health')->status, 405, $_)
        for qw(POST PUT DELETE OPTIONS);
    like(health($gateway, body => 'x' x 5000), qr/^200/, 'GET with a body');

    # again on one connection

    my $c = $gateway->connect;

    for (1 .. 3) {
        $c->send_request('GET', '/health');
        is($c->read_response->status, 200, 'kept alive');
    }

    my $h2 = nginx(upstream => $upstream, redis => Segments::RedisServer->new,
        set => \%quick, listen => 'http2',
        server => 'location = /health { segments_health; }');

    is(h2($h2)->request('GET', '/health')->status, 503, 'HTTP/2');

    $redis->stop;

    return;
}


sub configured {
    for (
        ['in a guarded location',
            qr/"segments_health" cannot be used in a guarded location/,
            location => 'segments_health;'],
        ['with an argument', qr/invalid number of arguments/,
            server => 'location /h { segments_health on; }'],
        ['at the server level', qr/"segments_health" directive is not allowed/,
            server => 'segments_health;'],
    ) {
        my ($name, $says, %conf) = @$_;

        my ($code, $output) = check_config(%conf);

        isnt($code, 0, "$name: refused");
        like($output, $says, "$name: says why");
    }

    my $empty = nginx(conf => "%%MAIN%%\nevents { }\nhttp { %%HTTP%%"
        . ' server { listen 127.0.0.1:%%PORT%%;'
        . ' location = /health { segments_health; } } }');

    is(health($empty), '200 ok', 'where nothing is guarded');

    return;
}
