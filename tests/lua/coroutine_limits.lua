-- Collections only where the program says so: here stacks are deep and coroutines many.
collectgarbage("stop")

-- Recursion inside a coroutine: as deep as in the main program.
local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
local co = coroutine.create(depth)
print(coroutine.resume(co, 100))
local co = coroutine.create(depth)
print(coroutine.resume(co, 15000))
local co = coroutine.wrap(function()
  for i = 1, 3 do coroutine.yield(depth(10000)) end
  return depth(30000)
end)
print(co(), co(), co(), co())

-- yields from far down
local function down(n)
  if n == 0 then coroutine.yield("bottom") return 0 end
  return 1 + down(n - 1)
end
local co = coroutine.wrap(down)
print(co(10000))
collectgarbage()
print(co())

-- overflow is an error of the coroutine
local function forever(n) return 1 + forever(n + 1) end
local co = coroutine.create(forever)
local ok, e = coroutine.resume(co, 1)
print(ok, e:match("stack overflow"), coroutine.status(co))
print(#debug.traceback(co) > 100)
local co = coroutine.create(function()
  local ok, e = pcall(forever, 1)
  coroutine.yield(ok, e:match("stack overflow"))
  return depth(1000)
end)
print(coroutine.resume(co))
print(coroutine.resume(co))
print(coroutine.resume(coroutine.create(function() return select("#", table.unpack({}, 1, 100000)) end)))
local ok, e = coroutine.resume(coroutine.create(function() return table.unpack({}, 1, 1e7) end))
print(ok, e:match("too many results to unpack"))

-- metamethods that recurse
local t = setmetatable({}, {})
getmetatable(t).__index = function(_, k) return t[k + 1] end
local ok, e = coroutine.resume(coroutine.create(function() return t[1] end))
print(ok, e:match("stack overflow"))

-- string.rep'ed patterns and gsub callbacks nested
local function nested(n) return (("x"):gsub("x", function() return n == 0 and "y" or nested(n - 1) end)) end
print(coroutine.wrap(nested)(50), pcall(coroutine.wrap(nested), 50))
local ok, e = coroutine.resume(coroutine.create(nested), 1000)
print(ok, e:match("C stack overflow"))

-- coroutines that resume coroutines
local function tower(n)
  if n == 0 then return "top" end
  return coroutine.wrap(tower)(n - 1)
end
print(tower(100))
local ok, e = pcall(tower, 1000)
print(ok, e:match("C stack overflow"))
local function self(f) return coroutine.wrap(f)(f) end
print(pcall(self, self) == false)

-- one that is resumed from different depths
local co = coroutine.wrap(function()
  while true do
    coroutine.yield(pcall(string.gsub, "x", "x", function() return (pcall(nested, 20)) and "fine" or "no" end))
  end
end)
local function from(n) if n == 0 then return co() end return coroutine.wrap(from)(n - 1) end
print(from(0))
print(from(50))
print(from(3))

-- many of them, all alive
local N = 20000
local all = {}
for i = 1, N do
  local co = coroutine.wrap(function(a)
    local sum = a
    while true do
      local v = coroutine.yield(sum)
      if v == nil then return sum end
      sum = sum + v
    end
  end)
  all[i] = co
  co(i)
end
collectgarbage()
for round = 1, 2 do
  for i = 1, N do all[i](round) end
end
collectgarbage()
local sum = 0
for i = 1, N do sum = sum + all[i]() end
print(sum == N * (N + 1) // 2 + 3 * N)
all = nil
collectgarbage()
collectgarbage("restart")
for i = 1, 1000 do coroutine.wrap(function() coroutine.yield() end)() end
print("end")
