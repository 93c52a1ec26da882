#!/usr/bin/perl

# After a reload with another Secret Key an upstream may still send the one
# before back: that is masked, too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Segments::Test;

my $upstream = upstream();
my $redis = redis_server();
my @other = map { tempdir() . "/key$_" } 1 .. 3;

spew($other[0], key('other1'));

my $nginx = nginx(upstream => $upstream, redis => $redis, secret => key(1),
    http => 'log_format seen "$upstream_http_x_echo";'
        . ' access_log %%DIR%%/seen.log seen;'
        . ' access_log %%DIR%%/access.log test;',
    server => "location /v4/other { segments_gateway on;"
        . " proxy_pass %%UPSTREAM%%;"
        . ' segments_operations all; segments_idempotency off;'
        . " segments_secret_key_file $other[0]; }",
    set => { %Segments::Nginx::PATIENT, segments_operations => 'all' });

my $n = 0;

reload('changed', secret => key(2));
masked('changed', key(1), key(2));

reload('not changed');
masked('not changed', key(1), key(2));

reload('changed again', secret => key(3));
masked('changed again', key(2), key(3));

# taken up by the workers, and then replaced before a reload: the master
# process has never seen the key in between

my $mark = length $nginx->error_log;

spew($nginx->dir . '/secret', key(4));
$nginx->wait_log(qr/has a new Secret Key/, 10, $mark);

reload('changed after a change without a reload', secret => key(5));
masked('changed after a change without a reload', key(4), key(5));

$mark = length $nginx->error_log;
spew($nginx->dir . '/secret', key(6));
$nginx->wait_log(qr/has a new Secret Key/, 10, $mark);

reload('taken up before', secret => key(6));
masked('taken up before', key(5), key(6));

# another file, beside one that stays

spew($other[1], key(7));
reload('another file', set => { segments_secret_key_file => $other[1] });
masked('another file', key(6), key(7));
masked_at('/v4/other', 'the file that stays', key('other1'));

# production to the sandbox

spew($other[2], my $sandbox = 'test_' . key(8));
reload('sandbox', set => { segments_secret_key_file => $other[2] });
masked('sandbox', key(7), $sandbox);

# a configuration without the module forgets

my $conf = 'events { } http { %%HTTP%% server { listen 127.0.0.1:%%PORT%%;'
    . ' return 204; } }';

$nginx->configure(conf => "%%MAIN%%\n$conf", module => 0, http => '')->reload;
is($nginx->request('GET', '/')->status, 204, 'without the module');

done_testing();


sub key {
    my ($number) = @_;

    return "sk_reloaded${number}abcdefghijklmnopqrstuvwxyz";
}


sub reload {
    my ($name, @changes) = @_;

    $nginx->configure(@changes)->reload;
    is($nginx->create(key => 'reload-' . ++$n)->status, 201, $name);

    return;
}


sub masked {
    my ($name, @keys) = @_;

    my ($sent) = map { $_->header('Authorization') }
        reverse $upstream->requests;

    is($sent, "Bearer $keys[-1]", "$name: sent");

    return masked_at('/v4/segments', $name, @keys);
}


sub masked_at {
    my ($path, $name, @keys) = @_;

    for my $key (@keys) {
        my $mask = '*' x length $key;

        for my $method (qw(POST GET)) {
            my @request = $method eq 'GET' ? ('GET', $path)
                : $nginx->create_request(key => 'reload-' . ++$n);

            next if $method eq 'POST' && $path ne '/v4/segments';

            $upstream->next("header=X-Echo:$key;text=<$key>");

            my $answer = $nginx->request(@request);

            is($answer->body, "<$mask>", "$name: body of $method");
            is($answer->header('X-Echo'), undef, "$name: header of $method");
        }
    }

    my $log = join '', map { slurp($_) } glob $nginx->dir . '/*.log';

    unlike($log, qr/sk_reloaded/, "$name: no log has one");

    return;
}
