-- Tail calls of compiled functions, which jump to each other, and open lists of one value.

-- Chains that would fill any stack: of one function, of two, with many arguments.
local function down(n, acc)
  if n == 0 then return acc end
  return down(n - 1, acc + n)
end
print(down(10, 0), down(300000, 0))

local even, odd
function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
print(even(10), odd(300001), even(300001))

local function many(n, a, b, c, d, e)
  if n == 0 then return a, b, c, d, e end
  return many(n - 1, b, c, d, e, a)
end
for n = 0, 6 do print(many(n, 1, 2.5, "three", nil, { 5 } and 5)) end
print(many(100002, 1, 2, 3, 4, 5))

-- Fewer and more arguments than parameters; a function with extra arguments on either side.
local function sum(...)
  local t = 0
  for i = 1, select("#", ...) do t = t + (select(i, ...) or 0) end
  return t, select("#", ...)
end
local function short(n) if n % 2 == 0 then return many(1, n) end return sum(n, 1, 2, 3, 4) end
local function spread(...) return sum(1, ...) end
local function fewer(...) return down(...) end
for n = 1, 40 do
  local a, b, c, d, e = short(n)
  assert(n % 2 == 1 and a == n + 10 and b == 5 or n % 2 == 0 and a == nil and e == n)
  assert(spread(n, n) == 2 * n + 1 and fewer(3, n, n) == n + 6)
end
print(short(7))
print(short(8))

-- A function that calls itself both ways.
local function tree(n, acc)
  if n <= 1 then return acc + 1 end
  acc = tree(n - 2, acc)
  return tree(n - 1, acc)
end
print(tree(5, 0), tree(18, 0))

-- Arguments of a type that the function was not compiled for.
local function shift(n, v)
  if n == 0 then return v end
  return shift(n - 1, n % 1000 == 0 and tostring(v) or v)
end
for i = 1, 30 do shift(5, i) end
print(shift(10, 1), shift(2500, 2), shift(3, nil), shift(3, 1.5))

-- What is called in the end is no Lua function, or nothing that can be called.
local callable = setmetatable({}, { __call = function(self, x) return x, self ~= nil end })
local function over(f, x) return f(x) end
for i = 1, 60 do
  assert(over(math.abs, -i) == i)
  assert(over(callable, i) == i)
  assert(over(function(x) return x + 1 end, i) == i + 1)
end
print(over(callable, 3))
print(pcall(over, nil, 1))
print(select(2, pcall(over, "x", 1)))

-- Open lists: of one value, as a rule; then of none, of several.
local function give(n)
  if n == 0 then return end
  if n == 1 then return "one" end
  if n == 2 then return "one", "two" end
  return give(n - 3)
end
local function count(...) return select("#", ...), ... end
local function open(n) return count("first", give(n)) end
for i = 1, 60 do assert(open(1) == 2 and open(4) == 2) end
print(open(1))
print(open(0))
print(open(2))
print(open(5))
print(open(1))
local function nested(n) return count(count(give(n))) end
for i = 1, 60 do nested(1) end
print(nested(1))
print(nested(2))
local function lengths(s) return count(math.floor(#s / 2)) end
for i = 1, 60 do assert(lengths("abcd") == 1) end
print(lengths("abcdef"))

-- Errors at the end of a chain, and the level that they name.
local function fail(n) if n == 0 then error("end of the chain", 2) end return fail(n - 1) end
local function start(n) local ok = fail(n) return ok end
for i = 1, 40 do pcall(start, i % 5) end
print(pcall(start, 3))
local function trace(n)
  if n == 0 then return (debug.traceback("trace", 1):gsub("\n[^\n]*%[C%][^\n]*", "")) end
  return trace(n - 1)
end
local function outer(n) local t = trace(n) return t end
for i = 1, 40 do outer(3) end
print(outer(3))
print(outer(0))

-- Coroutines whose body ends in a chain, with a yield inside it.
local function walk(n) if n == 0 then return "walked" end coroutine.yield(n) return walk(n - 1) end
for i = 1, 20 do
  local co = coroutine.wrap(walk)
  for n = 3, 1, -1 do assert(co(3) == n) end
  assert(co() == "walked")
end
local co = coroutine.create(function(n) return fail(n) end)
print(coroutine.resume(co, 2))

-- Collections on the way: what is handed on stays alive.
local function build(n, list)
  if n == 0 then return list end
  if n % 50 == 0 then collectgarbage("step") end
  return build(n - 1, { n, next = list })
end
for i = 1, 5 do
  local list, n = build(400, nil), 0
  while list do n = n + list[1] list = list.next end
  assert(n == 400 * 401 // 2)
end
print("alive")
