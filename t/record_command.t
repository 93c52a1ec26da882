#!/usr/bin/perl

# segments-record: what it shows of a record, what it purges, and what it
# refuses to purge.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();

use Segments::Process;
use Segments::Test;
use Segments::Util qw(program_root);
use Segments::Value;

my $PROGRAM = program_root() . '/tools/segments-record';

my $upstream = upstream();
my $redis = redis_server();
my $nginx = nginx(upstream => $upstream, redis => $redis, set => {
    %Segments::Nginx::PATIENT,
    segments_idempotency_scope => '$http_x_client',
    segments_idempotency_max_response => '2k',
});

my $runs = 0;

shown();
named();
states();
unreadable();
purged();
in_flight();
changed();
addresses();
environment();
rights();
usage();

done_testing();


sub shown {
    my $scope = "caf\xc3\xa9: {a} %41\e[2J";
    my $mock = 'status=201;header=ETag:"v1";json={"name":"x","u":"\u00e9"}';
    my $answer = $nginx->create(key => 'k"1' =~ s/"/-/r, mock => $mock,
        headers => ['X-Client' => $scope]);

    is($answer->summary, '201 recorded', 'a create');

    my ($code, $out, $err) = record($scope, 'k-1');
    my $body = $answer->body;

    is($code, 0, 'shown: exit status') or diag($err);
    is($err, '', 'shown: no complaint');
    like($out, qr/^environment  live$/m, 'shown: environment');
    like($out, qr/^scope        caf\xc3\xa9: \{a\} %41\\x1B\[2J$/m,
        'shown: scope decoded, and the terminal left alone');
    like($out, qr/^key          k-1$/m, 'shown: key');
    like($out, qr/^state        answered: /m, 'shown: state');
    like($out, qr/^expires      in 23 h 59 min$/m, 'shown: time to live');
    like($out, qr/^status       201$/m, 'shown: status');
    like($out, qr/^ETag: "v1"$/m, 'shown: a stored header');
    like($out, qr/\n\n\Q$body\E\n\z/, 'shown: body');
    unlike($out, qr/^lease/m, 'shown: no lease of an answer');

    ($code, $out) = record(($nginx->access)[-1]{record});
    is($code, 0, 'shown by the name in the access log');
    like($out, qr/\n\n\Q$body\E\n\z/, 'the same record');

    return;
}


# a scope and a key as a client sends it, and where the gateway keeps it

sub named {
    my %names = (
        ''        => 'plain',
        'a b'     => '"quoted \\"and\\" \\\\"',
        'ä/ö?'    => '~._-09azAZ',
        '{}:'     => q(!#$%&'()*+/:<=>?@[]^`{|}),
    );

    for my $scope (sort keys %names) {
        my $key = $names{$scope};

        $nginx->create(key => $key, headers => ['X-Client' => $scope]);

        my ($code, $out) = record($scope, $key);
        my ($name) = $out =~ /^record       (.*)$/m;

        is($code, 0, "named: scope $scope, key $key");
        is($name, ($nginx->access)[-1]{record}, 'as the gateway names it');
        like((record("--scope=$scope"))[1], qr/ \Q$name\E$/m,
            'and in the list of its scope');
    }

    # what looks like an option

    $nginx->create(key => '--purge', headers => ['X-Client' => '-h']);
    is((record('--', '-h', '--purge'))[0], 0, 'named: behind "--"');
    is(scalar(() = $redis->keys('*{live:-h:--purge}:create')), 1,
        'and it is there');

    my ($code, $out, $err) = record('nobody', 'nothing');

    is($code, 1, 'no record: exit status');
    like($err, qr/no record segments:\{live:nobody:nothing\}:create$/,
        'no record: said which');

    my ($name) = $redis->keys('*:plain}:create');
    my $other = $name =~ s/\Asegments:\{live/other-{sandbox/r;

    $redis->set_record($other, %{ $redis->record($name) });
    ($code) = record('-e', 'sandbox', '--prefix', 'other-', '', 'plain');
    is($code, 0, 'named: environment and prefix');

    return;
}


sub states {
    my @create = (headers => ['X-Client' => 's']);

    $nginx->create(@create, key => 'unknown', mock => 'status=500');
    $nginx->create(@create, key => 'large', mock => 'body=10000');

    like((record('s', 'unknown'))[1], qr/^state        unknown: sent, /m,
        'unknown');

    my $out = (record('s', 'large'))[1];
    like($out, qr/^state        tombstone: .* too large/m, 'tombstone');
    like($out, qr/^status       201$/m, 'tombstone: status');

    # items of a later version are no reason to refuse, and are shown as such

    my $name = 'segments:{live:s:large}:create';
    my $item = \&Segments::Value::item;

    unlike($out, qr/^other/m, 'no other items');
    $redis->set_value($name, sub { $_ .= $item->(77, "x\e[2J")
        . $item->(78, 'y' x 201) . $item->(1, 'segments:channel:a') });

    my ($code, $more) = record('s', 'large');
    is($code, 0, 'unknown items');
    like($more, qr/^other\ item\ \ \ of\ type\ 77,\ which\ is\ not\ known\ here:
        \ x\\x1B\[2J$/mx, 'unknown item: shown as such');
    like($more, qr/^other\ item\ .*\ 78,\ .*:\ y{200}\ and\ 1\ bytes
        \ more$/mx, 'unknown item: a glimpse of a large one');
    like($more, qr/^waiting      on segments:channel:a$/m, 'who waits');

    # bytes that are no text

    $redis->set_record($name, state => 'answered', headers => "A: b\n",
        body => "\xff\0\e]0;x\a\xe2\x80\xae", items => undef);
    like((record('s', 'large'))[1],
        qr/\n\n\\xFF\\x00\\x1B\]0;x\\x07\\xE2\\x80\\xAE\n\z/, 'bytes');

    return;
}


sub unreadable {
    my $name = 'segments:{live:s:large}:create';

    for my $case (
        ['another version', sub { s/^1/2/ }, qr/version "2"/],
        ['another state', sub { substr $_, 1, 1, 'x' }, qr/state is not/],
        ['a flag', sub { substr $_, 2, 1, "\2" }, qr/flags is not/],
        ['sealed by nobody', sub { substr $_, 2, 1, "\1" },
            qr/seal is not/],
        ['a seal, without the flag', sub { $_ .= Segments::Value::item(2,
            'x' x 40) }, qr/flags is not/],
        ['another record', sub { substr $_, 4, 1, 'x' }, qr/name is not/],
        ['cut', sub { chop }, qr/length is not/],
        ['an interim status', sub { substr $_, 60, 2, "\0\x67" },
            qr/status is not/],
        ['half a header', sub { s/A: b\n/A: bC/ }, qr/headers is not/],
        ['two headers', sub { s/A: b\n/A: \r\n/ }, qr/headers is not/],
        ['a header of two words', sub { s/A: b\n/A : \n/ }, qr/headers is not/],
        ['half an item', sub { $_ .= "\1\0" }, qr/items is not/],
    ) {
        my ($what, $change, $said) = @$case;
        my $before = $redis->cmd('GET', $name);

        $redis->set_value($name, $change);

        for my $how ([], ['--purge', '--yes']) {
            my ($code, $out, $err) = record(@$how, 's', 'large');

            is($code, 3, "$what, @$how: refused");
            like($err, $said, 'said why');
        }

        $redis->set_value($name, sub { $_ = $before });
    }

    is((record('s', 'large'))[0], 0, 'readable again, and still there');

    $redis->cmd('RPUSH', 'segments:{live:s:list}:create', 'x');
    like((record('s', 'list'))[2], qr/WRONGTYPE/, 'not a string');
    $redis->cmd('DEL', 'segments:{live:s:list}:create');

    return;
}


sub purged {
    my @create = (headers => ['X-Client' => 'p'], key => 'k');
    my $name = 'segments:{live:p:k}:create';

    $nginx->create(@create);

    my ($code, $out, $err) = record({ input => "n\n" }, '--purge', $name);

    is($code, 3, 'not confirmed');
    like($out, qr/^status       201\n.*Purge it\? \[y\/N\]/ms,
        'shown and asked');
    is((record({ input => '' }, '--purge', $name))[0], 3, 'nobody to ask');
    is($nginx->create(@create)->summary, '201 replayed marked',
        'it is still there');

    ($code, $out) = record({ input => "y\n" }, '--purge', $name);
    is($code, 0, 'confirmed');
    like($out, qr/^.*purged \Q$name\E$/m, 'and said');
    is($redis->cmd('EXISTS', $name), 0, 'it is gone');
    is($nginx->create(@create)->summary, '201 recorded', 'a new request');

    ($code, $out) = record('--purge', '--yes', 'p', 'k');
    is($code, 0, 'without a question');
    is($out, "purged $name\n", 'and said');
    is((record('--purge', '--yes', 'p', 'k'))[0], 1, 'nothing is left');

    return;
}


sub in_flight {
    my @create = (headers => ['X-Client' => 'f'], key => 'k');
    my $name = 'segments:{live:f:k}:create';

    my $running = $nginx->connect;
    $running->send_request($nginx->create_request(@create, mock => 'hold=f'));
    $upstream->wait_held('f');

    my ($code, $out, $err) = record('f', 'k');
    like($out, qr/^state        claimed: a request is running$/m, 'claimed');
    like($out, qr/^lease        (?:[0-9]+ min )?[0-9.]+ s left$/m,
        'claimed: lease');

    for my $how ([{ input => "y\n" }, '--purge'], ['--purge', '--yes']) {
        ($code, $out, $err) = record(@$how, 'f', 'k');

        is($code, 3, 'in flight: refused');
        like($err, qr/in flight/, 'in flight: said why');
    }

    $upstream->release('f');
    is($running->read_response->summary, '201 recorded', 'undisturbed');

    # a gateway that died

    $redis->set_record($name, state => 'claimed', from => 'absent',
        ttl => $redis->cmd('PTTL', $name) + 70_000, term => 10_000);

    ($code, $out) = record('f', 'k');
    like($out, qr/^state        claimed: the gateway .* gone/m, 'abandoned');
    like($out, qr/^lease        over since [0-9]/m, 'abandoned: lease');
    is((record('--purge', '-y', 'f', 'k'))[0], 0, 'abandoned: purged');

    return;
}


# what becomes of the record between the look and the answer to the question

sub changed {
    my $name = 'segments:{live:c:k}:create';

    for my $case (
        ['another request', 'changed', sub {
            $redis->set_record($name, token => 'ee' x 16) }],
        ['a take-over', 'changed', sub {
            $redis->set_record($name, state => 'claimed', from => 'unknown',
                token => 'ee' x 16, ttl => 86_400_000, term => 60_000) }],
        ['a renewal', 'in flight', sub {
            $redis->cmd('PEXPIRE', $name, 90_000_000) },
            state => 'claimed', from => 'absent', ttl => 90_000_000,
            term => 60_000],
        ['its end', 'changed', sub { $redis->cmd('DEL', $name) }],
    ) {
        my ($what, $said, $change, @before) = @$case;

        $redis->cmd('DEL', $name);
        $nginx->create(headers => ['X-Client' => 'c'], key => 'k');
        $redis->set_record($name, @before) if @before;

        my $fifo = tempdir() . "/answer$runs";
        POSIX::mkfifo($fifo, 0600) or die "$fifo: $!";

        my $running = started("< $fifo", '--redis', $redis->url,
            '--purge', 'c', 'k');

        open my $answer, '>', $fifo or die "$fifo: $!";
        wait_for { slurp($running->{out}) =~ /Purge it/ } 20, 'the question';
        $change->();
        print $answer "y\n";
        close $answer;

        my ($code, $out, $err) = ended($running);

        is($code, 3, "$what meanwhile: refused");
        like($err, qr/\Q$said\E/, 'said why');
    }

    return;
}


sub addresses {
    my $name = 'segments:{live:a:k}:create';

    spew(tempdir() . '/right', "canary-right\n");
    spew(tempdir() . '/wrong', "canary-wrong\n");
    $redis->cmd('ACL', 'SETUSER', 'reader', 'on', '>canary-right',
        '~*', '+@all');
    $redis->cmd('SELECT', 2);
    $redis->set_record($name, state => 'unknown', fp => '00' x 32);
    $redis->cmd('SELECT', 0);

    my $port = $redis->port;
    my $file = 'password_file=' . tempdir();

    for my $case (
        [$redis->url . '?db=2', 0, ''],
        ["redis://127.0.0.1:$port/2", 0, ''],
        ["redis://localhost:$port/2", 0, ''],
        ["redis://reader\@127.0.0.1:$port/2 $file/right", 0, ''],
        ["redis://127.0.0.1:$port", 1, qr/no record/],
        ["redis://reader\@127.0.0.1:$port/2 $file/wrong", 4, qr/WRONGPASS/],
        ["redis://reader\@127.0.0.1:$port/2", 2, qr/needs "password_file="/],
        ["redis://reader:password\@127.0.0.1:$port", 2, qr/a Redis URL is/],
        ["redis://127.0.0.1:$port colour=red", 2, qr/unknown .*"colour"/],
        ["redis://127.0.0.1:$port password_file=/nowhere", 2, qr/nowhere: No/],
        ['unix:/nowhere', 4, qr/cannot connect/],
        ['redis://127.0.0.1:' . free_port(), 4, qr/cannot connect/],
        ["redis://127.0.0.1:$port,127.0.0.1:$port", 2, qr/a Redis URL is/],
        ['redis+cluster://127.0.0.1:' . free_port(), 4, qr/cannot connect/],
        ["redis+cluster://reader:password\@127.0.0.1", 2, qr/a Redis URL is/],
        ['redis+sentinel://127.0.0.1:' . free_port() . '/m', 4,
            qr/cannot connect/],
        ["redis+sentinel://127.0.0.1:$port", 2, qr/a Redis URL is/],
        ["redis+sentinel://127.0.0.1:$port/m/x", 2, qr/a Redis URL is/],
    ) {
        my ($words, $expected, $said) = @$case;
        my ($code, $out, $err) = record({ redis => $words }, 'a', 'k');

        is($code, $expected, "$words: exit status");
        $said eq '' ? is($err, '', 'nothing to complain of')
            : like($err, $said, 'said why');
        unlike($err . $out, qr/canary/, 'no password shown');
    }

    return;
}


# without --redis: what the environment says

sub environment {
    $nginx->create(headers => ['X-Client' => 'e'], key => 'k');

    for my $case ([$redis->url, 0], ['unix:/nowhere', 4]) {
        my ($url, $expected) = @$case;

        local $ENV{SEGMENTS_REDIS} = $url;
        is((run('e', 'k'))[0], $expected, "\$SEGMENTS_REDIS $url");
    }

    return;
}


# the least that the page says is enough, and no more is needed

sub rights {
    my $page = (run('--help'))[1];
    my ($words) = $page =~ /ACL SETUSER (support .*?)\n\n/s
        or die 'no ACL in the page';
    my ($more) = $page =~ /also\s+purges\s+needs\s+(\+[^.]*)\./
        or die 'no rights to purge in the page';

    my %rights = (show => [$words =~ /\+(\S+)/g], purge => [$more
        =~ /\+(\w+)/g]);
    my $name = 'segments:{live:r:k}:create';
    my %support = (redis => 'redis://support@127.0.0.1:' . $redis->port
        . '/2 password_file=' . tempdir() . '/right');

    my $allow = sub {
        $redis->cmd('ACL', 'DELUSER', 'support');
        is($redis->cmd('ACL', 'SETUSER', split(' ',
            $words =~ s/>\w+/>canary-right/r =~ s/\s\+\S+//gr),
            map { "+$_" } @_), 'OK', "rights: @_");

        $redis->cmd('SELECT', 2);
        $redis->set_record($name, state => 'unknown', fp => '00' x 32);
        $redis->cmd('SELECT', 0);
    };

    $allow->(@{ $rights{show} });

    my ($code, $out) = record({ %support }, 'r', 'k');
    is($code, 0, 'shown');
    like((record({ %support }, '--purge', '-y', 'r', 'k'))[2],
        qr/NOPERM/, 'not purged');

    $allow->(@{ $rights{show} }, @{ $rights{purge} });
    is((record({ %support }, '--purge', '-y', 'r', 'k'))[0], 0, 'purged');

    for my $left_out (map { @$_ } @rights{qw(show purge)}) {
        $allow->(grep { $_ ne $left_out } map { @$_ } @rights{qw(show purge)});
        ($code, $out, my $err) = record({ %support, input => "y\n" },
            '--purge', 'r', 'k');

        is($code, 4, "without $left_out: refused");
        like($err, qr/NOPERM|can't run this command|no permissions/,
            "without $left_out: by Redis");
    }

    # the gateway's own user, as docs/operations.md has it

    my ($gateway) = slurp(program_root() . '/docs/operations.md')
        =~ /^ACL SETUSER gateway (.*?)\n```$/ms or die 'no ACL';

    $allow->($gateway =~ /\+(\S+)/g);
    is((record({ %support, input => "y\n" }, '--purge', 'r', 'k'))[0], 0,
        'the gateway\'s rights: shown and purged');

    return;
}


sub usage {
    for my $words ([], ['a', ''], ['a', 'b', 'c'], ['--no'], ['-y', 'a', 'b'],
        ['-e', 'test', 'a', 'b'], ['segments:{live:a}:limit:b'],
        ['segments:{live:a b:b}:create'])
    {
        is((record(@$words))[0], 2, "usage: @$words");
    }

    my ($code, $out) = run('--help');

    is($code, 0, 'help: exit status');
    like($out, qr/SYNOPSIS.*--purge.*EXAMPLES/s, 'help: the page');
    unlike($out, qr/^=|[BI]<|E</m, 'help: plain text');

    return;
}


# exit status, output, complaints; a hash in front: input, and words for Redis

sub record {
    my (@words) = @_;

    my %with = ref $words[0] ? %{ shift @words } : ();

    return run(\%with, '--redis', $with{redis} // $redis->url, @words);
}


sub run {
    my (@words) = @_;

    my %with = ref $words[0] ? %{ shift @words } : ();
    my $input = spew(tempdir() . '/input' . $runs, $with{input} // '');

    return ended(started("< $input", @words));
}


sub started {
    my ($redirect, @words) = @_;

    my $base = tempdir() . '/run' . ++$runs;

    my $process = Segments::Process->spawn(name => 'segments-record',
        argv => ['/bin/sh', '-c',
            qq(exec "\$@" $redirect > $base.out 2> $base.err), 'sh', $PROGRAM,
            @words]);

    return { process => $process, out => "$base.out", err => "$base.err" };
}


sub ended {
    my ($run) = @_;

    $run->{process}->wait(20) or die 'segments-record hangs';

    return ($run->{process}->status >> 8, slurp($run->{out}),
        slurp($run->{err}));
}
