-- One scenario for wrk: arguments are its name, the file of the body, that of
-- the broken body, and what makes this run's new keys unlike all others.
--
--   forward   no key            replay   keys that have been answered
--   create    a new key each    reject   a body with a mistake
--   mixed     14 create, 5 replay and 1 reject of 20

local scenario, tag, good, bad
local n = 0


local function content(path)
    local fh = assert(io.open(path, 'rb'))
    local text = fh:read('*a')
    fh:close()
    return text
end


-- as a client library writes it: the key is put between head and tail

local function parts(body)
    local head = 'POST ' .. wrk.path .. ' HTTP/1.1\r\n'
        .. 'Host: ' .. wrk.host .. '\r\n'
        .. 'User-Agent: okhttp/4.12.0\r\n'
        .. 'Accept: application/json\r\n'
        .. 'Content-Type: application/json; charset=utf-8\r\n'
        .. 'Content-Length: ' .. #body .. '\r\n'

    return { head .. '\r\n' .. body, head .. 'Idempotency-Key: ',
             '\r\n\r\n' .. body }
end


function init(args)
    scenario, tag = args[1], args[4]
    good, bad = parts(content(args[2])), parts(content(args[3]))
end


-- 36 characters, as a UUID has

local function with_key(parts, name, i)
    return parts[2] .. string.format('%s-%s-%020d', name, tag, i) .. parts[3]
end

local make = {}

function make.forward() return good[1] end
function make.create() return with_key(good, 'create', n) end
function make.replay() return with_key(good, 'replay', n % 100) end
function make.reject() return with_key(bad, 'reject', n) end

function make.mixed()
    local i = n % 20

    if i == 0 then return make.reject() end
    if i % 4 == 3 then return make.replay() end
    return make.create()
end


function request()
    n = n + 1
    return make[scenario]()
end


function done(summary, latency)
    local errors = summary.errors

    io.write(string.format('RESULT {"requests":%d,"us":%d,"p50":%d,"p99":%d,'
        .. '"failed":%d,"refused":%d}\n', summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.timeout,
        errors.status))
end
