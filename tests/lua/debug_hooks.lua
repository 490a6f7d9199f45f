-- Debug hooks: events, their order, threads of their own; also for functions
-- that are compiled by now.

local log = {}
local function note(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  log[#log + 1] = table.concat(words, " ")
end
local function show(title)
  debug.sethook()
  print(title)
  for _, line in ipairs(log) do print("", line) end
  log = {}
end

local function add(a, b)
  local c = a + b
  return c
end

local function sum(n)
  local s = 0
  for i = 1, n do
    s = add(s, i)
  end
  return s
end

local function last(n)
  return add(n, 1)
end

local function many(...)
  local n = select("#", ...)
  return n, ...
end

-- hot before any hook is set
for i = 1, 300 do sum(10) last(i) many(i, i) end

debug.sethook(function(event, line) note(event, line) end, "l")
sum(2)
last(1)
many(1, 2)
show("lines")

debug.sethook(function(event, line)
  local i = debug.getinfo(2, "nSt")
  note(event, line, i.namewhat, i.name, i.what, i.istailcall)
end, "cr")
sum(2)
last(1)
many(1, 2)
for k in pairs({ 1 }) do add(k, 0) end
pcall(add, 1, 2)
show("calls")

debug.sethook(function(event)
  local i = debug.getinfo(2, "r")
  local values = {}
  for n = i.ftransfer, i.ftransfer + i.ntransfer - 1 do
    local _, v = debug.getlocal(2, n)
    values[#values + 1] = tostring(v)
  end
  note(event, table.concat(values, ","))
end, "cr")
add(1, 2)
many("a", "b", "c")
math.max(3, 4)
show("values")

-- a hook of a thread is not one of another
local co = coroutine.wrap(function()
  local x = add(1, 1)
  coroutine.yield(x)
  return add(2, 2)
end)
debug.sethook(function(event, line) note(event, line) end, "l")
co()
show("main thread only")

local inner = coroutine.create(function()
  local x = add(1, 1)
  coroutine.yield(x)
  return last(2)
end)
debug.sethook(inner, function(event, line)
  note(event, line, coroutine.running() == inner)
end, "lc")
sum(2)
coroutine.resume(inner)
sum(2)
coroutine.resume(inner)
print(select("#", debug.gethook()), debug.gethook(inner) ~= nil)
show("coroutine only")

-- counts: every n instructions, and fewer with a larger n
local function counted(n)
  local events = 0
  debug.sethook(function(event)
    assert(event == "count")
    events = events + 1
  end, "", n)
  sum(100)
  debug.sethook()
  return events
end
local fine, coarse = counted(1), counted(10)
print("counts", fine > 200, coarse > 0 and coarse < fine)

-- errors in hooks end the function; the hook stays set
debug.sethook(function(event, line) if line == 22 then error("stop") end end, "l")
local line = debug.getinfo(add, "S").linedefined
local ok, message = pcall(function()
  debug.sethook(function(_, l) if l == line + 1 then error("stop", 0) end end, "l")
  return sum(5)
end)
debug.sethook()
print(ok, message)

-- what gethook tells
local function h() end
debug.sethook(h, "crl", 7)
local f, mask, count = debug.gethook()
debug.sethook()
print(f == h, mask, count, debug.gethook())
debug.sethook(h, "")
print(debug.gethook())

-- hooks set and removed by what a loop calls
local function toggle(i)
  if i == 1000 then
    debug.sethook(function(event, line) note(event, line - debug.getinfo(toggle, "S").linedefined) end, "l")
  elseif i == 1002 then
    debug.sethook()
  end
  return i
end
local function loop(n)
  local s = 0
  for i = 1, n do
    s = s + toggle(i)
  end
  return s
end
local base = debug.getinfo(1, "l").currentline
print(loop(3000))
show("set in a hot loop")

-- set by a metamethod, without a call of its own in the loop
local t = setmetatable({}, { __index = function(_, k)
  if k == 500 then
    debug.sethook(function(event) note(event) end, "l")
  elseif k == 501 then
    debug.sethook()
  end
  return k
end })
local function index(n)
  local s = 0
  for i = 1, n do
    s = s + t[i]
  end
  return s
end
print(index(2000))
print(#log > 0)
log = {}

print(sum(1000), last(1), many(1, 2))
print(pcall(debug.sethook, 1, "c"))
print(pcall(debug.sethook, print))
print(pcall(debug.sethook, print, "c", "x"))
