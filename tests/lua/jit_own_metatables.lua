-- `setmetatable(object, {__index = Class})` in hot code, in the ways in which
-- constructors are written, and what ends what the code relies on.

-- Fields in the literal; the object does not outlive an iteration.
local Vec = {}
function Vec.new(x, y) return setmetatable({x = x, y = y}, {__index = Vec}) end
function Vec:add(o) return Vec.new(self.x + o.x, self.y + o.y) end
function Vec:dot(o) return self.x * o.x + self.y * o.y end
local function path(n)
  local p = Vec.new(0.0, 0.5)
  for i = 1, n do p = p:add(Vec.new(1.0, i * 0.25)) end
  return p:dot(p)
end
local sum = 0
for _ = 1, 40 do sum = sum + path(100) end
print(sum)

-- Fields after the call, nil at first.
local Node = {}
function Node.new(v)
  local self = setmetatable({}, {__index = Node})
  self.value = v
  self.next = nil
  self.count = 0
  return self
end
function Node:push(v) local n = Node.new(v) n.next = self n.count = self.count + 1 return n end
local function list(n)
  local l = Node.new(0)
  for i = 1, n do l = l:push(i) end
  local s = 0
  while l do s = s + l.value * l.count l = l.next end
  return s
end
for i = 1, 30 do sum = sum + list(i * 3) end
print(sum)

-- Subclasses: a second metatable, inherited constructors, classes with names.
local Animal = {_CLASS = 'Animal'}
function Animal.new(name)
  local obj = {name = name, legs = 4}
  return setmetatable(obj, {__index = Animal})
end
function Animal:sound() return 'none' end
function Animal:describe() return self.name .. ':' .. self:sound() .. ':' .. self.legs end
local Dog = {_CLASS = 'Dog'} do setmetatable(Dog, {__index = Animal}) end
function Dog.new(name) return setmetatable(Animal.new(name), {__index = Dog}) end
function Dog:sound() return 'woof' end
local Puppy = setmetatable({_CLASS = 'Puppy'}, {__index = Dog})
function Puppy.new(name)
  local self = Dog.new(name)
  setmetatable(self, {__index = Puppy})
  self.age = 1
  return self
end
function Puppy:sound() return 'wiff' .. self.age end
local function zoo(n)
  local total = 0
  for i = 1, n do
    local a = i % 3 == 0 and Dog.new('d') or i % 3 == 1 and Puppy.new('p') or Animal.new('a')
    total = total + #a:describe() + #a._CLASS
  end
  return total
end
for i = 1, 40 do sum = sum + zoo(60) end
print(sum)

-- One function for all classes, known where it is inlined or not.
local Object = {}
function Object.new(class, ...)
  local self = setmetatable({}, {__index = class})
  self:init(...)
  return self
end
local classes = {}
for i = 1, 12 do
  local C = setmetatable({}, {__index = Object})
  function C:init(v) self.v = v * i end
  function C:get() return self.v + i end
  classes[i] = C
end
local function several(n, k)
  local s = 0
  for i = 1, n do s = s + Object.new(classes[i % k + 1], i):get() end
  return s
end
for _, k in ipairs {1, 2, 3, 5, 8, 12} do
  for _ = 1, 20 do sum = sum + several(100, k) end
  print(k, sum)
end

-- A metatable that is made once and shared, but says only `__index`.
local Shared = {}
local shared = {__index = Shared}
function Shared:get() return self.a end
local function make(a) return setmetatable({a = a}, shared) end
local function all(n) local s = 0 for i = 1, n do s = s + make(i):get() end return s end
for _ = 1, 30 do sum = sum + all(100) end
print(sum, getmetatable(make(1)) == shared)

-- Each object has the metatable it was given, and keeps what happens to it.
local function pair()
  local a, b = Vec.new(1, 2), Vec.new(3, 4)
  return a, b
end
for i = 1, 2000 do
  local a, b = pair()
  assert(getmetatable(a) ~= getmetatable(b) and getmetatable(a).__index == Vec)
end

-- The failing side: another class, something else as `__index`, a metatable
-- with more in it, no table at all, an object that has a metatable.
local Other = {}
function Other:dot() return 'other' end
local function give(o, class) return setmetatable(o, {__index = class}) end
local function dots(n, class)
  local r
  for i = 1, n do r = give({x = i, y = i}, class):dot({x = 1, y = 1}) end
  return r
end
print(dots(2000, Vec), dots(10, Other), dots(2000, Other), dots(2000, Vec))
print(pcall(dots, 10, nil))
print(pcall(dots, 10, function(t, k) return function() return k end end))
print(pcall(dots, 10, 'text'))
local function set(o, mt) return setmetatable(o, mt) end
local function sets(n, mt) local o for i = 1, n do o = set({x = i, y = i}, mt()) end return o end
local plain = function() return {__index = Vec} end
sets(2000, plain)
print(sets(3, function() return {__index = Vec, __len = function() return 7 end} end).x)
print(#sets(3, function() return {__index = Vec, __len = function() return 7 end} end))
print(tostring(sets(3, function() return {__index = Vec, __tostring = function() return 'T' end} end)))
print(pcall(sets, 3, function() return 1 end))
print(getmetatable(sets(3, function() return nil end)))
print((pcall(sets, 3, function() return {__index = Vec, __metatable = 'locked'} end)))
print(pcall(set, sets(1, function() return {__metatable = 1} end), {__index = Vec}))
print(set(sets(1, plain), {__index = Other}):dot())
local weak = sets(2000, function() return {__mode = 'k', __index = Vec} end)
weak[{}] = 1
collectgarbage()
print(next(weak) ~= nil, weak.x)
do
  local closed = 0
  local function gc() closed = closed + 1 end
  sets(50, function() return {__index = Vec, __gc = gc} end)
  collectgarbage() collectgarbage()
  print(closed >= 49)
end

-- One metatable of the class changes while code relies on the class.
local function lens(n, change)
  local s, kept = 0, nil
  for i = 1, n do
    local v = Vec.new(i, 1)
    if i == n // 2 and change then
      kept = v
      change(getmetatable(v))
    end
    s = s + v:dot(v)
  end
  return s, kept
end
lens(3000)
print((lens(1000, function(mt) mt.__add = function() return 'sum' end end)))
local s, kept = lens(1000, function(mt) mt.__add = function() return 'sum' end end)
print(s, kept + kept, pcall(function() return Vec.new(1, 1) + 1 end))
lens(3000)
local dot = Vec.dot
s, kept = lens(1000, function(mt) mt.__index = {dot = function() return 0.5 end} end)
print(s, kept:dot(kept), kept.add)
lens(3000)
function Vec:dot(o) return -1 end
print((lens(100)))
Vec.dot = dot
print((lens(100)))
Vec.dot = nil
print(pcall(lens, 10))
Vec.dot = dot
print(pcall(lens, 1000, function(mt) mt.__index = nil end))
print((lens(3000)))

-- Objects and their metatables made by side exits and found by the collector.
local function exits(n, odd)
  local out
  for i = 1, n do
    local v = Vec.new(i, 0)
    if odd and i == odd then v.y = 'text' end
    local w = Vec.new(1, 1)
    if v.y == 'text' then out = {v, w} v.y = 2.5 end
    sum = sum + v:dot(w)
  end
  return out
end
exits(3000)
local out = exits(3000, 2000)
collectgarbage()
print(sum, out[1].x, out[1].y, out[2]:dot(out[1]), getmetatable(out[1]).__index == Vec,
  getmetatable(out[1]) ~= getmetatable(out[2]))

-- Many fields: the metatable lies out of line.
local Wide = {}
function Wide:sum() return self.a1 + self.a40 end
local function wide(i)
  local o = {}
  for k = 1, 40 do o['a' .. k] = k + i end
  return setmetatable(o, {__index = Wide})
end
local function wides(n) local s = 0 for i = 1, n do s = s + wide(i):sum() end return s end
print(wides(2000))

-- Objects of objects that are replaced in each iteration; parts that two of
-- them share, or one has twice; a side exit in the middle.
local Seg = {}
function Seg.new(a, b) return setmetatable({a = a, b = b}, {__index = Seg}) end
function Seg:moved(v) return Seg.new(self.a:add(v), self.b:add(v)) end
function Seg:turned() return Seg.new(self.b, self.a) end
local function segments(n, odd)
  local s, out = Seg.new(Vec.new(0.0, 1.0), Vec.new(2.0, 3.0)), nil
  local twice = Seg.new(s.a, s.a)
  for i = 1, n do
    if i == odd then s.a.x = s.a.x .. '' out = s end
    s = s:moved(Vec.new(1.0, 0.5)):turned()
    twice = Seg.new(twice.b, twice.b)
    local mt = {__index = Vec}
    local a, b = setmetatable({x = i, y = 0}, mt), setmetatable({x = 0, y = i}, mt)
    if i == odd then assert(getmetatable(a) == getmetatable(b)) end
    sum = sum + a:dot(b)
  end
  assert(twice.a == twice.b)
  return s.a:dot(s.b), twice.a.y, out and out.a.x, out and getmetatable(out.a) ~= getmetatable(out.b)
end
for _ = 1, 30 do segments(100) end
print(segments(1000))
print(segments(1000, 500))
