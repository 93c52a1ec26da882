#!/usr/bin/perl

# A balancer of another module chooses where a request goes when it goes there:
# by http the Secret Key reaches this host and no other all the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Modules qw(load_module);
use Segments::Test;

my $lua = load_module('ngx_http_lua_module')
    or plan skip_all => 'no Lua module is installed';

# LeakSanitizer's search stumbles over LuaJIT's memory, and ends the process

$ENV{ASAN_OPTIONS} = join ':', 'detect_leaks=0', $ENV{ASAN_OPTIONS} // ();

my $upstream = upstream();

# a client says which server it wants

my %args = (
    upstream => $upstream,
    redis    => redis_server(),
    first    => $lua,
    http     => <<"CONF",
    upstream chosen {
        server 127.0.0.1:1;
        balancer_by_lua_block {
            local balancer = require "ngx.balancer"
            assert(balancer.set_current_peer(ngx.var.http_x_server,
                @{[ $upstream->port ]}))
        }
        keepalive 4;
    }
CONF
    server   => 'location /plain { proxy_pass http://chosen; }',
    set      => { proxy_pass => 'http://chosen', segments_operations => 'all' },
);

my $nginx = nginx(%args);

sub create {
    my ($key, %to) = @_;

    return $nginx->create(key => $key, headers => [
        'Content-Type' => 'application/json',
        map { ("X-$_" => $to{$_}) } sort keys %to]);
}

is(create('a', Server => '127.0.0.1')->summary, '201 recorded', 'this host');
is(create('b', Server => '127.0.0.1')->summary, '201 recorded',
    'this host, by a connection that was kept');

my $count = $upstream->count;

for my $address (qw(192.0.2.1 [2001:db8::1] 0.0.0.0)) {
    my $mark = length $nginx->error_log;
    my $answer = create('c', Server => $address);

    is($answer->status, 500, "$address: refused");
    like($answer->body, qr/"error"/, "$address: envelope");
    like($nginx->error_log($mark),
        qr/\[error\].*"[^"]*\Q$address\E[^"]*" is not on this host/,
        "$address: why");
}

is($upstream->count, $count, 'nothing was sent');
is(create('c', Server => '127.0.0.1')->summary, '201 recorded',
    'the key is free');
is($nginx->request('GET', '/v4/segments', headers => ['X-Server' => '[::1]'])
    ->status, 502, 'the other loopback address: tried');

$nginx->configure(set => { segments_upstream_insecure => 'on' })->reload;

is(create('e', Server => '127.0.0.1')->summary, '201 recorded', 'permitted');

done_testing();
