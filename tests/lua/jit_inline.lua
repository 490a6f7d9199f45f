-- Calls built in place: frames, errors, tracebacks and collection inside them.
local function where(level)
  local i = debug.getinfo(level + 1, 'Sl')
  return i.short_src .. ':' .. i.currentline
end

local function add(a, b) return a + b end
local function twice(x) return add(x, x) end
local function four(x) return twice(twice(x)) end
local function sum(n)
  local s = 0
  for i = 1, n do s = s + four(i) end
  return s
end
for _ = 1, 30 do sum(100) end
print(sum(100), sum(0))

-- other types, in the middle of inlined code
print(pcall(four, 'x'), four('7'), four(1.5))
local Num = setmetatable({}, {__add = function() return 'added' end})
print(pcall(twice, Num))
print(select('#', pcall(four)), (select(2, pcall(four))))

-- positions and tracebacks
local function inner(x) if x > 90 then error('at ' .. where(1)) end return x end
local function middle(x) return 1 + inner(x) end
local function outer(x) local y = middle(x); return y end
local function run(n) local s = 0; for i = 1, n do s = s + outer(i) end; return s end
for _ = 1, 40 do run(80) end
print(run(80), pcall(run, 100))
print(select(2, xpcall(run, debug.traceback, 100)))
local function blame(level) error('blamed', level) end
local function caller(level) blame(level); return 1 end
local function calls(level) local r = caller(level); return r end
for _ = 1, 200 do pcall(calls, 1) end
print(pcall(calls, 1), pcall(calls, 2), pcall(calls, 3))

-- tail calls replace their frame
local function last(x) if x < 0 then error('negative', 2) end return x, x + 1 end
local function tail(x) return last(x) end
local function uses(x) local a, b = tail(x); return a + b end
for i = 1, 300 do uses(i) end
print(uses(1), pcall(uses, -1))
local function native(x) return tostring(x) end
local function uses_native(x) local s = native(x); return s .. '!' end
for i = 1, 300 do uses_native(i) end
print(uses_native(5), uses_native(nil))

-- results: missing, dropped, several
local function three() return 1, 2, 3 end
local function none() end
local function many(i)
  local a, b, c, d = three()
  local e = none()
  three()
  return a + b + c + i, d, e
end
for i = 1, 300 do many(i) end
print(many(1))

-- closures and captured variables
local function counter() local n = 0; return function(k) n = n + k; return n end end
local c1, c2 = counter(), counter()
local function step(c, k) return c(k) end
for i = 1, 300 do step(c1, 1); if i % 3 == 0 then step(c2, 2) end end
print(c1(0), c2(0))

-- collection inside inlined frames
local function make(x) return {x, {x}} end
local function read(t) return t[1] + t[2][1] end
local function both(x) local t = make(x); if x % 50 == 0 then collectgarbage() end; return read(t) end
local total = 0
for i = 1, 600 do total = total + both(i) end
print(total)

-- loops inside inlined functions, and recursion
local function upto(n) local s = 0; for i = 1, n do s = s + i end; return s end
local function sums(n) local s = 0; for i = 1, n do s = s + upto(i) end; return s end
for _ = 1, 20 do sums(50) end
print(sums(50))
local function fact(n) if n < 2 then return 1 end return n * fact(n - 1) end
local function facts(n) local s = 0; for i = 1, n do s = s + fact(i) end; return s end
for _ = 1, 50 do facts(10) end
print(facts(10))
local even, odd
function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
for i = 1, 200 do even(i) end
print(even(10000), odd(10000), even(7))

-- what was constant changes
local Shape = {}
Shape.__index = Shape
function Shape:area() return self.w * self.h end
local function area(s) return s:area() end
local square = setmetatable({w = 3, h = 4}, Shape)
for i = 1, 300 do area(square) end
print(area(square))
function Shape:area() return -1 end
print(area(square))
square.area = function() return 'own' end
print(area(square))
global_function = function(x) return x + 1 end
local function use_global(x) return global_function(x) end
for i = 1, 300 do use_global(i) end
print(use_global(1))
global_function = function(x) return x .. '?' end
print(use_global(1))
local limit = 10
local function below(x) return x < limit end
local function count(n) local k = 0; for i = 1, n do if below(i) then k = k + 1 end end; return k end
for _ = 1, 30 do count(30) end
print(count(30))
debug.setupvalue(below, 1, 20)
print(count(30), limit)
-- even while the code that relies on it is running
local base = 1
local function get() return base end
local function change(i) if i == 150 then debug.setupvalue(get, 1, 100) end end
local function walk(n) local s = 0; for i = 1, n do change(i); s = s + get() end; return s end
walk(100)
print(walk(200))

-- coroutines that yield from inlined calls
local function emit(x) coroutine.yield(x) end
local function produce(n) for i = 1, n do emit(i); emit(-i) end end
local seen = 0
for v in coroutine.wrap(function() produce(300) end) do seen = seen + v * v end
print(seen)
