-- What the collector may look at on a stack: results that wait while variables
-- are closed, lists of values, frames below errors, suspended coroutines. The
-- stress mode overwrites all that is dead.

local function garbage(n)
  local last
  for i = 1, n do last = { i, { tostring(i) } } end
  return last
end

local function closer(log)
  return setmetatable({}, { __close = function(_, e)
    garbage(20)
    log[#log + 1] = e and tostring(e):gsub("^.*:%d+: ", "") or "closed"
  end })
end

local function deep(n, a, b, c, d, e)
  if n == 0 then return garbage(3)[1] + a end
  return deep(n - 1, a, { b }, { c }, { d }, { e }) + 0
end

-- results below registers that were in use before
local function results(n)
  local log = {}
  local function list() return n, { n }, tostring(n), { n + 1 } end
  local function closing()
    do
      local a, b, c, d, e, f, g = {}, {}, {}, {}, {}, {}, {}
      garbage(1)
    end
    local h <close> = closer(log)
    return list()
  end
  deep(12, n, 1, 2, 3, 4)
  local a, b, c, d = closing()
  return a, b[1], c, d[1], table.concat(log, ",")
end
for i = 1, 30 do
  if i % 10 == 0 then print(results(i)) else results(i) end
end

-- an error passes frames with variables to close
local function failing(log, n)
  local h <close> = closer(log)
  if n == 0 then error("end", 0) end
  local x, y = { n }, { -n }
  failing(log, n - 1)
  return x, y
end
for i = 1, 20 do
  local log = {}
  local ok, e = pcall(failing, log, i % 5)
  if i % 5 == 4 then print(ok, e, table.concat(log, ",")) end
end

-- variable arguments, and lists made of them
local function spread(...)
  local n = select("#", ...)
  if n > 6 then return n, ... end
  garbage(2)
  return spread({ n }, ...)
end
local function sum(n, ...)
  local s = n
  for _, v in ipairs({ ... }) do s = s + v[1] end
  return s
end
for i = 1, 30 do
  local s = sum(spread())
  if i % 15 == 0 then print(s) end
end

-- coroutines that are suspended in calls, and one that failed
local function generate(n)
  for i = 1, n do
    local t = { i }
    deep(4, i, 1, 2, 3, 4)
    coroutine.yield(t, garbage(2))
  end
  return deep(6, n, 1, 2, 3, 4)
end
local all = {}
for i = 1, 6 do all[i] = coroutine.wrap(generate) end
local s = 0
for round = 1, 5 do
  for i = 1, 6 do
    local t, g = all[i](7)
    s = s + t[1] + g[1]
    deep(8, i, 1, 2, 3, 4)
  end
end
print(s)
local log = {}
local co = coroutine.create(function() failing(log, 3) end)
print(coroutine.resume(co))
garbage(30)
deep(20, 1, 1, 2, 3, 4)
print(coroutine.close(co))
print(table.concat(log, ","))

-- keys and methods that call
local Class = {}
Class.__index = function(_, k) return garbage(2)[1] .. k end
Class.__add = function(a, b) return garbage(2)[1] + (b.n or 0) end
Class.__concat = function(a, b) garbage(2); return (type(a) == "string" and a or "o") .. (type(b) == "string" and b or "o") end
local o = setmetatable({ n = 3 }, Class)
for i = 1, 30 do
  local a, b, c = o.field, o + o, "x" .. i .. o .. i .. o
  if i % 15 == 0 then print(a, b, c) end
end
