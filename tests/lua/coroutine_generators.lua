-- wrap in a for loop
local function range(from, to, step)
  return coroutine.wrap(function()
    for i = from, to, step or 1 do coroutine.yield(i) end
  end)
end
local sum = 0
for i in range(1, 5000) do sum = sum + i end
print(sum)
local t = {}
for i in range(10, 1, -3) do t[#t + 1] = i end
print(table.concat(t, " "))
for x in range(1.0, 2.0, 0.25) do io.write(x, " ") end
print()

-- permutations
local function permgen(a, n)
  n = n or #a
  if n <= 1 then
    coroutine.yield(a)
  else
    for i = 1, n do
      a[n], a[i] = a[i], a[n]
      permgen(a, n - 1)
      a[n], a[i] = a[i], a[n]
    end
  end
end
local count, last = 0, nil
for p in coroutine.wrap(function() permgen { 1, 2, 3, 4, 5, 6 } end) do
  count = count + 1
  last = table.concat(p, ",")
end
print(count, last)

-- a tree
local function insert(tree, k)
  if not tree then return { key = k } end
  if k < tree.key then tree.left = insert(tree.left, k) else tree.right = insert(tree.right, k) end
  return tree
end
local function walk(tree)
  if tree then
    walk(tree.left)
    coroutine.yield(tree.key)
    walk(tree.right)
  end
end
local tree
local seed = 42
for i = 1, 300 do
  seed = (seed * 1103515245 + 12345) % 2147483648
  tree = insert(tree, seed % 1000)
end
local prev, n = -1, 0
for k in coroutine.wrap(function() walk(tree) end) do
  assert(k >= prev)
  prev = k
  n = n + 1
end
print(n)

-- two trees with the same fringe
local function same(a, b)
  local x, y = coroutine.wrap(function() walk(a) end), coroutine.wrap(function() walk(b) end)
  while true do
    local p, q = x(), y()
    if p ~= q then return false end
    if p == nil then return true end
  end
end
local tree2
local keys = {}
for k in coroutine.wrap(function() walk(tree) end) do keys[#keys + 1] = k end
for i = #keys, 1, -1 do tree2 = insert(tree2, keys[i]) end
print(pcall(same, tree, tree), pcall(same, tree, insert(tree2, 5000)))

-- producer, filter, consumer
local function producer(n)
  return coroutine.create(function()
    for i = 1, n do coroutine.yield("line " .. i) end
  end)
end
local function receive(p)
  local ok, v = coroutine.resume(p)
  assert(ok)
  return v
end
local function filter(p)
  return coroutine.create(function()
    local number = 1
    while true do
      local line = receive(p)
      if not line then return nil end
      coroutine.yield(string.format("%5d %s", number, line))
      number = number + 1
    end
  end)
end
local p = filter(filter(producer(3)))
while true do
  local line = receive(p)
  if not line then break end
  print(line)
end

-- sieve of generators
local function gen(n) return coroutine.wrap(function() for i = 2, n do coroutine.yield(i) end end) end
local function sift(p, g)
  return coroutine.wrap(function()
    for n in g do if n % p ~= 0 then coroutine.yield(n) end end
  end)
end
local x = gen(300)
local primes = {}
while true do
  local p = x()
  if p == nil then break end
  primes[#primes + 1] = p
  x = sift(p, x)
end
print(#primes, table.concat(primes, " ", 1, 10))

-- a scheduler
local log, threads = {}, {}
for id = 1, 5 do
  threads[id] = coroutine.create(function()
    for step = 1, id do
      log[#log + 1] = id * 10 + step
      coroutine.yield()
    end
    return id
  end)
end
local finished = {}
while #threads > 0 do
  for i = #threads, 1, -1 do
    local ok, r = coroutine.resume(threads[i])
    assert(ok)
    if coroutine.status(threads[i]) == "dead" then
      finished[#finished + 1] = r
      table.remove(threads, i)
    end
  end
end
print(table.concat(log, " "))
print(table.concat(finished, " "))

-- state machine with messages both ways
local machine = coroutine.wrap(function(event)
  local state, seen = "idle", 0
  while event ~= "stop" do
    seen = seen + 1
    if state == "idle" and event == "go" then state = "busy"
    elseif state == "busy" and event == "done" then state = "idle" end
    event = coroutine.yield(state, seen)
  end
  return "stopped", seen
end)
for _, e in ipairs { "go", "go", "done", "x", "go", "stop" } do print(e, machine(e)) end
