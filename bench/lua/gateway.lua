-- The gateway's job, as an expert would do it with nginx' Lua module: the same
-- checks, the same records by the same script in the same Redis, an answer that
-- is held until it is stored.  What it leaves out costs it nothing: lists and
-- single segments, renewing a lease, storing in background after a failure,
-- looking for the Secret Key in answers, masking nginx' own errors.

local checks = require 'checks'
local cjson = require 'cjson.safe'
local random = require 'nginx.random'
local to_hex = require 'nginx.string'.to_hex

local find, sub = string.find, string.sub
local concat = table.concat
local ngx = ngx

local _M = {}

local redis, script
local LEASE, TTL = 10000, 86400000

-- what else is stored of an answer
local STORED = { 'Content-Type', 'Content-Language', 'Location', 'ETag',
                 'Last-Modified', 'Link', 'Cache-Control' }

local REMEMBERED = { [400] = true, [404] = true, [409] = true, [422] = true }


-- "how" names the module that talks to Redis; the script has been loaded there
function _M.init(how, port, sha1)
    redis = require(how)
    redis.init('127.0.0.1', port)
    script = sha1
end


function _M.start()
    redis.start()
end


local function refuse(status, kind, code, message, details)
    local body = cjson.encode({ error = { type = kind, code = code,
                                          message = message,
                                          details = details } })
    ngx.status = status
    ngx.header['Content-Type'] = 'application/json'
    ngx.header['Content-Length'] = #body
    ngx.print(body)

    return ngx.exit(ngx.HTTP_OK)
end


-- 16 bytes at a time of what was drawn at once
local tokens, left = '', 0

local function token()
    if left == 0 then
        tokens, left = random.bytes(1024, true), 64
    end

    left = left - 1
    return to_hex(sub(tokens, 16 * left + 1, 16 * left + 16))
end


local function is_json(content_type)
    if content_type == 'application/json' then return true end

    return type(content_type) == 'string'
           and find(content_type:lower(),
                    '^application/json[ \t]*;[ \t]*charset="?utf%-8"?[ \t]*$')
end


local function body_of_request()
    ngx.req.read_body()

    local body = ngx.req.get_body_data()
    local file = not body and ngx.req.get_body_file()

    if file then
        local fh = io.open(file, 'rb')
        body = fh and fh:read('*a')
        if fh then fh:close() end
    end

    return body
end


local function replay(status, headers, body)
    ngx.status = tonumber(status)

    for name, value in headers:gmatch('([^:\n]+): ([^\n]*)\n') do
        ngx.header[name] = value
    end

    ngx.header['Content-Length'] = #body
    ngx.header['Idempotent-Replayed'] = 'true'
    ngx.header['Idempotency-Status'] = 'replayed'
    ngx.print(body)

    return ngx.exit(ngx.HTTP_OK)
end


local function stored_headers(header)
    local out = {}

    for i = 1, #STORED do
        local value = header[STORED[i]]

        if value then
            out[#out + 1] = STORED[i] .. ': ' .. value .. '\n'
        end
    end

    return concat(out)
end


-- Of a reply its first word is the proof that it answers this command: what was
-- to be done, and some bytes of the token.
local function ask(record, what, owner, ...)
    local reply, err = redis.evalsha(script, 1, record, what, owner, ...)

    if reply and reply[1] ~= what .. sub(owner, 1, 8) then
        return nil, 'a reply to another command'
    end

    return reply, err
end


-- the claim is ours
local function run(record, owner, fingerprint, upstream_key)
    ngx.req.set_header('Idempotency-Key', upstream_key)

    local answer = ngx.location.capture('/upstream',
        { method = ngx.HTTP_POST, always_forward_body = true })
    local status = answer.status
    local reply

    if status >= 200 and status < 300 or REMEMBERED[status] then
        reply = ask(record, 'complete', owner, fingerprint, TTL, status,
                    stored_headers(answer.header), answer.body)

    elseif status >= 400 and status < 500 then
        ask(record, 'give_back', owner)

    else
        ask(record, 'unknown', owner)
    end

    if status == 401 or status == 402 or status == 403 or status == 418 then
        return refuse(502, 'internal', 'upstream_unauthorized',
                      'The gateway is not authorized by the upstream')
    end

    if status >= 500 then
        return refuse(status, 'internal', 'network_error',
                      'The upstream did not answer')
    end

    ngx.status = status

    for name, value in pairs(answer.header) do
        if name ~= 'Connection' and name ~= 'Date' and name ~= 'Server' then
            ngx.header[name] = value
        end
    end

    ngx.header['Content-Length'] = #answer.body
    ngx.header['Idempotency-Status'] = reply and reply[2] == 'ok' and 'recorded'
                                       or 'unstored'
    ngx.print(answer.body)

    return ngx.exit(ngx.HTTP_OK)
end


local function admit(key, segment)
    local scope = ngx.var.remote_user or ''
    local record = checks.record_name(scope, key)
    local fingerprint = checks.fingerprint(segment)
    local owner = token()

    local reply, err = ask(record, 'claim', owner, fingerprint, LEASE, TTL,
                           'retry')

    if not reply then
        ngx.log(ngx.ERR, 'redis: ', err)
        ngx.header['Retry-After'] = 1
        return refuse(503, 'internal', 'storage_error',
                      "The gateway's storage is unavailable, try again")
    end

    local verdict = reply[2]

    if verdict == 'ok' then
        return run(record, owner, fingerprint,
                   checks.upstream_key(scope, key, fingerprint))
    end

    if verdict == 'replay' then
        return replay(reply[3], reply[4], reply[5])
    end

    if verdict == 'in_progress' then
        ngx.header['Retry-After'] = math.ceil(reply[3] / 1000)
        ngx.header['Idempotency-Status'] = 'in-progress'
        return refuse(409, 'request', 'idempotency_in_progress',
                      'A request with this Idempotency-Key is in progress')
    end

    if verdict == 'mismatch' then
        ngx.header['Idempotency-Status'] = 'mismatch'
        return refuse(422, 'request', 'idempotency_key_reused',
                      'This Idempotency-Key was used for another request')
    end

    return refuse(503, 'internal', 'storage_error',
                  "The gateway's storage is unavailable, try again")
end


-- returns where proxy_pass is to go on
function _M.access()
    if ngx.var.uri ~= '/v4/segments' then
        return refuse(404, 'request', 'invalid_request',
                      'Unrecognized request URL')
    end

    if ngx.req.get_method() ~= 'POST' then
        ngx.header['Allow'] = 'POST'
        return refuse(405, 'request', 'invalid_request', 'Method not allowed')
    end

    if not is_json(ngx.var.http_content_type)
       or ngx.var.http_content_encoding
    then
        return refuse(415, 'request', 'invalid_content',
                      'Content-Type must be application/json')
    end

    local header = ngx.var.http_idempotency_key
    local key = header and checks.key(header)

    if header and not key then
        return refuse(400, 'request', 'idempotency_key_invalid',
                      'Idempotency-Key must be one string of 1 to 255 visible '
                      .. 'characters')
    end

    if ngx.var.args then
        return refuse(400, 'request', 'invalid_data', 'Validation failed')
    end

    local segment, written = checks.parse(body_of_request())

    if not segment then
        return refuse(400, 'request', 'invalid_data', written)
    end

    local errors, members = checks.schema(segment)

    if #errors > 0 then
        return refuse(400, 'request', 'invalid_data', 'Validation failed',
                      errors)
    end

    if members ~= written then
        return refuse(400, 'request', 'invalid_data',
                      'Request body has a member twice')
    end

    if key then return admit(key, segment) end
end


return _M
