#!/usr/bin/perl

# Filters of other modules, loaded before ours and behind it: an answer leaves,
# and ends, in either order; what is stored is the upstream's where ours stand
# first, and otherwise "nginx -t" says who stands before them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Modules qw(load_module);
use Segments::Test;


# the unwinder takes memory of its own among the frames that LuaJIT has made,
# and then waits for itself

$ENV{ASAN_OPTIONS} = join ':', 'fast_unwind_on_malloc=1',
    $ENV{ASAN_OPTIONS} // ();

my $upstream = upstream();
my $redis = redis_server();

my $LONG = 'seg_' x 1000;

# hands on what comes, but for what has no bytes; or all of it at its end

my $SCRIPT = <<'JS';
function each(r, data, flags) {
    if (data.length || flags.last) {
        r.sendBuffer(data, flags);
    }
}
var all = '';
function end(r, data, flags) {
    all += data;
    if (flags.last) {
        r.sendBuffer(all, flags);
    }
}
export default { each, end };
JS

my $JS = 'js_import s from %%DIR%%/s.js;';
my $LUA = 'lua_package_path "/usr/share/lua/5.1/?.lua;;";';

# module, text for http and for the location

my %MODULES = (
    'njs, nothing to do' => ['ngx_http_js_module', $JS, ''],
    'njs, each piece'    => ['ngx_http_js_module', $JS,
        'js_body_filter s.each;'],
    'njs, at the end'    => ['ngx_http_js_module', $JS,
        'js_body_filter s.end;'],
    'Lua, no length'     => ['ngx_http_lua_module', $LUA,
        'header_filter_by_lua_block { ngx.header.content_length = nil }'],
    'Lua, another body'  => ['ngx_http_lua_module', $LUA,
        'header_filter_by_lua_block { ngx.header.content_length = nil }'
        . ' body_filter_by_lua_block { if ngx.arg[2] then'
        . ' ngx.arg[1] = ngx.arg[1] .. "more" end }'],
    'headers-more'       => ['ngx_http_headers_more_filter_module', '',
        'more_set_headers "X-More: 1"; more_clear_headers Content-Length;'],
    'brotli'             => ['ngx_http_brotli_filter_module', '',
        'brotli on; brotli_types *; brotli_min_length 1;'],
    'subs'               => ['ngx_http_subs_filter_module', '',
        'subs_filter seg_ live-seg_; subs_filter_types *;'],
);

for my $name (sort keys %MODULES) {
    my ($module, $http, $location) = @{ $MODULES{$name} };
    my $line = load_module($module);

    SKIP: {
        skip "no $module here", 1 if !$line;

        for my $place (qw(first main)) {
            tried("$name, $place", $module,
                $place => $line, http => $http, location => $location);
        }
    }
}

announced();

done_testing();


sub tried {
    my ($name, $module, @args) = @_;

    my $prefix = "$name:" =~ tr/a-zA-Z:/-/csr;
    my $nginx = nginx_new(upstream => $upstream, redis => $redis, @args,
        set => { %Segments::Nginx::PATIENT, segments_redis_prefix => $prefix });

    spew($nginx->dir . '/s.js', $SCRIPT);

    my ($code, $output) = $nginx->check_config;
    my @warnings = $output =~ /\[warn\].*? module "(\w+)" is loaded behind/g;

    # brotli's place, as gzip's, is behind all of these, however it is loaded

    my $stands = $name =~ /main/ && $name !~ /brotli/ ? 1 : 0;

    is($code, 0, "$name: accepted") or return diag($output);
    is_deeply(\@warnings, [($module) x $stands], 'warned of');

    $nginx->start;

    # of several lengths and ends, all on one connection

    my $c = $nginx->connect;

    for my $mock ('', "text=$LONG", "text=$LONG; chunked",
        "text=$LONG; no-length", 'empty', 'empty; chunked', 'status=204',
        'body=100000', 'body=100000; chunked')
    {
        next if $mock =~ /204/ && $name =~ /another body/;

        my $key = substr($mock, 0, 6) . length $mock;
        my @request = $nginx->create_request(key => $key =~ tr/a-z0-9/-/cr,
            headers => ['Accept-Encoding' => 'br',
                'Content-Type' => 'application/json'], mock => $mock);
        my $first = $c->request(@request);
        my $what = "$name: " . substr $mock =~ s/text=\K.*?(;|\z)/$1/r, 0, 20;

        if (!$first) {
            fail("$what: answered");
            return;
        }

        my $status = $mock =~ /204/ ? 204 : 201;

        like($first->summary, qr/^$status recorded/, "$what: answered");
        ok(!$first->truncated, 'with an end');

        my $again = $c->request(@request);

        if (!$again) {
            fail("$what: asked again");
            return;
        }

        if ($mock =~ /100000/) {
            like($again->summary, qr/^409 replayed marked/, 'too large');
            next;
        }

        is($again->summary, "$status replayed marked", 'replayed');

        next if $stands;

        is($again->body, $first->body, 'the same body');
        is($again->header('Content-Encoding'),
            $first->header('Content-Encoding'), 'the same coding');
    }

    for my $mock ('truncate; body=4096', 'chunked; truncate; body=100') {
        my $cut = $nginx->create(key => $mock =~ tr/a-z0-9/-/cr,
            mock => $mock);

        like($cut ? $cut->summary : 'nothing', qr/^502 unstored/,
            "$name: $mock");
    }

    return;
}


# what the gateway says itself has its own length, whatever was set before

sub announced {
    my $line = load_module('ngx_http_lua_module') or return;
    my $nginx = nginx(redis => $redis, main => $line, http => $LUA, location =>
        'access_by_lua_block { ngx.header.content_length = 3 }');
    my $answer = $nginx->create(body => '{}');

    is(envelope($answer), '400 request/invalid_data', 'refused');
    is_deeply([$answer->headers('Content-Length')], [length $answer->body],
        'one length');

    return;
}
