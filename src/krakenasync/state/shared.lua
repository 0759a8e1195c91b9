-- What a store does to a counter and to a lane, for a Redis or Valkey server; records.py says the same in Python.
-- KEYS[1]: the record, a hash. ARGV[1]: words: the question, what the caller remembers (recall.py), the question's own.
-- Question and answer are one string each, for a client in Python spends most of its time on reading the wire.
-- Times are whole microseconds of the server's clock, which is the same for all callers.
-- Numbers are doubles: whole ones are written with %.0f and stay below 2^53, so nonces are no finer than microseconds.
local words = {}
for word in string.gmatch(ARGV[1], '%S+') do words[#words + 1] = word end
local question, seq, seen, elapsed = words[1], tonumber(words[2]), tonumber(words[3]), tonumber(words[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local KEEP_COUNTER, KEEP_LANE = 604800000, 34560000000
local PICKUP, QUARANTINE, SKEW = 1000000, 2000000, 250000

local function whole(number) return string.format('%.0f', number) end

local function answer(first, wait, level, count, blocked)
  return table.concat({first, whole(wait), level, whole(count), whole(now), whole(blocked)}, ' ')
end

local function stepped_ahead()
  local ahead = now - seen - elapsed
  if seen > 0 and ahead > SKEW then return ahead end
  return 0
end

local function counter()
  local cap, decay, recalled, barred = tonumber(words[5]), tonumber(words[6]), tonumber(words[7]), tonumber(words[8])
  local found = redis.call('HMGET', KEYS[1], 'level', 'at', 'blocked', 'seq')
  local initial = question == 'book' and tonumber(words[12]) or 0
  local level, at = tonumber(found[1] or initial), tonumber(found[2] or now)
  local blocked, count = tonumber(found[3] or 0), tonumber(found[4] or 0)
  if now < at then  -- the clock stepped back: begin anew from here, and credit nothing
    blocked = math.max(0, blocked - (at - now))
    at = now
  end
  level = math.max(0, level - (now - at) * decay / 1e6)
  local lost = seq > count
  if lost or stepped_ahead() > 0 then
    level = math.max(level, recalled, lost and cap or 0)
    if barred > 0 then blocked = math.max(blocked, now + barred) end
  end
  count = math.max(count, seq) + 1

  local ok, wait = 1, 0
  if question == 'book' then
    local cost, headroom, longest = tonumber(words[9]), tonumber(words[10]), tonumber(words[11])
    local over = level + cost - (cap - headroom)
    if over > 1e-9 then wait = math.ceil(over / decay * 1e6) end
    wait = math.max(wait, blocked - now, 0)
    if wait > longest * 1e6 then ok = 0 else level = level + cost end
  elseif question == 'send' then
    wait = math.max(0, blocked - now)
    if wait > 0 then ok = 0 end
  elseif question == 'give_back' then
    local cost, due = tonumber(words[9]), tonumber(words[10])
    level = math.max(0, level - math.max(0, cost - math.max(0, now - due) * decay / 1e6))
  else  -- adjust, peek
    local delta, floor, block = tonumber(words[9]), tonumber(words[10]), tonumber(words[11])
    level = math.max(0, level + delta, floor)
    if block > 0 then blocked = math.max(blocked, now + math.ceil(block * 1e6)) end
    wait = math.max(0, blocked - now)
  end

  if question ~= 'peek' then
    redis.call('HSET', KEYS[1], 'level', string.format('%.9f', level), 'at', whole(now),
      'blocked', whole(blocked), 'seq', whole(count))
    redis.call('PEXPIRE', KEYS[1], KEEP_COUNTER)
  end
  return answer(ok, wait, string.format('%.9f', level), count, math.max(0, blocked - now))
end

local function lane()
  local queue = KEYS[1] .. ':queue'  -- the same hash tag, so the same slot of a cluster
  local found = redis.call('HMGET', KEYS[1], 'holder', 'until', 'lease', 'at', 'seq')
  local holder, ends, lease = found[1] or '', tonumber(found[2] or 0), tonumber(found[3] or 0)
  local at, count = tonumber(found[4] or now), tonumber(found[5] or 0)
  local who = words[5]

  local function hand(name, time)
    if name ~= '' then redis.call('LREM', queue, 0, name) end
    holder, ends, lease = name, name == '' and 0 or now + time, time
  end

  local function waits(name)  -- LPOS came with Redis 6.0.6; the line is as long as there are processes
    for _, each in ipairs(redis.call('LRANGE', queue, 0, -1)) do
      if each == name then return true end
    end
    return false
  end

  local function call_up(name)
    local bell = KEYS[1] .. ':bell:' .. name
    redis.call('RPUSH', bell, '1')
    redis.call('PEXPIRE', bell, 2000)
  end

  local function mint(unit, tick, floor)
    local field = 'nonce:' .. unit
    local last = tonumber(redis.call('HGET', KEYS[1], field) or 0)
    local nonce = math.max(math.floor(now / tick), last + 1, floor + 1)
    redis.call('HSET', KEYS[1], field, whole(nonce))
    return whole(nonce)
  end

  if now < at and holder ~= '' then
    ends = ends - (at - now)
  elseif holder ~= '' and stepped_ahead() > 0 then
    ends = math.min(ends + stepped_ahead(), now + lease)
  end
  if question == 'enter' and seq > count then hand('?', QUARANTINE) end
  count = math.max(count, seq) + 1

  local nonce, wait = '0', 0
  if question == 'nonce' then
    nonce = mint(words[5], tonumber(words[6]), tonumber(words[7]))
  elseif question == 'enter' then
    local mine = holder == who
    if holder == '' or mine or ends <= now then
      local first = not mine and redis.call('LINDEX', queue, 0) or who
      hand(first, first == who and tonumber(words[6]) or PICKUP)
      mine = first == who
      if mine then nonce = mint(words[7], tonumber(words[8]), tonumber(words[9])) else call_up(first) end
    end
    if not mine then
      if not waits(who) then redis.call('RPUSH', queue, who) end
      redis.call('PEXPIRE', queue, KEEP_LANE)
      wait = ends - now
    end
  else  -- leave
    redis.call('LREM', queue, 0, who)
    if holder == who then
      local first = redis.call('LINDEX', queue, 0) or ''
      hand(first, PICKUP)
      if first ~= '' then call_up(first) end
    end
  end
  redis.call('HSET', KEYS[1], 'holder', holder, 'until', whole(ends), 'lease', whole(lease), 'at', whole(now),
    'seq', whole(count))
  redis.call('PEXPIRE', KEYS[1], KEEP_LANE)
  return answer(nonce, wait, '0', count, 0)
end

if question == 'enter' or question == 'leave' or question == 'nonce' then return lane() end
return counter()
