-- The limits of a create that has no record, or whose record lives elsewhere.
--
-- KEYS[1]  the receipt: when the reply was lost and the command is sent again,
--          what was paid is not paid twice
-- ARGV[1]  spend
-- ARGV[2]  a token
-- ARGV[3]  for how many milliseconds the receipt is kept
--
-- More of both: see limit.lua.

local kept = limits_number(ARGV[3])

limits_take()

local bad = limits_read()

if bad then return limits_unreadable(bad) end

if limits_how ~= 'read' then

    if redis.call('EXISTS', KEYS[1]) == 1 then
        limits_done = 'spent'

    else
        need('SET', KEYS[1], '', 'PX', kept)

        if not limits_spend() then return limits_tell({ 'limited' }) end

        redis.call('SET', KEYS[1], '', 'PX', kept)
    end
end

return limits_tell({ 'ok' })
