-- The record of one idempotency key, a Redis hash.
--
-- KEYS[1]  the record; more with a claim: its limits, see limit.lua
-- ARGV[1]  what to do, then its arguments, the owner's token first:
--
--   claim      token fingerprint lease ttl policy [channel]
--                                                    policy: retry or hold
--   renew      token lease
--   complete   token fingerprint ttl status headers body
--   bury       token fingerprint ttl status          the answer is too large
--   give_back  token                                 nothing was sent
--   unknown    token                                 sent, no definite answer
--
-- Fields (a field not named here is left alone):
--
--   v          1; any other version is refused
--   state      claimed, unknown, answered, buried
--   fp         fingerprint of the request that the key stands for
--   since      first claim
--   token      who claims, or who answered
--   lease      claimed: until when the owner must not be disturbed
--   from       claimed: what giving back returns to, absent or unknown
--   status, headers, body    of the answer; a buried one has its status only
--   awaited    claimed: channels of those who wait for its end, in braces each
--
-- The end of a claim is published, as the record's name, on each channel that
-- a claim left here while the key was in progress.
--
-- A claim pays its limits when it is new or takes over, and leaves nothing
-- where they refuse.  Times are milliseconds; points in time are of Redis' own
-- clock.  A record that cannot be read is neither run over nor changed.

-- a channel that finds no room is not told, and asks again by itself
local AWAITED_MAX = 4096

local key = KEYS[1]


local function is_time(text)
    return text and #text <= 15 and text:find('^%d+$')
end


-- the first field that cannot be used
local function unreadable(record)
    local state = record.state
    local claimed, unknown = state == 'claimed', state == 'unknown'
    local answered, buried = state == 'answered', state == 'buried'

    if record.v ~= '1' then return 'v' end
    if not (claimed or unknown or answered or buried) then return 'state' end

    if not record.fp then return 'fp' end
    if not is_time(record.since) then return 'since' end

    if unknown then return nil end
    if not record.token then return 'token' end

    if claimed then
        local from = record.from

        if not is_time(record.lease) then return 'lease' end
        if from ~= 'absent' and from ~= 'unknown' then return 'from' end
        return nil
    end

    local status = record.status

    if not (status and status:find('^%d%d%d$')) then return 'status' end

    if buried then return nil end
    if not record.headers then return 'headers' end
    if not record.body then return 'body' end
end


-- nil: there is none
local function read()
    local v, state, fp, since, token, lease, from, status, headers, body,
          awaited = unpack(redis.call('HMGET', key, 'v', 'state', 'fp', 'since',
                                      'token', 'lease', 'from', 'status',
                                      'headers', 'body', 'awaited'))

    if not v and redis.call('EXISTS', key) == 0 then return nil end

    return { v = v, state = state, fp = fp, since = since, token = token,
             lease = lease, from = from, status = status, headers = headers,
             body = body, awaited = awaited }
end


local function now()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end


-- without an exponent, whatever the size
local function text_of(time)
    return string.format('%.0f', time)
end


-- An argument is checked before anything is written: an error after the first
-- write would leave half of the change.
local function duration(text)
    if not is_time(text) or tonumber(text) == 0 then
        error('a duration is a positive number of milliseconds', 0)
    end

    return tonumber(text)
end


local function write(ttl, ...)
    need('PEXPIRE', key, ttl)
    redis.call('HSET', key, ...)

    if can then
        redis.call('PEXPIRE', key, ttl)
        return
    end

    -- who could not be asked beforehand: no record stays for ever

    local said = redis.pcall('PEXPIRE', key, ttl)

    if type(said) == 'table' and said.err then
        if redis.pcall('PTTL', key) == -1 then redis.pcall('DEL', key) end
        error(said.err, 0)
    end
end


-- false where a limit refuses
local function pay(ttl)
    if #limits > 0 then
        need('HSET', key, 'v', '1')
        need('PEXPIRE', key, ttl)
    end

    return limits_spend()
end


local function owned_by(record, token)
    return record and record.state == 'claimed' and record.token == token
end


local function settled(record)
    return record.state == 'answered' or record.state == 'buried'
end


-- Waiting and being told make nothing else fail: an answer that is too late
-- for a channel is found by the next claim.
local function await(record, channel)
    local channels = record.awaited or ''

    channel = '{' .. channel .. '}'

    if channels:find(channel, 1, true)
       or #channels + #channel > AWAITED_MAX
    then
        return
    end

    redis.pcall('HSET', key, 'awaited', channels .. channel)
end


local function tell(record)
    for channel in (record and record.awaited or ''):gmatch('{(.-)}') do
        redis.pcall('PUBLISH', channel, key)
    end
end


local verbs = {}


function verbs.claim(record, token, fp, lease, ttl, policy, channel)
    lease, ttl = duration(lease), duration(ttl)

    if not policy then error('a claim needs a policy', 0) end

    if record and record.fp ~= fp then return { 'mismatch' } end

    if record and record.state == 'answered' then
        return { 'replay', record.status, record.headers, record.body }
    end

    if record and record.state == 'buried' then
        return { 'tombstone', record.status }
    end

    local time = now()
    local deadline = text_of(time + lease)

    if not record then
        if not pay(ttl) then return { 'limited' } end

        write(ttl, 'v', '1', 'state', 'claimed', 'fp', fp,
              'since', text_of(time), 'token', token,
              'lease', deadline, 'from', 'absent')
        return { 'ok' }
    end

    -- the reply was lost and the claim is sent again: it has paid

    if owned_by(record, token) then
        limits_done = 'spent'
        write(ttl, 'lease', deadline)
        return { 'ok' }
    end

    if record.state == 'claimed' and tonumber(record.lease) > time then
        if channel then await(record, channel) end
        return { 'in_progress', tonumber(record.lease) - time }
    end

    -- the outcome of the earlier try is unknown

    if policy ~= 'retry' then return { 'held' } end
    if not pay(ttl) then return { 'limited' } end

    write(ttl, 'state', 'claimed', 'token', token,
          'lease', deadline, 'from', 'unknown')
    return { 'ok' }
end


function verbs.renew(record, token, lease)
    lease = duration(lease)

    if not owned_by(record, token) then return { 'stale' } end

    local short = redis.call('PTTL', key) < lease

    if short then need('PEXPIRE', key, lease) end

    redis.call('HSET', key, 'lease', text_of(now() + lease))

    if short then redis.call('PEXPIRE', key, lease) end

    return { 'ok' }
end


-- A definite answer is also taken where nobody owns the key: after an outcome
-- that was unknown so far, and after Redis lost the record.  It saves another
-- execution.
local function settle(record, token, fp, ttl, ...)
    ttl = duration(ttl)

    if record and settled(record) and record.token == token then
        return { 'ok' }                     -- sent again
    end

    if record and not owned_by(record, token)
       and not (record.state == 'unknown' and record.fp == fp)
    then
        return { 'stale' }
    end

    local since = record and record.since or text_of(now())

    need('HDEL', key, 'lease')
    write(ttl, 'v', '1', 'fp', fp, 'since', since, 'token', token, ...)
    redis.call('HDEL', key, 'lease', 'from', 'awaited')
    tell(record)

    return { 'ok' }
end


function verbs.complete(record, token, fp, ttl, status, headers, body)
    return settle(record, token, fp, ttl, 'state', 'answered',
                  'status', status, 'headers', headers, 'body', body)
end


function verbs.bury(record, token, fp, ttl, status)
    return settle(record, token, fp, ttl, 'state', 'buried',
                  'status', status)
end


-- The fingerprint stays, for as long as the record would have.
function verbs.unknown(record, token)
    if not owned_by(record, token) then return { 'stale' } end

    need('HDEL', key, 'lease')
    redis.call('HSET', key, 'state', 'unknown')
    redis.call('HDEL', key, 'token', 'lease', 'from', 'awaited')
    tell(record)

    return { 'ok' }
end


function verbs.give_back(record, token)
    if owned_by(record, token) and record.from == 'absent' then
        redis.call('DEL', key)
        tell(record)
        return { 'ok' }
    end

    return verbs.unknown(record, token)
end


local act = verbs[ARGV[1]]
if not act then return redis.error_reply('ERR no such verb') end

local own = limits_take()
local record = read()
local bad = record and unreadable(record) or limits_read()

if bad then return limits_unreadable(bad) end

return limits_tell(act(record, unpack(ARGV, 2, own)))
