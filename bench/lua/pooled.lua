-- Redis as lua-resty-redis is meant to be used: a connection for each command
-- that waits, from a pool that never has to make new ones.

local redis = require 'nginx.redis'

local _M = {}

local host, port


function _M.init(...)
    host, port = ...
end


function _M.start()
end


-- the reply, or nil and why not
function _M.evalsha(...)
    local red = redis:new()
    red:set_timeout(2000)

    local ok, err = red:connect(host, port)
    if not ok then return nil, err end

    local reply
    reply, err = red:evalsha(...)

    if reply then red:set_keepalive(600000, 512) end

    return reply, err
end


return _M
