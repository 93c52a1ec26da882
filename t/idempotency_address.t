#!/usr/bin/perl

# Strangers share an address, behind NAT or a balancer, and a client moves from
# one to another: no address is a part of whose key or whose limit it is, unless
# the configuration says so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis,
    server   => "set_real_ip_from 127.0.0.1;\nreal_ip_header X-From;\n",
    http     => "log_format address '{\"address\":\"\$remote_addr\"}';\n",
    location => "access_log %%DIR%%/access.log address;\n"
        . "auth_basic closed;\nauth_basic_user_file %%DIR%%/users;\n",
    set      => {
        %Segments::Nginx::PATIENT,
        segments_rate_limit => 'rate=1r/d burst=1 key=$remote_user',
    });

spew($nginx->dir . '/users', "ann:{PLAIN}x\nbob:{PLAIN}y\n");

my ($ann, $bob) = map { ['Authorization', "Basic $_"] }
    qw(YW5uOng= Ym9iOnk=);


# one address, one key

my $first = $nginx->create(key => 'k', headers => $ann);
my $other = $nginx->create(key => 'k', headers => $bob,
    body => { name => 'another' });

is($first->summary, '201 recorded', 'a client');
is($other->summary, '201 recorded',
    'a stranger at its address, its key for another body');
isnt($other->body, $first->body, 'a segment of its own');


# one client, two addresses

my $moved = $nginx->create(key => 'k',
    headers => [@$ann, 'X-From' => '203.0.113.7']);

is($moved->summary, '201 replayed marked', 'the client has moved');
is($moved->body, $first->body, 'and gets its own answer');
is(($nginx->access(3))[2]{address}, '203.0.113.7', 'by nginx\'s account');


# one address, two limits: each has two creates

is($nginx->create(key => 'second', headers => $ann)->status, 201,
    'what is left to the client');
is(envelope($nginx->create(key => 'third', headers => $ann)),
    '429 request/rate_limit_exceeded', 'nothing more');
is($nginx->create(key => 'second', headers => $bob)->status, 201,
    'it has taken nothing from the stranger');

is_deeply([grep { /127|203\.0/ } $redis->keys], [], 'no address in a name');
is_deeply([grep { /127\.0\.0|203\.0/ } map { $redis->cmd('TYPE', $_) eq 'hash'
    ? values %{ $redis->record($_) } : $redis->cmd('GET', $_) } $redis->keys],
    [], 'nor in a value');

done_testing();
