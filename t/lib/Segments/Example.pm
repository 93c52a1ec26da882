package Segments::Example;

# The files of conf-examples, started as they are but for addresses and paths,
# and what they are exercised with: the API's name in front of upstreams, and
# certificates.

use strict;
use warnings;

use Carp qw(croak);
use Test::More;

use Segments::Nginx;
use Segments::Process;
use Segments::Test ();
use Segments::Util qw(find_program program_root slow_ms slurp spew tempdir
    wait_for);

use parent 'Exporter';

our @EXPORT = qw(created_once example_conf example_log same_id
    server_certificate signed_certificate start_example start_front);

# the examples are not about Redis' time, and a busy machine is slow
my $PATIENT = join '', map({ "$_ $Segments::Nginx::PATIENT{$_};\n" }
    sort keys %Segments::Nginx::PATIENT),
    'segments_idempotency_lease ' . slow_ms(10_000) . ";\n";

my $certificates = 0;


# a create and its retry: one request at the upstream

sub created_once {
    my ($nginx, $upstream, $name) = @_;

    my $mark = $upstream->count;
    my $first = $nginx->create(key => "once at $name" =~ s/\W/-/gr);
    my $again = $nginx->create(key => "once at $name" =~ s/\W/-/gr);

    is($first->status, 201, "$name: created");
    is($first->header('Idempotency-Status'), 'recorded', "$name: recorded");
    is($again->status, 201, "$name: replayed");
    is($again->header('Idempotent-Replayed'), 'true', "$name: marked");
    is($again->body, $first->body, "$name: same body");
    is($upstream->count, $mark + 1, "$name: one upstream request");
    same_id($nginx, $upstream, $name, $first);
    isnt($again->header('X-Request-Id'), $first->header('X-Request-Id'),
        "$name: each request has its own id");

    return;
}


# what the client has heard, the upstream and the log have, too

sub same_id {
    my ($nginx, $upstream, $name, $answer) = @_;

    my ($id, @more) = $answer->headers('X-Request-Id');

    like($id // '', qr/\A[0-9a-f]{32}\z/, "$name: an id");
    is(@more, 0, "$name: and no other");
    is(($upstream->requests)[-1]->header('X-Request-Id'), $id,
        "$name: the upstream has it");
    ok(eval { wait_for { example_log($nginx, 1) =~ /$id/ } 10 },
        "$name: so has the log");

    return;
}


# options: redis, ca, secrets, all needed; the pairs are what else is replaced
# in the file, and by what

sub start_example {
    my ($file, $options, %replace) = @_;

    my $conf = example_conf($file, $options, %replace);

    my ($code, $output) = do {

        # nginx -t leaves the configuration that it read to the system
        local $ENV{ASAN_OPTIONS} = 'detect_leaks=0';
        Segments::Nginx->check_config(conf => $conf);
    };

    is($code, 0, "$file: nginx -t") or diag($output);

    return Segments::Nginx->start(conf => $conf);
}


sub example_conf {
    my ($file, $options, %replace) = @_;

    my $conf = slurp(program_root() . "/conf-examples/$file");

    # said by the library for every nginx of a test

    for my $name (qw(user worker_processes pid error_log)) {
        $conf =~ s/^$name  [^;]+;\n//m or croak "$file: no $name";
    }

    %replace = (
        'load_module  modules/ngx_http_segments_module.so;' => '%%MAIN%%',
        "\nhttp {\n"                    => "\nhttp {\n%%HTTP%%\n$PATIENT",
        '/var/log/nginx/'               => '%%DIR%%/example-',
        'redis://127.0.0.1:6379'        => $options->{redis}->tcp_url,
        '127.0.0.1:8080'                => '127.0.0.1:%%PORT%%',
        '/etc/nginx/secrets'            => $options->{secrets},
        '/etc/ssl/certs/ca-certificates.crt' => $options->{ca},
        %replace,
    );

    for my $text (sort { length $b <=> length $a } keys %replace) {
        $conf =~ s/\Q$text\E/$replace{$text}/g or croak "$file: no $text";
    }

    return $conf;
}


# the access log that the example names, when it has so many lines

sub example_log {
    my ($nginx, $count) = @_;

    my $path = $nginx->dir . '/example-access.log';

    wait_for { $count <= (() = slurp($path) =~ /\n/g) } 10,
        "$count lines of the access log";

    return slurp($path);
}


# The API's name in front of upstreams, each behind an address of its own:
# 127.0.0.1, 127.0.0.2, ...; the authority and the nginx.

sub start_front {
    my (@upstreams) = @_;

    my ($ca, $crt, $key) = server_certificate('api.qonversion.io');
    my $servers = '';

    for my $i (0 .. $#upstreams) {
        my $address = '127.0.0.' . ($i + 1);
        my $port = $upstreams[$i]->port;

        $servers .= <<"CONF";
    server {
        listen $address:%%PORT%% ssl;
        location / {
            proxy_pass http://127.0.0.1:$port;
            proxy_set_header Host \$http_host;
            proxy_set_header X-Front-Name \$ssl_server_name;
        }
    }
CONF
    }

    my $nginx = Segments::Nginx->start(module => 0, conf => <<"CONF");
%%MAIN%%
events { }
http {
%%HTTP%%
    ssl_certificate $crt;
    ssl_certificate_key $key;
$servers
}
CONF

    return ($ca, $nginx);
}


# one that an authority of the test's own has signed: the authority, the
# certificate and its key

sub server_certificate {
    my ($name) = @_;

    my ($ca, $ca_key) = Segments::Test::certificate('Authority');

    return ($ca, signed_certificate($ca, $ca_key, $name));
}


# a subject may say more than the name, or say it otherwise

sub signed_certificate {
    my ($ca, $ca_key, $name, $subject) = @_;

    my $base = tempdir() . '/signed' . ++$certificates;

    spew("$base.ext", "subjectAltName=DNS:$name\n");

    openssl(qw(req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1),
        '-subj', $subject // "/CN=$name", '-keyout', "$base.key", '-out',
        "$base.csr");
    openssl(qw(x509 -req -days 2 -set_serial), $certificates, '-in',
        "$base.csr", '-CA', $ca, '-CAkey', $ca_key, '-extfile', "$base.ext",
        '-out', "$base.crt");

    return ("$base.crt", "$base.key");
}


sub openssl {
    my (@argv) = @_;

    my $output = tempdir() . '/openssl.output';
    my $openssl = Segments::Process->spawn(name => 'openssl',
        argv => [find_program('openssl'), @argv], output => $output);

    $openssl->wait(20) && $openssl->status == 0
        or die 'openssl failed: ' . slurp($output);

    return;
}


1;
