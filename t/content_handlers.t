#!/usr/bin/perl

# Only proxy_pass answers in a guarded location, and gets the Secret Key: the
# content handlers of other modules are refused, and what cannot be seen when
# the configuration is read fails closed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $MODULES = '/usr/lib/nginx/modules';

my $script = spew(tempdir() . '/answer.js',
    'export default { answer: r => r.return(200, "answer") };');

my %modules = (
    lua => [[qw(ndk_http_module ngx_http_lua_module)], '',
        'content_by_lua_block { ngx.say("answer") }'],
    js => [['ngx_http_js_module'], "js_import answer from $script;",
        'js_content answer.answer;'],
    perl => [['ngx_http_perl_module'], '',
        'perl \'sub { $_[0]->send_http_header; return 0 }\';'],
    echo => [['ngx_http_echo_module'], '', 'echo answer;'],
);

my ($tried, %load) = 0;

for my $module (sort keys %modules) {
    my ($objects, $http, $answer) = @{ $modules{$module} };

    next if grep { !-e "$MODULES/$_.so" } @$objects;

    my @load = map { "load_module $MODULES/$_.so;\n" } @$objects;
    $load{$module} = join '', @load;
    $tried++;

    for my $order (0, 1) {
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
                location => $location, order($order, $load{$module}));

            next if $output =~ /directive is not allowed here/;

            is($code ? 'refused' : 'accepted',
                $works ? 'accepted' : 'refused', "$module $name")
                or diag $output;
            like($output, qr/another directive than "proxy_pass" answers/,
                "$module $name: why") if !$works;
        }
    }
}

# the module in front of the others', or behind them

sub order {
    my ($first, $load) = @_;

    my $ours = 'load_module ' . Segments::Nginx::module_path() . ";\n";

    return (
        module => 0,
        main   => $first ? $ours . $load : $load . $ours,
        set    => {
            proxy_pass               => undef,
            segments_gateway         => 'on',
            segments_secret_key_file => '%%DIR%%/secret',
            segments_redis           => 'redis://127.0.0.1:1',
        },
    );
}

ok(1, "$tried modules tried");

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

is($group->create(key => 'a')->summary, '201 created', 'with the module');

my @module = (module => 1);
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
    is($group->create(key => "b$round")->summary, '201 created',
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
