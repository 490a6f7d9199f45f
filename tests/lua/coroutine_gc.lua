-- Everything that a suspended coroutine can still use survives collections.
local function garbage() local t = {} for i = 1, 200 do t[i] = { i, tostring(i) .. "garbage" } end return #t end

local function body(...)
  local a, b = { "a" }, { "b" .. tostring(math.pi) }
  local f = function() return a[1] .. b[1] end
  local extra = select("#", ...)
  garbage()
  coroutine.yield(f)
  local c <close> = setmetatable({}, { __close = function(self, e) b[#b + 1] = "closed" end })
  for k, v in pairs({ x = { "x" }, y = { "y" } }) do
    collectgarbage()
    coroutine.yield(k .. v[1])
    garbage()
  end
  for i = 1.5, 3 do coroutine.yield({ i }) end
  local s = ("abc"):gsub(".", function(ch) return ch .. tostring(#a) end)
  return a[1], b[1], #b, s, extra, ...
end
local co = coroutine.wrap(body)
local f = co("1" .. "x", { "arg" }, 3)
collectgarbage()
print(f())
local seen = { co(), co() }
table.sort(seen)
print(seen[1], seen[2])
collectgarbage()
print(co()[1], co()[1])
garbage()
collectgarbage()
local r = table.pack(co())
print(r.n, r[1], r[2], r[3], r[4], r[5], r[6], r[7][1], r[8])

-- collections inside, while others wait
local outer = coroutine.wrap(function()
  local mine = { "outer" .. garbage() }
  local inner = coroutine.wrap(function()
    local mine = { "inner" .. garbage() }
    for i = 1, 3 do
      collectgarbage()
      coroutine.yield(mine[1])
      mine = { mine[1] .. i }
    end
  end)
  for s in inner do
    garbage()
    collectgarbage()
    coroutine.yield(mine[1] .. s)
  end
end)
for s in outer do print(s) end

-- values in transit
local co = coroutine.wrap(function(x)
  while true do
    collectgarbage()
    x = coroutine.yield({ x[1] + 1 })
  end
end)
local v = { 1 }
for i = 1, 5 do v = co({ v[1] * 2 }) end
print(v[1])

-- unreachable ones, in every state, with functions of the libraries active
local function suspended(kind)
  if kind == 1 then
    return coroutine.create(function() end)
  elseif kind == 2 then
    local co = coroutine.create(function() local t = { garbage() }; coroutine.yield(t); return t end)
    coroutine.resume(co)
    return co
  elseif kind == 3 then
    local co = coroutine.create(function()
      local t <close> = setmetatable({}, { __close = function() print("must not be closed") end })
      pcall(pcall, pcall, coroutine.yield, { garbage() })
    end)
    coroutine.resume(co)
    return co
  elseif kind == 4 then
    local co = coroutine.create(function()
      local m = setmetatable({}, { __index = function(t, k) return coroutine.yield(k) end })
      return m.x + m.y
    end)
    coroutine.resume(co)
    return co
  elseif kind == 5 then
    local co = coroutine.create(function() local t = { 1, 2 }; error(t) end)
    coroutine.resume(co)
    return co
  elseif kind == 6 then
    local co
    co = coroutine.create(function() local me = co; coroutine.yield(); return me end)
    coroutine.resume(co)
    return co
  else
    local co = coroutine.wrap(function()
      for i in coroutine.wrap(function() for i = 1, 10 do coroutine.yield(i) end end) do coroutine.yield(i) end
    end)
    co()
    return co
  end
end
local before
for round = 1, 40 do
  for kind = 1, 7 do
    for i = 1, 10 do suspended(kind) end
  end
  collectgarbage()
  collectgarbage()
  if round == 10 then before = collectgarbage("count") end
end
print(collectgarbage("count") < before * 1.5 + 100)

-- cycles through stacks
for i = 1, 100 do
  local a, b
  a = coroutine.create(function() coroutine.yield(b) end)
  b = coroutine.create(function() coroutine.yield(a) end)
  coroutine.resume(a)
  coroutine.resume(b)
end
collectgarbage()

-- left suspended at the end
LEFT = suspended(3)
LEFT2 = suspended(2)
print("end")
