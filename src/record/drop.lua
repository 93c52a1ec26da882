-- A claim comes to its end without an answer.
--
-- KEYS[1]  the record
-- ARGV[1]  give_back: nothing was sent; unknown: sent, no definite answer
-- ARGV[2]  the owner's token
-- ARGV[3]  the value of an unknown outcome
-- ARGV[4]  its ttl, milliseconds
--
--   ok             done
--   found value    not ours, or nothing (a null): nothing was done
--
-- What is given back returns to what it was before the claim.  The end is
-- published, as the record's name, on each channel of the claim.

local proof = ARGV[1] .. ARGV[2]:sub(1, 8)
local name, value = KEYS[1], ARGV[3]
local stood = redis.call('GET', name)
local from = stood and stood:sub(4, 4)

if not stood or #stood < 72 or stood:sub(1, 3) ~= '1c\0'
   or stood:sub(5, 44) ~= value:sub(5, 44) or stood:sub(45, 60) ~= ARGV[2]
   or (from ~= 'a' and from ~= 'u')
then
    return { proof, 'found', stood }
end

if ARGV[1] == 'give_back' and from == 'a' then
    redis.call('DEL', name)

else
    redis.call('SET', name, value, 'PX', ARGV[4])
end

local at = 73

while at + 2 <= #stood do
    local item, high, low = stood:byte(at, at + 2)
    local last = at + 2 + high * 256 + low

    if item == 1 then redis.pcall('PUBLISH', stood:sub(at + 3, last), name) end

    at = last + 1
end

return { proof, 'ok' }
