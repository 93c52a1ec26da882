#!/usr/bin/perl

# Whatever happens to a request, the Secret Key is found nowhere: not in logs,
# not in Redis, its dumps and what segments-record shows of it, not in metrics,
# not in answers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Process;
use Segments::Test;
use Segments::Util qw(program_root);

my $SECRET = 'sk_canary0123456789ABCDEF';

my $upstream = upstream();
my $redis = redis_server();
my $nobody = free_port();

my $access = join ' ', map { "\$$_" } qw(
    request request_uri request_body http_authorization http_cookie
    http_idempotency_key http_accept_encoding http_host http_x_other args uri
    remote_user proxy_host upstream_addr upstream_status upstream_http_location
    upstream_http_content_type sent_http_content_type sent_http_location
    sent_http_www_authenticate content_type
    segments_operation segments_outcome segments_idempotency_record
    segments_redis_time segments_rate_limit_status);

my %args = (
    redis  => $redis,
    secret => $SECRET,
    http   => "log_format all '$access'; access_log %%DIR%%/all.log all;"
        . " access_log %%DIR%%/access.log test; segments_zone m 1m;",
    server => "location = /metrics { segments_metrics; }",
);
my %set = (
    segments_operations => 'all',
    segments_rate_limit => 'rate=1r/d burst=50 key=$http_x_limited name=few',
    proxy_read_timeout  => slow_ms(200),
    proxy_set_header    => ['Connection ""', 'X-A $http_authorization'],
);

my $nginx = nginx(%args, upstream => $upstream, set => {
    %set, proxy_next_upstream => 'error timeout invalid_header http_500' });
my $refusing = nginx(%args, upstream => "http://127.0.0.1:$nobody",
    set => { %set });
my $required = nginx(%args, upstream => $upstream,
    set => { %set, segments_idempotency => 'required' });
my $lost = nginx(%args, upstream => $upstream, redis => undef,
    set => { %set, segments_idempotency_lease => '1s' });

# every outcome there is, and what makes nginx itself write to the error log

my $held = $nginx->connect;

$held->send_request($nginx->create_request(key => 'held', mock => 'hold=h'));
$upstream->wait_held('h');

my @answers = map { my $server = shift @$_; $server->request(@$_) } (
    [$nginx, $nginx->create_request(key => 'k')],
    [$nginx, $nginx->create_request(key => 'k')],
    [$nginx, $nginx->create_request(key => 'k', body => { name => 'b' })],
    [$nginx, $nginx->create_request(key => 'held')],
    [$nginx, $nginx->create_request(key => 'a b')],
    [$nginx, $nginx->create_request],
    [$nginx, $nginx->create_request(body => '{')],
    [$nginx, $nginx->create_request(headers => ['Content-Type' => 'a/b'])],
    [$nginx, 'GET', '/v4/segments?x=1'],
    [$nginx, 'GET', '/v4/segments/'],
    [$nginx, 'PATCH', '/v4/segments'],
    [$nginx, 'GET', '/v4/segments', headers => [
        Authorization => 'Basic YTpi', Cookie => 'a=1']],
    map({ [$nginx, $nginx->create_request(mock => $_)],
        [$nginx, $nginx->create_request(mock => $_,
            key => "k $_" =~ tr/a-z/-/cr)],
        [$nginx, 'GET', '/v4/segments', mock => $_],
    } qw(status=401 status=403 status=404 status=500 status=503 garbage rst
        close=after-read close=mid-headers close=mid-body truncate delay=0.5
        status=302;header=Location:http://127.0.0.1/v4/segments)),
    [$refusing, $nginx->create_request],
    [$refusing, $nginx->create_request(key => 'refused')],
    [$refusing, 'GET', '/v4/segments'],
    [$required, $nginx->create_request],
    [$lost, $nginx->create_request(key => 'lost')],
    [$lost, $nginx->create_request],
);

$upstream->release('h');
push @answers, $held->read_response;

is(scalar(grep { $_->header('Authorization') && $_->header('Authorization')
    ne "Bearer $SECRET" } $upstream->requests), 0, 'the upstream has it');
cmp_ok($upstream->count, '>', 30, 'many times');

# also what a reload, an unreadable key and an end write

spew($nginx->dir . '/secret', "$SECRET\n$SECRET\n");

my (undef, $said) = $nginx->check_config;
like($said, qr/must hold one Secret Key and nothing else/, 'wrong key file');
unlike($said, qr/canary/, 'its content is not shown');

spew($nginx->dir . '/secret', "canary$SECRET\n");
(undef, $said) = $nginx->check_config;
like($said, qr/has no Secret Key/, 'key file with another prefix');
unlike($said, qr/canary/, 'its content is not shown');

spew($nginx->dir . '/secret', "$SECRET\n");
$nginx->reload;
push @answers, $nginx->create(key => 'reloaded');

push @answers, map { $nginx->create(headers => ['X-Limited' => 'x']) } 1 .. 52;
is($answers[-1]->status, 429, 'limited');

my $metrics = $nginx->request('GET', '/metrics');
like($metrics->body, qr/^segments_requests_total\{/m, 'metrics');
push @answers, $metrics;

my %records = map { $_ => $redis->record($_) }
    grep { /\}:create\z/ } $redis->keys;

cmp_ok(scalar(keys %records), '>', 5, 'records');
is(scalar(grep { join("\n", $_, %{ $records{$_} }) =~ /canary/ }
    keys %records), 0, 'no record has it');

# all that is in Redis, in the file that it keeps and in the operator's hands

$redis->cmd('CONFIG', 'SET', 'rdbcompression', 'no');
is($redis->cmd('SAVE'), 'OK', 'dump');

my $dump = slurp($redis->dir . '/dump.rdb');
like($dump, qr/:limit:few/, 'the dump has a limit');
like($dump, qr/segments:\{live::k\}:create/, 'the dump has a record');
unlike($dump, qr/canary/, 'the dump does not have it');

my $shown = tempdir() . '/shown';

for my $name (sort keys %records) {
    Segments::Process->spawn(name => 'segments-record', output => $shown,
        argv => [program_root() . '/tools/segments-record', '-r', $redis->url,
            $name])->wait(20);
}

is(scalar(() = slurp($shown) =~ /^state  /mg), scalar(keys %records),
    'every record is shown');
unlike(slurp($shown), qr/canary/, 'nowhere with it');

is(scalar(grep { !$_ } @answers), 0, 'every request was answered');
is(scalar(grep { join("\n", $_->raw, $_->body) =~ /canary/ } @answers), 0,
    'no answer has it');

$_->quit for $nginx, $refusing, $required, $lost;

for my $server ($nginx, $refusing, $required, $lost) {
    my $dir = $server->dir;
    my @found = grep { !/\/secret\z/ && slurp($_) =~ /canary/ }
        files_below($dir);

    is("@found", '', 'no file has it but its own');
}

like(slurp($nginx->dir . '/error.log'), qr/upstream .*\n.*upstream /,
    'the error log says something');
like(slurp($nginx->dir . '/all.log'), qr/Basic YTpi .*a=1/,
    'the access log shows the client\'s');

# what nginx itself prints at debug level

SKIP: {
    my $version = Segments::Process->spawn(
        name   => 'nginx -V',
        argv   => [$nginx->command(1), '-V'],
        output => tempdir() . '/version',
    );

    $version->wait(20);
    skip 'nginx without debug log', 5
        if slurp(tempdir() . '/version') !~ /--with-debug/;

    my $warning = qr/\[warn\].*debug.*Secret Key/;

    unlike($nginx->error_log, $warning, 'info: no warning');

    for my $where (
        [log_level => 'debug'],
        [server => 'error_log %%DIR%%/error.log debug;'],
        [location => 'error_log %%DIR%%/error.log debug_http;'],
        [conf => $nginx->default_conf
            . 'error_log %%DIR%%/error.log debug;'],    # behind http
    ) {
        my $debug = nginx(%args, upstream => $upstream, @$where);

        like($debug->error_log, $warning, "debug at $where->[0]: warned");
    }
}

done_testing();


sub files_below {
    my ($dir) = @_;

    return map { -d $_ ? files_below($_) : $_ } glob "$dir/*";
}
