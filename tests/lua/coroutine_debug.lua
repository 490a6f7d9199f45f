-- tracebacks and information of other threads
local function inner(x)
  local before = x + 1
  coroutine.yield(before)
  error("failed inside " .. x)
end
local function outer(x)
  inner(x * 2)
  return "not a tail call"
end
local co = coroutine.create(function(x)
  outer(x)
  return x
end)
print(debug.traceback(co))
print(coroutine.resume(co, 5))
print(debug.traceback(co))
print(debug.traceback(co, "with a message"))
print(debug.traceback(co, "from level 1", 1))
print(debug.traceback(co, "from level 3", 3))
print(debug.traceback(co, nil, 10))
print(debug.traceback(co, {}) ~= nil)
for level = 0, 4 do
  local i = debug.getinfo(co, level, "nSl")
  if i then print(level, i.what, i.name, i.namewhat, i.currentline, i.linedefined) else print(level, i) end
end
print(debug.getinfo(co, 1, "f").func == inner)
print(debug.getlocal(co, 1, 1))
print(pcall(debug.getlocal, co, 20, 1))
print(coroutine.resume(co))
print(debug.traceback(co))
print(debug.getinfo(co, 1, "f").func == inner, debug.getinfo(co, 0, "S").what)
print(coroutine.close(co))
print(debug.traceback(co))

-- of a finished one
local co = coroutine.create(function() end)
coroutine.resume(co)
print(debug.traceback(co), debug.getinfo(co, 0))

-- of the main program, seen from inside
local main = coroutine.running()
print(coroutine.wrap(function()
  return debug.traceback("inside"), (debug.traceback(main, "the main program"):gsub("\n.*", ""))
end)())

-- of one that waits for another
local co1
co1 = coroutine.create(function()
  local co2 = coroutine.create(function()
    print(debug.traceback(co1, "waiting"))
    return debug.getinfo(co1, 1, "l").currentline
  end)
  print(coroutine.resume(co2))
end)
coroutine.resume(co1)

-- positions of errors
local co = coroutine.create(function()
  local function f() error("level 1") end
  local function g() error("level 2", 2) end
  print(pcall(f))
  print(pcall(g))
  error("level 2 of the body", 2)
end)
print(coroutine.resume(co))

-- the message handler sees the frames of the coroutine only
local co = coroutine.wrap(function()
  return xpcall(function() coroutine.yield(); local x = {} .. "" end, debug.traceback)
end)
co()
print(co())
