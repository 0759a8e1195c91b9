-- What a store does to counters and lanes, for a Redis or Valkey server; records.py and lines.py say the same in Python.
-- KEYS: the records. ARGV[1]: in MessagePack, for each key what the caller remembers of it (recall.py), and the steps,
-- each with its key's number, its name and its own; so is the answer, and so is each record kept: nothing is as quick.
-- Times are whole microseconds of the server's clock, which is the same for all callers; a caution's are seconds.
-- Numbers are doubles, and whole ones stay below 2^53, so nonces are no finer than microseconds.
local memory, steps = unpack(cmsgpack.unpack(ARGV[1]))
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local moment = now / 1e6
local KEEP_COUNTER, KEEP_LANE = '604800000', '34560000000'  -- strings: turning a number into one takes longer than SET
local PICKUP, QUARANTINE, SKEW, PLACES = 1000000, 2000000, 250000, 16
-- caution.py
local FIRST_PAUSE, LONGEST_PAUSE, SLOWER, SLOWEST, RECOVERY, MARGIN, MARGIN_FADES = 5, 60, 0.8, 0.1, 3600, 3, 1800
local max, min, ceil, floor = math.max, math.min, math.ceil, math.floor

local function stepped_ahead(recall)
  local ahead = now - recall[2] - recall[3]
  if recall[2] > 0 and ahead > SKEW then return ahead end
  return 0
end

-- A counter's record: level, at, blocked, seq, void, lifted, and after a refusal since, pace, margin, pause, ends.

local function pace_at(record, when)
  if not record[7] then return 1 end
  return min(1, record[8] + (when - record[7]) / RECOVERY)
end

local function margin_at(record)
  if not record[7] then return 0 end
  return record[9] * max(0, 1 - (moment - record[7]) / MARGIN_FADES)
end

local function counted(found, recall, initial, cap, decay)
  local record = found or {initial, now, 0, 0, 0, 0}
  if now < record[2] then  -- the clock stepped back: begin anew from here, and credit nothing
    local back = record[2] - now
    record[3], record[5], record[6] = max(0, record[3] - back), max(0, record[5] - back), max(0, record[6] - back)
    if record[7] then record[7], record[11] = record[7] - back / 1e6, record[11] - back / 1e6 end
    record[2] = now
  end
  record[1] = max(0, record[1] - (now - record[2]) * decay * pace_at(record, record[2] / 1e6) / 1e6)
  local lost = recall[1] > record[4]
  if lost or stepped_ahead(recall) > 0 then
    record[1] = max(record[1], recall[4], lost and cap or 0)
    if recall[5] > 0 then record[3] = max(record[3], now + recall[5]) end
  end
  if lost and recall[6] < pace_at(record, moment) then
    record[7], record[8], record[9], record[10], record[11] = moment, recall[6], recall[7], 0, moment
  end
  record[2], record[4] = now, max(record[4], recall[1]) + 1
  return record
end

local function learn(record, least, ago, most)
  if record[7] and moment - ago <= record[7] then return end
  local again = record[7] and record[10] > 0 and moment - record[11] <= LONGEST_PAUSE
  local free = margin_at(record)
  local pause = again and min(LONGEST_PAUSE, record[10] * 2) or FIRST_PAUSE
  local pace, ends = max(SLOWEST, pace_at(record, moment) * SLOWER), max(record[11] or 0, moment + pause)
  record[7], record[8], record[9] = moment, pace, again and min(most, free + MARGIN) or free
  record[10], record[11] = pause, ends
  record[1], record[3] = max(record[1], least), max(record[3], floor(ends * 1e6 + 0.5))
  record[5], record[6] = now, now
end

local function counter(key, recall, step)
  local kind, cap, decay = step[2], step[3][1], step[3][2]
  local found = redis.call('GET', key)
  local record = counted(found and cmsgpack.unpack(found), recall, kind == 'book' and step[6] or 0, cap, decay)
  local first, wait = 1, 0
  if kind == 'book' then
    local cost = step[4]
    local over = record[1] + cost - cap + margin_at(record)
    if over > 1e-9 then wait = ceil(over / (decay * pace_at(record, moment)) * 1e6) end
    wait = max(wait, record[3] - now, 0)
    if wait > step[5] * 1e6 then first = 0 else record[1] = record[1] + cost end
  elseif kind == 'send' then
    wait = max(step[4] > 0 and step[4] < record[5] and 1 or 0, record[3] - now)
  elseif kind == 'give_back' then
    if step[6] == 0 or step[6] >= record[6] then
      record[1] = max(0, record[1] - max(0, step[4] - max(0, now - step[5]) * decay / 1e6))
    end
  elseif kind == 'adjust' then
    record[1] = max(0, record[1] + step[4], step[5])
    if step[6] > 0 then record[3], record[6] = max(record[3], now + ceil(step[6] * 1e6)), now end
    if step[6] > 0 or step[7] then record[5] = now end
  elseif kind == 'refuse' then
    learn(record, step[4], step[5], step[6])
  end
  if kind ~= 'peek' then redis.call('SET', key, cmsgpack.pack(record), 'PX', KEEP_COUNTER) end
  return {first, wait, record[4], now, record[1], max(0, record[3] - now), pace_at(record, moment), margin_at(record)}
end

-- A lane's record: places, queue, called, nonces, at, seq; a place: who, ends, lease, nonce, unit, window.

local lanes = {}  -- by key: read once and written once, however many steps are about it

local function opened(key, recall)
  local lane = lanes[key]
  if lane then return lane end
  local found = redis.call('GET', key)
  lane = found and cmsgpack.unpack(found) or {{}, {}, 0, {}, now, 0}
  lanes[key] = lane
  local back, ahead, places = max(0, lane[5] - now), stepped_ahead(recall), {}
  if recall[1] > lane[6] then  -- lost: somebody may be under way
    places[1] = {'?', now + QUARANTINE, QUARANTINE, 0, '', 0}
  else
    for _, place in ipairs(lane[1]) do
      place[2] = min(place[2] - back + ahead, now + place[3])
      if place[2] > now then places[#places + 1] = place end
    end
  end
  lane[1] = places
  if lane[3] > 0 then
    lane[3] = lane[3] - back
    if lane[3] <= now then  -- it did not come: it is dead
      table.remove(lane[2], 1)
      lane[3] = 0
    end
  end
  lane[5], lane[6] = now, max(lane[6], recall[1])
  return lane
end

local function vacate(places, who)
  for number = #places, 1, -1 do
    if places[number][1] == who then table.remove(places, number) end
  end
end

local function remove(lane, who)
  local queue = lane[2]
  if queue[1] == who then lane[3] = 0 end
  for number = #queue, 1, -1 do
    if queue[number] == who then table.remove(queue, number) end
  end
  vacate(lane[1], who)
end

local function call_up(key, lane)
  local head, places = lane[2][1], lane[1]
  if not head or lane[3] > 0 or #places >= PLACES then return end
  for _, place in ipairs(places) do
    if place[6] == 0 then return end
  end
  lane[3] = now + PICKUP
  local bell = key .. ':bell:' .. head
  redis.call('RPUSH', bell, '1')
  redis.call('PEXPIRE', bell, 2000)
end

local function is_open(places, unit, window, nonce)
  if #places == 0 then return true end
  if #places >= PLACES then return false end
  local oldest = nonce
  for _, place in ipairs(places) do
    if place[5] ~= unit then return false end
    window, oldest = min(window, place[6]), min(oldest, place[4])
  end
  return nonce - oldest < window
end

local function mint(lane, unit, tick, least)
  return max(floor(now / tick), (lane[4][unit] or 0) + 1, least + 1)
end

local function stand_in_line(key, lane, who)
  local waits = false
  for _, each in ipairs(lane[2]) do waits = waits or each == who end
  if not waits then table.insert(lane[2], who) end
  if lane[2][1] == who then
    lane[3] = 0  -- it is alive, and is called again when a place gets free
  else
    call_up(key, lane)
  end
  local wait = lane[3] > 0 and lane[3] or math.huge
  for _, place in ipairs(lane[1]) do wait = min(wait, place[2]) end
  return wait - now
end

local function turn(key, recall, step)
  local kind, who, lane = step[2], step[3], opened(key, recall)
  if kind == 'nonce' then
    local nonce = mint(lane, step[3], step[4], step[5])
    lane[4][step[3]] = nonce
    return {nonce, 0, lane[6], now}
  end
  lane[6] = lane[6] + 1
  if kind == 'leave' then
    remove(lane, who)
    call_up(key, lane)
    return {0, 0, lane[6], now}
  end
  local lease, unit, window = step[4], step[5], step[8]
  local before = #lane[1]
  vacate(lane[1], who)
  local again = #lane[1] < before  -- the answer was lost: nobody goes before it
  local nonce, head = mint(lane, unit, step[6], step[7]), lane[2][1]
  if (head and head ~= who and not again) or not is_open(lane[1], unit, window, nonce) then
    return {0, stand_in_line(key, lane, who), lane[6], now}
  end
  remove(lane, who)
  table.insert(lane[1], {who, now + lease, lease, nonce, unit, window})
  lane[4][unit] = nonce
  if window > 0 then call_up(key, lane) end
  return {nonce, 0, lane[6], now}
end

local answers, all_due = {}, true
for place, step in ipairs(steps) do
  local number, kind = step[1], step[2]
  if kind == 'enter_if_due' and not all_due then
    answers[place] = {0, -1, 0, now}
  elseif kind == 'enter' or kind == 'enter_if_due' or kind == 'leave' or kind == 'nonce' then
    answers[place] = turn(KEYS[number], memory[number], step)
  else
    answers[place] = counter(KEYS[number], memory[number], step)
    if (kind == 'book' or kind == 'send') and (answers[place][1] == 0 or answers[place][2] > 0) then all_due = false end
  end
end
for key, lane in pairs(lanes) do redis.call('SET', key, cmsgpack.pack(lane), 'PX', KEEP_LANE) end
return cmsgpack.pack(answers)
