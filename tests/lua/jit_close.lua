-- To-be-closed variables in hot functions: every way out of their scope, with
-- and without errors, collections while closing, loops entered with pending
-- variables.

local log = {}
local function mk(name, f)
  return setmetatable({ name = name }, { __close = function(o, e)
    log[#log + 1] = o.name .. (e ~= nil and "(" .. tostring(e) .. ")" or "")
    if f then f(o, e) end
  end })
end
local function flush()
  local s = table.concat(log, " ")
  log = {}
  return s
end
local function warm(f, ...)
  for _ = 1, 60 do f(...) end
  log = {}
  return f(...)
end

local function none() local a <close> = mk("a") end
warm(none) print(flush())
local function one(x) local a <close> = mk("a") return x end
print(warm(one, 5), flush())
print(one({ 1 })[1], flush())
local function two(x) local a <close> = mk("a") local b <close> = mk("b") return x, x .. "!" end
print(warm(two, "s"))
print(flush())
local function open(x) local a <close> = mk("a") return two(x) end
print(warm(open, "o"))
print(flush())
local function all(...) local a <close> = mk("v") return ... end
print(warm(all, 1, nil, 3))
print(flush())
local function nils() local a <close> = nil local b <close> = false return 1 end
print(warm(nils))
local function early(n)
  local a <close> = mk("a")
  if n > 10 then return "early" end
  do
    local b <close> = mk("b")
    if n > 5 then return "inner", n end
  end
  local c <close> = n > 2 and mk("c") or nil
  return "end"
end
print(warm(early, 1), flush())
for _, n in ipairs({ 11, 6, 3, 1 }) do print(n, early(n)) print(flush()) end

-- results are made before the variables are closed, and survive collections
local function made()
  local t = { 1 }
  local a <close> = mk("a", function() t[1] = 2 collectgarbage() for i = 1, 50 do local _ = { i } end end)
  return { t[1] }, t[1] .. "x"
end
local r, s = warm(made)
print(r[1], s, flush())

-- errors in the body, in the closing, in both
local function body(n) local a <close> = mk("a") local b <close> = mk("b") if n == 0 then error("body", 0) end return n end
print(warm(body, 1), flush())
print(pcall(body, 0))
print(flush())
local function closing(n)
  local a <close> = mk("a")
  local b <close> = mk("b", function() if n == 0 then error("closing", 0) end end)
  local c <close> = mk("c")
  return n
end
print(warm(closing, 1), flush())
print(pcall(closing, 0))
print(flush())
local function both(n)
  local a <close> = mk("a", function(_, e) error("2" .. tostring(e), 0) end)
  local b <close> = mk("b", function(_, e) error("1" .. tostring(e), 0) end)
  if n == 0 then error("0", 0) end
  return n
end
for _ = 1, 60 do pcall(both, 1) end
log = {}
print(pcall(both, 1)) print(flush())
print(pcall(both, 0)) print(flush())
local function bad(v) local x <close> = v return 1 end
for _ = 1, 60 do bad(nil) end
print(pcall(bad, 42))
print(pcall(bad, {}))
print(bad(false))

-- loops: each round closes, break and goto too
local function loop(n)
  local t = 0
  for i = 1, n do
    local a <close> = mk("i" .. i)
    if i == 3 then break end
    t = t + i
  end
  return t
end
print(warm(loop, 2), flush())
print(loop(5), flush())
local function again(n)
  local i = 0
  ::top::
  do
    local a <close> = mk("g" .. i)
    i = i + 1
    if i < n then goto top end
  end
  return i
end
print(warm(again, 3), flush())

-- generic loops with a closing value
local function each(n, ...)
  local t = 0
  for i in function(_, k) if k < n then return k + 1 end end, nil, 0, ... do
    if i == 4 then break end
    t = t + i
  end
  return t
end
print(warm(each, 3), flush())
print(warm(each, 3, mk("w")), flush())
print(each(9, mk("x")), flush())

-- a long loop that is entered while variables are pending
local function long(n)
  local a <close> = mk("long")
  local t = 0
  for i = 1, n do t = t + i % 7 end
  if t < 0 then return "never" end
  local b <close> = mk("after")
  for i = 1, n do t = t + i % 3 end
  return t
end
print(long(30000), flush())
do
  local m <close> = mk("main")
  local t = 0
  for i = 1, 30000 do t = t + i % 5 end
  print(t)
end
print(flush())

-- side exits while variables are pending
local function exits(x, n)
  local a <close> = mk("a")
  local t = 0
  for i = 1, n do t = t + x end
  local b <close> = mk("b")
  return t + x
end
print(warm(exits, 1, 5), flush())
print(exits(1.5, 5), flush())
print(pcall(exits, "x", 5)) print(flush())
print(exits("2", 2), flush())

-- captured and nested in calls
local function captured()
  local a <close> = mk("a", function(o) o.f() end)
  local n = 0
  a.f = function() n = n + 1 log[#log + 1] = "n" .. n end
  a.f()
  return n
end
print(warm(captured), flush())
local function deep(n)
  local a <close> = mk("d" .. n)
  if n == 0 then return "bottom" end
  local r = deep(n - 1)
  return r
end
print(warm(deep, 3), flush())
print(select("#", all()), flush())
