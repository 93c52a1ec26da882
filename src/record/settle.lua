-- A claim comes to its end with an answer, or with the status of one that is
-- too large.
--
-- A definite answer is also taken where nobody owns the key: after an outcome
-- that was unknown so far, and after Redis lost the record.  It saves another
-- execution.
--
-- KEYS[1]  the record
-- ARGV[1]  the value of the answer, or of the tombstone: its state says what is
--          to be done, and its token who does it
-- ARGV[2]  its ttl, milliseconds
--
--   the proof alone    done, by this command or when it was sent before
--   found value        not ours: nothing was done
--
-- The end is published, as the record's name, on each channel of the claim.

local name, value = KEYS[1], ARGV[1]
local proof = value:sub(2, 2) .. value:sub(45, 52)
local stood = redis.call('GET', name)
local at

if stood and stood:sub(5, 12) == value:sub(5, 12) then
    local state = stood:sub(1, 3)
    local ours = stood:sub(45, 60) == value:sub(45, 60)

    -- sealed or not: what of it one has to know is not for us

    if ours and (state == '1a\0' or state == '1a\1' or state == '1t\0') then
        return proof
    end

    if ours and state == '1c\0' and #stood >= 72 then
        at = 73

    elseif state == '1u\0' and stood:sub(13, 44) == value:sub(13, 44) then
        at = 45
    end
end

if stood and not at then return { proof, 'found', stood } end

redis.call('SET', name, value, 'PX', ARGV[2])

while stood and at + 2 <= #stood do
    local item, high, low = stood:byte(at, at + 2)
    local last = at + 2 + high * 256 + low

    if item == 1 then redis.pcall('PUBLISH', stood:sub(at + 3, last), name) end

    at = last + 1
end

return proof
