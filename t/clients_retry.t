#!/usr/bin/perl

# Clients that others have written, with the settings that docs/clients.md has
# for them: their retries of a create that takes longer than they wait get its
# answer, and nothing is sent twice.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP qw(decode_json encode_json);

use Segments::Clients;
use Segments::Process;
use Segments::Test;
use Segments::Util qw(find_program);

# what does not know "idempotency_in_progress" takes every 409 for final
my @STOCK = qw(curl got ky requests undici);

my $SEGMENT = encode_json(\%Segments::Nginx::EXAMPLE);

my %snippets = map { $_->[0] => [$_->[2], $_->[1]] } code_blocks('clients');
my %ready = (js => \&node, python => \&python, sh => \&curl);
my %missing;
my @clients = grep { can_run($_) }
    sort grep { $ready{ $snippets{$_}[0] } } keys %snippets;

my $redis = redis_server();

SKIP: {
    skip 'no client is here', 1 if !@clients;

    my @rounds = map { $_->() } \&slow_upstream, \&told_to_wait, \&without_wait;

    $_->() for @rounds;
}

SKIP: {
    for my $name (sort keys %missing) {
        skip "$name: $missing{$name}", 1;
    }
}

is_deeply([grep { !$snippets{$_} } @STOCK, qw(axios fetch)], [],
    'the page has them all');

done_testing();


# Each round starts its clients and returns what is to be done then.

sub slow_upstream {
    my $upstream = upstream();
    my $nginx = gateway($upstream, proxy_set_header => ['Connection ""',
        'X-Mock "hold=$http_idempotency_key"']);

    # each try is long enough for a busy machine to see it
    my %run = map { $_ => start($_, $nginx, "slow-$_", 4) } @clients;

    return sub {
        my %slow = map { $_ => 1 } @clients;

        # each on its own: who has started first shall not wait for the others

        wait_for {
            for my $name (grep { awaited("slow-$_") } keys %slow) {
                $upstream->release("slow-$name");
                delete $slow{$name};
            }
            !%slow;
        } 60, 'all of them to come again';

        for my $name (@clients) {
            my $said = result($run{$name});
            my $kept = $nginx->create(key => "slow-$name");

            is($kept->summary, '201 replayed marked', "$name: kept");
            is_deeply(eval { decode_json($said) }, $kept->json,
                "$name: its retry got the first answer") or diag($said);
        }

        is($upstream->count(method => 'POST'), @clients, 'one POST each');
    };
}


# Retry-After is heeded, and what says "later" is asked again

sub told_to_wait {
    my $upstream = upstream();
    my $nginx = gateway($upstream);

    # the first try of each

    $upstream->default('hold=first; status=429; header=Retry-After:2');

    my %run = map { $_ => start($_, $nginx, "later-$_", 30) } @clients;

    return sub {
        $upstream->wait_held('first', scalar @clients);
        $upstream->default('');
        $upstream->release('first');

        for my $name (@clients) {
            my $said = result($run{$name});

            is((eval { decode_json($said) } // {})->{object}, 'segment',
                "$name: asks again after a 429") or diag($said);
        }

        my %times;

        push @{ $times{ $_->header('Idempotency-Key') } }, $_->{time}
            for $upstream->requests;

        is_deeply([map { scalar @$_ } values %times], [(2) x @clients],
            'with the same key');
        is_deeply([grep { $_->[1] - $_->[0] < 1.95 } values %times], [],
            'after Retry-After');
    };
}


# why the gateway waits by default

sub without_wait {
    my $upstream = upstream();
    my $nginx = gateway($upstream, segments_idempotency_wait => 'off');
    my @stock = grep { my $name = $_; grep { $_ eq $name } @clients } @STOCK;

    $upstream->default('hold=slow');

    my %run = map { $_ => start($_, $nginx, "off-$_", 1) } @stock;

    return sub {
        for my $name (@stock) {
            like(result($run{$name}, 1), qr/409|in progress/i,
                "$name: without the wait a retry fails");
        }

        $upstream->release('slow');
    };
}


sub gateway {
    my ($upstream, %set) = @_;

    return nginx(upstream => $upstream, redis => $redis, set => {
        %Segments::Nginx::PATIENT, %set });
}


sub awaited {
    my ($key) = @_;

    my ($name) = $redis->keys("*:$key}:create") or return;

    return $redis->record($name)->{awaited};
}


# its process, and the file with what it says

sub start {
    my ($name, $nginx, $key, $patience) = @_;

    my ($kind, $code) = @{ $snippets{$name} };
    my $url = 'http://127.0.0.1:' . $nginx->port;
    my $output = tempdir() . "/$key.output";

    $code =~ s{https://gateway\.example\.com}{$url}g or die "$name: no URL";
    $code =~ s{\b8000\b}{$patience * 1000}eg
        || $code =~ s{(timeout=|--max-time )8\b}{$1$patience}g
        or die "$name: no time-out";

    return [$output, Segments::Process->spawn(name => $name,
        argv => [$ready{$kind}->($key, $code), $key, $SEGMENT],
        env => { no_proxy => '*', NO_PROXY => '*' }, output => $output)];
}


# what it has printed; it succeeds unless it has to fail

sub result {
    my ($run, $fails) = @_;

    my ($output, $process) = @$run;

    $process->wait(40) or return 'does not end: ' . slurp($output);

    my $said = slurp($output);

    return ($fails xor $process->status)
        ? 'exit ' . $process->status . ": $said" : $said;
}


sub can_run {
    my ($name) = @_;

    my $kind = $snippets{$name}[0];

    my $reason = $kind eq 'js'     ? (npm_packages())[1]
               : $kind eq 'python' ? python_with('requests') ? undef
                   : 'python3-requests is not installed'
               : eval { find_program('curl') } ? undef
                   : 'curl is not installed';

    $missing{$name} = $reason if defined $reason;

    return !defined $reason;
}


# The command that runs a snippet.  It is given a key and a segment.

sub node {
    my ($key, $code) = @_;

    my ($packages) = npm_packages();
    my $dir = tempdir();

    symlink $packages, "$dir/node_modules" if !-e "$dir/node_modules";

    return (find_program('node'), spew("$dir/$key.mjs", <<"CODE"));
$code
const [key, segment] = process.argv.slice(2);

createSegment(key, JSON.parse(segment)).then(answer => {
    console.log(JSON.stringify(answer));
    process.exit(0);
}, error => {
    console.log('failed:', error.message, error.cause ?? '');
    process.exit(1);
});
CODE
}


sub python {
    my ($key, $code) = @_;

    return (python_with('requests'), spew(tempdir() . "/$key.py", <<"CODE"));
import json
import sys

$code

print(json.dumps(create_segment(sys.argv[1], json.loads(sys.argv[2]))))
CODE
}


sub curl {
    my ($key, $code) = @_;

    my $answer = tempdir() . "/$key.json";

    return ('/bin/sh', spew(tempdir() . "/$key.sh", <<"CODE"));
$code
create_segment "\$1" "\$2" $answer 2> $answer.said && exec cat $answer
cat $answer.said $answer
exit 1
CODE
}
