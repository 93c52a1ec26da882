-- Redis as lua-resty-redis is meant to be used: a connection for each command
-- that waits, from a pool that never has to make new ones.

local redis = require 'nginx.redis'

local _M = {}

local host, port

-- a claim lives longer than connecting to, writing to and reading from the
-- upstream may take together, since nobody renews it
local CLAIMED, STORED = 200, 86400


function _M.init(...)
    host, port = ...
end


function _M.start()
end


-- the reply, or nil and why not
local function command(name, ...)
    local red = redis:new()
    red:set_timeout(2000)

    local ok, err = red:connect(host, port)
    if not ok then return nil, err end

    local reply
    reply, err = red[name](red, ...)

    if reply then red:set_keepalive(600000, 512) end

    return reply, err
end


-- ngx.null where it is ours, what is there where it is not, nil and why not
function _M.claim(name, value)
    return command('set', name, value, 'NX', 'GET', 'EX', CLAIMED)
end


function _M.store(name, value)
    return command('set', name, value, 'EX', STORED)
end


function _M.forget(name)
    return command('del', name)
end


return _M
