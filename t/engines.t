#!/usr/bin/perl

# tools/engines, which says what works with which server and which proxy: what
# it looks at, on the installed server; and that it sees what does not work.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;
use Segments::EngineChecks qw(@CHECKS check_engine);
use Segments::Util qw(program_root);


like(slurp(program_root() . '/docs/engines.md'),
    qr/^<!-- printed by tools\/engines -->\n.*?^<!-- end -->\n/ms,
    'a place for the table');

my $upstream = upstream();
my %at_once = ('repl-diskless-sync-delay' => 0);
my $redis = redis_server(options => \%at_once);
my $replica = redis_server(options => { %at_once,
    replicaof => '127.0.0.1 ' . $redis->port });

my %way = (
    url    => $redis->tcp_url,
    wait   => 1,
    pause  => sub { $replica->pause },
    resume => sub { $replica->resume },
);
my $found = check_engine($upstream, %way);

is(delete $found->{failover}, undef, 'nothing to fail over to');
is_deeply($found, { map { $_ => [] } grep { $_ ne 'failover' } @CHECKS },
    'all works') or diag explain($found);

# a server that takes no scripts, as some proxies

$redis->cmd('ACL', 'SETUSER', 'default', '-eval', '-evalsha', '-set', '-wait');

$found = check_engine($upstream, %way);

is($found->{create}[0], '503 - storage_error', 'what does not work');
like($found->{create}[1], qr/\Aredis node "redis:.*" refused .* "NOPERM/,
    'and the line that says why');

done_testing();
