-- Protected calls that compiled code has in place: results, errors from every kind of
-- instruction, levels and tracebacks, what is rebuilt when code leaves in the middle.

local function check(what, got, want)
  if got ~= want then
    print("wrong", what, got, want)
  end
end

local function repeated(f, ...)
  local r
  for i = 1, 300 do
    r = table.pack(f(i, ...))
  end
  for i = 1, r.n do
    r[i] = tostring(r[i])
  end
  return table.concat(r, " ")
end

-- Results.
local function add(x, y) return x + y end
local function none() end
local function three(x) return x, x + 1, x + 2 end
local function either(x)
  if x % 2 == 0 then return x end
  return x, "odd"
end

print("one", repeated(function(i)
  local ok, v = pcall(add, i, 1)
  return ok, v
end))
print("padded", repeated(function(i)
  local ok, a, b, c, d = pcall(three, i)
  local ok2, e = pcall(none)
  return ok, a, b, c, d, ok2, e
end))
print("dropped", repeated(function(i)
  pcall(none)
  pcall(three, i)
  local ok = pcall(three, i)
  return ok
end))
print("list", repeated(function(i)
  local t = {pcall(three, i)}
  return #t, t[1], t[4], select("#", pcall(none)), select(2, pcall(three, i))
end))
print("returned", repeated(function(i)
  local function r() return pcall(three, i) end
  local function s() return pcall(either, i) end
  local function t(x) return pcall(add, x, i) end
  local a, b = t(4)
  return select("#", s()), a, b, r()
end))
print("missing and more arguments", repeated(function(i)
  local ok, e = pcall(add, i)
  local ok2, v = pcall(add, i, 1, 2, 3)
  return ok, ok2, v
end))

-- Errors.
local function fails(x)
  if x % 10 == 0 then error("ten") end
  return x
end
local function object(x)
  if x % 10 == 0 then error({code = x}) end
  return x
end
local function level(x)
  if x % 10 == 0 then error("level", 2) end
  return x
end
local function index(t) return t.x.y end
local function arith(a) return a + 1 end
local function native(s) return string.rep(s, 2) end
local function concat(a) return "a" .. a end
local function call(f) return f() end
local function tail(f, x) return f(x) end
local function compare(a, b) return a < b end
local function len(a) return #a end

local function count(f, a, b)
  local good, bad, last = 0, 0, nil
  for i = 1, 200 do
    local ok, v = pcall(f, a or i, b)
    if ok then good = good + 1 else bad, last = bad + 1, v end
  end
  return good, bad, type(last) == "table" and last.code or last
end

print("error", count(fails))
print("error object", count(object))
print("error level", count(level))
for _, case in ipairs {
  {index, {}}, {index, {x = 1}}, {index, {x = {}}}, {arith, {}}, {arith, "x"}, {arith, "1"},
  {native, {}}, {native, "x"}, {concat, {}}, {concat, 1}, {call, 1}, {call, none},
  {tail, fails, 10}, {tail, fails, 11}, {compare, 1, 2}, {compare, 1, "2"}, {compare, {}, {}},
  {len, {}}, {len, 1}} do
  print(count(case[1], case[2], case[3]))
end

-- The same, each at a place of its own.
local function once(x)
  local ok, e = pcall(fails, x)
  local ok2, e2 = pcall(object, x)
  local ok3, e3 = pcall(level, x)
  local ok4, e4 = pcall(index, x % 10 == 0 and {} or {x = {y = 1}})
  local ok5, e5 = pcall(tail, fails, x)
  return ok, e, ok2, type(e2), ok3, e3, ok4, e4, ok5, e5
end
for i = 1, 300 do once(i) end
print(once(299))
print(once(300))

-- Nested.
local function inner(x)
  if x % 7 == 0 then error("inner " .. x, 0) end
  return x
end
local function outer(x)
  local ok, v = pcall(inner, x)
  if x % 5 == 0 then error("outer " .. tostring(v), 0) end
  return ok, v
end
local function nested(n)
  local log = {}
  for i = 1, n do
    local a, b, c = pcall(outer, i)
    if not a or not b then log[#log + 1] = tostring(b) .. tostring(c) end
  end
  return table.concat(log, ",")
end
nested(1000)
print(nested(36))

-- A closure made anew, with captured variables that the failing function changes.
local function captured(n)
  local good, bad = 0, 0
  for i = 1, n do
    local state = "before"
    local ok, e = pcall(function()
      state = "within"
      if i % 50 == 0 then error("stop", 0) end
      state = "after"
      good = good + 1
    end)
    if not ok then
      bad = bad + 1
      check("captured", state .. e, "withinstop")
    else
      check("captured", state, "after")
    end
  end
  return good, bad
end
print("captured", captured(1000))

-- Objects that do not exist in compiled code are there after an error.
local function virtual(n)
  local sum = 0
  for i = 1, n do
    local p = {x = i, y = 2}
    local ok, e = pcall(function(q)
      q.y = q.y + 1
      if i % 100 == 0 then error(q) end
      return q.x
    end, p)
    if ok then
      sum = sum + e + p.y
    else
      check("same object", e, p)
      sum = sum + 10000 + p.y
    end
  end
  return sum
end
print("virtual", virtual(1000))

-- Positions and tracebacks.
local function traced(x)
  if x == 0 then return debug.traceback("here") end
  return x
end
local function trace(x)
  local ok, t = pcall(traced, x)
  return t
end
for i = 1, 300 do trace(i) end
print((trace(0):gsub("%[C%]: in %?", "[C]: in ?")))
local function info(x)
  if x == 0 then
    local i = debug.getinfo(2, "Sn")
    return i.what .. " " .. tostring(i.name) .. " " .. debug.getinfo(3, "l").currentline
  end
  return x
end
local function informed(x)
  local ok, t = pcall(info, x)
  return t
end
for i = 1, 300 do informed(i) end
print(informed(0))

-- Handlers: only errors that no pcall catches get to them.
local seen = {}
local function handled(f, ...)
  return xpcall(f, function(e) seen[#seen + 1] = e; return "handled " .. e end, ...)
end
local function body(x)
  local ok, v = pcall(inner, x)
  if x % 100 == 0 then error("body", 0) end
  return ok, v
end
local function with_handler(x)
  return handled(body, x)
end
for i = 1, 1000 do with_handler(i) end
print(#seen, seen[1], seen[#seen], with_handler(6), with_handler(7), with_handler(100))
local function handled_loop(n)
  for i = 1, n do
    local ok, v = pcall(inner, i)
    if i == n then error("last " .. tostring(v), 0) end
  end
end
print(handled(handled_loop, 1000))
local function handler_within(x)
  local ok, v, w = pcall(function()
    return handled(function() error("within " .. x, 0) end)
  end)
  return ok, v, w
end
for i = 1, 300 do handler_within(i) end
print(handler_within(1))

-- Code that leaves in the middle: the rebuilt frames are protected, too.
local function typed(x)
  local y = x + 1
  if type(x) == "string" then error("string " .. y, 0) end
  return y
end
local function middle(x)
  local ok, v = pcall(typed, x)
  return ok, v
end
for i = 1, 300 do middle(i) end
print(middle("41"))
print(middle({}))
print(middle(1.5))
local function middle_tail(x)
  return pcall(typed, x)
end
for i = 1, 300 do middle_tail(i) end
print(middle_tail("41"))
print(middle_tail({}))
print(middle_tail(1.5))
local function middle_nested(x)
  local ok, a, b = pcall(function(y)
    local c, d = pcall(typed, y)
    if not c then error(d, 0) end
    return c, d
  end, x)
  return ok, a, b
end
for i = 1, 300 do middle_nested(i) end
print(middle_nested("41"))
print(middle_nested(2.5))

-- Variables to be closed.
local closed = {}
local function closing(x)
  local c <close> = setmetatable({}, {__close = function(_, e) closed[#closed + 1] = tostring(e) end})
  if x % 100 == 0 then error("closing", 0) end
  return x
end
local function through(x) return (closing(x)) end
local function close_all(n)
  local bad = 0
  for i = 1, n do
    if not pcall(through, i) then bad = bad + 1 end
  end
  return bad
end
print("closed", close_all(300), #closed, closed[1], closed[100])

-- Loops and allocation within, deep recursion, coroutines.
local function loops(n)
  local t = {}
  for i = 1, n do t[#t + 1] = {i} end
  return #t
end
local function garbage(n)
  local sum = 0
  for i = 1, n do
    local ok, v = pcall(loops, 100)
    sum = sum + v
  end
  return sum
end
print("garbage", garbage(300))
local function endless(x) return 1 + endless(x) end
local function overflow(n)
  local bad = 0
  for i = 1, n do
    local ok, e = pcall(endless, i)
    if not ok and e:find("stack overflow") then bad = bad + 1 end
  end
  return bad
end
print("overflow", overflow(3))
local function yields(x)
  local y = coroutine.yield(x)
  if y == "stop" then error("stopped", 0) end
  return y
end
local co = coroutine.wrap(function()
  for i = 1, math.huge do
    local ok, v = pcall(yields, i)
    if not ok then return v end
  end
end)
local last
for i = 1, 300 do last = co(i) end
print("coroutine", last, co("stop"))

-- Other things at the place.
local function varied(p, f, x)
  local ok, v = p(f, x)
  return ok, v
end
for i = 1, 300 do varied(pcall, add, i) end
for i = 1, 300 do varied(pcall, inner, 1) end
print(varied(pcall, inner, 7))
print(varied(function(f, x) return f, x end, 1, 2))
print(varied(pcall, 1, 2))
print(varied(pcall, setmetatable({}, {__call = function(_, x) return x end}), 3))
print(pcall(varied, pcall))
