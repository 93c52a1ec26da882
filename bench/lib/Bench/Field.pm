package Bench::Field;

# Everything that is measured, started and checked: an upstream, a Redis, and
# the contenders, each an nginx with one worker.
#
#     bare        nginx without any of it
#     gateway     this module
#     lua         the same in Lua, a pool of connections to Redis
#     pipelined   the same in Lua, one connection to Redis

use strict;
use warnings;

use Carp qw(croak);

use Bench::Messages qw(answer broken envelope headers segment);
use Bench::Processes qw(run_apart run_with_others workers_of);
use Bench::Servers qw(start_nginx);
use Segments::HTTP qw(http);
use Segments::RedisServer;
use Segments::Util qw(find_program free_port program_root slurp source wait_for);

# how many keys wrk/load.lua replays

my $ANSWERED = 100;

# what JSON libraries let through, or one of them

my @BROKEN = (
    '{"name":',
    '{"name":"A"} x',
    '[]',
    '{"name":"A","name":"A"}',
    '{"name":"A","\u006eame":"A"}',
    '{"name":"A","conditions":[' . Bench::Messages::condition(0)
        =~ s/\}/,"value":"0"}/r . ']}',
    '{"name":"\ud800"}',
    '{"name":"\udc00"}',
    '{"name":"\u0000"}',
    "{\"name\":\"a\tb\"}",
    "{\"name\":\"\xff\"}",
    "{\"name\":\"\xed\xa0\x80\"}",
    "\xef\xbb\xbf{\"name\":\"A\"}",
    '{"name":' . '[' x 17 . ']' x 17 . '}',
);

# and what is none of it

my @SOUND = (
    "{\"name\":\"\xc3\xa9 \\u00e9 \\ud83d\\ude00 \\\\u0000 \\\":\\n\"}",
    ' { "name" : "a:b" , "conditions" : [ ] } ',
);


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

    my $conf = $name =~ /\A(?:lua|pipelined)\z/ ? 'lua' : $name;
    my %words;

    if ($conf eq 'lua') {
        %words = (
            MODULES      => modules_path(),
            REDIS_CLIENT => $name eq 'lua' ? 'pooled' : $name,
            SCRIPT       => $self->load_script,
        );
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


# the same text that the gateway sends, and so the same script

sub load_script {
    my ($self) = @_;

    return $self->{redis}->cmd('SCRIPT', 'LOAD',
        slurp(source('limit.lua')) . slurp(source('record.lua')));
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


# so many answered records, besides what is there

sub fill {
    my ($self, $n) = @_;

    my $redis = $self->{redis};
    my $batch = 10_000;

    my $script = <<'END';
for i = ARGV[1], ARGV[1] + ARGV[2] - 1 do
    local key = string.format('segments:{live:}:create:filled-%029d', i)

    redis.call('HSET', key, 'v', '1', 'state', 'answered', 'fp', ARGV[3],
               'since', ARGV[4], 'token', ARGV[5], 'status', '201',
               'headers', 'Content-Type: application/json\n', 'body', ARGV[6])
    redis.call('PEXPIRE', key, 86400000)
end
END

    for (my $i = 0; $i < $n; $i += $batch) {
        $redis->cmd('EVAL', $script, 0, $i, $batch, 'f' x 64, time . '000',
            '0' x 32, answer());
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


sub create {
    my ($port, $body, $key, $path) = @_;

    return http($port, 'POST', $path // '/v4/segments', body => $body,
        headers => [headers($key)]);
}


sub said {
    my ($got, $status, $body, $idempotency) = @_;

    return $got && $got->status == $status && $got->body eq $body
        && ($got->header('Idempotency-Status') // '') eq ($idempotency // '')
        && ($got->header('Content-Type') // '') eq 'application/json';
}


sub told {
    my ($got) = @_;

    return $got ? join ' ', $got->status, $got->header('Content-Type') // '-',
        $got->header('Idempotency-Status') // '-', $got->body : 'no answer';
}


# Whether a contender does its job at all; dies where it does not.  What is
# broken would be measured for nothing.

sub check {
    my ($self, $name) = @_;

    my $check = "check_$name";
    my $method = $self->can($check) // \&check_gateway;

    return $method->($self, $name);
}


sub check_bare {
    my ($self, $name) = @_;

    my $port = $self->port($name);
    my $before = $self->forwarded;

    expect($name, 'proxy', create($port, segment(200), 'k'), 201, answer());
    expect($name, 'return 201', create($port, segment(200), 'k', '/created'),
        201, answer());
    expect($name, 'return 400', create($port, broken(200), 'k', '/refused'),
        400, envelope());

    $self->forwarded == $before + 1 or die "$name: not forwarded once\n";

    return;
}


sub check_gateway {
    my ($self, $name) = @_;

    my $port = $self->port($name);
    my $redis = $self->{redis};

    $redis->cmd('FLUSHDB');

    my $before = $self->forwarded;
    my $forwarded = sub {
        my ($n, $what) = @_;

        $self->forwarded == $before + $n
            or die "$name: $what: the upstream got another number\n";
    };

    expect($name, 'no key', create($port, segment(200)), 201, answer());
    $forwarded->(1, 'no key');
    $redis->cmd('DBSIZE') == 0 or die "$name: a record without a key\n";

    for my $body (@SOUND) {
        create($port, $body)->status == 201 or die "$name: refuses: $body\n";
        $before++;
    }

    expect($name, 'create', create($port, segment(200), 'k1'), 201, answer(),
        'recorded');
    $forwarded->(2, 'create');

    my ($record) = $redis->keys;
    my %stored = %{ $redis->record($record) };

    $record eq 'segments:{live:}:create:k1' && $stored{state} eq 'answered'
        && $stored{status} eq '201' && $stored{body} eq answer()
        or die "$name: the answer was not stored\n";

    my $replayed = create($port, segment(200), 'k1');

    expect($name, 'replay', $replayed, 201, answer(), 'replayed');
    ($replayed->header('Idempotent-Replayed') // '') eq 'true'
        or die "$name: a replay is not marked\n";

    my $other = create($port, segment(300), 'k1');

    $other && $other->status == 422
        or die "$name: another body: ", told($other), "\n";

    expect($name, 'reject', create($port, broken(200), 'k2'), 400, envelope());
    create($port, segment(200), 'k 3')->status == 400
        or die "$name: a malformed key passes\n";

    for my $body (@BROKEN) {
        create($port, $body, 'k4')->status == 400
            or die "$name: passes: $body\n";
    }

    $forwarded->(2, 'all that is not to be forwarded');
    $redis->cmd('DBSIZE') == 1 or die "$name: records of what was refused\n";

    return;
}


# the order of members is nobody's business

sub expect {
    my ($name, $what, $got, $status, $body, $idempotency) = @_;

    my $same = $got && $got->json && same($got->json,
        JSON::PP->new->decode($body));

    $same && said($got, $status, $got->body, $idempotency)
        or die "$name: $what: ", told($got), "\n";

    return;
}


sub same {
    my $json = JSON::PP->new->canonical->allow_nonref;

    return $json->encode($_[0]) eq $json->encode($_[1]);
}


1;
