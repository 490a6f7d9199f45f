-- Local variables of active functions, read and written from outside, in
-- interpreted and compiled frames.

local function locals(level)
  local names = {}
  for i = 1, 100 do
    local name, value = debug.getlocal(level + 1, i)
    if not name then break end
    if name:match("^%a") then
      names[#names + 1] = name .. "=" .. tostring(value)
    end
  end
  return table.concat(names, " ")
end

-- a variable that is not used any more is still there
local function unused(n)
  local a, b = n, "text"
  local c = { 1 }
  local seen = locals(1)
  return (seen:gsub("table: %S+", "table"))
end
for i = 1, 200 do unused(i) end
print(unused(7))

-- writes are seen where the function goes on
local function set(level, name, value)
  for i = 1, 100 do
    local n = debug.getlocal(level + 1, i)
    if not n then return false end
    if n == name then
      return debug.setlocal(level + 1, i, value) == name
    end
  end
end

local trigger
local function callback()
  if trigger then return trigger() end
  return 0
end

local function work(n)
  local scale, text = 2, "x"
  local s = 0
  for i = 1, n do
    s = s + i * scale
    callback()
  end
  return s, text, scale
end
for i = 1, 300 do work(10) end
print(work(10))
local calls = 0
trigger = function()
  calls = calls + 1
  if calls == 5 then
    print(set(3, "scale", 100), set(3, "text", { 1 }), set(3, "nothing", 1))
  end
  return 0
end
local s, text, scale = work(10)
print(s, type(text), scale)
trigger = nil
print(work(10))

-- two activations of one function: only the outer one is changed
local function nested(n, inner)
  local mark = n
  if n > 0 then
    nested(n - 1, inner)
  else
    inner()
  end
  return mark
end
for i = 1, 300 do nested(3, callback) end
local function poke() set(6, "mark", "changed") end
local function chain(n, inner)
  local mark = n
  local below = n > 0 and chain(n - 1, inner) or inner()
  return mark, below
end
for i = 1, 300 do chain(3, callback) end
print(chain(3, function() set(4, "mark", "outer") return "inner" end))

-- captured variables
local function counter()
  local n = 0
  local function up() n = n + 1 return n end
  for i = 1, 10 do
    up()
    callback()
  end
  return n, up
end
for i = 1, 300 do counter() end
trigger = function() trigger = nil set(3, "n", 1000) return 0 end
print((counter()))

-- what an error ends is not written to later
local function failing(n)
  local v = n
  callback()
  return v
end
for i = 1, 300 do failing(i) end
trigger = function() trigger = nil set(3, "v", "lost") error("gone", 0) end
print(pcall(failing, 1))
print(failing(2))

-- extra arguments
local function extra(...)
  callback()
  return ...
end
for i = 1, 300 do extra(i, i) end
trigger = function() trigger = nil print(debug.setlocal(3, -2, "new"), debug.setlocal(3, -3, 1)) return 0 end
print(extra(1, 2))

-- variables of a suspended coroutine
local co = coroutine.create(function(a)
  local b = a + 1
  coroutine.yield()
  return a, b
end)
coroutine.resume(co, 1)
print(debug.getlocal(co, 1, 1))
print(debug.setlocal(co, 1, 2, "b"))
print(coroutine.resume(co))

-- names of parameters of functions that are not active
print(debug.getlocal(work, 1), debug.getlocal(work, 2), debug.getlocal(print, 1))
print(pcall(debug.setlocal, 100, 1, 1))
print(pcall(debug.setlocal, 1, 1))
print(debug.setlocal(1, 1000, 1))
