-- Class methods that a class inherits, called on the class itself: constants
-- until something on the way changes.
local Base = {}
Base.__index = Base
function Base.make(class, v) return setmetatable({v = v}, class) end
function Base:get() return self.v end
function Base.tag() return 1 end
local function class(super)
  local c = setmetatable({}, super)
  c.__index = c
  return c
end
local function own(super)
  local c = setmetatable({}, {__index = super})
  c.__index = c
  return c
end

local function change(name, make, act)
  local Middle = make(Base)
  local Leaf = make(Middle)
  local function run(n)
    local s = 0
    for i = 1, n do s = s + Leaf:make(i):get() * Leaf.tag() end
    return s
  end
  for _ = 1, 40 do run(100) end
  local before = run(10)
  act(Leaf, Middle)
  local ok, after = pcall(run, 10)
  for _ = 1, 20 do pcall(run, 100) end
  print(name, before, ok, after, pcall(run, 10))
end

local function two() return 2 end
for _, make in ipairs {class, own} do
  change('nothing', make, function() end)
  change('leaf gets it', make, function(Leaf) Leaf.tag = two end)
  change('middle gets it', make, function(_, Middle) Middle.tag = two end)
  change('and loses it', make, function(Leaf, Middle) Middle.tag = two Leaf.tag = two Leaf.tag = nil Middle.tag = nil end)
  change('by rawset', make, function(Leaf) rawset(Leaf, 'tag', two) end)
  change('another class', make, function(Leaf) setmetatable(Leaf, {__index = {make = Base.make, tag = two}}) Leaf.get = Base.get end)
  change('no class', make, function(Leaf) setmetatable(Leaf, nil) end)
  change('other index', make, function(Leaf, Middle)
    getmetatable(Leaf).__index = function(_, k) return k == 'tag' and two or Base[k] end
  end)
  change('many keys', make, function(Leaf) for i = 1, 100 do Leaf['k' .. i] = i end Leaf.tag = two end)
end
local tag = Base.tag
change('replaced in the base', class, function() Base.tag = two end)
Base.tag = tag
change('removed from the base', own, function() Base.tag = nil end)
Base.tag = tag

-- While the loop runs that relies on it.
local Middle = class(Base)
local Leaf = class(Middle)
local function running(n, at, act)
  local s = 0
  for i = 1, n do
    if i == at then act() end
    s = s + Leaf:make(i):get() * Leaf.tag()
  end
  return s
end
for _ = 1, 10 do running(300) end
print(running(2000, 1000, function() Leaf.tag = two end))
print(running(2000, 1000, function() Leaf.tag = nil Middle.tag = two end))
print(running(2000, 1000, function() Middle.tag = nil end))
print(pcall(running, 2000, 1000, function() Base.tag = nil end))
Base.tag = tag
print(running(2000))
-- A data table that inherits is none of these.
local record = setmetatable({}, {__index = {x = 1}})
local function read(n) local s = 0 for i = 1, n do s = s + record.x if i == n // 2 then record.x = 5 end end record.x = nil return s end
for _ = 1, 20 do read(100) end
print(read(100))
