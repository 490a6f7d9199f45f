-- collectgarbage and its options.
print(collectgarbage(), collectgarbage("collect"))
print(math.type(collectgarbage("count")), collectgarbage("count") > 0)
print(collectgarbage("isrunning"))
print(collectgarbage("stop"), collectgarbage("isrunning"))
print(collectgarbage("restart"), collectgarbage("isrunning"))
collectgarbage("incremental")
print(collectgarbage("generational"), collectgarbage("incremental"), collectgarbage("incremental", 160, 200, 10))
print(collectgarbage("setpause", 180), collectgarbage("setpause", 200))
print(collectgarbage("setstepmul", 300), collectgarbage("setstepmul", 100))
collectgarbage("incremental", 200, 100, 13)
print(collectgarbage("step", 100000))
print(pcall(collectgarbage, "nothing"))
print(pcall(collectgarbage, "step", "x"))

-- memory goes up and down by what objects take
local function grown(n, make)
  collectgarbage() collectgarbage()
  collectgarbage("stop")
  local t = {}
  for i = 1, n do t[i] = false end
  local before = collectgarbage("count")
  for i = 1, n do t[i] = make(i) end
  local full = collectgarbage("count")
  collectgarbage("restart")
  t = nil
  collectgarbage()
  local after = collectgarbage("count")
  return (full - before) * 1024 / n, after < full - (full - before) / 2
end
local function report(name, limit, make)
  local bytes, freed = grown(500, make)
  print(name, bytes > 0 and bytes <= limit, freed)
end
-- limits: PUC Lua 5.4's bytes and a quarter
report("table", 70, function() return {} end)
report("2 fields", 130, function(i) return { x = i, y = i } end)
report("4 fields", 190, function(i) return { x = i, y = i, z = i, w = i } end)
report("array of 3", 130, function(i) return { i, i, i } end)
report("array of 8", 230, function(i) return { i, i, i, i, i, i, i, i } end)
report("string", 100, function(i) return "string " .. i end)
report("closure", 130, function(i) return function() return i end end)
report("map", 280, function(i) return { [i * 7 + 100000] = i, [i * 3 + 200000] = i, [true] = 1 } end)

-- steps end a cycle sooner or later
collectgarbage("stop")
local junk = {}
for i = 1, 3000 do junk[i] = { i } end
junk = nil
local steps = 0
repeat steps = steps + 1 until collectgarbage("step", 1)
print(steps > 0)
collectgarbage("restart")

-- a large mutated array and deep structures survive slices at any moment
local big = {}
for i = 1, 3000 do big[i] = { i } end
for i = 1, 20000 do
  local at = i * 7919 % #big + 1
  big[at] = { at, big[at] and big[at][1] }
  if i % 100 == 0 then collectgarbage("step") end
end
local ok = true
for i = 1, #big do ok = ok and big[i][1] == i end
print(ok)
local map = {}
for i = 1, 10000 do
  map["k" .. i % 900] = { i }
  map[i * 1.5] = i % 7 == 0 and {} or nil
  if i % 100 == 0 then collectgarbage("step") end
end
local n = 0
for k, v in pairs(map) do n = n + 1 end
print(n)
local list
for i = 1, 10000 do list = { next = list, i = i } end
collectgarbage()
local sum = 0
while list do sum, list = sum + list.i, list.next end
print(sum)

-- one step in generational mode frees what has just become garbage
collectgarbage("generational")
local cache = setmetatable({}, { __mode = "v" })
for _ = 1, 3 do
  cache[1] = {}
  local before = cache[1] ~= nil
  collectgarbage("step", 0)
  print(before, cache[1])
end
collectgarbage("incremental")
