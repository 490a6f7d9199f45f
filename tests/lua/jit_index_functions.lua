-- Functions as __index and __newindex, reached by computed keys in hot code.
local Lazy = {}
local function lazy(f) return setmetatable({ values = {}, compute = f, writes = 0 }, Lazy) end
function Lazy.__index(t, k)
  local v = t.values[k]
  if v == nil then
    v = t.compute(k)
    t.values[k] = v
  end
  return v
end
function Lazy.__newindex(t, k, v)
  t.writes = t.writes + 1
  t.values[k] = v
end
local function sum(t, from, to)
  local s = 0
  for i = from, to do s = s + t[i] end
  return s
end
local function fill(t, from, to, v)
  for i = from, to do t[i] = v end
  return t.writes
end
for round = 1, 300 do
  local squares = lazy(function(k) return k * k end)
  assert(sum(squares, 1, 10) == 385)
  assert(fill(squares, 3, 6, round) == 4)
  assert(sum(squares, 1, 10) == 385 - 9 - 16 - 25 - 36 + 4 * round)
end

-- Results that change their type in the middle of the metamethod: the frame is rebuilt there.
local odd = lazy(function(k) if k == 7 then return 0.5 end if k == 9 then return "3" end return k end)
print(sum(odd, 1, 6), sum(odd, 1, 8), sum(odd, 1, 10))
local big = lazy(function(k) return math.maxinteger end)
print(sum(big, 1, 2), fill(big, 1, 3, "x"), pcall(sum, big, 1, 2))
local counted = lazy(function(k) return k end)
rawset(counted, "writes", 0.5)
print(fill(counted, 1, 4, 1), sum(counted, 1, 5))
rawset(counted, "writes", "7")
print(fill(counted, 1, 1, 2), math.type(counted.writes))

-- Keys that are there are no matter of the functions.
local own = lazy(function(k) return -k end)
rawset(own, 3, 300)
print(sum(own, 1, 5), fill(own, 2, 4, 7), rawget(own, 2), rawget(own, 3), sum(own, 1, 5))
rawset(own, 3, nil)
print(sum(own, 1, 5), fill(own, 3, 3, 1), rawget(own, 3))

-- Another class, a plain table, no table at all.
print(sum(setmetatable({}, { __index = function(_, k) return 2 * k end }), 1, 4))
print(sum({ 1, 2, 3 }, 1, 3), sum(setmetatable({}, { __index = { 5, 6 } }), 1, 2))
print(pcall(sum, nil, 1, 2))
print(pcall(sum, setmetatable({}, { __index = function() end }), 1, 2))

-- Errors inside, with their place; results beyond the first do not count.
local bad = lazy(function(k) if k > 3 then error("no " .. k) end return k, "more" end)
print(pcall(sum, bad, 1, 3))
print(pcall(sum, bad, 1, 4))
print(select(2, pcall(sum, lazy(function(k) local x = k + nil end), 1, 1)))

-- Keys go to the functions as they are.
local function at(t, k) return t[k] end
local function put(t, k, v) t[k] = v end
local kinds = setmetatable({}, { __index = function(_, k) return math.type(k) or type(k) end })
for i = 1, 200 do assert(at(kinds, i) == "integer") end
print(at(kinds, 2.0), at(kinds, 2.5), at(kinds, "s"), at(kinds, true), at(kinds, nil), kinds[2.0])
local log = {}
local noted = setmetatable({}, { __newindex = function(_, k, v) log[#log + 1] = tostring(k) .. "=" .. tostring(v) end })
for i = 1, 200 do put(noted, i, i) end
put(noted, 2.0, 1) put(noted, "s", 2) put(noted, nil, 3) put(noted, 0 / 0 ~= 1, nil)
print(#log, table.concat(log, " ", 199))

-- Functions that store where they are asked, and remove what they found.
local memo = setmetatable({}, { __index = function(t, k) local v = k * 2; rawset(t, k, v); return v end })
for i = 1, 300 do assert(at(memo, i % 50) == i % 50 * 2) end
local once = setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v) end })
for i = 1, 300 do put(once, i % 20, i) end
print(once[0], once[19])

-- Proxies of proxies; recursion through the lookup.
local proxy = setmetatable({}, { __index = function(_, k) return memo[k] + 1 end })
for i = 1, 300 do assert(at(proxy, i) == i * 2 + 1) end
local fibs = setmetatable({}, { __index = function(t, n)
  if n < 2 then return n end
  local v = t[n - 1] + t[n - 2]
  rawset(t, n, v)
  return v
end })
print(at(fibs, 80), at(fibs, 3))
local endless = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
print(pcall(at, endless, 1) == false)

-- The functions change while the code is hot.
local changing = { __index = function(_, k) return k end }
local c = setmetatable({}, changing)
for i = 1, 200 do assert(at(c, i) == i) end
changing.__index = function(_, k) return -k end
print(at(c, 5))
changing.__index = { [5] = "table" }
print(at(c, 5))
changing.__index = nil
print(at(c, 5))

-- Yields and collections inside.
local slow = setmetatable({}, { __index = function(_, k) return coroutine.yield(k) end,
  __newindex = function(_, k, v) coroutine.yield(k + v) end })
local co = coroutine.wrap(function()
  local s = 0
  for i = 1, 50 do s = s + slow[i] slow[i] = s end
  return "sum", s
end)
local v, total = co(), 0
for i = 1, 50 do
  assert(v == i)
  total = total + v
  assert(co(v) == i + total)
  v = co()
end
print(v)
local garbage = setmetatable({}, { __index = function(_, k)
  if k % 50 == 0 then collectgarbage() end
  return { k, tostring(k) }
end })
local n = 0
for i = 1, 200 do local r = at(garbage, i) n = n + r[1] + #r[2] end
print(n)
local function where() return debug.traceback("at", 1):match("metamethod 'index'") end
local traced = setmetatable({}, { __index = where })
for i = 1, 100 do at(traced, i) end
print(at(traced, 1))
