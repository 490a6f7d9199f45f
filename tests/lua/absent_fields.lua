-- Fields that objects and their classes lack, and which come and go: on the object,
-- on its class, on the class above, by a new metatable or a new __index.

local Base, Class = {}, {}
Base.__index, Class.__index = Base, Class
setmetatable(Class, Base)

local function read(o) return o.flag end
local function branch(o, i) if o.flag then return i * 2 end return i + o.x end

local function run(o, n)
  local s = 0
  for i = 1, n do
    s = s + branch(o, i)
    if read(o) ~= nil then s = s + 1000 end
  end
  return s
end

local function object(x) return setmetatable({x = x}, Class) end
local a, b = object(1), object(2)
print("absent", run(a, 200), run(b, 200))

a.flag = true
print("on the object", run(a, 200), run(b, 200))
a.flag = nil
print("gone", run(a, 200), run(b, 200))

Class.flag = true
print("on the class", run(a, 200), run(b, 200))
Class.flag = nil
print("gone", run(a, 200), run(b, 200))

Base.flag = true
print("above", run(a, 200), run(b, 200))
Base.flag = false
print("false", run(a, 200), run(b, 200))
Base.flag = nil
print("gone", run(a, 200), run(b, 200))

local Other = {__index = {flag = true}}
setmetatable(Base, Other)
print("above all", run(a, 200))
setmetatable(Base, nil)
print("gone", run(a, 200))

Class.__index = function(_, k) if k == "flag" then return 7 end return Base[k] end
print("function", run(a, 200), read(a))
Class.__index = Class
print("table again", run(a, 200), read(a))

setmetatable(a, {__index = {flag = 1}})
print("other metatable", run(a, 200), run(b, 200))
setmetatable(a, nil)
print("none", run(a, 200))

rawset(Class, "flag", true)
print("rawset", run(b, 200))
rawset(Class, "flag", nil)
print("gone", run(b, 200))

-- Written in the middle of a loop that reads it.
local function switch(o, n, at, where)
  local s = 0
  for i = 1, n do
    if o.flag then s = s + 100 else s = s + 1 end
    if i == at then where.flag = true end
  end
  where.flag = nil
  return s
end
for _, where in ipairs {b, Class, Base} do
  for _ = 1, 3 do print("in the loop", switch(b, 300, 250, where)) end
end

-- Lists whose last node lacks the field `next`.
local Node = {}
Node.__index = Node
function Node:length() if self.next then return 1 + self.next:length() end return 1 end
local function list(n)
  local node = setmetatable({}, Node)
  for _ = 2, n do node = setmetatable({next = node}, Node) end
  return node
end
local total = 0
for i = 1, 60 do total = total + list(i % 12 + 1):length() end
print("lists", total)

-- Globals that nobody has set, are set, and are gone again.
local function debugging(n)
  local s = 0
  for i = 1, n do if not VERBOSE_MODE then s = s + 1 else s = s + 2 end end
  return s
end
for round = 1, 3 do
  print("global", debugging(200))
  VERBOSE_MODE = true
  print("set", debugging(200))
  VERBOSE_MODE = nil
  print("gone", debugging(200))
end
local function sets(n)
  local s = 0
  for i = 1, n do
    if ANOTHER_ONE then s = s + 100 else s = s + 1 end
    if i == n - 20 then _G["ANOTHER_" .. "ONE"] = i end
  end
  return s
end
print("in the loop", sets(200), ANOTHER_ONE)
setmetatable(_G, {__index = function(_, k) return k == "THIRD_ONE" and 3 or nil end})
local function third(n) local s = 0 for i = 1, n do s = s + (THIRD_ONE or 1) end return s end
print("metatable", third(200))
setmetatable(_G, nil)
print("none", third(200))
