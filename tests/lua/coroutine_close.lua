local function closer(name, f)
  return setmetatable({}, { __close = function(_, e)
    print("close " .. name, type(e) == "table" and "table" or e)
    if f then return f(e) end
  end })
end

-- of suspended ones: pending variables, latest first, no error
local co = coroutine.create(function()
  local a <close> = closer("a")
  do local gone <close> = closer("gone") end
  local b <close> = closer("b")
  coroutine.yield(1)
  print("never")
end)
print(coroutine.resume(co))
print(coroutine.close(co), coroutine.status(co))
print(coroutine.close(co))
print(coroutine.resume(co))

-- not started, finished
local co = coroutine.create(print)
print(coroutine.close(co), coroutine.status(co), coroutine.resume(co))
local co = coroutine.wrap(function() end)
co()

-- errors in closing methods replace each other
local co = coroutine.create(function()
  local a <close> = closer("a", function() error("from a", 0) end)
  local b <close> = closer("b")
  local c <close> = closer("c", function() error("from c", 0) end)
  local d <close> = closer("d")
  coroutine.yield()
end)
coroutine.resume(co)
print(coroutine.close(co))
print(coroutine.status(co), coroutine.close(co))

-- protected calls do not stop it
local co = coroutine.create(function()
  local a <close> = closer("outer")
  pcall(function()
    local b <close> = closer("inner")
    pcall(pcall, function()
      for i = 1, 3 do
        local c <close> = closer("loop")
        coroutine.yield()
      end
    end)
    print("not here")
  end)
  print("nor here")
end)
coroutine.resume(co)
print(coroutine.close(co))

-- closing methods may do what they like, but not yield
local co = coroutine.create(function()
  local a <close> = closer("yields", function() return coroutine.yield("no") end)
  local b <close> = closer("works", function()
    local inner = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
    print(inner(), inner(), pcall(error, "caught", 0))
    print(coroutine.status(coroutine.running()))
  end)
  coroutine.yield()
end)
coroutine.resume(co)
print(coroutine.close(co))

-- failed ones keep their variables until they are closed
local co = coroutine.create(function()
  local a <close> = closer("a", function(e) error("second", 0) end)
  local b <close> = closer("b")
  error("first", 0)
end)
print(coroutine.resume(co))
print(coroutine.status(co))
print(coroutine.resume(co))
print(coroutine.close(co))
print(coroutine.close(co))
local co = coroutine.create(error)
print((coroutine.resume(co, { 1 })))
local ok, e = coroutine.close(co)
print(ok, type(e), e[1])

-- wrap closes when it fails
local w = coroutine.wrap(function()
  local a <close> = closer("wrapped")
  coroutine.yield("fine")
  error("goes through", 0)
end)
print(w())
print(pcall(w))
print(pcall(w))
local w = coroutine.wrap(function()
  local a <close> = closer("replaces", function() error({}, 0) end)
  error("replaced")
end)
print(select("#", pcall(w)), type(select(2, pcall(w))))

-- not of running and waiting ones
print(pcall(coroutine.close, coroutine.running()))
local main = coroutine.running()
print(coroutine.wrap(function() return pcall(coroutine.close, main) end)())
local co
co = coroutine.create(function()
  local a <close> = closer("self", function() print(pcall(coroutine.close, co)) end)
  coroutine.yield()
end)
coroutine.resume(co)
print(coroutine.close(co))

-- variables of for loops
local co = coroutine.wrap(function()
  for i in function(_, i) if (i or 0) < 3 then return (i or 0) + 1 end end, nil, nil, closer("iterator") do
    coroutine.yield(i)
  end
  return "end"
end)
print(co(), co(), co(), co())

-- yields inside closing methods of a running coroutine
local co = coroutine.wrap(function()
  local r = (function()
    local a <close> = setmetatable({}, { __close = function() print("got", coroutine.yield("closing a")) end })
    local b <close> = setmetatable({}, { __close = function() print("got", coroutine.yield("closing b")) end })
    return "result"
  end)()
  print(pcall(function()
    local c <close> = setmetatable({}, { __close = function(_, e) print("got", e, coroutine.yield("closing c")) end })
    error("an error", 0)
  end))
  return r
end)
print(co())
print(co(1))
print(co(2))
print(co(3))
