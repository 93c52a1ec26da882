-- The limits of a create: GCRA, one string key each.  Stands before claim.lua
-- and before spend.lua, which say when something is spent.
--
-- A limit lets Q creates pass at once, and earns one more every P/N
-- microseconds, as N are allowed in P.  What is spent and not earned again is a
-- debt, counted in Nths of a microsecond: a create costs P, and Q creates are
-- all that can be owed.  These are integers below 2^53: every sum is exact.
--
-- A key says when nothing will be owed, by Redis' own clock, in microseconds
-- and Nths of one, and expires then: "1700000000123456 2".  A debt that is
-- larger than can be, after a change of the rate or of the clock, is cut.
--
-- KEYS[2] ...  the limits
-- ARGV         at its end, where there are limits: how, then N P Q of each
--
--   spend      from each limit, or from none when one of them is used up
--   dry_run    the same, and the create passes in any case
--   read       spends nothing
--
-- Behind a reply comes what became of the limits: an array of read, spent or
-- refused, then of each limit how many creates are left, and in how many
-- seconds one more is earned, rounded up; 0 when none is missing.
--
-- ARGV[1], ARGV[2]   what to do, and a token that nobody else has.  Every reply
--                    begins with the first and some bytes of the second: the
--                    proof that it answers this command and no other.

local proof = ARGV[1] .. ARGV[2]:sub(1, 8)

local limits = {}
local limits_how
local limits_done = 'read'
local limits_time


-- An argument is checked before anything is written.
local function limits_number(text)
    if not text or #text > 15 or not text:find('^[1-9]%d*$') then
        error('a limit needs three positive numbers', 0)
    end

    return tonumber(text)
end


local function limits_take()
    local own = #ARGV - 3 * (#KEYS - 1) - 1

    limits_how = ARGV[own + 1]

    for i = 2, #KEYS do
        local rate = own + 3 * i - 4

        limits[i - 1] = {
            key = KEYS[i],
            n = limits_number(ARGV[rate]),
            p = limits_number(ARGV[rate + 1]),
            q = limits_number(ARGV[rate + 2]),
        }
    end
end


-- nil where the key holds something else
local function limits_debt(limit, text)
    if not text then return 0 end

    local whole, part = text:match('^(%d+) (%d+)$')

    if not whole or #text > 31 then return nil end

    local debt = (tonumber(whole) - limits_time) * limit.n
                 + math.min(tonumber(part), limit.n - 1)

    return math.max(0, math.min(debt, limit.q * limit.p))
end


-- 'limit' where one of them cannot be used
local function limits_read()
    local time = redis.call('TIME')
    limits_time = time[1] * 1000000 + time[2]

    for _, limit in ipairs(limits) do
        limit.debt = limits_debt(limit, redis.call('GET', limit.key))
        if not limit.debt then return 'limit' end
    end
end


-- false where the create must not pass
local function limits_spend()
    limits_done = 'spent'

    for _, limit in ipairs(limits) do
        if limit.debt > (limit.q - 1) * limit.p then limits_done = 'refused' end
    end

    if limits_done == 'refused' then return limits_how == 'dry_run' end

    for _, limit in ipairs(limits) do
        limit.debt = limit.debt + limit.p

        local part = limit.debt % limit.n
        local whole = limits_time + (limit.debt - part) / limit.n

        redis.call('SET', limit.key, string.format('%.0f %.0f', whole, part),
                   'PX', string.format('%.0f',
                                       math.ceil(limit.debt / limit.n / 1000)))
    end

    return true
end


local function limits_tell(reply)
    table.insert(reply, 1, proof)

    local told = { limits_done }

    for _, limit in ipairs(limits) do
        local used = math.ceil(limit.debt / limit.p)
        local wait = limit.debt - math.max(used - 1, 0) * limit.p

        told[#told + 1] = limit.q - used
        told[#told + 1] = math.ceil(wait / (limit.n * 1000000))
    end

    reply[#reply + 1] = told
    return reply
end


-- of a record or a limit that cannot be used nothing else is said
local function limits_unreadable(bad)
    return { proof, 'unreadable', bad }
end
