-- The limits of a create that has no record, or whose record lives elsewhere.
--
-- KEYS[1]  the receipt: when the reply was lost and the command is sent again,
--          what was paid is not paid twice.  While a slot moves a script cannot
--          use two of its keys: then it is KEYS[2], the only limit, and there
--          is no receipt.
-- ARGV[1]  spend
-- ARGV[2]  a token
-- ARGV[3]  for how many milliseconds the receipt is kept
--
-- More of both: see limit.lua.

local kept = limits_number(ARGV[3])

limits_take()

local bad = limits_read()

if bad then return limits_unreadable(bad) end

local receipt = KEYS[1] ~= KEYS[2] and KEYS[1]

if limits_how ~= 'read' then

    if receipt and redis.call('GET', receipt) then
        limits_done = 'spent'
        return limits_tell({ 'ok' })
    end

    if not limits_spend() then return limits_tell({ 'limited' }) end
    if receipt then redis.call('SET', receipt, '', 'PX', kept) end
end

return limits_tell({ 'ok' })
