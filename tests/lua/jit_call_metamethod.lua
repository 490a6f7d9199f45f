-- Calls of tables: `__call` is a call like any other, with the table first.

local function class(parent)
  local c = {}
  c.__index = c
  local new = function(cls, ...)
    local o = setmetatable({}, cls)
    o:init(...)
    return o
  end
  return setmetatable(c, { __index = parent, __call = new })
end

local Point = class()
function Point:init(x, y) self.x, self.y = x, y or 0 end
function Point:sum() return self.x + self.y end
local Point3 = class(Point)
function Point3:init(x, y, z) Point.init(self, x, y) self.z = z end
function Point3:sum() return Point.sum(self) + self.z end

local function make(i) return Point(i, 2) end
local s = 0
for i = 1, 3000 do
  s = s + Point(i):sum() + make(i):sum() + Point3(i, 2, 3):sum()
end
print("classes", s)

-- a functor whose operand changes in type, results in every number
local Poly = setmetatable({}, { __call = function(self, x, ...) return x + self.k, x * self.k, ... end })
Poly.k = 3
local function one(x) local a = Poly(x) return a end
local function two(x) local a, b = Poly(x) return a + b end
local function all(...) return Poly(...) end
local function tail(x) return Poly(x, "end") end
local function list(x) return { Poly(x, 1, 2) } end
local function passed(x) return select("#", Poly(x, nil, nil)) end
s = 0
for i = 1, 3000 do
  local x = i == 2500 and 0.5 or i
  local _, _, e = tail(x)
  assert(e == "end")
  s = s + one(x) + two(x) + all(x, x) + #list(x) + passed(x)
end
print("functor", s, all(1, 2, 3))
Poly.k = 2.5
print("changed", one(1), two(2), tail(3))

-- the metamethod is replaced, taken away, no function itself
local mt = getmetatable(Poly)
local old = mt.__call
mt.__call = function(self, x) return -x, self == Poly end
print("replaced", one(1), two and pcall(two, 2), tail(3))
mt.__call = setmetatable({}, { __call = function(inner, self, x) return x .. "!", inner ~= self end })
print("chain", one(1), tail(3))
mt.__call = nil
print("gone", pcall(one, 1))
print("gone", pcall(tail, 1))
mt.__call = old
print("back", one(1))

-- objects of one class, each with state, and what is no such object
local Counter = {}
Counter.__index = Counter
Counter.__call = function(self, by) self.n = self.n + by return self.n end
local function counter() return setmetatable({ n = 0 }, Counter) end
local a, b = counter(), counter()
local function bump(c, by) return c(by) end
local function bump_twice(c) local x = c(1) return x + c(1) end
s = 0
for i = 1, 3000 do s = s + bump(i % 2 == 0 and a or b, i) + bump_twice(a) end
print("counters", s, a.n, b.n)
print("function", bump(function(by) return by * 2 end, 21))
print("native", bump(math.abs, -4))
print("number", pcall(bump, 1, 2))
print("plain", pcall(bump, {}, 2))

-- per-object metatables
local function adder(n) return setmetatable({}, { __call = function(_, x) return x + n end }) end
local add = { adder(1), adder(2) }
s = 0
for i = 1, 3000 do s = s + add[i % 2 + 1](i) end
print("own", s)

-- errors: position and traceback
local Bad = setmetatable({}, { __call = function(self, x) if x > 2990 then error("bad " .. x) end return x end })
local function use(x) local r = Bad(x) return r end
print(pcall(function() for i = 1, 3000 do use(i) end end))
local trace
xpcall(function() for i = 1, 3000 do use(i) end end, function(e) trace = debug.traceback(e, 3) end)
print((trace:gsub("\n%s*%[C%].*", "")))

-- a coroutine yields through it, the collector runs in it
local Gen = setmetatable({}, { __call = function(_, ...) return coroutine.yield(...) end })
local co = coroutine.wrap(function() local n = 0 for i = 1, 2000 do n = n + Gen({ i })[1] end return n end)
local r = co()
for _ = 1, 1999 do r = co(r) if _ % 700 == 0 then collectgarbage() end end
print("yield", co(r))
