#!/usr/bin/perl

# What conf-examples has for whoever runs the gateway: Kubernetes, systemd,
# logrotate, AppArmor: what is in them, and that the gateway runs with it.  Who
# reads them is asked in conf_examples_kubernetes.t and conf_examples_host.t.
#
# run: once

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use CPAN::Meta::YAML;

use Segments::Test;
use Segments::Util qw(exhaustive program_root);

my $examples = program_root() . '/conf-examples';

my $upstream = upstream();
my $redis = redis_server();
my ($front, $crt) = tls_front($upstream, name => 'api.qonversion.io');

kubernetes();
systemd();
logrotate();
apparmor();

done_testing();


sub kubernetes {
    my @objects = @{ CPAN::Meta::YAML->read_string(
        slurp("$examples/kubernetes.yaml")) };
    my %of = map { $_->{kind} => $_ } @objects;

    is_deeply([sort keys %of], [qw(ConfigMap Deployment NetworkPolicy
        PodDisruptionBudget Secret Service)], 'Kubernetes: objects');
    is_deeply([grep { !$_->{apiVersion} || !$_->{metadata}{name} } @objects],
        [], 'each has a version and a name');

    my $spec = $of{Deployment}{spec};
    my $labels = $spec->{template}{metadata}{labels};
    my $pod = $spec->{template}{spec};
    my ($container) = @{ $pod->{containers} };
    my $conf = $of{ConfigMap}{data}{'nginx.conf'};

    is_deeply($_, $labels, 'the pods are meant') for
        $spec->{selector}{matchLabels}, $of{Service}{spec}{selector},
        $of{NetworkPolicy}{spec}{podSelector}{matchLabels},
        $of{PodDisruptionBudget}{spec}{selector}{matchLabels};

    # ports, by their names

    my %ports = map { $_->{name} => $_->{containerPort} }
        @{ $container->{ports} };

    like($conf, qr/^ *listen +$_;$/m, "port $_") for values %ports;
    ok($ports{$_}, "$_ is a port") for map({ $_->{targetPort} }
        @{ $of{Service}{spec}{ports} }), map({ $_->{port} }
        map { @{ $_->{ports} } } @{ $of{NetworkPolicy}{spec}{ingress} });

    # probes: what nginx.conf answers there

    my %probe = map { $_ => $container->{"${_}Probe"} }
        qw(liveness readiness);

    is($probe{liveness}{httpGet}{path}, '/healthy', 'alive: of nginx alone');
    is($probe{readiness}{httpGet}{path}, '/health', 'ready: of Redis');
    is($ports{ $_->{httpGet}{port} }, 8081, 'asked inside') for values %probe;
    cmp_ok($probe{readiness}{failureThreshold}, '>', 3,
        'one failure is not enough');

    # the Secret is a directory, which follows a change, and its files are used

    my %volumes = map { $_->{name} => $_ } @{ $pod->{volumes} };
    my %mounts = map { $_->{name} => $_ } @{ $container->{volumeMounts} };

    is_deeply([sort keys %mounts], [sort keys %volumes], 'volumes');

    my ($secret) = grep { $volumes{$_}{secret} } keys %volumes;

    is($volumes{$secret}{secret}{secretName}, $of{Secret}{metadata}{name},
        'the Secret');
    ok(!exists $mounts{$secret}{subPath}, 'follows a change');
    is_deeply([grep { !exists $of{Secret}{stringData}{$_} } $conf
        =~ m{\Q$mounts{$secret}{mountPath}\E/([\w-]+)}g], [], 'has the files');
    ok(!$container->{env}, 'nothing in the environment');

    # what is written has a place, and nobody is root

    is($pod->{securityContext}{runAsUser}, 33, 'www-data');
    is($container->{securityContext}{readOnlyRootFilesystem}, 'true',
        'read-only');
    is_deeply($container->{securityContext}{capabilities}{drop}, ['ALL'],
        'no capability');

    my ($shutdown) = $conf =~ /worker_shutdown_timeout +([0-9]+)s/;

    cmp_ok($pod->{terminationGracePeriodSeconds}, '>', $shutdown
        + $container->{lifecycle}{preStop}{exec}{command}[1], 'time to finish');

    return runs($conf, $mounts{$secret}{mountPath});
}


# nginx.conf, but for addresses and paths as it is

sub runs {
    my ($conf, $secrets) = @_;

    my $inside = free_port();
    my $dir = tempdir() . '/kubernetes';

    mkdir $dir or die "$dir: $!";
    spew("$dir/qonversion", "sk_0123456789abcdef\n");
    spew("$dir/redis-password", "password\n");

    $redis->cmd('ACL', 'SETUSER', 'gateway', 'on', '>password', '~*', '&*',
        '+@all');

    $conf =~ s/^$_  [^;]+;\n//m or die "no $_"
        for qw(worker_processes pid error_log);

    for (['include  /etc/nginx/modules-enabled/*.conf;', '%%MAIN%%'],
        ["\nhttp {\n", "\nhttp {\n%%HTTP%%\nproxy_connect_timeout 60s;\n"],
        [qr/^ *resolver  +[^;]+;/m, ''],
        ['/dev/stdout', '%%DIR%%/example-access.log'],
        ['redis.default.svc.cluster.local:6379', '127.0.0.1:' . $redis->port],
        ['api.qonversion.io:443', $front =~ s{https://}{}r],
        [$secrets, $dir],
        ['listen  8080', 'listen  127.0.0.1:%%PORT%%'],
        ['listen  8081', "listen  127.0.0.1:$inside"],
        ['/etc/ssl/certs/ca-certificates.crt', $crt])
    {
        my ($text, $by) = @$_;

        $text = quotemeta $text if !ref $text;
        $conf =~ s/$text/$by/g or die "kubernetes.yaml: no $text";
    }

    my $nginx = nginx(conf => $conf);

    is($nginx->create(key => 'k')->summary, '201 recorded',
        'Kubernetes: a create');
    is($nginx->create(key => 'k')->summary, '201 replayed marked', 'replayed');
    is(http($inside, 'GET', '/healthy')->status, 200, '/healthy');
    is(http($inside, 'GET', '/health')->status, 200, '/health');
    like(http($inside, 'GET', '/metrics')->body, qr/^segments_build_info/m,
        '/metrics');

    # a changed Secret

    spew("$dir/qonversion.new", "sk_fedcba9876543210\n");
    rename "$dir/qonversion.new", "$dir/qonversion" or die $!;
    chmod 0644, "$dir/qonversion";

    wait_for {
        $nginx->create;
        ($upstream->requests)[-1]->header('Authorization')
            eq 'Bearer sk_fedcba9876543210';
    } 30, 'the new key';
    pass('a changed Secret is taken up');

    return $nginx->stop;
}


sub systemd {
    my $text = slurp("$examples/nginx.systemd");
    my %set = $text =~ /^(\w+)=(.*)$/mg;

    like($text, qr/^\[Service\]$/m, 'systemd: of the service');
    is($set{ExecStop}, '', 'Debian\'s five seconds do not count');
    is($set{KillSignal}, 'SIGQUIT', 'stopped gracefully');
    cmp_ok($set{TimeoutStopSec} =~ s/s\z//r, '>', 60, 'time to finish');
    is($set{NoNewPrivileges}, 'yes', 'hardened');

    return;
}


# nginx goes on in a new file

sub logrotate {
    my $text = slurp("$examples/nginx.logrotate");
    my ($script) = $text =~ /^ *postrotate\n(.*?)^ *endscript\n/ms;
    my $nginx = nginx(upstream => $upstream, redis => $redis);
    my $log = $nginx->dir . '/access.log';

    $nginx->create;
    wait_for { -s $log } 10, 'the log';

    rename $log, "$log.1" or die "$log: $!";
    $script =~ s{/run/nginx\.pid}{$nginx->dir . '/nginx.pid'}ge;
    is(system($script), 0, 'logrotate: its script');

    wait_for {
        $nginx->create;
        -s $log;
    } 10, 'a new log';
    pass('the log is opened again');

    return $nginx->stop;
}


# The profile, with the paths of this test beside Debian's, confines the nginx
# of this test.

sub apparmor {
    my $enabled = '/sys/module/apparmor/parameters/enabled';

    SKIP: {
        if (!-e $enabled || slurp($enabled) !~ /Y/) {

            # no other Debian has another kernel

            skip 'the kernel has no AppArmor', 1 if !exhaustive();
            return;
        }

        skip 'a profile is loaded by root', 1 if $> != 0;

        my $parser = program('apparmor_parser');

        skip 'no apparmor_parser, or no aa-exec (Debian: apparmor)', 1
            if !$parser || !program('aa-exec');

        confined($parser);
    }

    return;
}


sub confined {
    my ($parser) = @_;

    my $nginx = nginx_new(upstream => $upstream, redis => $redis);
    my $root = program_root();
    my $profile = tempdir() . '/profile';
    my $name = "segments-test-$$";

    spew($profile, slurp("$examples/nginx.apparmor")
        =~ s{^profile nginx /usr/sbin/nginx}{profile $name}mr
        =~ s{peer=nginx}{peer=$name}r
        =~ s{(?=^\}\n)}{  @{[ tempdir() ]}/** rwk,\n  $root/** rm,\n}mr);

    is(system("'$parser' -r '$profile'"), 0, 'AppArmor: loaded');

    local $ENV{TEST_NGINX_BINARY} = tempdir() . '/confined';

    spew($ENV{TEST_NGINX_BINARY}, "#!/bin/sh\nexec aa-exec -p $name -- "
        . Segments::Util::find_program('nginx') . ' "$@"' . "\n");
    chmod 0755, $ENV{TEST_NGINX_BINARY};

    $nginx->start;

    is($nginx->create(key => 'confined')->summary, '201 recorded',
        'AppArmor: a create');
    is($nginx->create(key => 'confined')->summary, '201 replayed marked',
        'AppArmor: replayed');

    $nginx->stop;
    system("'$parser' -R '$profile'");

    return;
}


sub program {
    my ($name) = @_;

    return (grep { -x } map { "$_/$name" } qw(/usr/local/sbin /usr/sbin /sbin
        /usr/local/bin /usr/bin /bin))[0];
}
