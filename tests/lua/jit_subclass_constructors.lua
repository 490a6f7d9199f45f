-- Constructors of subclasses that take an object of the base class and give it another metatable.

local Base = {} Base.__index = Base
function Base.new(x) return setmetatable({x = x}, Base) end
function Base:get() return self.x end
function Base:twice() return self:get() * 2 end
local Sub = setmetatable({}, {__index = Base}) Sub.__index = Sub
function Sub.new(x) local o = Base.new(x) o.y = 1 return setmetatable(o, Sub) end
function Sub:get() return Base.get(self) + self.y end
local Leaf = setmetatable({}, {__index = Sub}) Leaf.__index = Leaf
function Leaf.new(x) local o = setmetatable(Sub.new(x), Leaf) o.z = x return o end
function Leaf:get() return self.z + Sub.get(self) end

local function work(n)
  local s, kept = 0, nil
  for i = 1, n do
    local o = i % 3 == 0 and Base.new(i) or i % 3 == 1 and Sub.new(i) or Leaf.new(i)
    s = s + o:twice()
    if i % 50 == 0 then kept = o end
  end
  return s, kept and getmetatable(kept) == Base, kept and kept.x
end
for i = 1, 30 do work(20) end
print(work(300))

-- The object stays a value until it is kept.
local function short(n)
  local s = 0
  for i = 1, n do s = s + Leaf.new(i).z + Leaf.new(i):get() end
  return s
end
for i = 1, 10 do short(20) end
print(short(200))

-- The base class protects its objects from now on.
Base.__metatable = "protected"
print(pcall(Sub.new, 1))
print(getmetatable(Base.new(1)))
Base.__metatable = nil
print(pcall(work, 300))

-- A class that wants finalizers, and one with weak objects.
local gone = 0
local function collected()
  for i = 1, 20 do Sub.new(i) end
  collectgarbage() collectgarbage()
  return gone
end
for i = 1, 40 do collected() end
Sub.__gc = function(o) gone = gone + 1 end
local before = gone
collected()
print(gone - before >= 19)
Sub.__gc = nil
Sub.__mode = "v"
local weak = Sub.new(1)
weak.t = {}
collectgarbage()
print(weak.t, weak.y)
Sub.__mode = nil

-- Other metatables at the same call, none, and what is no table.
local function set(o, mt) return setmetatable(o, mt) end
for i = 1, 60 do set(Base.new(i), Sub) end
print(set(Base.new(1), Leaf).x, getmetatable(set(Base.new(1), nil)), pcall(set, Base.new(1), 1))
print(getmetatable(set(Sub.new(1), Base)) == Base, pcall(set, 1, Base))
local own = {__index = {x = "own"}}
print(set({}, own).x, set(set({}, own), Sub).x, set(Base.new(2), {__index = function(_, k) return k end}).unknown)

-- Metamethods of the new class.
Sub.__add = function(a, b) return a.x + b.x end
Base.__add = function() return "base" end
local function add(a, b) return a + b end
for i = 1, 60 do add(Sub.new(i), Sub.new(1)) end
print(add(Sub.new(3), Sub.new(4)), add(Base.new(3), Sub.new(4)), pcall(add, 1, {}))
