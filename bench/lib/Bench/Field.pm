package Bench::Field;

# Everything that is measured, started and checked: an upstream, a Redis, and
# the contenders, each an nginx with one worker.
#
#     bare        nginx without any of it
#     gateway     this module
#     sealing     the same, where stored answers are sealed
#     lua         the same in Lua, a pool of connections to Redis
#     pipelined   the same in Lua, one connection to Redis

use strict;
use warnings;

use Carp qw(croak);

use Bench::Check qw(check_bare check_gateway check_lua create said told);
use Bench::Messages qw(answer segment);
use Bench::Processes qw(run_apart run_with_others workers_of);
use Bench::Servers qw(start_nginx);
use Segments::HTTP qw(http);
use Segments::RedisServer;
use Segments::Util qw(find_program free_port program_root slurp wait_for);

# how many keys wrk/load.lua replays

my $ANSWERED = 100;


sub start {
    my ($class, %args) = @_;

    my $self = bless { nginx => {} }, $class;

    run_with_others($$);

    $self->{redis} = Segments::RedisServer->start(options => {
        'maxmemory-policy' => 'noeviction',
    });
    $self->{counter} = free_port();
    $self->{upstream} = start_nginx('upstream', FILES => files(),
        COUNTER => $self->{counter});

    $self->contender($_) for @{ $args{contenders} };

    return $self;
}


sub contender {
    my ($self, $name) = @_;

    my $conf = $name =~ /\A(?:lua|pipelined)\z/ ? 'lua'
        : $name eq 'sealing' ? 'gateway' : $name;
    my %words = (ENCRYPTION => $name eq 'sealing' ? 'key_file=%%DIR%%/seal'
        : 'off');

    if ($conf eq 'lua') {
        $words{MODULES} = modules_path();
        $words{REDIS_CLIENT} = $name eq 'lua' ? 'pooled' : $name;
    }

    my $nginx = start_nginx($conf, %words,
        UPSTREAM => $self->{upstream}{port},
        REDIS    => $self->{redis}->port,
        FILES    => files(),
    );

    $nginx->{worker} = wait_for {
        (workers_of($nginx->{process}->pid))[0];
    } 20, "the worker of $name";

    run_apart($nginx->{worker});

    $self->{nginx}{$name} = $nginx;

    return $nginx;
}


# Each contender once more, and not only its worker: that has its memory where
# its master had it.

sub renew {
    my ($self) = @_;

    for my $name (sort keys %{ $self->{nginx} }) {
        $self->{nginx}{$name}{process}->stop;
        $self->contender($name);
    }

    return;
}


sub files {
    my $limit = `sh -c 'ulimit -Hn'` + 0;

    return $limit && $limit < 65536 ? $limit : 65536;
}


sub modules_path {
    my $nginx = find_program($ENV{TEST_NGINX_BINARY} // 'nginx');

    return `$nginx -V 2>&1` =~ /--modules-path=(\S+)/ ? $1
        : '/usr/lib/nginx/modules';
}


sub redis  { return $_[0]{redis} }
sub worker { return $_[0]{nginx}{$_[1]}{worker} }
sub port   { return $_[0]{nginx}{$_[1]}{port} }


# requests that reached the upstream so far

sub forwarded { return ($_[0]->upstream)[1] }


# connections to the upstream, and requests on them; asking is one of both

sub upstream {
    my ($self) = @_;

    my $status = http($self->{counter}, 'GET', '/')->body;
    my ($opened, $requests) = $status =~ /^ *([0-9]+) +[0-9]+ +([0-9]+) *$/m
        or croak "no count in $status";

    $self->{asked}++;

    return ($opened - $self->{asked}, $requests - $self->{asked});
}


# So many answered records, besides what is there: copies of one, under names
# like its own.

sub fill {
    my ($self, $n) = @_;

    my $redis = $self->{redis};
    my $batch = 10_000;
    my $key = sprintf 'filled-%029d', 0;

    create($self->port('gateway'), segment(200), $key);

    my ($name) = $redis->keys("*$key*");
    my $record = $redis->cmd('DUMP', $name // croak 'there is no record');
    my ($before, $behind) = split /\Q$key\E/, $name, 2;

    my $script = <<'END';
for i = ARGV[1], ARGV[1] + ARGV[2] - 1 do
    local name = ARGV[3] .. string.format('filled-%029d', i) .. ARGV[4]

    redis.call('RESTORE', name, 86400000, ARGV[5])
end
END

    for (my $i = 1; $i < $n; $i += $batch) {
        $redis->cmd('EVAL', $script, 0, $i, $batch, $before, $behind, $record);
    }

    $redis->cmd('DBSIZE') >= $n or croak 'the records are not there';

    return;
}


sub empty {
    my ($self) = @_;

    $self->{redis}->cmd('FLUSHDB');

    return;
}


# The keys that a run is to replay: its tag is in them, since requests of an
# earlier run may still be on their way.

sub answer_keys {
    my ($self, $name, $body, $tag) = @_;

    return if $name eq 'bare';

    for my $i (0 .. $ANSWERED - 1) {
        my $got = create($self->port($name), $body,
            sprintf('replay-%s-%020d', $tag, $i));

        said($got, 201, answer(), 'recorded')
            or die "$name: key for replays: ", told($got), "\n";
    }

    return;
}


# Whether a contender does its job at all; dies where it does not.

sub check {
    my ($self, $name) = @_;

    return $name eq 'bare' ? check_bare($self, $name)
        : $name eq 'gateway' || $name eq 'sealing'
            ? check_gateway($self, $name)
        : check_lua($self, $name);
}


1;
