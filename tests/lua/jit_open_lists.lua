-- Calls whose last argument is a call: as many arguments as that has results.
local function pair(x) return x, x + 1 end
local function one(x) return x * 2 end
local function none(x) end
local function add(a, b, c) return (a or 0) + (b or 0) + (c or 0) end
local function count(...) return select('#', ...) end

local function run(n)
  local s = 0
  for i = 1, n do
    s = s + add(one(i))
    s = s + add(i, pair(i))
    s = s + add(pair(one(i)))
    s = s + add(none(i))
    s = s + add(i, none(i))
    s = s + add(i, i, one(add(one(i), pair(i))))
  end
  return s
end
for _ = 1, 50 do run(40) end
print(run(40), run(0))

-- types that change at the outer call and inside
print(pcall(run, 3.5))
local function chain(x) return add(1, add(x, one(x))) end
for i = 1, 2000 do chain(i) end
print(chain(4), chain(4.5), chain("7"))
print(pcall(chain, {}))
print(pcall(chain, nil))
local Num = setmetatable({}, { __mul = function(_, k) return k end, __add = function(_, k) return 100 end })
print(pcall(chain, Num))

-- library functions as the outer call
local function shown(i) return string.format("%d %d", pair(i)) end
local function largest(i) return math.max(i, pair(one(i))) end
local function counted(i) return count(pair(i)), count(none(i)), (count(i, one(i))) end
for i = 1, 1500 do shown(i) largest(i) counted(i) end
print(shown(5), largest(-7), counted(3))
print(pcall(shown, 1.5), pcall(shown, 2.0))

-- methods and fresh objects
local V = {}
V.__index = V
local function vec(x, y) return setmetatable({ x = x, y = y }, V) end
function V:plus(o) return vec(self.x + o.x, self.y + o.y) end
function V:times(k) return vec(self.x * k, self.y * k) end
local function sum(n, step)
  local v, d = vec(0, 0), vec(1, step)
  for i = 1, n do v = v:plus(d:times(i)) end
  return v.x, v.y
end
for _ = 1, 40 do sum(60, 2) end
print(sum(60, 2))
print(sum(60, 0.5))
print(pcall(sum, 60, "x"))

-- a class that changes: another number of results
local step = 0
function V:results() step = step + 1 return self.x end
local function uses(v) return add(v:results(), v:results()), count(v:results()) end
local p = vec(3, 4)
for _ = 1, 1500 do uses(p) end
print(uses(p))
function V:results() return self.x, self.y end
print(uses(p))
for _ = 1, 1500 do uses(p) end
print(uses(p))
function V:results() return end
print(pcall(uses, p), step)

-- functions that end in calls
local function tail(x) return pair(x) end
local function typed(x) return type(x) end
local function through(i) return add(i, tail(i)), #typed(i), count(typed(i)), count(tail(i)) end
for i = 1, 1500 do through(i) end
print(through(10), through(2.5))

-- returned and tail called
local function last(i) return add(i, pair(i)) end
local function deep(i) return last(one(i)) end
for i = 1, 2000 do deep(i) end
print(deep(7), deep(0.25), pcall(deep, {}))

-- errors and tracebacks name the right lines
local function fails(x) if x > 90 then error("at " .. x) end return x, x end
local function outer(x) return 1 + add(x, fails(x)) end
for _ = 1, 40 do for x = 1, 80 do outer(x) end end
print(outer(5), pcall(outer, 91))
print((select(2, xpcall(outer, debug.traceback, 95)):gsub("\n.*xpcall.*", "")))

-- collection while arguments wait
local function fresh(i) return { i }, "s" .. i end
local function join(a, b, c)
  if a % 200 == 0 then collectgarbage() end
  return b[1] .. c
end
for i = 1, 2000 do assert(join(i, fresh(i)) == i .. "s" .. i) end
print("ok")
