-- Functions with `...` built in place of their calls: the extra arguments are
-- values of the caller, lists that end in them have a known length.

local function check(what, ...)
  local n = select("#", ...)
  local parts = { what }
  for i = 1, n do parts[#parts + 1] = tostring((select(i, ...))) end
  print(table.concat(parts, " "))
end

-- ... passed on, with and without arguments before it
local function add3(a, b, c) return a + (b or 10) + (c or 100) end
local function forward(...) return add3(...) end
local function forward_after(x, ...) return add3(x, ...) end
local function forward_value(...) local r = add3(...) return r end
local sum = 0
for i = 1, 3000 do
  sum = sum + forward(i) + forward(i, 2) + forward(i, 2, 3) + forward_after(i) + forward_after(i, 1, 2)
  sum = sum + forward_value(i, i) + forward_value(1, 2, 3, i)
end
check("forward", sum)

-- fewer arguments than parameters, none, many
local function params(a, b, c, ...) return a, b, c, ... end
local function count(...) return select("#", ...) end
local function none(...) return ... end
local last
for i = 1, 3000 do
  local a, b, c, d, e = params(i)
  assert(a == i and b == nil and c == nil and d == nil and e == nil)
  a, b, c, d, e = params(i, 2, 3, 4, 5, 6)
  assert(a == i and d == 4 and e == 5)
  last = count(params(i, nil, nil, nil)) + count(none()) + count(none(nil)) + count(none(i, i, nil))
end
check("params", last, count(params(1)), count(params(1, 2, 3, 4, 5)))

-- select with an index that varies, from both ends
local function total(...)
  local s = 0
  for k = 1, select("#", ...) do s = s + select(k, ...) end
  return s
end
local function from_end(...) return (select(-1, ...)) end
sum = 0
for i = 1, 3000 do
  sum = sum + total() + total(i) + total(i, 2) + total(i, 2.5, 3, 4, 5, 6, 7, 8) + total(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
  sum = sum + from_end(i, 2, i)
end
check("select", sum)
check("select errors", pcall(function() for i = 1, 3000 do total(1, i < 2900 and 2 or {}) end end))
local function at(k, ...) return (select(k, ...)) end
local seen = {}
for i = 1, 3000 do
  local ok, e = pcall(at, i % 5 - 1, "a", "b", "c")
  seen[tostring(e)] = (seen[tostring(e)] or 0) + 1
end
for _, key in ipairs { "a", "b", "c" } do check("at", key, seen[key]) end

-- constructors
local function list(...) return { ... } end
local function list_after(x, ...) return { x, ... } end
local function named(...) return { n = select("#", ...), ... } end
for i = 1, 3000 do
  local t, u, v = list(i, nil, 3), list_after(i, 1, 2), named(i, i, i, i)
  assert(t[1] == i and t[3] == 3 and #u == 3 and v.n == 4 and v[4] == i)
  t = list(1, 2, 3, 4, 5, 6, 7, i)
  assert(#t == 8 and t[8] == i and #list() == 0)
  last = #t + #named(nil, nil, i) + named(nil, nil).n
end
check("lists", last)

-- an exit in the middle: the interpreter finds the arguments
local function mixed(x, ...)
  local a, b = ...
  local y = x + 1
  local c, d, e = ...
  return y, a, b, c, d, e, select("#", ...)
end
for i = 1, 4000 do
  local x = i == 3500 and 1.5 or i == 3700 and "7" or i
  local y, a, b, c, d, e, n = mixed(x, i, "s", nil)
  assert(a == i and b == "s" and c == i and d == "s" and e == nil and n == 3)
  if x ~= i then check("exit", y, a, b, c, d, e, n) end
end
local function outer(x, ...)
  local function use(...) local s = 0 for _, v in ipairs { ... } do s = s + v end return s end
  return use(x, ...) + (...)
end
local function try(...) local ok, e = pcall(outer, ...) return ok and e or tostring(e):gsub("^.-:%d+: ", "") end
for i = 1, 3000 do
  local r = outer(1, i, 3)
  assert(r == 4 + 2 * i)
end
check("nested", try(1, 2, 3), try(1), try(1, "x"), try(1, 2, {}), outer(1, 2.5), try(nil, 1))

-- objects among the arguments survive collections
local kept = 0
local function churn(...)
  local before = select("#", ...)
  local t = {}
  for k = 1, 4 do t[k] = { k } end
  local a, b = ...
  return a[1] + #b + before + t[4][1]
end
for i = 1, 3000 do
  kept = kept + churn({ i }, "text" .. i % 10)
  if i % 500 == 0 then collectgarbage() end
end
check("objects", kept)

-- several callees that take lists
local handlers = {
  function(a, b) return a + b end,
  function(...) return select("#", ...) end,
  function(...) local s = 0 for k = 1, select("#", ...) do s = s + (select(k, ...)) end return s end,
}
local function emit(list, ...)
  local s = 0
  for k = 1, #list do s = s + list[k](...) end
  return s
end
sum = 0
for i = 1, 3000 do sum = sum + emit(handlers, i, 2) + emit(handlers, i, 2, 3.5) end
check("handlers", sum)
handlers[4] = function(...) return -1 end
handlers[5] = math.max
check("handlers", emit(handlers, 5, 6), emit(handlers, 1, 2, 3))

-- methods, constructors with an initializer, calls through __call
local Class = {}
Class.__index = Class
function Class:init(x, y) self.x, self.y = x, y or 0 return self end
function Class.new(...) return setmetatable({}, Class):init(...) end
function Class:apply(f, ...) return f(self.x, ...) + self.y end
setmetatable(Class, { __call = function(cls, ...) return cls.new(...) end })
sum = 0
for i = 1, 3000 do
  local o, p = Class.new(i), Class.new(i, 2)
  sum = sum + o.x + p.y + p:apply(add3) + p:apply(add3, 1, 2) + Class(i, 3).y
end
check("class", sum)

-- errors inside: position and traceback
local function fail(level, ...)
  local a = ...
  if a > 2950 then error("at " .. a .. " of " .. select("#", ...), level) end
  return a
end
local function calls_fail(level, ...) local r = fail(level, ...) return r end
for level = 0, 2 do
  check("error", pcall(function() for i = 1, 3000 do calls_fail(level, i, "b", "c") end end))
end
local trace
local function handler(e) trace = debug.traceback(e, 1) return e end
xpcall(function() for i = 1, 3000 do calls_fail(1, i) end end, handler)
print((trace:gsub("\n%s*%[C%].*", "")))

-- tail calls out of such functions, and into them
local function loop(n, ...)
  if n == 0 then return ... end
  return loop(n - 1, ...)
end
local function into(...) return none(...) end
local function swap(a, b, ...) return into(b, a, ...) end
for i = 1, 1500 do
  local a, b, c = swap(i, 2, 3)
  assert(a == 2 and b == i and c == 3)
  a, b = loop(20, i, 2)
  assert(a == i and b == 2)
end
check("tail", swap(1, 2, 3, 4), loop(1000, 1, nil, 3))

-- yields from inside
local function yielding(...)
  local a = coroutine.yield(select("#", ...), ...)
  return a, ...
end
local co = coroutine.wrap(function()
  local r
  for i = 1, 2000 do r = { yielding(i, "x", nil) } end
  return "end", #r, r[1], r[3]
end)
local n, a, b = co()
for i = 1, 1999 do n, a, b = co(i) end
check("yield", n, a, b, co("last"))

-- arguments written to later, captured variables, a loop that changes them
local function captured(...)
  local x, y = ...
  local function bump() x = x + 1 return x end
  bump()
  return bump(), y, ...
end
for i = 1, 3000 do
  local s, y, first, second = captured(i, 2)
  assert(s == i + 2 and y == 2 and first == i and second == 2)
end
check("captured", captured(1, 2, 3))

-- more arguments than a call instruction counts
local unpack = table.unpack
local many = {}
for i = 1, 120 do many[i] = i end
for i = 1, 2500 do last = count(unpack(many)) + total(unpack(many, 1, 12)) end
check("many", last)

-- an inlined frame is replaced by that of a function with `...`
local function last_of(x, ...)
  local n = select("#", ...)
  if n == 0 then return x end
  return (select(n, ...))
end
local function replaced(a, b) return last_of(b, a, { a }, b) end
local function replaced_twice(a, ...) return replaced(..., a) end
local function replaced_error(a, ...) return last_of(a + ..., ...) end
sum = 0
for i = 1, 3000 do
  sum = sum + replaced(i, 2) + replaced_twice(i, 3, 4) + replaced_error(i, i)
  if i % 1000 == 0 then collectgarbage() end
end
check("replaced", sum, replaced(1, 2.5), replaced_twice("a", 1.5))
check("replaced", pcall(replaced_error, {}, 1))
check("replaced", pcall(replaced_error, 1))
