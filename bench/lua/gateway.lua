-- The gateway's job, as an expert would do it with nginx' Lua module: the same
-- checks, a record that is claimed by one native command and stored by another,
-- an answer that is held until it is stored.
--
-- A record is a string: "p" and the fingerprint while a request is under way;
-- then "a", the fingerprint, and the answer.
--
--   SET name p... NX GET EX    claims.  Nothing comes back where nothing was,
--                              and then it is set; otherwise what is there
--                              comes back, and all that is to be decided can be
--                              seen in it: one command (of Redis 7.0), and no
--                              script.
--   SET name a... EX           stores.  Whoever has the claim simply writes: to
--                              compare before it would take a script, several
--                              times the command.  Instead a claim lives longer
--                              than the upstream may take.
--
-- So it needs no token, and lacks what the gateway has one for: who was stopped
-- for longer than its claim lived runs over what was stored since.  What else
-- it leaves out costs it nothing: lists and single segments, duplicates that
-- wait, storing in background after a failure, looking for the Secret Key in
-- answers, masking nginx' own errors.

local checks = require 'checks'
local cjson = require 'cjson.safe'

local byte, find, sub = string.byte, string.find, string.sub
local concat = table.concat
local null = ngx.null
local ngx = ngx

local _M = {}

local redis

local FINGERPRINT = 32                  -- bytes, behind the first one
local ANSWERED = byte('a')

-- what else is stored of an answer
local STORED = { 'Content-Type', 'Content-Language', 'Location', 'ETag',
                 'Last-Modified', 'Link', 'Cache-Control' }

local REMEMBERED = { [400] = true, [404] = true, [409] = true, [422] = true }


-- "how" names the module that talks to Redis
function _M.init(how, port)
    redis = require(how)
    redis.init('127.0.0.1', port)
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


-- status, headers of a line each, an empty line, body
local function answered(fingerprint, status, headers, body)
    return concat({ 'a', fingerprint, status, '\n', headers, '\n', body })
end


local function replay(record)
    local status = FINGERPRINT + 2
    local headers = status + 4
    local last = find(record, '\n\n', headers - 1, true)
    local body = sub(record, last + 2)

    ngx.status = tonumber(sub(record, status, status + 2))

    local lines = sub(record, headers, last)

    for name, value in lines:gmatch('([^:\n]+): ([^\n]*)\n') do
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


-- The claim is ours.  It goes where the request was not executed, and where
-- nobody knows: the retry brings the upstream the same key.
local function run(record, fingerprint, upstream_key)
    ngx.req.set_header('Idempotency-Key', upstream_key)

    local answer = ngx.location.capture('/upstream',
        { method = ngx.HTTP_POST, always_forward_body = true })
    local status = answer.status
    local stored

    if answer.truncated then status = 502 end

    if status >= 200 and status < 300 or REMEMBERED[status] then
        stored = redis.store(record, answered(fingerprint, status,
                                              stored_headers(answer.header),
                                              answer.body))
    else
        redis.forget(record)
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
    ngx.header['Idempotency-Status'] = stored and 'recorded' or 'unstored'
    ngx.print(answer.body)

    return ngx.exit(ngx.HTTP_OK)
end


local function admit(key, segment)
    local scope = ngx.var.remote_user or ''
    local record = checks.record_name(scope, key)
    local fingerprint = checks.fingerprint(segment)
    local found, err = redis.claim(record, 'p' .. fingerprint)

    if not found then
        ngx.log(ngx.ERR, 'redis: ', err)
        ngx.header['Retry-After'] = 1
        return refuse(503, 'internal', 'storage_error',
                      "The gateway's storage is unavailable, try again")
    end

    if found == null then
        return run(record, fingerprint,
                   checks.upstream_key(scope, key, fingerprint))
    end

    if sub(found, 2, FINGERPRINT + 1) ~= fingerprint then
        ngx.header['Idempotency-Status'] = 'mismatch'
        return refuse(422, 'request', 'idempotency_key_reused',
                      'This Idempotency-Key was used for another request')
    end

    if byte(found) == ANSWERED then return replay(found) end

    ngx.header['Retry-After'] = 1
    ngx.header['Idempotency-Status'] = 'in-progress'
    return refuse(409, 'request', 'idempotency_in_progress',
                  'A request with this Idempotency-Key is in progress')
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
