#!/usr/bin/env perl

# README.md and the pages in docs/ name what there is, all of it, and nothing
# else.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Segments::Test;
use Segments::Util qw(program_root source);

# a page's words, by its name

my %pages = map { m{([^/]+)\.md\z} => slurp($_) } program_root() . '/README.md',
    glob(program_root() . '/docs/*.md');

names();
metrics();
defaults();
error_codes();
redis_acl();

done_testing();


sub names {
    my $commands = text('ngx_http_segments_module.c');
    my $variables = text('ngx_http_segments_variables.c');

    my ($table) = text('ngx_http_segments_outcome.c')
        =~ /_outcomes\[\] = \{(.*?)\};/s;

    same([$pages{directives} =~ /^## (\w+)$/mg],
        [$commands =~ /^    \{ ngx_string\("(segments_\w+)"\),\n/mg],
        'directives');
    same([section('variables', 'Variables') =~ /^`\$(\w+)`$/mg],
        [$variables =~ /ngx_string\("(segments_\w+)"\)/g], 'variables');
    same([section('variables', 'Variables') =~ /^\| `(\w+)` \|/mg],
        [$table =~ /"(\w+)"/g], 'words of $segments_outcome');

    my %known = map { $_ => 1 } $commands =~ /"(segments_\w+)"/g,
        $variables =~ /"(segments_\w+)"/g, metric_names();
    my %others = map { $_ => 1 } grep { !$known{$_} }
        join('', values %pages) =~ /\b(segments_\w+)/g;

    is_deeply([sort keys %others], [], 'no other names');

    return;
}


# each metric with its type

sub metrics {
    my $source = text('ngx_http_segments_exposition.c');
    my %types = $source
        =~ /sg_exposition_metric\(buf, "(\w+)",\s+"(\w+)"/g;

    $types{$_} = 'gauge' for $source =~ /_expose_gauge\("(\w+)"/g;

    my %documented = section('variables', 'Metrics')
        =~ /^\| `(segments_\w+)` \| (\w+) \|/mg;

    is_deeply(\%documented, \%types, 'metrics');

    return;
}


sub metric_names {
    return text('ngx_http_segments_exposition.c') =~ /"(segments_\w+)"/g;
}


# said as a directive, each default is accepted

sub defaults {
    my %set;

    while ($pages{directives} =~ /^\*\*default:\*\* `(\w+) (.*);`$/mg) {
        $set{$1} = $2;
    }

    is(delete $set{segments_gateway}, 'off', 'gateway is off by default');

    my ($code, $output) = check_config(set => \%set);

    is($code, 0, 'defaults are accepted') or diag($output);

    return;
}


sub error_codes {
    my $text = text('ngx_http_segments_refuse.c')
        . text('ngx_http_segments_filter.c')
        . text('sg_envelope.c');

    my $types = qr/request|resource|internal/;
    my %codes = map { $_ => 1 } $text =~ /"(?:$types)",\s+"(\w+)"/g;
    my %documented = map { $_ => 1 } map { /(\w+)/g }
        $pages{errors} =~ m{ \| (?:$types) / ([^|]*) \|$}mg;

    same([keys %documented], [keys %codes], 'error codes');

    return;
}


# the rights that it gives to the gateway's user are enough

sub redis_acl {
    my ($words) = $pages{operations} =~ /^ACL SETUSER (.*?)\n```$/ms;
    my $redis = redis_server();
    my $upstream = upstream();

    is($redis->cmd('ACL', 'SETUSER', split ' ', $words), 'OK', 'ACL');

    spew(tempdir() . '/password', "password\n");

    my $nginx = nginx(upstream => $upstream, redis => 'redis://gateway@'
        . '127.0.0.1:' . $redis->port . '/1 password_file=' . tempdir()
        . '/password', set => { segments_idempotency_lease => slow_ms(3000),
            segments_rate_limit => 'rate=1r/s burst=99' });

    # completed, buried, given back, unknown; then found again

    for my $case (['', 'recorded'], ['body=100000', 'recorded'],
        ['status=429', 'unstored'], ['status=500', 'unstored'])
    {
        my ($mock, $status) = @$case;

        is($nginx->create(key => $mock || 'none', mock => $mock)
            ->header('Idempotency-Status'), $status, "$status: $mock");
    }

    is($nginx->create(key => 'none')->header('Idempotency-Status'),
        'replayed', 'replayed');
    is($nginx->create->status, 201, 'limited without a key');

    my $c = $nginx->connect;
    $c->send_request($nginx->create_request(key => 'slow', mock => 'hold=a'));
    $upstream->wait_held('a');

    # several leases, renewed
    wait_for { ($redis->commands->{pexpire} // 0) >= 3 } 20, 'renewals';

    $upstream->release('a');
    is($c->read_response->header('Idempotency-Status'), 'recorded', 'renewed');

    return;
}


sub section {
    my ($page, $name) = @_;

    my ($text) = $pages{$page} =~ /^## \Q$name\E$(.*?)(?:^## |\z)/ms
        or die "no section $name in $page";

    return $text;
}


sub text {
    my ($name) = @_;

    return slurp(source($name));
}


sub same {
    my ($got, $expected, $name) = @_;

    return is_deeply([sort @$got], [sort @$expected], $name);
}
