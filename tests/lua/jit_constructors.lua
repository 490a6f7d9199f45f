-- Tables whose constructors learn, metatables set in hot code, and accesses
-- that no shape test decides.

-- Fields added after the constructor, one after the other.
local function grow(n)
  local o = {}
  o.a = n
  o.b = n + 1
  o.c = n + 2
  if n % 7 == 0 then o.d = n + 3 end
  o.e = n + 4
  return o
end
local sum = 0
for i = 1, 4000 do
  local o = grow(i)
  sum = sum + o.a + o.b + o.c + (o.d or 0) + o.e
end
print(sum)

-- Objects that were made before the constructor learned live on.
local kept = {}
local function make(n)
  local o = {}
  o.x = n
  o.y = -n
  o.z = n * 2
  return o
end
for i = 1, 3000 do
  local o = make(i)
  if i <= 3 or i % 1000 == 0 then kept[#kept + 1] = o end
  for _, k in ipairs(kept) do k.x = k.x + k.y + o.z - o.z + 1 end
end
for _, o in ipairs(kept) do print(o.x, o.y, o.z) end

-- Classes: the metatable is set first, last, in a tail call, by a function
-- that serves several classes.
local Point = {}
Point.__index = Point
function Point.new(x, y) return setmetatable({ x = x, y = y }, Point) end
function Point:len2() return self.x * self.x + self.y * self.y end
local Late = {}
Late.__index = Late
function Late.new(x)
  local self = setmetatable({}, Late)
  self.x = x
  self.next = nil
  return self
end
function Late:get() return self.x end
local function new(class, x)
  local o = { x = x }
  setmetatable(o, class)
  return o
end
local total = 0
for i = 1, 4000 do
  total = total + Point.new(i % 10, 1):len2() + Late.new(i):get()
  total = total + new(i % 2 == 0 and Point or Late, i).x
end
print(total)

-- A class that gets `__index`, `__newindex` and `__metatable` while hot.
local C = {}
local function object(n) return setmetatable({ n = n }, C) end
local found = 0
for i = 1, 6000 do
  if i == 2000 then C.__index = { extra = 5 } end
  if i == 4000 then C.__newindex = function(t, k, v) rawset(t, k, v * 2) end end
  local o = object(i)
  o.m = i
  found = found + o.m + (o.extra or 0)
end
print(found)
C.__metatable = "locked"
print(pcall(setmetatable, object(1), C))
print(getmetatable(object(1)))

-- A field read and written in tables of many shapes.
local makers = {}
for i = 1, 12 do
  makers[i] = function(v)
    local t = {}
    t["k" .. i] = i
    t.v = v
    return t
  end
end
local many = 0
for i = 1, 6000 do
  local t = makers[i % #makers + 1](i)
  t.v = t.v + 1
  t.w = t.v
  many = many + t.v + (t.absent or 0) + (t.w and 1 or 0)
end
print(many)

-- Keys of every kind, present, absent and inherited.
local base = setmetatable({ inherited = 1 }, { __index = function(_, k) return k == "computed" and 7 or nil end })
local keys = { 1, 2.0, 2.5, "s", true, base, -3, 1 << 40, "inherited", "computed", "none" }
local t = setmetatable({}, { __index = base })
local seen = 0
for round = 1, 600 do
  for i = 1, 8 do
    local k = keys[i]
    t[k] = (t[k] or 0) + 1
    if round % 100 == 0 then t[k] = nil end
  end
  for i = 1, #keys do seen = seen + (t[keys[i]] or 0) end
end
print(seen)
print(pcall(function() for i = 1, 2 do t[0 / 0] = 1 end end))
print(pcall(function() for i = 1, 2 do t[nil] = 1 end end))
print(t[nil], t[0 / 0])

-- A field that is an integer until it is not, stored through a lookup.
local widen = 0
for i = 1, 5000 do
  local o = makers[i % #makers + 1](0)
  o.v = i < 4500 and i or i + 0.5
  widen = widen + o.v
end
print(widen)

-- Methods of strings, and the strings' metatable changing.
local text, n = "hello", 0
for i = 1, 3000 do
  n = n + text:len() + #text:upper()
  if i == 2000 then string.twice = function(s) return s .. s end end
  if i > 2000 then n = n + #text:twice() end
end
print(n)
string.twice = nil
print(pcall(function() return text:twice() end))
