-- create, resume, yield: values both ways
local co = coroutine.create(function(...)
  print("args", select("#", ...), ...)
  print("second", coroutine.yield())
  print("third", coroutine.yield(1, nil, 3, nil))
  return "a", nil, "c"
end)
print(type(co), coroutine.status(co))
print(coroutine.resume(co, 10, nil, 30, nil))
print(coroutine.status(co), coroutine.resume(co))
print(coroutine.resume(co, "x", "y"))
print(coroutine.status(co), coroutine.resume(co))
print((tostring(co):gsub("0x%x+", "ADDR")))

-- many values
local co = coroutine.wrap(function(...)
  local args = table.pack(...)
  while true do
    args = table.pack(coroutine.yield(args.n, table.unpack(args, 1, args.n)))
  end
end)
local big = {}
for i = 1, 200 do big[i] = i * i end
local r = table.pack(co(table.unpack(big)))
print(r.n, r[1], r[2], r[201])
r = table.pack(co(table.unpack(big, 1, 100)))
print(r.n, r[1], r[2], r[101])

-- who runs
local main, ismain = coroutine.running()
print(type(main), ismain, coroutine.status(main), coroutine.isyieldable())
local co
co = coroutine.create(function()
  local me, is = coroutine.running()
  print(me == co, is, coroutine.status(co), coroutine.status(main), coroutine.isyieldable())
  print(coroutine.resume(co))
  print(coroutine.resume(main))
  local inner = coroutine.create(function() return coroutine.status(co), coroutine.resume(co) end)
  print(coroutine.resume(inner))
end)
print(coroutine.resume(co))
print(coroutine.isyieldable(co), coroutine.isyieldable(main))

-- wrong arguments
print(pcall(coroutine.create))
print(pcall(coroutine.create, 10))
print(pcall(coroutine.wrap, {}))
print(pcall(coroutine.resume, print))
print(pcall(coroutine.status))
print(pcall(coroutine.close, "x"))
print(pcall(coroutine.yield, 1))

-- native functions as bodies
print(coroutine.resume(coroutine.create(math.max), 3, 9, 4))
print(coroutine.resume(coroutine.create(error), "message", 0))
print(coroutine.resume(coroutine.create(pcall), error, "in pcall"))
print(select("#", coroutine.wrap(print)()))
print(coroutine.wrap(coroutine.yield)(7, 8))
local y = coroutine.wrap(coroutine.yield)
print(y(1, 2))
print(y(3, 4))

-- tail calls to yield and from a body
local function last(...) return coroutine.yield(...) end
local co = coroutine.wrap(function(a) return last(a, "tail") end)
print(co("one"))
print(co("two", "three"))

-- a coroutine that resumes others, three deep
local function level(n)
  return coroutine.wrap(function(x)
    if n == 0 then
      while true do x = coroutine.yield(x * 2) end
    end
    local below = level(n - 1)
    while true do x = coroutine.yield(below(x) + 1) end
  end)
end
local l = level(3)
print(l(1), l(2), l(3))

-- protected calls inside
local co = coroutine.wrap(function()
  local ok, e = pcall(function()
    coroutine.yield("in pcall")
    error("raised " .. coroutine.yield("again"))
  end)
  coroutine.yield(ok, e)
  local ok, e = xpcall(function()
    coroutine.yield("in xpcall")
    local x = nil + 1
  end, function(m)
    return "handled: " .. m
  end)
  coroutine.yield(ok, e)
  return pcall(pcall, coroutine.yield, "nested")
end)
print(co())
print(co())
print(co("here"))
print(co())
print(co())
print(co())
print(co("value"))

-- errors through wrap
print(pcall(co))
local ok, e = pcall(coroutine.wrap(function() error({ code = 5 }) end))
print(ok, type(e), e.code)
print(pcall(coroutine.wrap(function() error() end)))
print(pcall(coroutine.wrap(function() error("no position", 0) end)))
local function fails() local t = nil; return t.x end
local w = coroutine.wrap(function() coroutine.yield(); fails() end)
w()
print(pcall(function() w() end))
print(pcall(function() w() end))

-- errors that cross several coroutines
local function nest(n)
  if n == 0 then error("bottom") end
  coroutine.wrap(nest)(n - 1)
end
print(pcall(nest, 3))

-- metamethods, iterators, concatenation, comparison
local mt = {
  __add = function(a, b) return coroutine.yield("add") + 1 end,
  __index = function(t, k) return coroutine.yield("index " .. k) end,
  __newindex = function(t, k, v) rawset(t, k, coroutine.yield("newindex " .. k)) end,
  __call = function(self, x) return coroutine.yield("call " .. x) end,
  __concat = function(a, b) return coroutine.yield("concat") end,
  __eq = function(a, b) return coroutine.yield("eq") end,
  __lt = function(a, b) return coroutine.yield("lt") end,
  __le = function(a, b) return coroutine.yield("le") end,
  __len = function() return coroutine.yield("len") end,
  __unm = function() return coroutine.yield("unm") end,
  __close = function() coroutine.yield("close") end,
}
local function obj() return setmetatable({}, mt) end
local function body()
  local o, p = obj(), obj()
  local results = {}
  local function note(...)
    local t = table.pack(...)
    for i = 1, t.n do t[i] = tostring(t[i]) end
    results[#results + 1] = table.concat(t, " ")
  end
  note("add", o + 1)
  note("index", o.name)
  o.field = 5
  note("field", rawget(o, "field"))
  note("call", o("arg"))
  note("concat", o .. "x" .. "y")
  note("eq", o == p)
  note("lt", o < p)
  note("le", o <= 1)
  note("not le", o > 1)
  note("len", #o)
  note("unm", -o)
  if o < p then note("branch taken") else note("branch not taken") end
  do
    local c <close> = o
  end
  for k, v in (function(s, i) return coroutine.yield("iterate") end) do
    note("for", k, v)
    break
  end
  return table.concat(results, "; ")
end
for round = 1, 4 do
  local co = coroutine.wrap(body)
  local sent = { 41, "idx", "set", "called", "glued", true, 1, nil, true, 77, -3, true, false, "k" }
  local reply = co()
  local i = 1
  while not reply:find(";") do
    local answer = sent[i]
    i = i + 1
    io.write(tostring(reply), ", ")
    reply = co(answer, "second")
  end
  print()
  print(reply)
end
