-- What the gateway checks of a create, written for LuaJIT: the schema, the
-- canonical form, the key's syntax and the names made of it.

local bit = require 'bit'
local cjson = require 'cjson.safe'
local ffi = require 'ffi'
local sha256 = require 'nginx.sha256'
local to_hex = require 'nginx.string'.to_hex

local byte, find, format, gsub, sub = string.byte, string.find, string.format,
                                      string.gsub, string.sub
local null, type, pairs = cjson.null, type, pairs
local bor, cast, re_find = bit.bor, ffi.cast, ngx.re.find
local bytes = ffi.typeof('const uint8_t *')

cjson.decode_max_depth(16)
cjson.decode_invalid_numbers(false)

local _M = {}


local COMPARATORS = {
    eq = true, ne = true, gt = true, gte = true, lt = true, lte = true,
    contains = true, not_contains = true,
}

local SEGMENT = { name = true, conditions = true }
local CONDITION = { metric = true, comparator = true, value = true,
                    negate = true }


local function violation(errors, field, message)
    errors[#errors + 1] = { field = field, message = message }
end


local function code_points(text)
    local _, continued = gsub(text, '[\128-\191]', '')
    return #text - continued
end


local function check_string(errors, field, value)
    if value == nil then return violation(errors, field, 'Required') end

    if type(value) ~= 'string' then
        return violation(errors, field, 'Must be a string')
    end

    return true
end


local function check_condition(errors, path, condition)
    if type(condition) ~= 'table' or condition[1] ~= nil then
        violation(errors, path, 'Must be an object')
        return 0
    end

    check_string(errors, path .. '.metric', condition.metric)

    if check_string(errors, path .. '.comparator', condition.comparator)
       and not COMPARATORS[condition.comparator]
    then
        violation(errors, path .. '.comparator',
                  'Must be one of eq, ne, gt, gte, lt, lte, contains, '
                  .. 'not_contains')
    end

    check_string(errors, path .. '.value', condition.value)

    if condition.negate ~= nil and type(condition.negate) ~= 'boolean' then
        violation(errors, path .. '.negate', 'Must be a boolean')
    end

    local members = 0

    for name in pairs(condition) do
        members = members + 1

        if not CONDITION[name] then
            violation(errors, path .. '.' .. name, 'Unknown field')
        end
    end

    return members
end


-- the violations of a create, or an empty table; and how many members it has
function _M.schema(segment)
    local errors = {}
    local members = 0

    if check_string(errors, 'name', segment.name)
       and #segment.name > 256 and code_points(segment.name) > 256
    then
        violation(errors, 'name', 'Value is too long')
    end

    local conditions = segment.conditions

    if conditions == null or conditions ~= nil and type(conditions) ~= 'table'
    then
        violation(errors, 'conditions', 'Must be an array')

    elseif conditions then
        for i = 1, #conditions do
            members = members
                      + check_condition(errors, 'conditions[' .. i - 1 .. ']',
                                        conditions[i])
        end
    end

    for name in pairs(segment) do
        members = members + 1

        if not SEGMENT[name] then violation(errors, name, 'Unknown field') end
    end

    return errors, members
end


-- What cjson lets through: control characters, bytes that are not UTF-8,
-- U+0000, and a member that comes twice.  Returns how many members the text
-- has, or nil; there are fewer in the object where one came twice.

local function scan(text)
    local p, len = cast(bytes, text), #text
    local i, members, seen, quoted = 0, 0, 0, false

    while i < len do
        local c = p[i]

        if c == 34 then
            quoted = not quoted

        elseif quoted then
            if c < 32 then return nil end
            if c == 92 then i = i + 1 end

        elseif c == 58 then
            members = members + 1
        end

        seen = bor(seen, c)
        i = i + 1
    end

    -- PCRE refuses to look at what is not UTF-8
    if seen >= 128 and not re_find(text, '', 'jou') then return nil end

    return members
end


local function has_nul(value)
    if type(value) ~= 'table' then
        return type(value) == 'string' and find(value, '\0', 1, true)
    end

    for name, member in pairs(value) do
        if has_nul(name) or has_nul(member) then return true end
    end
end


-- the object and how many members were written, or nil and why not
function _M.parse(text)
    local segment = text and cjson.decode(text)
    local members = segment and scan(text)

    if not members or type(segment) ~= 'table'
       or byte(text, find(text, '%S')) ~= 123
       or find(text, '\\u0000', 1, true) and has_nul(segment)
    then
        return nil, 'Request body is not a JSON object'
    end

    return segment, members
end


-- Of a segment that has passed: what it can have, in one order, as one list, so
-- that one call writes it.  An empty list and none differ, so do negate's
-- three.
local function canonical(segment)
    local out = { segment.name }
    local conditions = segment.conditions
    local n = 1

    if conditions then
        out[2] = #conditions
        n = 2

        for i = 1, #conditions do
            local condition = conditions[i]

            out[n + 1] = condition.comparator
            out[n + 2] = condition.metric
            out[n + 3] = condition.value

            if condition.negate == nil then
                out[n + 4] = null
            else
                out[n + 4] = condition.negate
            end

            n = n + 4
        end
    end

    return cjson.encode(out)
end


local function digest(text)
    local hash = sha256:new()
    hash:update(text)
    return hash:final()
end


-- of the canonical form: 32 bytes
function _M.fingerprint(segment)
    return digest(canonical(segment))
end


-- the key without quotes, or nil where it is malformed
function _M.key(header)
    if type(header) ~= 'string' then return nil end

    if byte(header) ~= 34 then
        if #header > 255 or not find(header, '^[!-~]+$')
           or find(header, '[",;\\]')
        then
            return nil
        end

        return header
    end

    if not find(header, '^"[ -~]*"$') then return nil end

    local key, bad = gsub(sub(header, 2, -2), '\\(.?)', function(c)
        return (c == '"' or c == '\\') and c or '\n'
    end)

    if bad > 0 and find(key, '\n', 1, true) or key == '' or #key > 255 then
        return nil
    end

    return key
end


local function escape(c)
    return format('%%%02X', byte(c))
end


function _M.record_name(scope, key)
    return 'segments:{live:' .. gsub(scope, '[^%w._~-]', escape) .. '}:create:'
           .. gsub(key, '[^%w._~-]', escape)
end


-- the Idempotency-Key that the upstream gets
function _M.upstream_key(scope, key, fingerprint)
    local hex = to_hex(digest(#scope .. ':' .. scope .. '6:create'
                              .. #key .. ':' .. key .. '32:' .. fingerprint))

    return sub(hex, 1, 8) .. '-' .. sub(hex, 9, 12) .. '-8' .. sub(hex, 14, 16)
           .. '-' .. format('%x', 8 + byte(hex, 17) % 4) .. sub(hex, 18, 20)
           .. '-' .. sub(hex, 21, 32)
end


return _M
