#!/usr/bin/perl

# What is measured does its job: a contender that did not would be fast for
# nothing.  And a load that does not get what it asks for is no figure.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../bench/lib";
use Segments::Test;

use Bench::Contest qw(encryption is_scenario ratio ratios scenarios sizes
    spread strongest);
use Bench::Field;
use Bench::Load qw(load);
use Bench::Recording qw(record);
use Bench::Resp qw(command commands replies);
use Bench::Store qw(busiest_of_three bytes_of cpu_of instructions_of);
use Segments::Engines qw(engine_of);
use Segments::Util qw(find_program program_root slurp);

is(ratio([3, 9, 8, 3, 9], [2, 7, 2, 8, 9]), 1.5,
    'a ratio is of what is not disturbed');
is(ratio([4, 1, 2], [1]), 1.2, 'a percentile between two');

my @runs = map { { a => { cpu => [$_] }, b => { cpu => [2] } } } 4, 2, 3;

is_deeply([ratios(\@runs, 'a', 'b')], [2, 1, 1.5], 'ratios of each run');
is(spread(ratios(\@runs, 'a', 'b')), '1.50 (1.00 to 2.00)',
    'their median, and how far they are apart');
is(strongest(\@runs, 'cpu', qw(a b)), 'b', 'which takes least');

is_deeply([map { $_->{label} } @{ (scenarios('reject'))[0] }],
    ['proxy_pass', 'return 400', map { "$_ reject" } qw(gateway lua pipelined)],
    'what is needed for one scenario');
is_deeply([scenarios('forward-4k'), sizes('reject')], [],
    'and of the other part nothing');
is_deeply([map { $_->{label} } @{ (sizes('forward-4k'))[0] }],
    ['proxy_pass 4096', map { "$_ forward 4096" } qw(gateway lua pipelined)],
    'of one size');
is_deeply([map { $_->{label} } @{ (encryption())[0] }],
    [map { ("gateway $_", "sealing $_") } qw(create replay)],
    'with and without, in turns');
ok(is_scenario('forward-64k') && !is_scenario('forward-2k'), 'their names');

like(slurp(program_root() . '/docs/performance.md'),
    qr/^<!-- printed by $_ -->\n.*?^<!-- end -->\n/ms,
    "a place for what $_ prints") for qw(bench/run bench/redis);


# Redis alone: what the gateway says to it is recorded and played

my @words = ('SET', "a\r\n", '');

is_deeply([commands(command(@words) . command('PING'))],
    [[command(@words), @words], [command('PING'), 'PING']], 'commands');
is_deeply([replies("+OK\r\n*2\r\n:1\r\n\$1\r\na\r\n\$-1\r\n\$9\r\ncut")],
    ["+OK\r\n", "*2\r\n:1\r\n\$1\r\na\r\n", "\$-1\r\n"], 'whole replies');

my $engine = engine_of(find_program($ENV{TEST_REDIS_SERVER} // 'redis-server'));
my $redis = Segments::RedisServer->start;
my $recording = record(redis => $redis, keys => 20);
my @kinds = qw(set claim completion create replay limit);

$redis->stop;

is(scalar(@{ $recording->{$_} }), 20, "recorded: $_")
    for qw(names create replay limit);
cmp_ok($recording->{bytes}, '>', 300, 'recorded: bytes');
cmp_ok(busiest_of_three($recording), '>=', 1 / 3, 'recorded: slots');

my %costs = (CPU => cpu_of($engine, 1, $recording));

$costs{instructions} = instructions_of($engine, $recording)
    if system('valgrind --version > /dev/null 2>&1') == 0;

for my $what (sort keys %costs) {
    my $cost = $costs{$what};

    is((grep { $cost->{$_} <= 0 } @kinds), 0, "played: $what");
}

cmp_ok($costs{instructions}{replay}, '<', $costs{instructions}{create},
    'played: a replay is less than a create') if $costs{instructions};

my $bytes = bytes_of($engine, $recording);

cmp_ok($bytes->{set}, '>', 300, 'played: bytes of a SET');
cmp_ok($bytes->{$_}, '>', $bytes->{set}, "played: bytes, $_")
    for qw(record replication);


# all of it

my $alone = processors($$) =~ /\A\d+\z/;
my $field = Bench::Field->start(contenders => [qw(bare gateway)]);

for my $name (qw(bare gateway)) {
    ok(eval { $field->check($name); 1 }, $name) or diag $@;
}

for my $name (qw(sealing lua pipelined)) {
    $field->contender($name);
    ok(eval { $field->check($name); 1 }, $name) or diag $@;
}

my @names = qw(bare gateway sealing lua pipelined);
my %before = map { $_ => 1 } masters();

$field->renew;

is(scalar(grep { $before{$_} } masters()), 0, 'each is started anew');

my $others = processors($$);

for my $name (@names) {
    my $own = processors($field->worker($name));

    ok($own =~ /\A\d+\z/ && ($own ne $others || $alone),
        "$name: the worker has a processor to itself") or diag "$own, $others";
}

my %once = (size => 200, connections => 4, seconds => 1);

for my $scenario (qw(forward create replay reject mixed)) {
    my $got = eval { load($field, 'gateway', $scenario, %once) };

    ok($got && $got->{cpu} > 0 && $got->{rate} > 0, "load: $scenario")
        or diag $@;
}

for my $scenario (qw(create replay)) {
    ok(eval { load($field, 'sealing', $scenario, %once) },
        "load: sealed, $scenario") or diag $@;
}

ok(!eval { load($field, 'bare', 'forward', %once, path => '/refused') },
    'load: answers that were not to be');

done_testing();


# not the workers: a master that stays has their memory where it was

sub masters {
    return map { $field->{nginx}{$_}{process}->pid } @names;
}


# where a process may run

sub processors {
    my ($pid) = @_;

    return slurp("/proc/$pid/status") =~ /^Cpus_allowed_list:\s*(\S+)/m
        ? $1 : '';
}
