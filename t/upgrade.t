#!/usr/bin/perl

# Two versions of the module on one Redis, as during an upgrade or a rollback.
#
# The other one is the last tag before this commit; as long as there is none, it
# is this tree with an item more in its records.  One with another version of
# the record stands for a release that older gateways must not meet.
#
# run: once, long

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Process;
use Segments::Sources qw(copy_sources);
use Segments::Test;
use Segments::Util qw(find_program program_root source);

alarm slow(400);

my $tree = tempdir() . '/other';
my $tag = tag();

my %LEASE = (segments_idempotency_lease => slow_ms(1500));
my %set = (
    segments_redis_timeout         => slow_ms(500),
    segments_redis_connect_timeout => slow_ms(500),
    segments_idempotency_wait      => '30s',
);

my $upstream = upstream(honour_keys => 1);
my $redis = redis_server();

my $other = other_module();
my $here = gateway(undef);
my $there = gateway($other);

for my $pair (['newer', $there, 'older', $here], ['older', $here, 'newer',
    $there])
{
    answers(@$pair);
    running(@$pair);
    outcomes(@$pair);
    crash(@$pair);
    limits(@$pair);
}

another_version();

done_testing();


sub gateway {
    my ($module, %more) = @_;

    local $ENV{TEST_NGINX_MODULE} = $module // $ENV{TEST_NGINX_MODULE};

    return nginx(upstream => $upstream, redis => $redis,
        set => { %set, %LEASE, %more });
}


# the last tag before this commit, if git is here to say so

sub tag {
    my ($code, $output) = run('git', '-C', program_root(), 'describe',
        '--tags', '--abbrev=0', '--match', 'v[0-9]*', 'HEAD^');

    return $code == 0 ? $output =~ s/\n\z//r : undef;
}


sub run {
    my (@words) = @_;

    my $output = tempdir() . '/output';
    unlink $output;

    my $program = eval { find_program($words[0]) } or return (127, '');
    my $process = Segments::Process->spawn(name => $words[0],
        argv => [$program, @words[1 .. $#words]], output => $output);

    $process->wait(200) or die "$words[0] hangs";

    return ($process->status >> 8 || $process->status, slurp($output));
}


sub other_module {
    if ($tag) {
        mkdir $tree or die "$tree: $!";

        my ($code, $output) = run('sh', '-c', 'git -C "$1" archive ' . $tag
            . ' | tar -C "$2" -xf -', 'sh', program_root(), $tree);
        die $output if $code;

    } else {
        copy_sources($tree);
        change('settle.lua', qr/(?<='SET', name, value)(?=, )/,
            " .. '\\99\\0\\1x'");
        change('claim.lua', qr/(?<='SET', name, value)(?=, )/,
            " .. '\\99\\0\\1x'");

        # all of them are to be asked by its scripts

        change('ngx_redis_info.c',
            qr/version\.redis >= ngx_redis_version\(7, 0\)/, '0');
    }

    return build('other');
}


# of a source, exactly one place, or as many as are said

sub change {
    my ($file, $pattern, $by, $times) = @_;

    my $path = source($file, $tree);
    my $text = slurp($path);

    ($times // 1) == ($text =~ s/$pattern/$by/g) or die "$file: no $pattern";

    return spew($path, $text);
}


sub build {
    my ($name) = @_;

    my ($code, $output) = run('make', '-s', '-j2', '-C', $tree,
        "BUILD=$tree/build");
    die $output if $code;

    my $module = tempdir() . "/$name.so";
    spew($module, slurp("$tree/build/ngx_http_segments_module.so"));

    return $module;
}


# what one has stored, the other one replays

sub answers {
    my ($first, $one, $second, $two) = @_;

    my $key = "answer-$first";
    my $answer = $one->create(key => $key, mock => 'header=ETag:"1"');
    my ($name) = $redis->keys("*:$key}:create");
    my $added = $one == $there && !$tag ? "\x63\0\1x" : undef;

    is($redis->record($name)->{items}, $added, "a record of the $first");

    my $again = $two->create(key => $key);

    is($answer->summary, '201 recorded', "$first creates");
    is($again->summary, '201 replayed marked', "$second replays");
    is($again->body, $answer->body, 'the same bytes');
    is($again->header('ETag'), '"1"', 'the same header');
    is($two->create(key => $key, body => { name => 'b' })->summary,
        '422 mismatch idempotency_key_reused', "$second knows the body");

    $one->create(key => "large-$first", mock => 'body=100000');
    is($two->create(key => "large-$first")->summary,
        '409 replayed marked idempotency_answer_not_kept',
        "$second knows a tombstone");

    return;
}


# what one runs, the other one waits for

sub running {
    my ($first, $one, $second, $two) = @_;

    my $key = "running-$first";
    my ($owner, $waiting) = map { $_->connect } $one, $two;

    $owner->send_request($one->create_request(key => $key,
        mock => "hold=$key"));
    $upstream->wait_held($key);

    my $count = $upstream->count;
    $waiting->send_request($two->create_request(key => $key));

    my ($name) = $redis->keys("*:$key}:create");
    wait_for { $redis->record($name)->{awaited} } 20, 'the duplicate to wait';

    $upstream->release($key);
    is($owner->read_response->summary, '201 recorded', "$first runs");
    is($waiting->read_response->summary, '201 replayed marked',
        "$second waits for it");
    is($upstream->count, $count, 'and sends nothing');

    return;
}


# a key that is free again, and one whose outcome is unknown

sub outcomes {
    my ($first, $one, $second, $two) = @_;

    for my $status (429, 500) {
        my $key = "status-$status-$first";

        is($one->create(key => $key, mock => "status=$status")->summary,
            "$status unstored mock_$status", "$status by $first");
        is($two->create(key => $key)->summary, '201 recorded',
            "then $second creates");
        is($one->create(key => $key)->summary, '201 replayed marked',
            "and $first replays");
    }

    return;
}


# A claim that its gateway does not come back for is taken over.

sub crash {
    my ($first, $one, $second, $two) = @_;

    my $key = "crash-$first";
    my $owner = $one->connect;

    $owner->send_request($one->create_request(key => $key,
        mock => "hold=$key"));
    $upstream->wait_held($key);
    $one->kill_worker;
    $upstream->release($key);

    is($two->create(key => $key)->summary, '201 recorded',
        "$first died, $second took over");
    is($one->create(key => $key)->summary, '201 replayed marked',
        "$first is back, and replays");

    return;
}


# one bucket for both

sub limits {
    my ($first, $one, $second, $two) = @_;

    my %limit = (segments_rate_limit => "rate=1r/d burst=1 name=$first");
    my ($limited, $too) = (gateway($one == $there ? $other : undef, %limit),
        gateway($two == $there ? $other : undef, %limit));

    is_deeply([map { $_->create->status } $limited, $too, $too, $limited],
        [201, 201, 429, 429], "$first and $second share a limit");

    return;
}


# A record that an older gateway must not understand: it is not touched, also
# under "pass"; all the other keys work.

sub another_version {
    if ($tag) {
        run('sh', '-c', 'tar -C "$1" -cf - src | tar -C "$2" -xf -', 'sh',
            program_root(), $tree);
    }

    change('sg_value.h', qr/(?<=SG_VALUE_VERSION      ')1(?=')/, 2);
    change('claim.lua', qr/(?<=')1(?=[cu]\\0')/, 2, 4);
    change('renew.lua', qr/(?<=')1(?=c\\0')/, 2);
    change('settle.lua', qr/(?<=')1(?=[acut]\\0')/, 2, 4);
    change('drop.lua', qr/(?<=')1(?=c\\0')/, 2);

    my $next = gateway(build('next'));
    my $pass = gateway(undef, segments_redis_failure => 'pass');

    is($next->create(key => 'next')->summary, '201 recorded', 'next version');

    my $running = $next->connect;
    $running->send_request($next->create_request(key => 'next-running',
        mock => 'hold=next'));
    $upstream->wait_held('next');

    my $count = $upstream->count;

    for my $key ('next', 'next-running') {
        my ($name) = $redis->keys("*:$key}:create");
        my $before = $redis->cmd('GET', $name);

        for my $gateway ($here, $pass) {
            is(envelope($gateway->create(key => $key)),
                '503 internal/storage_error', "$key: refused");
        }

        is($redis->cmd('GET', $name), $before, "$key: untouched");
    }

    is($upstream->count, $count, 'nothing was sent');
    like($here->error_log, qr/record that cannot be read, its "version"/,
        'the error log says so');

    $upstream->release('next');
    is($running->read_response->summary, '201 recorded', 'undisturbed');
    is($next->create(key => 'next-running')->summary, '201 replayed marked',
        'replayed by its own version');
    is($here->create(key => 'own')->summary, '201 recorded',
        'other keys work meanwhile');

    return;
}
