-- Bytes per object: the growth of collectgarbage("count") over many objects of
-- a kind, without their places in the array that keeps them.
-- The same program in Lua 5.4 is what docs/memory.md compares with.

local N = tonumber(arg and arg[1]) or 100000

local kinds = {
  { "{}", function() return {} end },
  { "2 fields", function(i) return { x = i, y = i } end },
  { "4 fields", function(i) return { a = i, b = i, c = i, d = i } end },
  { "2 fields, added one by one", function(i)
    local t = {}
    t.x = i
    t.y = i
    return t
  end },
  { "8 fields, added one by one", function(i)
    local t = {}
    t.a = i t.b = i t.c = i t.d = i t.e = i t.f = i t.g = i t.h = i
    return t
  end },
  { "object with a metatable", (function()
    local class = {}
    class.__index = class
    return function(i) return setmetatable({ x = i, y = i }, class) end
  end)() },
  { "array of 1", function(i) return { i } end },
  { "array of 2", function(i) return { i, i } end },
  { "array of 3", function(i) return { i, i, i } end },
  { "array of 10", function(i) return { i, i, i, i, i, i, i, i, i, i } end },
  { "array of 1, appended", function(i)
    local t = {}
    t[1] = i
    return t
  end },
  { "array of 3, appended", function(i)
    local t = {}
    for k = 1, 3 do t[k] = i end
    return t
  end },
  { "array of 10, appended", function(i)
    local t = {}
    for k = 1, 10 do t[k] = i end
    return t
  end },
  { "arrays of 1 to 10, appended", function(i)
    local t = {}
    for k = 1, i % 10 + 1 do t[k] = i end
    return t
  end },
  { "array of 100, appended", function(i)
    local t = {}
    for k = 1, 100 do t[k] = i end
    return t
  end },
  { "mixed array of 4", function(i) return { i, "x", true, 1.5 } end },
  { "pair of tables", function() return { {}, {} } end },
  { "map of 5 sparse keys", function(i)
    local t = {}
    for k = 1, 5 do t[k * 1000 + i] = k end
    return t
  end },
  { "string of 8 bytes", function(i) return string.format("%08d", i) end },
  { "string of 30 bytes", function(i) return string.format("%030d", i) end },
  { "string of 100 bytes", function(i) return ("x"):rep(92) .. string.format("%08d", i) end },
  { "closure", function(i) return function() return i end end },
  { "closure with 3 variables", function(i)
    local j, k = i, i
    return function() return i + j + k end
  end },
  { "coroutine", function(i) return coroutine.create(function() return i end) end, 1000 },
}

for _, kind in ipairs(kinds) do
  local name, make, n = kind[1], kind[2], kind[3] or N
  local keep = {}
  for i = 1, n do keep[i] = false end
  -- Sites learn from the first ones.
  for i = 1, 1000 do make(i) end
  collectgarbage()
  collectgarbage()
  local before = collectgarbage("count")
  for i = 1, n do keep[i] = make(i) end
  collectgarbage()
  collectgarbage()
  local bytes = (collectgarbage("count") - before) * 1024 / n
  print(string.format("%-30s %8.1f", name, bytes))
  assert(#keep == n)
end
