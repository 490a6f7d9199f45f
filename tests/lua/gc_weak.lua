-- Weak tables: what is removed when, in every part of a table.
local function collect() collectgarbage() collectgarbage() end
local function count(t) local n = 0 for _ in pairs(t) do n = n + 1 end return n end
local function weak(mode) return setmetatable({}, { __mode = mode }) end

-- values: elements, fields, hash part
do
  local kept = {}
  local w = weak("v")
  for i = 1, 10 do w[i] = i % 2 == 0 and kept or {} end
  w.field, w.kept = {}, kept
  w[kept], w[{}] = {}, kept
  w.text, w.number, w.bool = "t" .. 1, 1.5, true
  collect()
  local found = {}
  for i = 1, 10 do found[i] = tostring(w[i] == kept) end
  print(table.concat(found, " "))
  print(w.field, w.kept == kept, w[kept], w.text, w.number, w.bool, count(w))
end

-- keys
do
  local kept = {}
  local w = weak("k")
  w[kept] = "kept"
  for i = 1, 20 do w[{}] = i end
  for i = 1, 5 do w[i], w["s" .. i] = {}, {} end
  collect()
  print(count(w), w[kept], type(w[1]), type(w.s5))
  kept = nil
  collect()
  print(count(w))
end

-- ephemerons: a value that refers to its own key, and chains
do
  local w = weak("k")
  do local k = {} w[k] = { k } end
  local first = {}
  local k = first
  for i = 1, 50 do local n = {} w[k] = { n, i } k = n end
  collect()
  local n, last = first, 0
  while w[n] do n, last = w[n][1], w[n][2] end
  print(count(w), last, first ~= nil)
  first, n, k = nil, nil, nil
  collect()
  print(count(w))
  -- across two tables
  local a, b = weak("k"), weak("k")
  local root = {}
  do local x, y = {}, {} a[root], b[x], a[y] = x, y, "end" end
  collect()
  print(a[b[a[root]]])
end

-- both
do
  local kept = {}
  local w = weak("kv")
  w[1], w[2], w[kept], w[{}] = {}, kept, kept, kept
  w["s"] = {}
  collect()
  print(w[1], w[2] == kept, w[kept] == kept, w.s, count(w))
end

-- the mode may come late, and change
do
  local mt = {}
  local w = setmetatable({}, mt)
  w[{}] = 1
  collect()
  print(count(w))
  mt.__mode = "k"
  collect()
  print(count(w))
  w[{}] = 1
  mt.__mode = nil
  collect()
  print(count(w))
end

-- removing while iterating
do
  local w = weak("k")
  for i = 1, 30 do w[{}] = i end
  local n = 0
  for k in pairs(w) do n = n + 1 w[k] = nil collectgarbage("step") end
  print(n > 0, next(w))
end

-- a cache that compiled code reads
do
  local cache = weak("v")
  local function get(i)
    local t = cache[i]
    if not t then t = { i } cache[i] = t end
    return t[1]
  end
  local sum = 0
  for round = 1, 300 do
    for i = 1, 20 do sum = sum + get(i) end
    if round % 100 == 0 then collectgarbage() end
  end
  print(sum)
  collect()
  print(count(cache))
  local f = { get = get }
  local w = weak("v")
  w.f = f
  for i = 1, 200 do assert(w.f.get(3) == 3) end
  print(f.get(4))
end

-- things only caches of the VM refer to
do
  local w = weak("v")
  for i = 1, 200 do
    local class = { m = function(self) return self.x end }
    class.__index = class
    local o = setmetatable({ x = i }, class)
    assert(o:m() == i)
    w[#w + 1] = class
    w[o] = o
    w["c" .. i % 10] = class.m
  end
  collect()
  print(count(w) < 200)
end

-- string keys whose value is gone are not kept, nor are removed ones
for _, mode in ipairs { "k", "v", "kv" } do
  local weak = setmetatable({}, { __mode = mode })
  collectgarbage()
  local before = collectgarbage("count")
  local first, second = string.rep("a", 2^20), string.rep("b", 2^20)
  weak[first] = 1
  weak[second] = {}
  weak[string.rep("c", 2^20)] = 3
  weak[second], weak[string.rep("c", 2^20)] = nil, nil
  collectgarbage()
  local held = collectgarbage("count") - before
  print(mode, first < second, held > 2000 and held < 3100)
  first, second = nil, nil
  collectgarbage()
  held = collectgarbage("count") - before
  print(held > 1000 and held < 1060, #next(weak) == 2^20)
  weak[string.rep("b", 2^20)] = 2
  local n = 0
  for _, v in pairs(weak) do n = n + v end
  print(n)
end
