-- Finalizers: order, resurrection, errors, what they may do.
local function collect() collectgarbage() collectgarbage() end

-- reverse order of marking
do
  local order = {}
  local mt = { __gc = function(o) order[#order + 1] = o.n end }
  collectgarbage("stop")
  for i = 1, 8 do setmetatable({ n = i }, mt) end
  collectgarbage("restart")
  collect()
  print(table.concat(order, " "))
end

-- marked at setmetatable only
do
  local called = 0
  local late = {}
  setmetatable({}, late)
  late.__gc = function() called = called + 1 end
  collect()
  print(called)
  setmetatable({}, late)
  collect()
  print(called)
end

-- resurrection; once only unless marked again
do
  local saved, calls = nil, 0
  local mt
  mt = { __gc = function(o) calls = calls + 1 saved = o end }
  setmetatable({ value = { 42 } }, mt)
  collect()
  print(calls, saved.value[1])
  saved = nil
  collect()
  print(calls)
  mt.__gc = function(o) calls = calls + 1 if calls < 5 then setmetatable(o, mt) end end
  setmetatable({}, mt)
  for i = 1, 10 do collectgarbage() end
  print(calls)
end

-- weak references to what is finalized: values go first, keys afterwards
do
  local byvalue = setmetatable({}, { __mode = "v" })
  local bykey = setmetatable({}, { __mode = "k" })
  local seen
  local o = setmetatable({}, { __gc = function(o) seen = tostring(byvalue[1]) .. " " .. tostring(bykey[o]) end })
  byvalue[1], bykey[o] = o, "found"
  o = nil
  collect()
  print(seen, next(byvalue), next(bykey))
end

-- objects that refer to each other
do
  local log = {}
  local a, b = {}, {}
  a.other, b.other = b, a
  local mt = { __gc = function(o) log[#log + 1] = type(o.other) .. type(o.other.other) end }
  setmetatable(a, mt)
  setmetatable(b, mt)
  a, b = nil, nil
  collect()
  print(table.concat(log, " "))
end

-- errors are warnings, and others still run
do
  local ran = 0
  setmetatable({}, { __gc = function() ran = ran + 1 end })
  setmetatable({}, { __gc = function() error("ignored") end })
  setmetatable({}, { __gc = function() ran = ran + 1 error({}) end })
  collect()
  print(ran)
end

-- a finalizer allocates, calls, and cannot collect
do
  local result, t
  setmetatable({}, { __gc = function()
    result = collectgarbage()
    t = {}
    for i = 1, 1000 do t[i] = { tostring(i) } end
    local ok, e = pcall(error, "inside")
    t.e = e
  end })
  collect()
  print(result, #t, t[1000][1], t.e)
end

-- called while a loop allocates
do
  local done = false
  setmetatable({}, { __gc = function() done = true end })
  local i, keep = 0, {}
  repeat
    i = i + 1
    keep[i % 100] = { i, tostring(i) }
  until done
  print(i > 0)
end

-- between the operands of an expression and the arguments of a call
do
  local n = 0
  local mt = {}
  mt.__gc = function() n = n + 1 local a, b, c = {}, {}, {} end
  local function make(i) if i % 50 == 0 then setmetatable({}, mt) end return { i } end
  local function add(a, b, c, d) return a[1] + b[1] + c[1] + d[1] end
  local sum = 0
  for i = 1, 20000 do sum = sum + add(make(i), make(i + 1), { i }, make(i)) end
  collect()
  print(sum, n)
end

-- in coroutines
do
  local log = {}
  local co = coroutine.wrap(function()
    setmetatable({}, { __gc = function() log[#log + 1] = select(2, coroutine.running()) and "main" or "co" end })
    collectgarbage()
    coroutine.yield()
  end)
  co()
  collect()
  print(#log)
end

-- at the end of the program, what is still alive
setmetatable({}, { __gc = function() print("dead before the end") end })
collect()
kept = { setmetatable({}, { __gc = function() print("first made, last called") end }) }
kept[2] = setmetatable({}, { __gc = function() print("last made, first called") end })
