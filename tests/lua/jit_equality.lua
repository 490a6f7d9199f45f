-- Equality and order of values of all kinds in compiled code: identity of
-- tables, __eq that comes and goes, numbers of two kinds, NaN.

local function eq(a, b) return a == b end
local function lt(a, b) return a < b end
local function le(a, b) return a <= b end

-- Tables without metatables, of a class, and with metatables of their own.
local Class = {}
Class.__index = Class
local function object() return setmetatable({x = 1}, Class) end
local function own() return setmetatable({x = 1}, {__index = Class}) end

local values = {
  {}, {}, object(), object(), own(), own(), 1, 1.0, 2, 0.5, -0.0, 0, 0 / 0,
  "1", "a", "a" .. "", true, false, print, type, eq, io.stdout, io.stderr,
  coroutine.create(eq), math.mininteger, -2^63, math.maxinteger, 2^63,
}

local function matrix()
  local out = {}
  for i = 1, #values do
    local row = {}
    for k = 1, #values do row[k] = eq(values[i], values[k]) and "1" or "." end
    out[i] = table.concat(row)
  end
  return table.concat(out, "\n")
end
for _ = 1, 3 do matrix() end
print(matrix())

-- A metamethod that comes later, with compiled code around.
local a, b = object(), object()
local function differ(n)
  local count = 0
  for _ = 1, n do if a ~= b then count = count + 1 end end
  return count
end
print(differ(100))
Class.__eq = function(x, y) return x.x == y.x end
print(differ(100), eq(a, b), eq(a, own()), eq(own(), a), eq(own(), own()), eq(a, {}))
b.x = 2
print(differ(100), eq(a, b))
Class.__eq = nil
print(differ(100), eq(a, b))

-- One metatable of an object of a class gets it.
local o, p = own(), own()
print(eq(o, p))
getmetatable(o).__eq = function() return true end
print(eq(o, p), eq(p, o), eq(p, own()))
setmetatable(o, nil)
print(eq(o, p), eq(o, o))

-- A metatable that is a map.
local map = {}
for i = 1, 200 do map["k" .. i] = i end
local q, r = setmetatable({}, map), setmetatable({}, map)
print(eq(q, r))
map.__eq = function() return 1 end
print(eq(q, r))

-- So many classes from one constructor that its tables keep their metatables
-- themselves.
local function make(class) return setmetatable({x = 1, y = 2}, class) end
local classes = {}
for i = 1, 12 do
  classes[i] = {__eq = i % 2 == 0 and function(u, v) return u.y == v.y end or nil}
end
for i = 1, #classes do
  io.write(eq(make(classes[i]), make(classes[i])) and "=" or "~", eq(make(classes[i]), make(classes[i % 12 + 1])) and "=" or "~")
end
print()

-- Errors and results of metamethods.
local E = {__eq = function() error("no equality") end, __lt = function() return 1 end, __le = function() return nil end}
local s, t = setmetatable({}, E), setmetatable({}, E)
for _ = 1, 5 do
  print(pcall(eq, s, t))
  print(eq(s, s), lt(s, t), le(s, t))
end

-- Order of numbers of both kinds, strings, and what has none.
local orders = {1, 2, 1.5, 2.0, -0.0, 0, 0 / 0, math.huge, -math.huge, math.maxinteger, 2^63, "1", "10", "2", "", {}, false}
for _ = 1, 3 do
  local out = {}
  for i = 1, #orders do
    for k = 1, #orders do
      local ok, less = pcall(lt, orders[i], orders[k])
      local ok2, most = pcall(le, orders[i], orders[k])
      out[#out + 1] = (ok and (less and "<" or "-") or "!") .. (ok2 and (most and "=" or "-") or "!")
    end
    out[#out + 1] = "\n"
  end
  if _ == 3 then io.write(table.concat(out)) end
end
print(pcall(lt, {}, 1))
print(pcall(le, "a", 1))
