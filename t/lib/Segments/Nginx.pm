package Segments::Nginx;

# An nginx with the module, in a directory of its own.
#
# Its configuration is made from pieces; each may be left out:
#
#     upstream => $upstream   or a URL for proxy_pass
#     redis    => $redis      or the words of segments_redis; default: a socket
#                             on which nobody listens
#     secret   => 'sk_...'    what the key file holds
#     set      => { directive => words }   in the guarded location, also over
#                             a default; undef leaves it out, an array repeats
#     location, server, http, events, main => text at that level
#     first    => text in front of the line that loads the module
#     path     => '/v4/segments'   the guarded location
#     listen   => 'http2'     more words of listen
#     workers  => 2
#     user     => 'www-data'  of the workers, where the test is root's
#     log_level => 'info'
#     module   => 0           without the module: plain nginx
#     conf     => text        all of it, instead; %%MAIN%% and %%HTTP%% stand
#                             for what is needed at those levels
#
# In every text %%DIR%%, %%PORT%% and %%UPSTREAM%% are replaced.

use strict;
use warnings;

use Carp qw(croak);
use JSON::PP ();
use POSIX ();

use Segments::HTTP qw(http);
use Segments::Process;
use Segments::Util qw(find_program free_port program_root slow slow_ms
    slurp spew tempdir wait_for);

# what LeakSanitizer says of a process that is killed while it looks for leaks
my $LOST_THREAD
    = qr{^==[0-9]+==Unable to get registers from thread ([0-9]+)\.\n}m;
my $LOST_PROCESS = qr{^==[0-9]+==(?:LeakSanitizer\ has\ encountered\ a\ fatal
    |HINT:\ (?:For\ debugging|LeakSanitizer\ does)).*\n}mx;

my $instances = 0;
my @started;
my @checked;

# for "set" of a test that is not about Redis' time; the lease is made to fit

our %PATIENT = (
    segments_redis_timeout         => slow_ms(3000),
    segments_redis_connect_timeout => slow_ms(3000),
);

our $SECRET = 'sk_0123456789abcdefghijklmnopqrstuvwxyz';

my @VARIABLES = (
    pid           => '$pid',
    connection    => '$connection',
    method        => '$request_method',
    uri           => '$request_uri',
    status        => '$status',
    authorization => '$http_authorization',
    upstream      => '$upstream_addr',
    upstream_status => '$upstream_status',
    request_time  => '$request_time',
);

my @MODULE_VARIABLES = (
    operation     => '$segments_operation',
    outcome       => '$segments_outcome',
    record        => '$segments_idempotency_record',
    redis_time    => '$segments_redis_time',
);


sub new {
    my ($class, %args) = @_;

    my $self = bless {
        dir      => tempdir() . '/nginx' . ++$instances,
        expected => [],
        args     => {},
    }, $class;

    mkdir $self->{dir} or croak "$self->{dir}: $!";
    mkdir "$self->{dir}/tmp" or croak "$self->{dir}/tmp: $!";

    $self->{port} = free_port();
    $self->configure(%args);

    return $self;
}


sub start {
    my ($self, %args) = @_;

    $self = $self->new(%args) if !ref $self;

    push @started, $self if !$self->{process};
    unlink "$self->{dir}/nginx.pid";

    my $before = () = $self->started_workers;

    $self->{process} = Segments::Process->spawn(
        name   => 'nginx',
        argv   => [$self->command],
        env    => $self->environment,
        output => "$self->{dir}/output",
    );

    wait_for {
        $self->{process}->alive or croak 'nginx did not start: '
            . $self->output;
        -s "$self->{dir}/nginx.pid"
            && $before + $self->workers <= (() = $self->started_workers);
    } 20, 'nginx to start';

    return $self;
}


# "nginx -t": its exit code and what it printed

sub check_config {
    my ($class, %args) = @_;

    my $self = ref $class ? $class : $class->new(%args, check => 1);

    my $check = Segments::Process->spawn(
        name   => 'nginx -t',
        argv   => [$self->command(1), '-t'],
        env    => $self->environment('detect_leaks=0'),     # it frees nothing
        output => "$self->{dir}/output",
    );

    $check->wait(20) or croak 'nginx -t hangs';

    my $output = slurp("$self->{dir}/output");
    unlink "$self->{dir}/output";

    $self->fail(map { split /\n/, slurp($_) } $self->reports)
        if !$self->{process};
    push @checked, $self;

    return ($check->status >> 8 || $check->status, $output);
}


sub command {
    my ($self, $check) = @_;

    my @argv = (find_program($ENV{TEST_NGINX_BINARY} // 'nginx'),
        '-p', "$self->{dir}/", '-c', "$self->{dir}/nginx.conf");

    push @argv, '-e', $check ? 'stderr' : "$self->{dir}/error.log";

    if ($ENV{TEST_NGINX_VALGRIND} && !$check) {
        unshift @argv, find_program('valgrind'), '--quiet',
            '--leak-check=full', '--show-leak-kinds=definite',
            '--errors-for-leak-kinds=definite', '--num-callers=30',
            '--suppressions=' . program_root() . '/tools/valgrind.supp',
            "--log-file=$self->{dir}/valgrind.%p";
    }

    return @argv;
}


sub environment {
    my ($self, @asan) = @_;

    my $log = "log_path=$self->{dir}/sanitizer";
    my $suppressions = program_root() . '/tools/lsan.supp';

    # Who has called malloc() is found fast by frame pointers, and slowly, for
    # each call, without them, as in OpenSSL: only there where nginx keeps an
    # upstream's session for good, which is to be known by its stack.

    my $fast = slurp("$self->{dir}/nginx.conf") !~ /https:/;

    # each dynamic module has an "ngx_modules" of its own, as nginx has

    return {
        ASAN_OPTIONS  => join(':', $log, 'detect_odr_violation=0',
            $fast ? () : 'fast_unwind_on_malloc=0:malloc_context_size=12',
            @asan, $ENV{ASAN_OPTIONS} // ()),
        UBSAN_OPTIONS => join(':', $log, 'print_stacktrace=1',
            $ENV{UBSAN_OPTIONS} // ()),
        LSAN_OPTIONS  => join(':', 'print_suppressions=0',
            "suppressions=$suppressions", $ENV{LSAN_OPTIONS} // ()),
    };
}


sub dir     { return $_[0]{dir} }
sub port    { return $_[0]{port} }
sub address { return $_[0]{port} }
sub pid     { return $_[0]{process}->pid }
sub process { return $_[0]{process} }
sub workers { return $_[0]{args}{workers} // 1 }


# Takes over pieces of the configuration and writes it; reload() makes a
# running nginx read it.

sub configure {
    my ($self, %args) = @_;

    my %set = (%{ $self->{args}{set} // {} }, %{ $args{set} // {} });

    $self->{args} = { %{ $self->{args} }, %args, set => \%set };

    spew("$self->{dir}/secret", ($self->{args}{secret} // $SECRET) . "\n");
    spew("$self->{dir}/nginx.conf", $self->conf);

    return $self;
}


sub conf {
    my ($self) = @_;

    my %values = (
        MAIN     => $self->main_conf,
        HTTP     => $self->http_conf,
        DIR      => $self->{dir},
        PORT     => $self->{port},
        UPSTREAM => $self->upstream_url,
    );

    my $conf = $self->{args}{conf} // $self->default_conf;

    1 while $conf =~ s/%%(MAIN|HTTP|DIR|PORT|UPSTREAM)%%/$values{$1}/g;

    return $conf;
}


sub main_conf {
    my ($self) = @_;

    my $level = $self->{args}{log_level} // 'info';
    my $conf = "daemon off;\nworker_processes " . $self->workers . ";\n"
        . "pid %%DIR%%/nginx.pid;\nlock_file %%DIR%%/nginx.lock;\n"
        . "error_log %%DIR%%/error.log $level;\n";

    # the directory of the test is the starting user's alone
    $conf .= 'user ' . ($self->{args}{user} // 'root') . ";\n" if $> == 0;

    $conf .= $self->{args}{first} // '';

    if ($self->{args}{module} // 1) {
        $conf .= 'load_module ' . module_path() . ";\n";
    }

    return $conf . ($ENV{TEST_NGINX_GLOBALS} // '') . "\n"
        . ($self->{args}{main} // '');
}


sub module_path {
    return File::Spec->rel2abs($ENV{TEST_NGINX_MODULE}
        // program_root() . '/build/ngx_http_segments_module.so');
}


sub http_conf {
    my ($self) = @_;

    my @variables = @VARIABLES;
    push @variables, @MODULE_VARIABLES if $self->{args}{module} // 1;

    my @members;

    while (my ($name, $variable) = splice @variables, 0, 2) {
        push @members, qq("$name":"$variable");
    }

    my $conf = "log_format test escape=json '{" . join(',', @members)
        . "}';\naccess_log %%DIR%%/access.log test;\n";

    for my $name (qw(client_body proxy fastcgi uwsgi scgi)) {
        $conf .= "${name}_temp_path %%DIR%%/tmp/$name;\n";
    }

    return $conf;
}


sub upstream_url {
    my ($self) = @_;

    my $upstream = $self->{args}{upstream} // 'http://127.0.0.1:1';

    return ref $upstream ? $upstream->url : $upstream;
}


sub default_conf {
    my ($self) = @_;

    my %args = %{ $self->{args} };
    my $listen = $args{listen} // '';
    my $path = $args{path} // '/v4/segments';
    my $location = $self->guarded_location . ($args{location} // '');

    $_ //= '' for @args{qw(http server events)};

    return <<"CONF";
%%MAIN%%

events {
    worker_connections 1024;
$args{events}
}

http {
%%HTTP%%
$args{http}
    server {
        listen 127.0.0.1:%%PORT%% $listen;
$args{server}
        location $path {
$location
        }
    }
}
CONF
}


sub guarded_location {
    my ($self) = @_;

    my $redis = $self->{args}{redis};
    my %set = (
        proxy_pass         => '%%UPSTREAM%%',
        proxy_http_version => '1.1',
        proxy_set_header   => ['Connection ""'],
    );

    if ($self->{args}{module} // 1) {
        %set = (%set,
            segments_gateway         => 'on',
            segments_secret_key_file => '%%DIR%%/secret',
            segments_redis           => ref $redis ? $redis->url
                : $redis // 'unix:%%DIR%%/no-redis.sock',
        );

        if (!$self->{args}{check}) {
            my $time = $self->patience;

            $set{segments_redis_timeout} = $time;
            $set{segments_redis_connect_timeout} = $time;
            $set{segments_idempotency_lease} = $self->long_lease;
        }
    }

    %set = (%set, %{ $self->{args}{set} });

    my $text = '';

    for my $name (sort keys %set) {
        my $value = $set{$name};
        next if !defined $value;
        $text .= "            $name $_;\n" for ref $value ? @$value : $value;
    }

    return $text;
}


# A test that says nothing about Redis' time is not about it, and may run where
# everything is slow; but the time has to fit others: the default lease, and
# those that the test does name.

sub patience {
    my ($self) = @_;

    my %args = %{ $self->{args} };
    my $text = join "\n", map({ "$_ $args{set}{$_}" }
            grep { defined $args{set}{$_} } keys %{ $args{set} }),
        map { $_ // '' } @args{qw(main http server location)};
    my $time = slow(1000) < 3000 ? slow(1000) : 3000;

    while ($text =~ /\b(send_timeout|\w+_lease)\s+([0-9]+)(ms|s)/g) {
        my $other = $2 * ($3 eq 's' ? 1000 : 1);
        my $limit = $1 eq 'send_timeout' ? $other - 50 : $other / 3;

        $time = $limit if $limit < $time;
    }

    return int($time) . 'ms';
}


# the default one, or what the test's time for Redis needs at least

sub long_lease {
    my ($self) = @_;

    my $time = $self->{args}{set}{segments_redis_timeout} // '';
    my ($n, $unit) = $time =~ /\A([0-9]+)(ms|s)\z/ or return '10s';
    my $least = 3 * $n * ($unit eq 's' ? 1000 : 1);

    return $least > 10_000 ? "${least}ms" : '10s';
}


# a request on a connection of its own; options as in Segments::HTTP

sub request {
    my ($self, $method, $uri, %args) = @_;

    return http($self->address, $method, $uri, %args);
}


# the documented example, unless the options say otherwise

sub create {
    my ($self, %args) = @_;

    return $self->request($self->create_request(%args));
}


# the same as a list: method, uri and options; for parallel() and request()

our %EXAMPLE = (
    name       => 'Premium users',
    conditions => [{ metric => 'renewable', comparator => 'eq',
                     value => '1', negate => JSON::PP::false }],
);

sub create_request {
    my ($self, %args) = @_;

    return ('POST', $self->{args}{path} // '/v4/segments', body => {%EXAMPLE},
        %args);
}


sub connect {
    my ($self, %args) = @_;

    return Segments::HTTP->connect($self->address, %args);
}


# One hash for each request in the access log; waits for that many.  The line
# is written after the answer was sent.

sub access {
    my ($self, $count) = @_;

    my $path = "$self->{dir}/access.log";

    if ($count) {
        wait_for { $count <= (() = slurp($path) =~ /\n/g) } 10,
            "$count lines of the access log";
    }

    return map { JSON::PP->new->latin1->decode($_) } split /\n/, slurp($path);
}


# the bytes of error.log, or those after a mark: my $mark = length of before

sub error_log {
    my ($self, $mark) = @_;

    return substr slurp("$self->{dir}/error.log"), $mark // 0;
}


# How often a line was to be written that has the pattern.  Those that come
# again and again are counted, and the counts written every five seconds and at
# the end.

sub told {
    my ($self, $pattern, $mark) = @_;

    my $sum = 0;

    for my $line (grep { /$pattern/ } split /\n/, $self->error_log($mark)) {
        next if $line =~ /: not any more for /;
        $sum += $line =~ /: ([0-9]+) times more: / ? $1 : 1;
    }

    return $sum;
}


sub wait_log {
    my ($self, $pattern, $seconds, $mark) = @_;

    wait_for { $self->error_log($mark) =~ $pattern } $seconds,
        "$pattern in the error log";

    return 1;
}


sub output {
    my ($self) = @_;

    return join "\n", slurp("$self->{dir}/output"), $self->error_log,
        map { slurp($_) } $self->reports;
}


# of the sanitizers and valgrind

sub reports {
    my ($self) = @_;

    return glob "$self->{dir}/sanitizer.* $self->{dir}/valgrind.*";
}


sub started_workers {
    my ($self) = @_;

    return $self->error_log =~ /start worker process ([0-9]+)/g;
}


# those that take connections, oldest first

sub worker_pids {
    my ($self) = @_;

    my $log = $self->error_log;

    return grep { $log !~ / $_#[0-9]+: (?:gracefully shutting|exiting)/ }
        $self->living_pids;
}


# those after a reload or quit() too that still have something to finish

sub living_pids {
    my ($self) = @_;

    my $log = $self->error_log;
    my %ended = map { $_ => 1 } $log =~ /process ([0-9]+) exited (?:with|on)/g;

    return grep { !$ended{$_} && CORE::kill 0, $_ } $self->started_workers;
}


# Returns when the new workers accept connections and the old ones, which may
# still have requests to finish, do not.

sub reload {
    my ($self) = @_;

    my @old = $self->worker_pids;
    my $mark = length $self->error_log;

    $self->{process}->signal('HUP');

    wait_for {
        my $log = $self->error_log($mark);

        $log =~ /\[emerg\]/ and croak "the reload failed: $log";

        $self->workers <= (() = $log =~ /start worker process [0-9]+/g)
            && !grep { $log !~ / $_#[0-9]+: gracefully shutting/
                && $log !~ /process $_ exited/ } @old;
    } 20, 'the reload';

    return $self;
}


# graceful, true when it ended in time

sub quit {
    my ($self, $seconds) = @_;

    $self->{process}->signal('QUIT');

    return $self->{process}->wait($seconds // 20);
}


# at once; what the workers are in the midst of is not freed then

sub stop {
    my ($self) = @_;

    $self->{interrupted}{$_} = 1 for $self->living_pids;
    $self->{process}->stop('TERM', 20);
    $self->{process}{killed} and $self->fail('did not stop');

    return;
}


# kill -9 of a worker, by default the oldest; returns when a new one has
# taken its place

sub kill_worker {
    my ($self, $pid) = @_;

    $pid //= ($self->worker_pids)[0];

    my $mark = length $self->error_log;

    $self->expect_alert(qr/process $pid exited on signal 9/);
    $self->kill($pid);
    $self->wait_log(qr/start worker process/, 10, $mark);

    return $pid;
}


# kill -9, and no more: true when there was such a process

sub kill {
    my ($self, $pid) = @_;

    $self->{killed}{$pid} = 1;

    return CORE::kill 'KILL', $pid;
}


sub killed { return $_[0]{killed}{$_[1]} }


# such a line in the error log is no failure of the test

sub expect_alert {
    my ($self, $pattern) = @_;

    push @{ $self->{expected} }, $pattern;

    return;
}


sub fail {
    my ($self, @lines) = @_;

    push @{ $self->{failures} }, @lines;

    return;
}


# what must not be found after a test

sub complaints {
    my ($self) = @_;

    my @lines = @{ $self->{failures} // [] };

    for my $line (split /\n/, $self->error_log) {
        next if $line !~ /\[(?:alert|emerg)\]/;
        next if grep { $line =~ $_ } @{ $self->{expected} };
        next if $line =~ / ([0-9]+)#\1: (?:\*\S+ open socket|aborting)/
            && $self->{interrupted}{$1};

        # a master waits for a second or two, and a worker looks for leaks
        next if $line =~ /worker process ([0-9]+) exited on signal 9$/
            && $self->{interrupted}{$1} && slow(1) > 1;
        push @lines, $line;
    }

    for my $path ($self->reports) {
        my ($pid) = $path =~ /\.([0-9]+)\z/;
        my $report = slurp($path);

        $report =~ s/$LOST_THREAD/$self->killed($1) ? '' : $&/ge;
        $report = without_leaks($report) if $self->{interrupted}{$pid};
        push @lines, split /\n/, $report;
    }

    my $output = slurp("$self->{dir}/output");
    push @lines, split /\n/, $output
        if $output =~ /Sanitizer|runtime error/;

    return @lines;
}


sub without_leaks {
    my ($report) = @_;

    $report =~ s/$LOST_PROCESS//g;

    return '' if $report =~ /ERROR: LeakSanitizer/
        && $report !~ /ERROR: AddressSanitizer|runtime error/;

    return join '', grep { !/ lost in loss record / }
        split /^(?===[0-9]+== \S.*\n==[0-9]+==    at )/m, $report;
}


# ends all, gracefully where nothing is left to do; returns the complaints

sub stop_all {
    for my $nginx (reverse @started) {
        my $process = $nginx->{process} or next;
        my $alive = $process->alive;

        # a connection that was forgotten shows only in a graceful end
        $nginx->quit(1) || $nginx->stop if $alive;

        if (!$alive) {
            $nginx->kill($_) for $nginx->living_pids;
        }
    }

    return map({ $_->complaints } @started),
        map { @{ $_->{failures} // [] } } grep { !$_->{process} } @checked;
}


1;
