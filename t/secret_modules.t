#!/usr/bin/perl

# The upstream's request stands in the place of the client's while the proxy
# module copies it, and no longer: whoever looks at the client's header fields
# while the answer is made, in the same call perhaps, finds them as they came.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Modules qw(load_module);
use Segments::Test;


my $upstream = upstream();
my $redis = redis_server();
my $port = free_port();
my $nobody = tempdir() . '/nobody';

my %args = (
    redis => $redis,
    http  => "upstream nobody { server unix:$nobody; }"
        . " upstream kept { server 127.0.0.1:$port; keepalive 2; }"
        . " server { listen 127.0.0.1:$port;"
        . ' location / { default_type application/json;'
        . ' return 201 "$remote_addr $http_authorization"; } }',
);


# proxy_bind, which is where it is given back, does what it did

my %bind = (
    'as it is'     => ['',                                  '127.0.0.1'],
    'an address'   => ['proxy_bind 127.0.0.2;',             '127.0.0.2'],
    'a variable'   => ['proxy_bind $http_x_address;',       '127.0.0.3'],
    'nothing'      => ['proxy_bind $http_x_other;',         '127.0.0.1'],
    'no address'   => ['proxy_bind $request_method;',       '127.0.0.1'],
    'off'          => ['proxy_bind off;',                   '127.0.0.1'],
    'around an if' => ['proxy_bind 127.0.0.2; if ($http_x_address) { }',
        '127.0.0.2'],
);

for my $how (sort keys %bind) {
    my ($text, $address) = @{ $bind{$how} };
    my $gateway = nginx(%args, upstream => 'http://kept', location => $text,
        set => { %Segments::Nginx::PATIENT });
    my $answer = $gateway->create(key => "bind-$how" =~ tr/ /-/r,
        headers => ['X-Address' => '127.0.0.3']);

    is($answer->summary, '201 recorded', "$how: answered");
    like($answer->body, qr/\A\Q$address\E Bearer [*]+\z/,
        "$how: from where, and with the Secret Key");

    $gateway->quit;
}


# what a filter of another module reads

my $n = 0;

SKIP: {
    my $line = load_module('ngx_http_lua_module')
        or skip 'no Lua for nginx', 1;

    my $look = <<'LUA';
header_filter_by_lua_block {
    ngx.header["X-Read"] = ngx.var.http_authorization
    ngx.header["X-Listed"] = ngx.req.get_headers()["authorization"]
}
LUA

    for my $url ("http://unix:$nobody", 'http://nobody', 'http://127.0.0.1:1',
        $upstream->url, 'http://unix:' . $upstream->unix)
    {
        for my $order (qw(first main)) {
            my $gateway = nginx(%args, upstream => $url, $order => $line,
                location => $look, set => { %Segments::Nginx::PATIENT });
            my $name = "$order, $url" =~ s/\Q${\ tempdir()}//r
                =~ s/:[0-9]{2,}/:PORT/r;

            my $answer = $gateway->create(key => 'read-' . ++$n,
                headers => [Authorization => 'Basic YTpi']);

            is($answer->header($_), 'Basic YTpi', "$name: $_")
                for qw(X-Read X-Listed);

            $gateway->quit;
        }
    }
}


# what a variable of another module reads, in the request that is being made

SKIP: {
    my $line = load_module('ngx_http_js_module')
        or skip 'no njs for nginx', 1;

    for my $text ('proxy_set_header X-Who $who;',
        'proxy_set_header X-Who "${who}";',
        'set $whose $who; proxy_set_header X-Who $whose;')
    {
        my $gateway = nginx_new(upstream => $upstream, redis => $redis,
            first => $line, set => { %Segments::Nginx::PATIENT },
            http => 'js_import s from %%DIR%%/s.js; js_set $who s.who;',
            location => $text);

        spew($gateway->dir . '/s.js', <<'JS');
function who(r) { return r.headersIn['Authorization'] }
export default {who};
JS
        $gateway->start;
        $gateway->create(key => 'who-' . ++$n,
            headers => [Authorization => 'Basic YTpi']);

        is(($upstream->requests)[-1]->header('X-Who'), 'Basic YTpi', $text);

        $gateway->quit;
    }
}

done_testing();
