-- Loops that append an element with each iteration, stores with a stride, lists of
-- booleans: their lengths, contents and ends after every number of iterations.

local function show(...)
  local out = {}
  for i = 1, select("#", ...) do out[i] = tostring((select(i, ...))) end
  print(table.concat(out, " "))
end

-- A list that is made, filled, and filled again.
local function fill(t, n, x)
  for i = 1, n do t[i] = x end
  return t
end
local function made(n)
  local t = {}
  for i = 1, n do t[i] = i * 2 end
  return t
end
local sum = 0
for round = 1, 60 do
  for _, n in ipairs({ 0, 1, 2, 3, 4, 5, 8, 9, 31, 100 }) do
    local t = made(n)
    assert(#t == n and t[n + 1] == nil)
    for i = 1, n do assert(t[i] == 2 * i) end
    fill(t, n + 3, round)
    assert(#t == n + 3)
    for i = 1, n + 3 do sum = sum + t[i] end
    local b = fill({}, n, true)
    assert(#b == n)
    for i = 1, n do assert(b[i] == true) end
  end
end
show(sum)

-- More than a chunk.
local large = made(10000)
show(#large, large[1], large[4096], large[4097], large[8193], large[10000])

-- The list is read while it grows, under another name, too.
local function doubled(to, from, n)
  for i = 1, n do to[#from * 0 + i + 1] = from[i] + 1 end
end
local function follows(to, from, n)
  for i = 1, n do to[i + 1] = from[i] + 1 end
end
for _ = 1, 200 do
  local t = { 5 }
  follows(t, t, 40)
  assert(#t == 41 and t[41] == 45)
  local u = { 0 }
  follows(u, t, 41)
  assert(#u == 42 and u[42] == 46)
  local w = { 1 }
  doubled(w, w, 10)
  assert(#w == 11 and w[11] == 11)
end

-- What stops in the middle: errors, other kinds, nils, the length asked on the way.
local function until_nil(to, from, n)
  for i = 1, n do to[i] = from[i] + 1 end
end
for k = 1, 120 do
  local from = made(k)
  local to = {}
  local ok, message = pcall(until_nil, to, from, k + 1)
  assert(not ok and #to == k and to[k] == 2 * k + 1, message)
end
local function copied(from, n)
  local to = {}
  for i = 1, n do to[i] = from[i] end
  return to
end
for k = 1, 60 do
  local from = made(50)
  from[k] = "text"
  local to = copied(from, 50)
  assert(#to == 50)
  assert(k > 50 or to[k] == "text")
  from[25] = nil
  to = copied(from, 50)
  assert(to[25] == nil and to[50] == (k == 50 and "text" or 100))
end
local function asked(n)
  local t, least = {}, 0
  for i = 1, n do
    t[i] = i
    if #t ~= i then least = least + 1 end
  end
  return least
end
for _ = 1, 100 do assert(asked(70) == 0) end

-- Objects are kept while the collector runs.
local function objects(n)
  local t = {}
  for i = 1, n do t[i] = { i } end
  return t
end
local function shared(o, n)
  local t = {}
  for i = 1, n do t[i] = o end
  return t
end
for round = 1, 20 do
  local t = objects(300)
  collectgarbage("step")
  for i = 1, 300 do assert(t[i][1] == i) end
  local s = shared({ round }, 5000)
  collectgarbage("step")
  assert(s[5000][1] == round and #s == 5000)
end

-- Metatables: an element that is new asks __newindex.
local noted = 0
local function noting(n)
  local t = setmetatable({}, { __newindex = function(t, k, v)
    noted = noted + 1
    rawset(t, k, v)
  end })
  for i = 1, n do t[i] = i end
  return #t
end
for _ = 1, 100 do assert(noting(30) == 30) end
show(noted)

-- Keys that wait behind the elements move there when it is their turn.
local function behind(n)
  local t = { [12] = -12, [13] = -13, [40] = -40 }
  for i = 1, n do t[i] = i end
  return #t, t[12], t[13], t[40]
end
for _ = 1, 100 do behind(11) end
show(behind(11))
show(behind(20))
show(behind(39))

-- Strides.
local function mark(t, first, last, step)
  local n = 0
  for k = first, last, step do
    t[k] = false
    n = n + 1
  end
  return n
end
local function marks(t, first, last, step)
  for k = first, last, step do t[k] = false end
end
local flags = fill({}, 5000, true)
local total = 0
for i = 2, 70 do
  total = total + mark(flags, i + i, 5000, i)
  marks(flags, i + i, 5000, i)
end
local left = 0
for i = 2, 5000 do if flags[i] then left = left + 1 end end
show(total, left)
show(pcall(marks, flags, 1, 10, 0))
marks(flags, 10, 1, -3)
show(flags[10], flags[9], flags[8], flags[7], flags[4], flags[1])
marks(flags, 4990, 5003, 4)
show(#flags, flags[4990], flags[4998], flags[5002])
local ends = {}
marks(ends, math.maxinteger - 10, math.maxinteger, 4)
marks(ends, math.mininteger, math.mininteger + 9, 4)
marks(ends, 1, math.maxinteger, math.maxinteger // 2)
local keys = {}
for k in pairs(ends) do keys[#keys + 1] = k end
table.sort(keys)
show(table.unpack(keys))

-- Lists of booleans.
local function mixed(t)
  local out = {}
  for i, v in ipairs(t) do out[#out + 1] = i .. "=" .. tostring(v) end
  for k, v in pairs(t) do out[#out + 1] = k .. ":" .. tostring(v) end
  for k, v in next, t do out[#out + 1] = tostring(v) .. k end
  return table.concat(out, ",")
end
for round = 1, 40 do
  local b = { true, false, round % 2 == 0 }
  local text = mixed(b)
  if round > 38 then print(text) end
  b[#b + 1] = not b[1]
  table.insert(b, 1, false)
  table.insert(b, true)
  assert(table.remove(b) == true and table.remove(b, 1) == false)
  local x, y, z, w = table.unpack(b)
  assert(x == true and y == false and z == (round % 2 == 0) and w == false)
  local c = table.move(b, 1, #b, 2, {})
  assert(c[2] == true and c[1] == nil and c[5] == false)
  b[2] = 7
  assert(b[1] == true and b[2] == 7 and b[3] == (round % 2 == 0) and b[4] == false)
  b[2] = nil
  assert(b[2] == nil and b[4] == false and select("#", table.unpack(b, 1, 4)) == 4)
  local d = { false }
  d[2] = "s"
  assert(d[1] == false and d[2] == "s")
  local e = fill({}, 100, false)
  e[100] = nil
  assert(#e == 99)
  e[50] = nil
  assert(e[49] == false and e[50] == nil and e[51] == false)
end
local function pick(b, i) return b[i] end
local function put(b, i, v) b[i] = v end
local lists = { fill({}, 10, true), made(10), { 1.5, 2.5 }, { "a", "b" }, { true, 1, "x" }, { {}, {} } }
for round = 1, 400 do
  local t = lists[round % #lists + 1]
  local v = pick(t, round % 2 + 1)
  assert(type(v) ~= "nil")
  put(t, round % 2 + 1, v)
end
for i = 1, 5 do show(type(lists[i][1]), lists[i][1], lists[i][2]) end
print(pcall(table.concat, { true, false }))
print(pcall(table.sort, { true, false, true }))
local order = { true, false, true, false }
table.sort(order, function(a, b) return a and not b end)
show(table.unpack(order))
local function made_of(a, b, c) return { a, b, c } end
for _ = 1, 300 do made_of(true, false, true) end
show(table.unpack(made_of(true, false, true)))
show(table.unpack(made_of(true, 1, false)))
show(table.unpack(made_of(1, 2, 3)))
show(#made_of(true, false, nil), #made_of(false, nil, nil))
