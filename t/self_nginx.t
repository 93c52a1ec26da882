# Starting, reloading and ending nginx, and the complaints that fail a test.
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $nginx = nginx(module => 0, upstream => $upstream, workers => 2,
    path => '/');

my @workers = $nginx->worker_pids;

is($nginx->create->status, 201, 'create');
is(@workers, 2, 'two workers');


# reload, with a request of the old configuration in flight

my $c = $nginx->connect;

$c->send_request($nginx->create_request(mock => 'hold=a'));
$upstream->wait_held('a');
$nginx->configure(location => 'add_header X-New 1 always;')->reload;

is($nginx->create->header('X-New'), 1, 'new configuration');
is(@{ [$nginx->worker_pids] }, 2, 'two workers again');
isnt(($nginx->worker_pids)[0], $workers[0], 'others');

$upstream->release('a');

my $answer = $c->read_response;

$c->close;
is($answer->status, 201, 'the old one is answered');
is($answer->header('X-New'), undef, 'by the old configuration');

eval { $nginx->configure(location => 'no_such_directive;')->reload };
like($@, qr/unknown directive "no_such_directive"/, 'a reload that fails');
$nginx->expect_alert(qr/no_such_directive/);


# a worker killed

my $killed = $nginx->kill_worker;

ok(!grep({ $_ == $killed } $nginx->worker_pids), 'killed');
is($nginx->create->status, 201, 'served by others');
is(($nginx->access(4))[-1]{status}, 201, 'access log');


# the end

ok($nginx->quit, 'ended');
is($nginx->create, undef, 'gone');

my ($code, $output) = check_config(module => 0, main => 'nonsense;');

is($code, 1, 'a bad configuration');
like($output, qr/unknown directive "nonsense"/, 'and why');

($code) = check_config(module => 0);
is($code, 0, 'a good configuration');


# TLS

my ($url, $certificate) = tls_front($upstream);

$nginx = nginx(module => 0, upstream => $url, set => {
    proxy_ssl_verify => 'on', proxy_ssl_name => 'localhost',
    proxy_ssl_trusted_certificate => $certificate });
is($nginx->create->status, 201, 'through TLS');


# what a test must not leave in the log

sub run_test {
    my ($body) = @_;

    my $path = spew(tempdir() . '/inner.t', "use lib '$FindBin::Bin/lib';\n"
        . "use Segments::Test;\n$body\nok(1);\ndone_testing();\n");
    my $inner = Segments::Process->spawn(name => 'test',
        argv => [$^X, $path], output => "$path.output");

    $inner->wait(30);

    my $printed = slurp("$path.output");
    unlink "$path.output";

    return ($inner->status >> 8, $printed);
}

my $start = 'my $n = nginx(module => 0, path => "/");';

($code, $output) = run_test($start);
is($code, 0, 'nothing to complain about') or diag($output);

($code, $output) = run_test("$start kill 'KILL', (\$n->worker_pids)[0];"
    . '$n->wait_log(qr/signal 9/);');
is($code, 1, 'an alert fails the test');
like($output, qr/exited on signal 9/, 'and is shown');

($code, $output) = run_test("$start spew(\$n->dir . '/sanitizer.1',"
    . '"ERROR: AddressSanitizer\n");');
is($code, 1, 'so does a sanitizer');
like($output, qr/# nginx: ERROR: AddressSanitizer/, 'and is shown');

my $lost = 'sub lost { spew($n->dir . "/sanitizer.1", '
    . '"==1==Unable to get registers from thread $_[0].\n") }';

($code, $output) = run_test("$start $lost" . 'lost($n->kill_worker);');
is($code, 0, 'it cannot look into a worker that was killed on purpose')
    or diag($output);

($code, $output) = run_test("$start $lost" . 'lost(($n->worker_pids)[0]);');
is($code, 1, 'nor, which is shown, into another');
like($output, qr/# nginx: ==1==Unable to get registers/, 'is shown');

($code, $output) = run_test("$start print 'master ', \$n->pid, qq(\\n); die;");
my ($master) = $output =~ /master ([0-9]+)/;
ok($master && !kill(0, $master), 'a test that dies leaves no nginx');

done_testing();
