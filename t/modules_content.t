#!/usr/bin/perl

# Only proxy_pass answers in a guarded location, and gets the Secret Key: the
# content handlers of other modules are refused, and what cannot be seen when
# the configuration is read fails closed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Modules qw(load_module);
use Segments::Test;
use Segments::Util qw(find_program program_root);

my $script = spew(tempdir() . '/answer.js',
    'export default { answer: r => r.return(200, "answer") };');

my %modules = (
    ngx_http_lua_module => ['', 'content_by_lua_block { ngx.say("answer") }'],
    ngx_http_js_module => ["js_import answer from $script;",
        'js_content answer.answer;'],
    ngx_http_perl_module => ['',
        'perl \'sub { $_[0]->send_http_header; return 0 }\';'],
    ngx_http_echo_module => ['', 'echo answer;'],
);

my $tried = 0;

for my $module (sort keys %modules) {
    my ($http, $answer) = @{ $modules{$module} };
    my $load = load_module($module) or next;

    $tried++;

    for my $order (qw(first main)) {
        for (
            ['behind proxy_pass', "proxy_pass http://127.0.0.1:1; $answer"],
            ['before proxy_pass', "$answer proxy_pass http://127.0.0.1:1;"],
            ['in "if"', 'proxy_pass http://127.0.0.1:1;'
                . " if (\$arg_a) { $answer }"],
        ) {
            my ($name, $location) = @$_;

            # nginx has the last of two directives answer, and this one is ours

            my $works = $name =~ /before/;
            my ($code, $output) = check_config(http => $http,
                $order => $load, location => $location,
                set => { proxy_pass => undef });

            next if $output =~ /directive is not allowed here/;

            is($code ? 'refused' : 'accepted',
                $works ? 'accepted' : 'refused', "$module $name")
                or diag $output;
            like($output, qr/another directive than "proxy_pass" answers/,
                "$module $name: why") if !$works;
        }
    }
}

note("$tried modules tried");

# one whose handler comes when locations are merged, or later still

SKIP: {
    my $late = late_module();

    skip 'no headers of this nginx are here', 13 if !$late;

    for my $order (qw(first main)) {
        for ('late_handler merge;', 'if ($arg_a) { late_handler merge; }') {
            my ($code, $output) = check_config(location => $_,
                $order => "load_module $late;");

            isnt($code, 0, "$order, $_ refused");
            like($output, qr/another directive than "proxy_pass" answers/,
                "$order, $_ why");
        }
    }

    my $upstream = upstream();
    my $redis = redis_server();
    my $nginx = nginx(main => "load_module $late;", upstream => $upstream,
        redis => $redis, location => 'late_handler end;');

    is($nginx->create(key => 'a')->status, 500, 'set at the end: fails');
    like($nginx->error_log, qr/\[error\].* another module answers in a guarded/,
        'set at the end: why');
    is($upstream->count, 0, 'set at the end: nothing was sent');
    is_deeply($redis->commands, {}, 'set at the end: nor stored');

    $nginx->configure(location => '')->reload;

    is($nginx->create(key => 'a')->summary, '201 recorded', 'without it');
}

# built as the module under test was, against the same headers

sub late_module {
    my $objects = Segments::Nginx::module_path() =~ s{[^/]+\z}{objs}r;

    return if !-e "$objects/Makefile";

    my @include = slurp("$objects/Makefile") =~ /-I (\S+)/g;
    my $source = '/usr/share/nginx/src';
    my $module = tempdir() . '/late.so';
    my $log = tempdir() . '/cc';

    my $cc = Segments::Process->spawn(name => 'cc', output => $log, argv => [
        find_program('cc'), qw(-shared -fPIC -o), $module,
        map({ m{^/} ? "-I$_" : "-I$source/$_" } @include),
        program_root() . '/t/lib/late_handler.c']);

    $cc->wait(60);

    return -e $module ? $module : undef;
}

# its own proxy_pass, in all parts of a location that have one

my $upstream = upstream();
my $own = nginx(upstream => $upstream, redis => redis_server(),
    set      => { segments_operations => 'all' },
    location => 'limit_except POST { proxy_pass %%UPSTREAM%%; }'
        . ' if ($arg_limit) { proxy_pass %%UPSTREAM%%; }');

for (['POST', '', 201], ['GET', '', 200], ['GET', '?limit=5', 200]) {
    my ($method, $query, $status) = @$_;

    is($own->request($method, "/v4/segments$query", $method eq 'POST'
        ? (body => { name => 'a' }) : ())->status, $status,
        "$method $query: proxy_pass");
}

is(scalar(grep { $_->header('Authorization') ne
    "Bearer $Segments::Nginx::SECRET" } $upstream->requests), 0,
    'with the Secret Key');

# A reload without the module: nothing of it is left behind, neither in the
# tables of other modules nor in groups of servers.

my $group = nginx(upstream => $upstream, redis => redis_server(),
    http     => 'upstream group { zone group 64k; server 127.0.0.1:'
        . $upstream->port . '; keepalive 4; }',
    server   => 'location /plain { proxy_pass http://group; }',
    set      => { proxy_pass => 'http://group', segments_operations => 'all' });

is($group->create(key => 'a')->summary, '201 recorded', 'with the module');

my %set = %{ $group->{args}{set} };

for my $round (1, 2) {
    $group->{args}{set} = { proxy_pass => 'http://group' };
    $group->configure(module => 0)->reload;

    for my $uri (qw(/v4/segments /plain)) {
        my $answer = $group->request('POST', $uri, body => { name => 'a' },
            headers => [Authorization => 'Bearer mine']);

        is($answer->status, 201, "without the module: $uri");
        is(($upstream->requests)[-1]->header('Authorization'), 'Bearer mine',
            "without the module: $uri as it is sent");
    }

    $group->{args}{set} = {%set};
    $group->configure(module => 1)->reload;

    is($group->create(key => 'a')->summary, '201 replayed marked',
        'with it again');
    is($group->create(key => "b$round")->summary, '201 recorded',
        'with it again: a create');
    is(($upstream->requests)[-1]->header('Authorization'),
        "Bearer $Segments::Nginx::SECRET", 'with it again: the Secret Key');
}

# a configuration that is refused leaves nothing behind, either

my $mark = length $group->error_log;

$group->configure(location => 'fastcgi_pass 127.0.0.1:1;');
$group->process->signal('HUP');
$group->wait_log(qr/\[emerg\].*"fastcgi_pass" cannot be used/, 20, $mark);
$group->expect_alert(qr/"fastcgi_pass" cannot be used/);
$group->configure(location => '');

is($group->create(key => 'a')->summary, '201 replayed marked',
    'after a refused configuration');
is($group->request('POST', '/plain', body => { name => 'a' })->status, 201,
    'after a refused configuration: another location');

done_testing();
