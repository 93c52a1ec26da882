-- Whose is this key?  What it stands for is in sg_value.h, byte by byte in
-- docs/record.md: here values are compared at fixed places, and made of what
-- comes with the command.
--
-- KEYS[1]  the record; behind it the limits of the claim, see limit.lua
-- ARGV[1]  claim
-- ARGV[2]  the token
-- ARGV[3]  the value of a claim, from absent
-- ARGV[4]  its ttl, milliseconds
-- ARGV[5]  retry or hold, where the outcome of an earlier try is unknown
-- ARGV[6]  where to be told of another's end: an item of its value, or empty
--
--   won                 there was nothing: the value is the record's now
--   ok                  ours; what stands is another value than that
--   in_progress left    another's, whose lease has so many milliseconds left
--   held                another's that is over, under hold
--   limited             a limit refuses, and nothing was done
--   found value         it is for the caller to see why: nothing was done
--
-- A claim pays its limits when it is new or takes over.  Each does one write to
-- the record, and every write sets an expiry or leaves the one that it has.

-- bytes of channels of one record; who finds no room asks again by himself
local CHANNELS = 4096

local name, value, ttl, channel = KEYS[1], ARGV[3], ARGV[4], ARGV[6]
local stood = redis.call('GET', name)

if limits_take then
    limits_take()

    local bad = limits_read()

    if bad then return limits_unreadable(bad) end
end

local state, items, left, over

if stood and stood:sub(5, 44) == value:sub(5, 44) then
    state = stood:sub(1, 3)
end

if state == '1c\0' and #stood >= 72 then
    items = 73

elseif state == '1u\0' and #stood >= 44 and ARGV[5] == 'retry' then
    items = 45
    over = true
end

if stood and items then

    -- what is kept, or added to, has to be whole

    local at = items

    while at + 2 <= #stood do
        local high, low = stood:byte(at + 1, at + 2)
        at = at + 3 + high * 256 + low
    end

    if at ~= #stood + 1 then items = nil end
end

if state == '1c\0' and items then
    local a, b, c, d, e, f, g, h, i, j, k, l = stood:byte(61, 72)
    local its_ttl = ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
    local lease = ((((g * 256 + h) * 256 + i) * 256 + j) * 256 + k) * 256 + l
    local from = stood:sub(4, 4)

    if its_ttl == 0 or lease == 0 or (from ~= 'a' and from ~= 'u') then
        items = nil

    elseif stood:sub(45, 60) ~= value:sub(45, 60) then
        left = redis.call('PTTL', name)

        if left < 0 or left > its_ttl then

            -- not our doing: the lease begins anew

            redis.call('PEXPIRE', name, string.format('%.0f', its_ttl))
            left = its_ttl
        end

        left = lease - (its_ttl - left)
        over = left <= 0
    end
end

local reply

if stood and not items then
    reply = { 'found', stood }

elseif state == '1c\0' and not left then

    -- the reply was lost and the claim is sent again: it has paid

    limits_done = 'spent'
    redis.call('PEXPIRE', name, ttl)
    reply = { 'ok' }

elseif stood and not over then

    if channel ~= '' and not stood:find(channel, items, true)
       and #stood - items + 1 + #channel <= CHANNELS
    then
        redis.pcall('APPEND', name, channel)
    end

    reply = { 'in_progress', left }

elseif stood and ARGV[5] ~= 'retry' then
    reply = { 'held' }

elseif limits_spend and not limits_spend() then
    reply = { 'limited' }

elseif stood then

    -- who waits for the end of the earlier try waits for this one's

    redis.call('SET', name, value:sub(1, 3) .. 'u' .. value:sub(5)
                            .. stood:sub(items), 'PX', ttl)
    reply = { 'ok' }

else
    redis.call('SET', name, value, 'PX', ttl)
    reply = { 'won' }
end

if limits_tell then return limits_tell(reply) end

table.insert(reply, 1, proof)
return reply
