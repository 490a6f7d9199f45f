-- Compiled functions on coroutine stacks: yields from hot loops and deep in
-- calls, types that change while a function waits, code replaced meanwhile.
local yield, wrap = coroutine.yield, coroutine.wrap

-- hot loops on both sides
local function counter(n)
  local sum = 0
  for i = 1, n do
    sum = sum + i
    if i % 10 == 0 then sum = sum + yield(sum) end
  end
  return sum, "end"
end
local co = wrap(counter)
local total, last = 0, co(5000)
while true do
  local v, done = co(1)
  total = total + v
  if done then break end
end
print(total)

-- float, string and table state across a yield
local function mixed(n)
  local f, s, t, k = 0.5, "", { n = 0 }, 3
  for i = 1, n do
    f = f * 1.5 - i
    if f < -1e6 then f = 1.0 end
    s = s .. (i % 10)
    if #s > 20 then s = s:sub(-5) end
    t.n = t.n + k
    t[#t + 1] = i
    if i % 7 == 0 then k = yield(i) end
  end
  return f, s, t.n, #t
end
local co = wrap(mixed)
local v = co(700)
local n = 0
while type(v) == "number" and math.type(v) == "integer" do
  n = n + 1
  local a, b, c, d = co(n % 5)
  if b then print(string.format("%.6g", a), b, c, d) break end
  v = a
end
print(n)

-- recursion with yields at every level
local function visit(t, depth)
  if depth == 0 then return yield(t) end
  local a = visit(t * 2, depth - 1)
  local b = visit(t * 2 + 1, depth - 1)
  return a + b
end
local co = wrap(visit)
local leaf, leaves = co(1, 10), 0
local checksum = 0
while leaves < 1024 do
  leaves = leaves + 1
  checksum = (checksum * 31 + leaf) % 1000003
  leaf = co(leaf % 3)
end
print(leaves, checksum, leaf)

-- the values that come back change their type
local function accumulate()
  local acc = 0
  while true do
    local v = yield(acc)
    if v == nil then return "done", acc end
    acc = acc + v
  end
end
local co = wrap(accumulate)
co()
for i = 1, 2000 do co(i) end
print(co(0.5))
for i = 1, 100 do co(0.25) end
print(co("10"))
print(co(setmetatable({}, { __add = function(a, b) return a + 1000 end })))
print(pcall(co, {}))

-- fields and shapes change while the loop waits
local account = { balance = 100, rate = 2 }
local function interest(a)
  for i = 1, 300 do
    a.balance = a.balance + a.rate
    yield(a.balance)
  end
end
local co = wrap(interest)
for i = 1, 100 do co(account) end
account.rate = 0.5
print(co())
account.owner = "x"
print(co())
for i = 1, 50 do account["k" .. i] = i end
print(co())
setmetatable(account, { __index = function() return 7 end })
account.rate = nil
print(co())
account.balance = nil
print(co())

-- globals and methods replaced while code that uses them waits
function step(x) return x + 1 end
local function run()
  local x = 0
  while true do
    for i = 1, 50 do x = step(x) end
    yield(x)
  end
end
local co = wrap(run)
for i = 1, 60 do co() end
print(co())
function step(x) return x - 1 end
print(co())
step = setmetatable({}, { __call = function(_, x) return x * 1.0 end })
print(co())

-- the same compiled function on many stacks, interleaved
local function worker(id)
  local s = id
  for i = 1, 200 do
    s = (s * 17 + i) % 65536
    if i % 3 == id % 3 then yield() end
  end
  return s
end
local workers, results = {}, {}
for i = 1, 50 do workers[i] = coroutine.create(worker) end
local live = #workers
while live > 0 do
  for i, w in ipairs(workers) do
    if coroutine.status(w) ~= "dead" then
      local ok, r = coroutine.resume(w, i)
      assert(ok, r)
      if r then results[i] = r live = live - 1 end
    end
  end
end
local h = 0
for i = 1, 50 do h = (h * 31 + results[i]) % 1000003 end
print(h)

-- iterators made of coroutines inside hot loops
local function pairs_of(n)
  return wrap(function() for i = 1, n do for j = i, n do yield(i, j) end end end)
end
local s = 0
for round = 1, 30 do
  for i, j in pairs_of(20) do s = s + i * j end
end
print(s)

-- varargs and multiple results through yields
local function echo(...)
  local args = { n = select("#", ...), ... }
  for i = 1, 500 do
    args = table.pack(yield(args.n, table.unpack(args, 1, args.n)))
  end
end
local co = wrap(echo)
local acc = co(1)
for i = 1, 490 do
  local n, a, b, c = co(i, i * 2, nil)
  acc = acc + n + a + b + (c and 1 or 0)
end
print(acc)

-- errors raised in compiled code below yields
local function risky(n)
  for i = 1, n do
    yield(i)
    if i == 150 then local t = nil; t.x = 1 end
  end
end
for round = 1, 3 do
  local co = coroutine.create(risky)
  local count = 0
  while true do
    local ok, v = coroutine.resume(co, 1000)
    if not ok then print(count, v) break end
    count = count + 1
  end
  print(#debug.traceback(co) > 20, coroutine.close(co))
end

-- protected calls around yields in hot loops
local function guarded()
  local caught = 0
  for i = 1, 300 do
    local ok, v = pcall(function()
      local x = yield(i)
      if x % 5 == 0 then error(x) end
      return x
    end)
    if not ok then caught = caught + 1 end
  end
  return "caught", caught
end
local co = wrap(guarded)
local v, c = co()
local i = 0
while v ~= "caught" do i = i + 1; v, c = co(i) end
print(v, c)

-- closures that share variables with a waiting frame
local function shared()
  local x = 0
  local function inc() x = x + 1 return x end
  while true do
    yield(inc)
    for i = 1, 10 do x = x + 2 end
  end
end
local co = wrap(shared)
local inc = co()
for i = 1, 200 do inc() inc = co() end
print(inc())

-- coroutines created and finished in a hot loop
local s = 0
for i = 1, 3000 do
  local co = wrap(function(a) local b = yield(a + 1) return a * b end)
  s = s + co(i) + co(2)
end
print(s)

-- sort and gsub around complete coroutines
local t = {}
for i = 1, 100 do t[i] = (i * 7919) % 1009 end
table.sort(t, function(a, b) return wrap(function() yield() return a < b end)() == nil and a < b end)
print(t[1], t[50], t[100])
print((("hello world"):gsub("%w+", function(w) return wrap(function() yield(w:upper()) end)() end)))
