-- `__index` and `__newindex` that are functions, in classes with computed fields, proxies and
-- objects with defaults.

local function property_class()
  local C, getters, setters = {}, {}, {}
  C.__index = function(o, key)
    local get = getters[key]
    if get then return get(o) end
    return C[key]
  end
  C.__newindex = function(o, key, v)
    local set = setters[key]
    if set then set(o, v) else rawset(o, key, v) end
  end
  function getters.area(o) return o.w * o.h end
  function getters.name(o) return o.label or error("no label", 2) end
  function setters.side(o, v) o.w = v o.h = v end
  function C.scale(o, by) o.w = o.w * by return o end
  function C.fails(o) return o.missing.field end
  return C, getters, setters
end

local C, getters, setters = property_class()
local function new(w, h) return setmetatable({w = w, h = h}, C) end
local function use(o, side)
  o.side = side
  local a = o.area
  o:scale(2)
  return a + o.area
end
local sum = 0
for i = 1, 200 do sum = sum + use(new(i, i + 1), i % 7) end
print(sum)

-- A getter that raises, with its position; a method that fails.
local function label(o) return o.name end
for i = 1, 60 do
  local o = new(1, 2)
  o.label = "l" .. i % 3
  label(o)
end
print(pcall(label, new(1, 2)))
print(pcall(function() return new(1, 2):fails() end))
local function trace(o) return o.traced end
function getters.traced() return (debug.traceback("here", 1):gsub("\n%s*%[C%]: in %?", "")) end
for i = 1, 60 do trace(new(1, 1)) end
print((trace(new(1, 1)):gsub("[^\n]*main chunk.*", "")))

-- The functions change.
function getters.area(o) return -o.w * o.h end
print(use(new(3, 4), 5))
setters.side = function(o, v) rawset(o, "w", v + 0.5) end
print(use(new(3, 4), 5))
C.__newindex = nil
print(use(new(3, 4), 5))
C.__newindex = function(o, key, v) rawset(o, "w", key) end
print(pcall(use, new(3, 4), 5))
C.__index = {area = 7, scale = function(o) return o end}
C.__newindex = {}
print(use(new(3, 4), 5))

-- Other classes and values at the same accesses.
local D = setmetatable({}, {__index = function(_, key) return "class " .. key end})
local function get(o) return o.field end
local function set(o, v) o.field = v end
local E = {}
E.__index = function(o, key) return key .. #o end
E.__newindex = function(o, key, v) rawset(o, #o + 1, v) end
for i = 1, 60 do get(setmetatable({1, 2}, E)) set(setmetatable({}, E), i) end
print(get(setmetatable({1, 2, 3}, E)), get(D), get({}), get({field = 1}), pcall(get, nil), get("s"))
local o = setmetatable({}, E)
set(o, "a") set(o, "b")
print(#o, o[1], o[2], rawget(o, "field"), pcall(set, 1, 2))
rawset(o, "field", "own")
set(o, "c")
print(o.field, #o)

-- Through a coroutine, a stack of its own; yields inside the functions.
local Y = {}
Y.__index = function(o, key) return coroutine.yield(key) end
Y.__newindex = function(o, key, v) coroutine.yield(v) end
local run = coroutine.wrap(function()
  local s = 0
  for i = 1, 50 do
    local y = setmetatable({}, Y)
    s = s + y.number
    y.number = s
    s = s + y:method()
  end
  return "end", s
end)
local what, n = run()
local reply = 0
while what ~= "end" do
  reply = reply + 1
  if what == "method" then what, n = run(function() return reply end) else what, n = run(reply) end
end
print(what, n)

-- Garbage made inside, while the object is only in a register.
local G = {}
G.__index = function(o, key) local t = {} for i = 1, 20 do t[i] = {i} end collectgarbage("step") return #t + o.n end
local function garbage() local s = 0 for i = 1, 30 do s = s + setmetatable({n = i}, G).size end return s end
print(garbage(), garbage())

-- Results that are none, several, and nil.
local N = {}
N.__index = function(o, key) if key == "none" then return elseif key == "two" then return 1, 2 else return nil end end
local function results(o) local a, b = o.none, o.two return a, b, o.null, (o.two) end
for i = 1, 60 do results(setmetatable({}, N)) end
print(results(setmetatable({}, N)))
print(select("#", setmetatable({}, N).two), #{setmetatable({}, N).two})
