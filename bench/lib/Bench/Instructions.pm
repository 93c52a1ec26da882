package Bench::Instructions;

# How many instructions nginx takes for a request, of each scenario, counted by
# callgrind: in user mode, in nginx' one process, with one connection.  What the
# kernel does is not counted; what is, hardly varies from run to run.

use strict;
use warnings;

use Exporter qw(import);
use POSIX qw(uname);

use Bench::Messages qw(answer broken envelope headers segment);
use Bench::Servers qw(start_nginx);
use Segments::HTTP;
use Segments::RedisServer;
use Segments::Util qw(find_program free_port slurp wait_for);

our @EXPORT_OK = qw(count_instructions instructions ratios setting);

my $WARM_UP = 50;
my $REQUESTS = 300;
my $SIZE = 200;
my %LARGE = (_4k => 4096, _64k => 65536);

# name, location, options of a request; those with a key get a new one each
# time, unless it is named

my @SCENARIOS = (
    [proxy      => 'proxy',      body => segment($SIZE)],
    [return_201 => 'return_201', body => segment($SIZE)],
    [return_400 => 'return_400', body => broken($SIZE)],
    [forward    => 'gateway',    body => segment($SIZE)],
    [create     => 'gateway',    body => segment($SIZE), key => 'new'],
    [replay     => 'gateway',    body => segment($SIZE), key => 'same'],
    [reject     => 'gateway',    body => broken($SIZE), key => 'same'],
    [create_sealed => 'sealed',  body => segment($SIZE), key => 'new'],
    [replay_sealed => 'sealed',  body => segment($SIZE), key => 'same'],
    [limit      => 'limit',      body => segment($SIZE), key => 'new'],

    map { (
        ["proxy$_"   => 'proxy',   body => segment($LARGE{$_})],
        ["forward$_" => 'gateway', body => segment($LARGE{$_})],
    ) } sort keys %LARGE,
);

# what each of them must get, or something else would be counted

my %EXPECTED = (
    (map { $_ => [201, answer()] }
        map { ("proxy$_", "forward$_") } '', keys %LARGE),
    return_201 => [201, answer()],
    return_400 => [400, envelope()],
    (map { ("create$_" => [201, answer(), 'recorded'],
            "replay$_" => [201, answer(), 'replayed']) } '', '_sealed'),
    reject     => [400, envelope()],
    limit      => [201, answer(), 'recorded'],
);


# { scenario => instructions for a request }; the profiles stay in "dir"

sub count_instructions {
    my (%args) = @_;

    my $redis = Segments::RedisServer->start;
    my $upstream = start_nginx('upstream', FILES => 1024,
        COUNTER => free_port());
    my $counts = "$upstream->{dir}/callgrind";

    # nginx does this on SIGUSR1, and at no other time: it separates the counts

    my $nginx = start_nginx('instructions',
        UPSTREAM => $upstream->{port},
        REDIS    => $redis->port,
        under    => [find_program('valgrind'), '--tool=callgrind',
            '--quiet', '--dump-before=ngx_reopen_files',
            "--callgrind-out-file=$counts",
            @{ $args{callgrind} // [] }],
    );

    my $c = Segments::HTTP->connect($nginx->{port});
    my $part = 0;

    my $count = sub {
        $nginx->{process}->signal('USR1');
        return instructions($counts . '.' . ++$part);
    };

    my %counted;

    for my $scenario (@SCENARIOS) {
        my ($name, $location, %request) = @$scenario;

        requests($c, $name, $location, $WARM_UP, %request);
        $count->();
        requests($c, $name, $location, $REQUESTS, %request);
        $counted{$name} = $count->();

        $args{profile}->($name, "$counts.$part") if $args{profile};
    }

    # what counting itself takes

    $count->();
    my $nothing = $count->();

    $nginx->{process}->stop;
    $upstream->{process}->stop;
    $redis->stop;

    return { map {
        $_ => int(($counted{$_} - $nothing) / $REQUESTS + 0.5)
    } keys %counted };
}


sub requests {
    my ($c, $name, $location, $n, %request) = @_;

    my ($status, $body, $idempotency) = @{ $EXPECTED{$name} };
    my $key = delete $request{key};

    for my $i (1 .. $n) {
        my $this = !defined $key ? undef
            : sprintf '%s-%s-%026d', $name, $key eq 'new' ? ($n, $i) : ('', 0);

        my $answer = $c->request('POST', "/$location/v4/segments", %request,
            headers => [headers($this)]) or die "$name: no answer\n";

        # the first with a key that is to be replayed is a create

        next if $i == 1 && ($idempotency // '') eq 'replayed';

        $answer->status == $status && $answer->body eq $body
            && ($answer->header('Idempotency-Status') // '')
                eq ($idempotency // '')
            or die "$name: unexpected answer: " . $answer->status . ' '
                . $answer->body . "\n";
    }

    return;
}


sub instructions {
    my ($path) = @_;

    my $text;

    wait_for { ($text = slurp($path)) =~ /^totals:/m } 60, $path;

    return $text =~ /^totals: ([0-9]+)/m ? $1 : die "$path has no sum\n";
}


# How the gateway compares with nginx without it; a refusal is compared with a
# fixed answer, what reaches the upstream or could have, with proxy_pass of a
# body of the same size.

sub ratios {
    my ($counted) = @_;

    my %base = (
        reject => 'return_400',
        (map { $_ => 'proxy' } qw(forward create replay limit create_sealed
            replay_sealed)),
        (map { ("forward$_" => "proxy$_") } keys %LARGE),
    );

    return { map {
        $_ => sprintf '%.3f', $counted->{$_} / $counted->{ $base{$_} };
    } keys %base };
}


# what counts depend on, beside the code: nginx' version and the processor

sub setting {
    my $nginx = find_program($ENV{TEST_NGINX_BINARY} // 'nginx');
    my ($version) = `$nginx -v 2>&1` =~ m{nginx/([0-9.]+)};

    return "nginx $version, " . (uname())[4];
}


1;
