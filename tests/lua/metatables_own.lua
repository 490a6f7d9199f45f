-- Objects that each have a metatable of their own, as in
-- `setmetatable(object, {__index = Class})`.
local Animal = {}
function Animal.new(name) return setmetatable({name = name, legs = 4}, {__index = Animal}) end
function Animal:speak() return self.name .. ' makes a sound' end
function Animal:count() return self.legs end

local Bird = {}
setmetatable(Bird, {__index = Animal})
function Bird.new(name)
  local o = Animal.new(name)
  o.legs = 2
  return setmetatable(o, {__index = Bird})
end
function Bird:speak() return self.name .. ' sings' end

local function total(list)
  local n = 0
  for i = 1, #list do n = n + list[i]:count() + #list[i]:speak() end
  return n
end

local list = {}
for i = 1, 40 do list[i] = i % 3 == 0 and Bird.new('b' .. i) or Animal.new('a' .. i) end
for _ = 1, 60 do assert(total(list) == total(list)) end
print(total(list))

-- each has its own metatable
print(getmetatable(list[1]) == getmetatable(list[2]), getmetatable(list[1]).__index == Animal)
print(getmetatable(list[3]).__index == Bird, getmetatable(Bird).__index == Animal)

-- which is no field
local function fields(t)
  local names = {}
  for k, v in pairs(t) do names[#names + 1] = tostring(k) .. '=' .. tostring(v) end
  table.sort(names)
  return table.concat(names, ' ')
end
print(fields(list[1]), fields(list[3]))
print(next({}), next(setmetatable({}, {__index = Animal})))
print(rawlen(list[1]), rawget(list[1], 'speak'), rawequal(list[1], list[1]))

-- a method added to the class, replaced, removed
function Animal:extra() return 'extra ' .. self.name end
local function call(o) return o:extra() end
for i = 1, 20 do call(list[i]) end
print(call(list[1]), call(list[3]))
function Animal:extra() return 'other ' .. self.name end
print(call(list[1]), call(list[3]))
Animal.extra = nil
print(pcall(call, list[1]))

-- one object's metatable changes: the others keep theirs
local function speak(o) return o:speak() end
for i = 1, 30 do speak(list[i]) end
getmetatable(list[1]).__index = {speak = function(self) return self.name .. ' is silent' end}
print(speak(list[1]), speak(list[2]), speak(list[3]))
getmetatable(list[2]).__index = function(t, k) return function() return k end end
print(speak(list[1]), speak(list[2]), speak(list[4]))
getmetatable(list[4]).__newindex = function(t, k, v) rawset(t, k, tostring(v) .. '!') end
local function set(o, v) o.mood = v; return o.mood end
for i = 5, 30 do set(list[i], i) end
list[4].mood = nil
print(set(list[4], 1), set(list[5], 1), rawget(list[4], 'mood'))
getmetatable(list[5]).__add = function(a, b) return 'sum' end
print(list[5] + 1, pcall(function() return list[6] + 1 end))
getmetatable(list[7]).__len = function() return 99 end
print(#list[7], #list[8])
getmetatable(list[9]).__index = nil
print(pcall(speak, list[9]))

-- other metatables, and none
setmetatable(list[10], nil)
print(getmetatable(list[10]), pcall(speak, list[10]))
setmetatable(list[11], {__index = Animal, __call = function(self, x) return self.name .. x end})
print(list[11]('!'), speak(list[11]))
setmetatable(list[13], Animal)
print(getmetatable(list[13]) == Animal, pcall(speak, list[13]))
setmetatable(list[10], {__index = Animal})
print(speak(list[10]))
print(pcall(setmetatable, setmetatable({}, {__metatable = 'no'}), {}))

-- many fields, computed keys, removal while iterating
local big = Animal.new('big')
for i = 1, 200 do big['k' .. i] = i end
local n, sum = 0, 0
for k, v in pairs(big) do
  n = n + 1
  if type(v) == 'number' then sum = sum + v end
end
print(n, sum, big:speak(), getmetatable(big).__index == Animal)
for k in pairs(big) do big[k] = nil end
print(next(big), big.name, getmetatable(big).__index == Animal)

-- the object is itself a class
local Base = setmetatable({}, {__index = Animal})
Base.__index = Base
local made = {}
for i = 1, 30 do made[i] = setmetatable({name = 'm' .. i, legs = i}, Base) end
local s = 0
for r = 1, 30 do for i = 1, 30 do s = s + made[i]:count() end end
print(s, made[3]:speak())
function Base:speak() return 'base ' .. self.name end
print(made[3]:speak())
setmetatable(Base, {__index = Bird})
Base.speak = nil
print(made[3]:speak())

-- collection
local keep = {}
for i = 1, 3000 do
  local o = Animal.new('x' .. i)
  if i % 100 == 0 then keep[#keep + 1] = o end
end
collectgarbage()
collectgarbage()
local names = {}
for _, o in ipairs(keep) do names[#names + 1] = o:speak():sub(1, 5) end
print(#names, names[1], names[30], getmetatable(keep[1]).__index == Animal)
local weak = setmetatable({}, {__mode = 'v'})
weak.a, weak.b = {}, Animal
collectgarbage()
print(weak.a, weak.b == Animal)
