-- Objects of up to eight shapes at one access: one test for the shapes in which
-- the field is at one place, nothing tested again behind it; shapes that come
-- later, nil, changes of shape between accesses, stores, errors, collections.

local Base = {}
Base.__index = Base
function Base:total() return self.a + self.b end
function Base:bump(n) self.a = self.a + n; self.b = self.b - 1; return self.a end
function Base:kind() return "base" end

local classes = { Base }
for i = 2, 10 do
  local c = setmetatable({}, { __index = Base })
  c.__index = c
  local name = "class" .. i
  if i % 3 == 0 then function c:kind() return name end end
  classes[i] = c
end

local function make(i, k)
  local o = setmetatable({}, classes[i])
  o.a, o.b = i, k
  if i % 4 == 1 then o.extra = i end
  return o
end

local function work(o, n)
  local s = o:total()
  s = s + o:bump(n) + o.a * 2 - o.b
  return s, o:kind()
end

-- From one shape to ten, each long enough to be compiled for what it saw.
local sum = 0
for n = 1, 10 do
  local objects = {}
  for i = 1, n do objects[i] = make(i, i * 2) end
  for round = 1, 150 do
    for i = 1, n do
      local s, kind = work(objects[i], round % 3)
      sum = (sum + s + #kind) % 1000003
    end
  end
  print(n, sum)
end

-- The field is in different places, is absent, or is inherited.
local function get(o) return o.x, o.y, o.x end
local protos = { { x = 1, y = 2 }, { y = 3, x = 4 }, { x = 5 }, { z = 0, y = 6 } }
protos[5] = setmetatable({ y = 7 }, { __index = { x = 8 } })
protos[6] = setmetatable({}, { __index = { x = "nine", y = false } })
local count = 0
for round = 1, 400 do
  for i = 1, #protos do
    local x, y, again = get(protos[i])
    if x == again then count = count + 1 end
    if round % 200 == 0 then print(i, x, y) end
  end
end
print(count)

-- A shape changes between two accesses of one object.
local function change(o, grow)
  local before = o.x
  if grow then o["w" .. grow] = before end
  return before + o.x, o.w1, o.w2
end
for round = 1, 600 do
  local o = round % 2 == 0 and { x = round } or { y = 0, x = round }
  local s, w1, w2 = change(o, round % 5 == 0 and round % 2 + 1)
  if round % 100 == 0 or round > 597 then print(s, w1, w2) end
end

-- Two names for one object, of which one changes the shape.
local function alias(p, q)
  local a = p.x
  q.fresh = a
  return a + p.x + (p.fresh or 0)
end
local t = 0
for round = 1, 600 do
  local p = round % 2 == 0 and { x = 1 } or { y = 0, x = 2 }
  t = t + alias(p, round % 3 == 0 and p or { x = 3 })
end
print(t)

-- Stores: into a place, over nil, of another type, adding the field.
local function put(o, v) o.v = v; return o.v end
local mixed = {}
for round = 1, 900 do
  local r = round % 6
  local o = r == 0 and { v = 1 } or r == 1 and { a = 1, v = 2 } or r == 2 and { v = 3, b = 1 }
    or r == 3 and {} or r == 4 and { a = 1 } or setmetatable({ c = 1 }, Base)
  local v = round > 700 and (round % 7 == 0 and "text" or round / 2) or round
  mixed[#mixed + 1] = put(o, round % 50 == 0 and nil or v)
end
local texts, numbers = 0, 0
for i = 1, 900 do
  local v = mixed[i]
  if type(v) == "string" then texts = texts + 1 elseif v then numbers = numbers + v end
end
print(texts, numbers)

-- What is no table, and a table without the method: errors name the variable.
local function call(o) return o:total() end
for i = 1, 400 do call(make(i % 5 + 1, i)) end
print(pcall(call, nil))
print(pcall(call, setmetatable({ b = 1 }, Base)))
print(pcall(call, { total = 5 }))
print(select(2, pcall(call, 7)))

-- A metatable gets `__newindex` and a method is replaced while code relies on them.
local log = {}
local function store(o, v) o.late = v; return rawget(o, "late") end
for i = 1, 600 do
  if i == 500 then
    classes[2].__newindex = function(_, k, v) log[#log + 1] = k .. type(v) end
    function Base:total() return -1 end
  end
  local o = make(i % 4 + 1, i)
  local stored = store(o, i)
  if i > 596 then print(stored, o:total()) end
end
print(#log, log[1], log[#log])

-- Collections while objects of many shapes are made and read.
local live = {}
for i = 1, 3000 do
  local o = make(i % 8 + 3, i)
  live[i % 20 + 1] = o
  o.link = live[(i * 7) % 20 + 1]
  if o.link then sum = (sum + work(o.link, 1)) % 1000003 end
  if i % 500 == 0 then collectgarbage() end
end
print(sum)
