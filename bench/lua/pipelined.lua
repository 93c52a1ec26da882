-- Redis over one connection of the worker: what all requests ask in one turn
-- of the event loop leaves in one write, as in the gateway.
--
-- A socket belongs to the request that made it, so it is made by a timer that
-- never ends: one of its threads writes, the other reads and wakes who waits.

local semaphore = require 'ngx.semaphore'

local concat = table.concat
local tcp = ngx.socket.tcp
local byte, find, sub = string.byte, string.find, string.sub

local _M = {}

local host, port
local wanted                            -- posted when there is something to do
local queue, queued = {}, 0             -- commands' texts
local waiting, first, last = {}, 1, 0   -- who waits for the replies, in order


function _M.init(...)
    host, port = ...
end


-- What has arrived is taken as a whole, and replies are cut out of it: a socket
-- asked for each line would be asked twice for most of them.  These are the
-- kinds that a SET or a DEL is answered with.  Returns the reply, why it is
-- none, and where the next one begins; no place where it is not all there.

local function cut(text, at)
    local last = find(text, '\r\n', at, true)
    if not last then return end

    local kind = byte(text, at)
    local line = sub(text, at + 1, last - 1)

    if kind == 36 then                  -- $
        local size = tonumber(line)
        if size < 0 then return ngx.null, nil, last + 2 end

        local from = last + 2
        local to = from + size
        if #text < to + 1 then return end

        return sub(text, from, to - 1), nil, to + 2
    end

    if kind == 45 then return false, line, last + 2 end       -- -
    return line, nil, last + 2                                -- + :
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
    local rest = ''

    while true do
        local text, err = sock:receiveany(65536)

        if not text and err ~= 'timeout' then return end

        local at = 1
        rest = rest .. (text or '')

        while true do
            local reply, why, next_at = cut(rest, at)
            if not next_at then break end

            local who = waiting[first]
            waiting[first] = nil
            first = first + 1
            at = next_at

            who.reply, who.err = reply, why
            who.semaphore:post(1)
        end

        rest = sub(rest, at)
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
local function command(text)
    local who = ngx.ctx.who

    if not who then
        who = { semaphore = semaphore.new() }
        ngx.ctx.who = who
    end

    queued = queued + 1
    queue[queued] = text
    last = last + 1
    waiting[last] = who

    if queued == 1 then wanted:post(1) end

    local ok, err = who.semaphore:wait(2)
    if not ok then return nil, err end

    return who.reply, who.err
end


-- of a command that hardly varies only two words are put in

local CLAIM = '*7\r\n$3\r\nSET\r\n$'
local STORE = '*5\r\n$3\r\nSET\r\n$'
local FORGET = '*2\r\n$3\r\nDEL\r\n$'

-- a claim lives longer than connecting to, writing to and reading from the
-- upstream may take together, since nobody renews it

local IF_NOTHING_IS_THERE = '\r\n$2\r\nNX\r\n$3\r\nGET\r\n'
                            .. '$2\r\nEX\r\n$3\r\n200\r\n'
local FOR_A_DAY = '\r\n$2\r\nEX\r\n$5\r\n86400\r\n'


-- ngx.null where it is ours, what is there where it is not, nil and why not
function _M.claim(name, value)
    return command(concat({ CLAIM, #name, '\r\n', name, '\r\n$', #value, '\r\n',
                            value, IF_NOTHING_IS_THERE }))
end


function _M.store(name, value)
    return command(concat({ STORE, #name, '\r\n', name, '\r\n$', #value, '\r\n',
                            value, FOR_A_DAY }))
end


function _M.forget(name)
    return command(concat({ FORGET, #name, '\r\n', name, '\r\n' }))
end


return _M
