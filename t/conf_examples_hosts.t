#!/usr/bin/perl

# The examples in conf-examples for hosts, logs and what stands in front of the
# gateway; and that every example has its test.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Segments::Example;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program program_root);

my %KEYS = map { $_ => "sk_live_${_}_0123456789" } qw(qonversion fitness music
    travel);

my $secrets = tempdir() . '/secrets';
mkdir $secrets or die "$secrets: $!";
spew("$secrets/$_", "$KEYS{$_}\n") for keys %KEYS;
spew(tempdir() . '/clients', "alice:{PLAIN}one\nbob:{PLAIN}two\n");

my $redis = redis_server();
my $upstream = upstream();
my ($ca, $front) = start_front($upstream);

my %there_is = (redis => $redis, ca => $ca, secrets => $secrets);
my @api = ('api.qonversion.io:443' => '127.0.0.1:' . $front->port);
my @clients = ('/etc/nginx/clients' => tempdir() . '/clients');

# base64 of "alice:one" and "bob:two"
my ($alice, $bob) = map { [Authorization => "Basic $_"] }
    qw(YWxpY2U6b25l Ym9iOnR3bw==);

several_projects();
json_log();
load_balancer();
http3();
all_of_them();

done_testing();


sub several_projects {
    my $nginx = start_example('several-projects.conf', \%there_is, @api,
        @clients, '/etc/nginx/travel-clients' => tempdir() . '/clients');

    # one key everywhere

    for my $project (
        ['fitness', 'segments.example.com', '/fitness/segments'],
        ['music', 'segments.example.com', '/music/segments'],
        ['travel', 'travel.example.com', '/v4/segments'],
    ) {
        my ($name, $host, $path) = @$project;
        my @create = ('POST', $path, key => 'one', headers => [Host => $host,
            @$alice], body => {%Segments::Nginx::EXAMPLE});

        is($nginx->request(@create)->summary, '201 recorded', "$name: create");
        is(($upstream->requests)[-1]->header('Authorization'),
            "Bearer $KEYS{$name}", "$name: its own key");
        is(($upstream->requests)[-1]->uri, '/v4/segments', "$name: path");
        is($nginx->request(@create)->summary, '201 replayed marked',
            "$name: retry");
        is(scalar(() = $redis->keys("segments:$name:{live:alice:one}:create")),
            1, "$name: its own records");
    }

    is($upstream->count, 3, 'each project has its own segment');
    is($nginx->request('GET', '/v4/segments', headers =>
        [Host => 'segments.example.com', @$alice])->status, 404,
        'no project, no segments');

    # the same without the prefixes is refused

    my $conf = example_conf('several-projects.conf', \%there_is, @api,
        @clients, '/etc/nginx/travel-clients' => tempdir() . '/clients')
        =~ s/^ *segments_redis_prefix .*\n//mgr;
    my ($code, $said) = check_config(conf => $conf);

    isnt($code, 0, 'two projects without prefixes are refused');

    return $nginx->stop;
}


sub json_log {
    my $nginx = start_example('json-log.conf', \%there_is, @api);

    $nginx->create(key => 'k') for 1, 2;
    $nginx->request('GET', '/v4/segments/"%22\\x');
    $nginx->create(body => '{');

    my $log = example_log($nginx, 4);
    my @lines = map { JSON::PP->new->utf8->decode($_) } split /\n/, $log;

    is_deeply([map { "$_->{status} $_->{operation} $_->{outcome}" } @lines],
        ['201 create forwarded', '201 create replayed',
            '404  not_found', '400 create invalid'], 'outcomes')
        or diag($log);
    is($lines[0]{record}, $lines[1]{record}, 'one record');
    is(($upstream->requests)[-1]->header('X-Request-Id'), $lines[0]{id},
        'the upstream has the id of the line');
    is_deeply([$redis->keys($lines[0]{record} =~ s/([{}*?\[\]\\])/\\$1/gr)],
        [$lines[0]{record}], 'which is there');
    like($lines[0]{$_}, qr/\A[0-9]+\.[0-9]{3}\z/, "a number: $_")
        for qw(seconds redis_seconds upstream_seconds);
    is($lines[0]{rate_limit}, 'PASSED', 'the limit');
    is($lines[1]{upstream}, '', 'a replay asks nobody');

    my $conf = slurp(program_root() . '/conf-examples/json-log.conf');
    my ($format) = $conf =~ /(log_format.*?;)/s;
    my ($section) = slurp(program_root() . '/docs/variables.md')
        =~ /^## Variables\n(.*?)^## /ms;

    like($format, qr/\Q$_\E/, "the format has $_")
        for $section =~ /^`(\$segments_\w+)`/mg;

    return $nginx->stop;
}


sub load_balancer {
    my $nginx = start_example('load-balancer.conf', \%there_is, @api,
        @clients);

    my $create = sub {
        my ($from, @who) = @_;
        return $nginx->create(key => 'lb', headers =>
            ['X-Forwarded-For' => $from, @who]);
    };

    # strangers behind one address, and one client at two

    is($create->('203.0.113.7', @$alice)->summary, '201 recorded', 'alice');
    is($create->('203.0.113.7', @$bob)->summary, '201 recorded',
        'bob, behind the same address');
    is($create->('198.51.100.9', @$alice)->summary, '201 replayed marked',
        'alice, who has moved');

    like(example_log($nginx, 3),
        qr/^203\.0\.113\.7\ via\ 127\.0\.0\.1\ alice\ .*
            ^203\.0\.113\.7\ via\ 127\.0\.0\.1\ bob\ .*
            ^198\.51\.100\.9\ via\ 127\.0\.0\.1\ alice\ .*replayed/msx,
        'the clients\' addresses in the log');

    # what a client says itself stands left of what its balancer has seen

    is($create->('203.0.113.7, 192.0.2.66', @$alice)->status, 403,
        'a denied address');
    is($create->('192.0.2.66, 203.0.113.7', @$alice)->status, 201,
        'an address that the client claims');
    is($create->('192.0.2.66, 10.1.2.3', @$alice)->status, 403,
        'denied behind two balancers');

    is($nginx->request('GET', '/healthy')->status, 200, 'health');

    # one of those who share the address uses up its limit

    my $refused = sub {
        my ($tries, $from, @who) = @_;

        return scalar grep { $nginx->create(key => "$from-$_", headers =>
            ['X-Forwarded-For' => $from, @who])->status == 429 } 1 .. $tries;
    };

    cmp_ok($refused->(30, '203.0.113.7', @$alice), '>', 0,
        'alice is over her limit');
    is($refused->(1, '203.0.113.7', @$bob), 0,
        'bob, behind the same address, is not');
    cmp_ok($refused->(5, '198.51.100.9', @$alice), '>', 0,
        'alice has moved, and is over it all the same');

    return $nginx->stop;
}


sub http3 {
    SKIP: {
        my $version = Segments::Process->spawn(name => 'nginx -V',
            argv => [find_program($ENV{TEST_NGINX_BINARY} // 'nginx'), '-V'],
            output => tempdir() . '/version');

        $version->wait(20);
        skip 'nginx without HTTP/3', 1
            if slurp(tempdir() . '/version') !~ /--with-http_v3_module/;

        my (undef, $crt, $key) = server_certificate('segments.example.com');
        my $nginx = start_example('http3.conf', \%there_is, @api, @clients,
            '/etc/nginx/server.crt' => $crt, '/etc/nginx/server.key' => $key);
        my @curl = ('-sk', '-D', '-', '-u', 'alice:one', '-H',
            'Content-Type: application/json', '-H', 'Idempotency-Key: three',
            '-d', '{"name":"Three"}', 'https://127.0.0.1:' . $nginx->port
                . '/v4/segments');

        like(curl('--http2', @curl), qr/^HTTP\/2 201.*^alt-svc: h3=/ims,
            'HTTP/2, and where HTTP/3 is');

        skip 'curl without HTTP/3', 1 if curl('-V') !~ /\bHTTP3\b/;
        like(curl('--http3-only', @curl), qr/^HTTP\/3 201.*replayed: true/ims,
            'the retry over HTTP/3');
    }

    return;
}


sub curl {
    my (@words) = @_;

    my $output = tempdir() . '/curl';
    unlink $output;

    Segments::Process->spawn(name => 'curl', output => $output,
        argv => [find_program('curl'), @words])->wait(30);

    return slurp($output);
}


sub all_of_them {
    my $tests = join '', map { slurp($_) } glob(program_root() . '/t/*.t');
    my $pages = join '', map { slurp($_) } program_root() . '/README.md',
        glob(program_root() . '/docs/*.md');

    for my $path (glob(program_root() . '/conf-examples/*')) {
        next if -d $path;

        my ($file) = $path =~ m{([^/]+)\z};
        ok($tests =~ /\Q$file\E/, "$file has a test");
        ok($pages =~ m{\((?:\.\./)?conf-examples/\Q$file\E\)},
            "a page leads to $file");
    }

    return;
}
