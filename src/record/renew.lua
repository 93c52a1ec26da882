-- A claim whose owner lives: what is left of its lease is told by its expiry.
--
-- KEYS[1]  the record
-- ARGV[1]  renew
-- ARGV[2]  the owner's token
-- ARGV[3]  the value of its claim
-- ARGV[4]  its ttl, milliseconds
--
--   ok             renewed
--   found value    not ours, or nothing (a null): nothing was done

local proof = ARGV[1] .. ARGV[2]:sub(1, 8)
local value = ARGV[3]
local stood = redis.call('GET', KEYS[1])

if stood and #stood >= 72 and stood:sub(1, 3) == '1c\0'
   and stood:sub(5, 60) == value:sub(5, 60)
then
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return { proof, 'ok' }
end

return { proof, 'found', stood }
