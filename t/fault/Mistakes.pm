package Mistakes;

# One rule each, got wrong in the sources.  A run must find the promise that
# breaks.

use strict;
use warnings;

use Plan;
use Segments::Util qw(slurp source spew);

my $ASKED_FOR = 'claim.lua';
my $SETTLED = 'settle.lua';
my $DROPPED = 'drop.lua';
my $RENEWED = 'renew.lua';
my $VERDICT = 'ngx_redis_verdict.c';
my $WORDING = 'ngx_redis_wording.c';
my $CLAIM = 'ngx_http_segments_claim_end.c';
my $SETTLE = 'ngx_http_segments_settle.c';
my $ADMIT = 'ngx_http_segments_admit.c';
my $DECIDE = 'ngx_http_segments_decide.c';
my $NAME = 'ngx_http_segments_name.c';
my $PIPELINE = 'ngx_redis_pipeline.c';
my $COMMAND = 'ngx_redis_command.c';
my $QUESTION = 'ngx_redis_question.c';
my $CLUSTER = 'ngx_redis_cluster.c';
my $SEAL = 'sg_seal.c';

# a command that is formatted again, with ASKING or without
my @ASKED = ("    cmd->buf.pos = cmd->buf.start;\n    cmd->asked = 0;\n",
    "    cmd->buf.pos = cmd->buf.start;\n");


# [name, file, text that stands there once, what stands for it, the kinds of
# violations of which one must be found (a pattern), options of the run]; where
# several texts are replaced, the first three are arrays

sub all {
    return (
        ['another body is not noticed', $VERDICT,
         '!sg_str_eq(value.fingerprint, own->claim->fingerprint)', '0',
         'mismatch accepted|another body', '--kinds other-body'],

        ['a running lease is not respected', $ASKED_FOR,
         'over = left <= 0', 'over = true',
         'two at a time', '--policy retry --kinds twins'],

        ['a lease ends by another clock than its own', $ASKED_FOR,
         'left = lease - (its_ttl - left)',
         'left = lease - 20 * (its_ttl - left)',
         'two at a time', '--policy retry --kinds slow,twins --often 20'],

        ['a renewal compares the whole value', $RENEWED,
         'stood:sub(5, 60) == value:sub(5, 60)', 'stood == value',
         'two at a time',
         '--policy retry --kinds slow,reset-after --often 20'],

        ['a native claim runs over what is there', $WORDING,
         'phrase->tail = record->ttl->claim;',
         'phrase->tail = record->ttl->claim; phrase->tail.n = 3;'
             . ' phrase->tail.text.data += 8; phrase->tail.text.len -= 8;',
         'two effects|two at a time|not replayed|answers differ',
         '--policy hold --kinds twins --no-limit'],

        ['a native claim does not expire', $WORDING,
         'phrase->tail = record->ttl->claim;',
         'phrase->tail = record->ttl->claim; phrase->tail.n = 2;'
             . ' phrase->tail.text.len -= record->ttl->px.text.len;',
         'no expiry', '--policy hold --kinds reset-after --no-limit'],

        ['another owner\'s claim is given back', $DROPPED,
         ' or stood:sub(45, 60) ~= ARGV[2]', '',
         'two effects|two bodies|not replayed',
         '--policy hold --kinds redis-stop,slow --often 20'],

        ['another owner\'s answer is overwritten', $SETTLED,
         "if stood and not at then return { proof, 'found', stood } end",
         'if stood and not at then at = 45 end',
         'answers differ',
         '--policy retry --kinds stop-long,slow --often 20 --period 100'],

        ['under hold a lease is taken over',
         [$ASKED_FOR, $ASKED_FOR, $VERDICT],
         [" and ARGV[5] == 'retry' then", "stood and ARGV[5] ~= 'retry'",
          'if (own->hold) {'],
         [' then', 'false', 'if (0) {'], 'two effects',
         '--policy hold --kinds reset-after,cut-body'],

        ['an unknown outcome frees the key', $DROPPED,
         "if ARGV[1] == 'give_back' and from == 'a' then", 'if true then',
         'two effects',
         '--policy hold --kinds reset-after,cut-body'],

        ['a claim does not expire', $ASKED_FOR,
         "redis.call('SET', name, value, 'PX', ttl)",
         "redis.call('SET', name, value)",
         'no expiry', '--policy hold --kinds reset-after,5xx-after'],

        ['a sent request is given back', $SETTLE,
         "ngx_http_segments_sent(r, ctx->answered)\n               ?",
         "0 ?",
         'two effects', '--policy hold --kinds reset-after,cut-headers'],

        ['a request that was never sent is left in doubt', $SETTLE,
         ": ngx_http_segments_give_back;\n    }\n\n    slcf",
         ": ngx_http_segments_unknown;\n    }\n\n    slcf",
         'held without a reason',
         '--policy hold --kinds no-upstream --period 100'],

        ['an answer leaves before it is stored', [$SETTLE, $SETTLE],
         ["#include \"answer/ngx_http_segments_settle.h\"\n",
         "    r->buffered |= NGX_HTTP_SEGMENTS_BUFFERED;\n\n"
             . "    return NGX_AGAIN;\n"],
         ["#include \"answer/ngx_http_segments_settle.h\"\n"
             . "#include \"idempotency/ngx_http_segments_claim_end.h\"\n",
         "    ctx->claim->handler = NULL;\n"
             . "    ngx_http_segments_tell_end(ctx, ngx_redis_record_ok);\n"
             . "    ngx_http_segments_enter(ctx, ngx_http_segments_release);\n"
             . "    return complete ? ngx_http_segments_send_held(r, ctx, NULL)"
             . " : NGX_OK;\n"],
         'not replayed|answers differ',
         '--kinds redis-stop,redis-kill --period 200'],

        ['a claim is not renewed', $CLAIM,
         "        ngx_http_segments_claim_renew(claim);\n\n"
             . '        third = claim->record.lease / 3;',
         '        third = claim->record.lease / 3;',
         'two at a time', '--policy retry --kinds slow --often 20'],

        ['all gateways have one token', 'ngx_http_segments_token.c',
         'ngx_memcpy(token, random[--left], NGX_HTTP_SEGMENTS_TOKEN_LEN)',
         'ngx_memset(token, 48, NGX_HTTP_SEGMENTS_TOKEN_LEN)',
         'two effects|two at a time', '--policy hold --kinds twins'],

        ['a lost reply is a claim', $ADMIT,
         'ctx->verdict = reply->verdict;',
         'ctx->verdict = reply->verdict == ngx_redis_record_lost'
             . ' ? ngx_redis_record_ok : reply->verdict;',
         'two effects|two at a time',    # a limit would refuse it
         '--policy hold --kinds redis-stop,slow --often 20 --period 100'
             . ' --no-limit'],

        # nor is asked for a proof: with it this would only cost connections

        ['a command that was given up loses its place', $PIPELINE,
         '    if (!ngx_redis_command_answered(cmd, reply)) {',
         "    if (cmd->handler == NULL) {\n"
             . "        ngx_queue_remove(&cmd->queue);\n"
             . "        ngx_redis_call_free(cmd);\n"
             . "        return ngx_redis_pipeline_replied(pipeline, reply,"
             . " replied);\n    }\n\n"
             . '    if (0) {',
         'two effects|two at a time|another tenant|answers differ',
         '--policy hold --kinds redis-stop,slow,twins --often 20 --period 100'
             . ' --no-limit'],

        ['ASKING\'s reply is taken for its command\'s', $COMMAND, @ASKED,
         'out of step', '--kinds move-slot,twins --period 100'],

        # Here with the one before, which the proof finds out before a reply is
        # left over.  What a value says of its record keeps another key's answer
        # from being given out; now and then what was never sent is held.

        ['a reply is taken without its proof', [$COMMAND, $COMMAND],
         [$ASKED[0], 'ngx_redis_expect_fits(reply, cmd->expect,'],
         [$ASKED[1], '1 || ngx_redis_expect_fits(reply, cmd->expect,'],
         'reply to nobody', '--policy hold --kinds move-slot,twins'
             . ' --period 40'],

        # that it is cut is seen where it is read: nothing of it is given out

        ['a value that is cut is given out', [$WORDING, $WORDING, 'sg_value.c'],
         ["        phrase->rest[1] = record->body;\n    }\n",
          "        phrase->rest[1] = record->body;\n\n",
          "    if (len > rest->len) {\n        return \"length\";\n"],
         ["        phrase->rest[1] = record->body;\n"
              . "        phrase->rest[1].len -= (record->body.len > 0);\n"
              . "    }\n",
          "        phrase->rest[1] = record->body;\n"
              . "        phrase->rest[1].len -= (record->body.len > 0);\n\n",
          "    if (len > rest->len) {\n        len = rest->len;\n"],
         'answers differ', '--policy hold --kinds twins'],

        ['a connection that was forgotten is not doubted',
         'ngx_redis_spare.c', '    if (node->doubt.timer_set || ',
         '    if (1 || node->doubt.timer_set || ', 'forgotten',
         '--kinds forget --period 200'],

        # were others asked in turn, nobody would notice

        ['a master that is cut off is believed', [$CLUSTER, $QUESTION],
         ['if (!map->sure || ',
          "    next = ngx_redis_question_next_speaker(map);\n"],
         ['if (1 || !map->sure || ',
          "    next = ngx_redis_question_next_speaker(map);\n\n"
             . "    if (ngx_redis_question_askable(map->guides[0])) {\n"
             . "        return map->guides[0];\n    }\n"],
         'stale node believed', '--kinds cut-off --period 50'],

        ['who waited in vain runs', $DECIDE,
         "    case ngx_redis_record_in_progress:\n"
             . "        return ngx_http_segments_refuse(r, ctx,\n",
         "    case ngx_redis_record_in_progress:\n"
             . "        if (ctx->waiter) {\n"
             . "            ngx_http_segments_enter(ctx,"
             . " ngx_http_segments_forward);\n"
             . "            return NGX_DECLINED;\n        }\n\n"
             . "        return ngx_http_segments_refuse(r, ctx,\n",
         'two effects|two at a time',
         '--policy hold --kinds slow --often 20 --wait 50ms'],

        ['a replay pays the limit', $ASKED_FOR,
         "reply = { 'found', stood }",
         "reply = { 'found', stood }\n"
             . "    if limits_spend then limits_spend() end",
         'paid unsent', '--policy retry --kinds twins --often 3'],

        ['who takes over does not pay the limit', $ASKED_FOR,
         'elseif limits_spend and not limits_spend() then',
         'elseif not stood and limits_spend and not limits_spend() then',
         'sent unpaid', '--policy retry --kinds reset-after,5xx-after'],

        ['a client that leaves cancels its request',
         'ngx_http_segments_guard.c',
         'upstream.ignore_client_abort = 1', 'upstream.ignore_client_abort = 0',
         'cancelled|held without', '--kinds abort-fin,abort-rst'],

        Plan::has_http3() ? ['a closed HTTP/3 connection cancels a request',
         'ngx_http_segments_client.c', 'c->close = 0;', 'c->close = 1;',
         'cancelled|held without', '--kinds abort-h3-close --often 5'] : (),

        ['a 5xx is remembered', 'sg_answer.c',
         "if (sg_statuses_has(remembered, status)\n"
             . "        && (status < 400 || sg_answer_is_json(type)))",
         'if (sg_statuses_has(remembered, status) || status >= 500)',
         'wrong answer kept', '--kinds 5xx-before,5xx-after'],

        ['the scope is missing in a record\'s name',
         'sg_record.c', "    sg_record_tag(out, prefix, environment, scope);\n",
         "    (void) scope;\n"
             . "    sg_record_tag(out, prefix, environment,"
             . " (sg_str_t) { .len = 0 });\n",
         'another tenant', '--kinds twins'],

        ['the scope is missing in the upstream\'s key',
         'sg_idempotency_key.c',
         "    p = sg_key_add_part(p, scope);\n", "    (void) scope;\n",
         'another tenant|answer without effect',
         '--policy retry --kinds twins'],

        ['a salt is reused', $SEAL, 'salt[--left]', 'salt[left - 1]',
         'salt reused', '--kinds altered'],

        ['what is in the clear is left out of the seal', $SEAL,
         'return rc == 0 ? sg_seal_clear(seal, answer) : -1;',
         'return rc != 0 ? -1 : encrypt > 1 ? sg_seal_clear(seal, answer) : 0;',
         'altered', '--kinds altered'],

        ['a status can be altered', $SEAL,
         '&& sg_seal_clear_part(answer->head) == 0',
         '&& sg_seal_clear_part((sg_str_t) { .data = answer->head.data,'
             . ' .len = 60 }) == 0',
         'altered', '--kinds altered'],

        ['a key is in a name', $NAME,
         "        key.data = key_digits;\n"
             . "        key.len = SG_NAMES_LEN;\n", '',
         'in the clear', '--kinds altered'],

        ['an answer that cannot be opened is run over', $ADMIT,
         "the request must not run again */\n\n"
             . '        ctx->verdict = ngx_redis_record_unreadable;',
         "the request must not run again */\n\n"
             . '        ctx->verdict = ngx_redis_record_ok;',
         'two effects|altered', '--policy hold --kinds altered'],

        ['each try has its own upstream key', $NAME,
         '    return sg_upstream_key(key->data,',
         "    if (key->len) {\n        (void) ngx_sprintf(key->data,"
             . " \"%036xD\", (uint32_t) ngx_random());\n"
             . "        return NGX_OK;\n    }\n\n"
             . '    return sg_upstream_key(key->data,',
         'two effects|another upstream key',
         '--policy retry --kinds reset-after,5xx-after'],
    );
}


# How often a text that is to be replaced does not stand there once: nothing
# could be got wrong.

sub misplaced {
    return map {
        my ($name, $files, $texts) = @$_;
        my @files = ref $files ? @$files : $files;
        my @texts = ref $texts ? @$texts : $texts;

        map { "$name: $files[$_]" } grep {
            1 != (() = slurp(source($files[$_])) =~ /\Q$texts[$_]\E/g)
        } 0 .. $#files;
    } all();
}


# Makes it in a copy of the sources.

sub make {
    my ($mistake, $copy) = @_;

    my ($name, @edits) = @$mistake[0 .. 3];
    my ($files, $texts, $instead) = map { ref ? $_ : [$_] } @edits;

    for my $i (0 .. $#$files) {
        my $path = source($files->[$i], $copy);
        my $source = slurp($path);

        $source =~ s/\Q$texts->[$i]\E/$instead->[$i]/
            or die "$name: $files->[$i] has no such text\n";
        spew($path, $source);
    }

    return;
}


1;
