-- What a store does to counters and lanes, for a Redis or Valkey server; records.py and lines.py say the same in Python.
-- KEYS: the records, each a hash. The first ARGV, one for each key: words, what the caller remembers of it (recall.py).
-- The others, one for each step: words, the key's number, the step, its own. The answer has a line for each step.
-- Steps and answers are strings, for a client in Python spends most of its time on reading the wire.
-- Times are whole microseconds of the server's clock, which is the same for all callers; a caution's are seconds.
-- Numbers are doubles: whole ones are written with %.0f and stay below 2^53, so nonces are no finer than microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local KEEP_COUNTER, KEEP_LANE = 604800000, 34560000000
local PICKUP, QUARANTINE, SKEW, PLACES = 1000000, 2000000, 250000, 16
-- caution.py
local FIRST_PAUSE, LONGEST_PAUSE, SLOWER, SLOWEST, RECOVERY, MARGIN, MARGIN_FADES = 5, 60, 0.8, 0.1, 3600, 3, 1800

local function split(text, pattern)
  local found = {}
  for part in string.gmatch(text, pattern) do found[#found + 1] = part end
  return found
end

local function whole(number) return string.format('%.0f', number) end

local memory = {}
for place = 1, #KEYS do
  local words = split(ARGV[place], '%S+')
  for number = 1, #words do words[number] = tonumber(words[number]) end
  memory[place] = words
end

local function stepped_ahead(recall)
  local ahead = now - recall[2] - recall[3]
  if recall[2] > 0 and ahead > SKEW then return ahead end
  return 0
end

local function answer(first, wait, level, count, blocked, pace, margin)
  return table.concat({first, whole(wait), level or '0', whole(count), whole(now), whole(blocked or 0), pace or '1',
    margin or '0'}, ' ')
end

local function counter(key, recall, step, words)
  local cap, decay = tonumber(words[3]), tonumber(words[4])
  local found = redis.call('HMGET', key, 'level', 'at', 'blocked', 'seq', 'caution')
  local level, at = tonumber(found[1] or (step == 'book' and words[8]) or 0), tonumber(found[2] or now)
  local blocked, count = tonumber(found[3] or 0), tonumber(found[4] or 0)
  local since, pace, margin, pause, ends, refusals  -- what refusals have taught
  if found[5] then
    local parts = split(found[5], '%S+')
    since, pace, margin = tonumber(parts[1]), tonumber(parts[2]), tonumber(parts[3])
    pause, ends, refusals = tonumber(parts[4]), tonumber(parts[5]), tonumber(parts[6])
  end

  local function pace_at(moment)
    if not since then return 1 end
    return math.min(1, pace + (moment - since) / RECOVERY)
  end

  local function margin_at(moment)
    if not since then return 0 end
    return margin * math.max(0, 1 - (moment - since) / MARGIN_FADES)
  end

  if now < at then  -- the clock stepped back: begin anew from here, and credit nothing
    local back = at - now
    blocked = math.max(0, blocked - back)
    if since then since, ends = since - back / 1e6, ends - back / 1e6 end
    at = now
  end
  level = math.max(0, level - (now - at) * decay * pace_at(at / 1e6) / 1e6)
  local lost, moment = recall[1] > count, now / 1e6
  if lost or stepped_ahead(recall) > 0 then
    level = math.max(level, recall[4], lost and cap or 0)
    if recall[5] > 0 then blocked = math.max(blocked, now + recall[5]) end
  end
  if lost and recall[6] < pace_at(moment) then
    since, pace, margin, pause, ends, refusals = moment, recall[6], recall[7], 0, moment, 1
  end
  count = math.max(count, recall[1]) + 1

  local first, wait = 1, 0
  if step == 'book' then
    local cost, headroom, longest = tonumber(words[5]), tonumber(words[6]), tonumber(words[7])
    local over = level + cost - (cap - headroom) + margin_at(moment)
    if over > 1e-9 then wait = math.ceil(over / (decay * pace_at(moment)) * 1e6) end
    wait = math.max(wait, blocked - now, 0)
    if wait > longest * 1e6 then first = 0 else level = level + cost end
  elseif step == 'send' then
    wait = math.max(0, blocked - now)
  elseif step == 'give_back' then
    local cost, due = tonumber(words[5]), tonumber(words[6])
    level = math.max(0, level - math.max(0, cost - math.max(0, now - due) * decay / 1e6))
  elseif step == 'adjust' then
    local delta, floor, block = tonumber(words[5]), tonumber(words[6]), tonumber(words[7])
    level = math.max(0, level + delta, floor)
    if block > 0 then blocked = math.max(blocked, now + math.ceil(block * 1e6)) end
  elseif step == 'refuse' then
    local floor, ago, most = tonumber(words[5]), tonumber(words[6]), tonumber(words[7])
    if not since or moment - ago > since then
      local again = since and pause > 0 and moment - ends <= LONGEST_PAUSE
      local free = margin_at(moment)
      pause = again and math.min(LONGEST_PAUSE, pause * 2) or FIRST_PAUSE
      margin = again and math.min(most, free + MARGIN) or free
      pace = math.max(SLOWEST, pace_at(moment) * SLOWER)
      since, ends, refusals = moment, math.max(ends or 0, moment + pause), (refusals or 0) + 1
      level = math.max(level, floor)
      blocked = math.max(blocked, math.floor(ends * 1e6 + 0.5))
    end
  end

  if step ~= 'peek' then
    redis.call('HSET', key, 'level', string.format('%.9f', level), 'at', whole(now), 'blocked', whole(blocked),
      'seq', whole(count))
    if since then
      redis.call('HSET', key, 'caution',
        string.format('%.6f %.12f %.12f %.6f %.6f %.0f', since, pace, margin, pause, ends, refusals))
    end
    redis.call('PEXPIRE', key, KEEP_COUNTER)
  end
  local due = first == 1 and wait == 0
  return answer(first, wait, string.format('%.9f', level), count, math.max(0, blocked - now),
    string.format('%.12f', pace_at(moment)), string.format('%.12f', margin_at(moment))), due
end

local function lane(key, recall, step, words)
  local line = key .. ':queue'  -- the same hash tag, so the same slot of a cluster
  local found = redis.call('HMGET', key, 'places', 'called', 'at', 'seq')
  local called, at, count = tonumber(found[2] or 0), tonumber(found[3] or now), tonumber(found[4] or 0)
  local places, head = {}, redis.call('LINDEX', line, 0)  -- calls under way; who is first in line, or false

  local function take(who, ends, lease, nonce, unit, window)
    places[#places + 1] = {who = who, ends = ends, lease = lease, nonce = nonce, unit = unit, window = window}
  end

  local function candidate(unit, tick, floor)
    local last = tonumber(redis.call('HGET', key, 'nonce:' .. unit) or 0)
    return math.max(math.floor(now / tick), last + 1, floor + 1)
  end

  local function mint(unit, nonce)
    redis.call('HSET', key, 'nonce:' .. unit, whole(nonce))
    return whole(nonce)
  end

  local function remove(who)
    if head == who then called = 0 end
    if head then
      redis.call('LREM', line, 0, who)
      head = redis.call('LINDEX', line, 0)
    end
    for number = #places, 1, -1 do
      if places[number].who == who then table.remove(places, number) end
    end
  end

  local function call_up()
    if not head or called > 0 or #places >= PLACES then return end
    for _, place in ipairs(places) do
      if place.window == 0 then return end
    end
    called = now + PICKUP
    local bell = key .. ':bell:' .. head
    redis.call('RPUSH', bell, '1')
    redis.call('PEXPIRE', bell, 2000)
  end

  local function open(unit, window, nonce)
    if #places == 0 then return true end
    if #places >= PLACES then return false end
    local oldest = nonce
    for _, place in ipairs(places) do
      if place.unit ~= unit then return false end
      window, oldest = math.min(window, place.window), math.min(oldest, place.nonce)
    end
    return nonce - oldest < window
  end

  if step == 'nonce' then
    local nonce = candidate(words[3], tonumber(words[4]), tonumber(words[5]))
    redis.call('HSET', key, 'at', whole(at), 'seq', whole(count))
    redis.call('PEXPIRE', key, KEEP_LANE)
    return answer(mint(words[3], nonce), 0, nil, count)
  end

  local back, ahead = math.max(0, at - now), stepped_ahead(recall)
  if recall[1] > count then
    take('?', now + QUARANTINE, QUARANTINE, 0, '', 0)
  else
    for _, text in ipairs(split(found[1] or '', '[^|]+')) do
      local part = split(text, '%S+')
      local lease = tonumber(part[3])
      local ends = math.min(tonumber(part[2]) - back + ahead, now + lease)
      if ends > now then take(part[1], ends, lease, tonumber(part[4]), part[5], tonumber(part[6])) end
    end
  end
  if called > 0 then
    called = called - back
    if called <= now then  -- it did not come: it is dead
      redis.call('LPOP', line)
      head, called = redis.call('LINDEX', line, 0), 0
    end
  end
  count = math.max(count, recall[1]) + 1

  local who, nonce, wait = words[3], '0', 0
  if step == 'leave' then
    remove(who)
    call_up()
  else  -- enter
    local lease, unit, tick = tonumber(words[4]), words[5], tonumber(words[6])
    local floor, window = tonumber(words[7]), tonumber(words[8])
    for number = #places, 1, -1 do  -- asked again: the answer was lost
      if places[number].who == who then table.remove(places, number) end
    end
    local wanted = candidate(unit, tick, floor)
    if (not head or head == who) and open(unit, window, wanted) then
      remove(who)
      take(who, now + lease, lease, wanted, unit, window)
      if window > 0 then call_up() end
      nonce = mint(unit, wanted)
    else
      local waits = false
      for _, each in ipairs(redis.call('LRANGE', line, 0, -1)) do  -- LPOS came with Redis 6.0.6; the line is short
        if each == who then waits = true end
      end
      if not waits then redis.call('RPUSH', line, who) end
      redis.call('PEXPIRE', line, KEEP_LANE)
      head = head or who
      if head == who then called = 0 else call_up() end  -- it is alive, and is called again when a place gets free
      wait = called > 0 and called or math.huge
      for _, place in ipairs(places) do wait = math.min(wait, place.ends) end
      wait = wait - now
    end
  end

  local texts = {}
  for number, place in ipairs(places) do
    texts[number] = table.concat({place.who, whole(place.ends), whole(place.lease), whole(place.nonce),
      place.unit == '' and '-' or place.unit, place.window}, ' ')
  end
  redis.call('HSET', key, 'places', table.concat(texts, '|'), 'called', whole(called), 'at', whole(now),
    'seq', whole(count))
  redis.call('PEXPIRE', key, KEEP_LANE)
  return answer(nonce, wait, nil, count)
end

local answers, all_due = {}, true
for place = #KEYS + 1, #ARGV do
  local words = split(ARGV[place], '%S+')
  local number, step = tonumber(words[1]), words[2]
  if step == 'enter_if_due' and not all_due then
    answers[#answers + 1] = answer('0', -1, nil, 0)
  elseif step == 'enter' or step == 'enter_if_due' or step == 'leave' or step == 'nonce' then
    answers[#answers + 1] = lane(KEYS[number], memory[number], step, words)
  else
    local text, due = counter(KEYS[number], memory[number], step, words)
    all_due = all_due and due
    answers[#answers + 1] = text
  end
end
return table.concat(answers, '\n')
