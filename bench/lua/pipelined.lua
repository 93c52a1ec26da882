-- Redis over one connection of the worker: what all requests ask in one turn
-- of the event loop leaves in one write, as in the gateway.
--
-- A socket belongs to the request that made it, so it is made by a timer that
-- never ends: one of its threads writes, the other reads and wakes who waits.

local semaphore = require 'ngx.semaphore'

local concat = table.concat
local tcp = ngx.socket.tcp
local byte, sub = string.byte, string.sub

local _M = {}

local host, port
local wanted                            -- posted when there is something to do
local queue, queued = {}, 0             -- commands' texts
local waiting, first, last = {}, 1, 0   -- who waits for the replies, in order


function _M.init(...)
    host, port = ...
end


local function read_reply(sock)
    local line, err = sock:receive()
    if not line then return nil, err end

    local kind = byte(line)

    if kind == 36 then                  -- $
        local size = tonumber(sub(line, 2))
        if size < 0 then return ngx.null end

        local data
        data, err = sock:receive(size + 2)
        return data and sub(data, 1, -3), err
    end

    if kind == 42 then                  -- *
        local reply = {}

        for i = 1, tonumber(sub(line, 2)) do
            reply[i], err = read_reply(sock)
            if reply[i] == nil then return nil, err end
        end

        return reply
    end

    if kind == 58 then return tonumber(sub(line, 2)) end      -- :
    if kind == 45 then return false, sub(line, 2) end         -- -
    return sub(line, 2)
end


local function write(sock)
    while true do
        wanted:wait(60)

        if queued > 0 then
            local text = concat(queue, '', 1, queued)
            queued = 0

            if not sock:send(text) then return end
        end
    end
end


local function read(sock)
    while true do
        local reply, err = read_reply(sock)

        if reply == nil and err ~= 'timeout' then return end

        if reply ~= nil then
            local who = waiting[first]
            waiting[first] = nil
            first = first + 1

            who.reply, who.err = reply, err
            who.semaphore:post(1)
        end
    end
end


local function talk(premature)
    if premature then return end

    local sock = tcp()
    sock:settimeouts(2000, 2000, 60000)

    local ok, err = sock:connect(host, port)

    if ok then
        ngx.thread.wait(ngx.thread.spawn(write, sock),
                        ngx.thread.spawn(read, sock))
    else
        ngx.log(ngx.ERR, 'cannot connect to redis: ', err)
    end

    -- whoever waits runs into its time-out; then anew

    waiting, first, last, queued = {}, 1, 0, 0
    ngx.timer.at(0.1, talk)
end


function _M.start()
    wanted = semaphore.new()
    ngx.timer.at(0, talk)
end


-- the reply, or nil and why not
function _M.evalsha(...)
    local n = select('#', ...)
    local text = { '*', n + 1, '\r\n$7\r\nEVALSHA' }
    local m = 3

    for i = 1, n do
        local word = select(i, ...)
        word = type(word) == 'string' and word or tostring(word)

        text[m + 1] = '\r\n$'
        text[m + 2] = #word
        text[m + 3] = '\r\n'
        text[m + 4] = word
        m = m + 4
    end

    text[m + 1] = '\r\n'

    local who = ngx.ctx.who

    if not who then
        who = { semaphore = semaphore.new() }
        ngx.ctx.who = who
    end

    queued = queued + 1
    queue[queued] = concat(text)
    last = last + 1
    waiting[last] = who

    if queued == 1 then wanted:post(1) end

    local ok, err = who.semaphore:wait(2)
    if not ok then return nil, err end

    return who.reply, who.err
end


return _M
