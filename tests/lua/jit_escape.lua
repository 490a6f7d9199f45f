-- Objects that compiled code does without: short-lived records, vectors,
-- captured variables and callbacks; what makes them real again.

local function repeatedly(n, f, ...)
  local r
  for i = 1, n do r = f(i, ...) end
  return r
end

-- records in straight-line code ----------------------------------------------

local function point(x, y) return { x = x, y = y } end
local function plus(a, b) return point(a.x + b.x, a.y + b.y) end
local function times(a, k) return point(a.x * k, a.y * k) end

local function straight(i)
  local p = point(i, i * 2)
  local q = plus(p, point(1, 1))
  q = times(q, 3)
  return q.x * 1000 + q.y
end
print("straight", repeatedly(3000, straight))

local function in_floats(i)
  local p = point(i * 0.5, i * 0.25)
  local q = plus(p, times(p, 2.0))
  return q.x + q.y
end
print("floats", repeatedly(3000, in_floats))

-- an accumulator that is a new object in each iteration ----------------------

local function walk(n)
  local v, d = point(0, 0), point(1, 2)
  for i = 1, n do
    local s = times(d, i)
    v = plus(v, s)
  end
  return v
end
local v = walk(5000)
print("walk", v.x, v.y)
for _ = 1, 30 do v = walk(100) end
print("walk", v.x, v.y)

-- the same with two that change places
local function swap(n)
  local a, b = point(1, 2), point(3, 4)
  for i = 1, n do
    a, b = b, point(a.x + i, a.y - i)
  end
  return a.x, a.y, b.x, b.y
end
print("swap", swap(4001))
print("swap", swap(4002))

-- and with an identity that is asked for
local function same(n)
  local a = point(0, 0)
  local first, changes = a, 0
  for i = 1, n do
    if i % 3 == 0 then a = point(i, a.x) end
    if a ~= first then changes = changes + 1 end
  end
  return changes, a.x, a.y, first.x
end
print("same", same(3000))

-- a condition decides which object goes on
local function choose(n)
  local best = point(-1, 0)
  for i = 1, n do
    local p = point((i * 7919) % 1009, i)
    if p.x > best.x then best = p end
  end
  return best
end
local best = choose(4000)
print("choose", best.x, best.y)

-- kinds that change: the side exit makes the object as it is -----------------

local function sum_of(i, x)
  local p = point(i, x)
  p.x = p.x + 1
  local q = p
  q.y = q.y + p.x -- may exit here
  return p.x, q.y, p == q
end
local function kinds(values)
  local out = {}
  for i, x in ipairs(values) do
    for k = 1, 400 do
      local a, b, same = sum_of(k, x)
      if k == 400 then out[#out + 1] = string.format("%d %.1f %s", a, b, same) end
    end
  end
  return table.concat(out, "; ")
end
print("kinds", kinds({ 1, 2, 3, 4, 5.5, 6 }))

-- an error in the middle: what the handler sees
local seen
local function failing(i, y)
  local p = { x = i, y = y, tag = "record" }
  local ok = pcall(function()
    p.x = p.x + p.y
    seen = p
  end)
  return ok, p.x
end
for i = 1, 3000 do failing(i, 1) end
print("error", failing(1, {}))
print("error", failing(2, 3), seen.tag, seen.x)

-- objects in objects ---------------------------------------------------------

local function segment(i)
  local s = { from = point(i, i), to = point(i + 3, i + 4), name = "s" }
  local dx, dy = s.to.x - s.from.x, s.to.y - s.from.y
  s.from = s.to
  s.to = point(dx, dy)
  return s.from.x + s.to.y, s.from == s.to, s.name
end
print("nested", repeatedly(3000, function(i)
  local a, b, c = segment(i)
  return tostring(a) .. tostring(b) .. c
end))

local function cycle(i)
  local a, b = { v = i }, { v = -i }
  a.other, b.other = b, a
  return a.other.other == a, b.other.v + a.other.v
end
print("cycle", repeatedly(3000, function(i)
  local a, b = cycle(i)
  return tostring(a) .. tostring(b)
end))

local function itself(i)
  local t = { n = i }
  t.me = t
  return t.me.me.n
end
print("itself", repeatedly(3000, itself))

-- a list that is built and forgotten
local function list(n)
  local head
  for i = 1, n do head = { value = i, next = head } end
  local sum = 0
  while head do
    sum = sum + head.value
    head = head.next
  end
  return sum
end
print("list", repeatedly(200, function() return list(50) end))

-- what gets out --------------------------------------------------------------

local kept = {}
local function keep(i)
  local p = point(i, -i)
  if i % 500 == 0 then kept[#kept + 1] = p end
  p.x = p.x + 1
  return p.x
end
repeatedly(3000, keep)
for i, p in ipairs(kept) do io.write(i, ":", p.x, ",", p.y, " ") end
print()

local function by_key(i, k)
  local p = point(i, i + 1)
  return p[k], rawlen(p), next(p) ~= nil
end
print("by key", repeatedly(3000, function(i)
  local a, b, c = by_key(i, i % 2 == 0 and "x" or "y")
  return tostring(a) .. tostring(b) .. tostring(c)
end))

local function in_pairs(i)
  local p, s = { a = i, b = 2, c = 3 }, 0
  for _, v in pairs(p) do s = s + v end
  return s
end
print("pairs", repeatedly(3000, in_pairs))

local function later_field(i)
  local p = point(i, 1)
  p.z = p.x + p.y
  p.x = nil
  return p.x, p.z
end
print("later field", repeatedly(3000, function(i)
  local a, b = later_field(i)
  return tostring(a) .. tostring(b)
end))

local function as_string(i)
  local p = point(i, 1)
  local q = point(i, 1)
  return tostring(p) == tostring(p), p == q, rawequal(p, p), type(p), p and 1 or 2, not q
end
print("as string", select(2, repeatedly(2000, as_string) and as_string(1)))

-- classes --------------------------------------------------------------------

local Vec = {}
Vec.__index = Vec
local function vec(x, y) return setmetatable({ x = x, y = y }, Vec) end
function Vec:add(o) return vec(self.x + o.x, self.y + o.y) end
function Vec:dot(o) return self.x * o.x + self.y * o.y end
Vec.__add = Vec.add
Vec.__eq = function(a, b) return a.x == b.x and a.y == b.y end

local function orbit(n)
  local p, v = vec(1.0, 0.0), vec(0.0, 0.01)
  for _ = 1, n do
    v = v:add(vec(-p.x * 1e-4, -p.y * 1e-4))
    p = p:add(v)
  end
  return p:dot(p)
end
print("orbit", string.format("%.10f", orbit(20000)))
print("meta", repeatedly(3000, function(i)
  local a = vec(i, 1) + vec(1, i)
  return tostring(a == vec(i + 1, i + 1)) .. a:dot(a)
end))

-- the class changes under running code
local function describe(i)
  local a = vec(i, 2)
  if i == 2500 then function Vec:dot(o) return "changed" end end
  return a:dot(a)
end
local log = {}
for i = 2498, 2502 do
  for _ = 1, 300 do log[i] = describe(i == 2500 and log[i] and 1 or i) end
end
print("class", log[2498], log[2499], log[2500], log[2501])

local Strict = setmetatable({}, {})
local writes = 0
local strict = { __index = function(_, k) return k .. "?" end, __newindex = function() writes = writes + 1 end }
local function strict_use(i)
  local t = setmetatable({ a = i }, strict)
  t.b = i
  t.a = t.a + 1
  return t.a .. t.b
end
print("newindex", repeatedly(2000, strict_use), writes)

local collected = 0
local gc = { __gc = function() collected = collected + 1 end }
local function finalized(i)
  local t = setmetatable({ a = i }, gc)
  return t.a
end
repeatedly(3000, finalized)
collectgarbage()
collectgarbage()
print("gc", collected)

-- captured variables and callbacks -------------------------------------------

local function each(n, f) for i = 1, n do f(i) end end
local function total(n)
  local s, c = 0, 0
  each(n, function(i)
    s = s + i
    c = c + 1
  end)
  return s, c
end
print("callback", repeatedly(300, function() return total(30) end))
print("callback", total(5000))

local function counter()
  local n = 0
  return function() n = n + 1 return n end
end
local function count(i)
  local f = counter()
  f()
  f()
  return f()
end
print("counter", repeatedly(3000, count))

local stored
local function leaks(i)
  local n = i
  local function f() n = n + 1 return n end
  local a = f()
  if i == 2999 then stored = f end
  return a
end
print("leaks", repeatedly(3000, leaks), stored(), stored())

local function overflow_in_callback(n)
  local s = math.maxinteger - 10
  local function add(x) s = s + x end
  for i = 1, n do add(i % 3 == 0 and 0.5 or 1) end
  return s
end
print("overflow", overflow_in_callback(2), overflow_in_callback(30))
print("overflow", repeatedly(2000, function() return overflow_in_callback(2) end))

local function compose(f, g) return function(x) return f(g(x)) end end
print("compose", repeatedly(3000, function(i)
  local h = compose(function(x) return x + i end, function(x) return x * 2 end)
  return h(3)
end))

local function debug_sees(i)
  local hidden = i
  local function f() hidden = hidden + 1 return hidden end
  local a = f()
  if i % 1000 == 0 then
    local name, value = debug.getupvalue(f, 1)
    return a .. name .. value
  end
  return a
end
print("debug", repeatedly(3000, debug_sees))

-- collection while only virtual objects hold something -----------------------

local weak = setmetatable({}, { __mode = "k" })
local function holds(i)
  local inner = {}
  weak[inner] = i
  local p = { ref = inner, text = "t" .. i }
  inner = nil
  for k = 1, 40 do
    local garbage = { k, { k } }
    if k == 20 and i % 100 == 0 then collectgarbage() end
  end
  return weak[p.ref], p.text
end
for i = 1, 1500 do
  local a, b = holds(i)
  assert(a == i and b == "t" .. i)
end
local function holds_in_loop(n)
  local p = { a = { 0 }, b = "x", c = { "c" } }
  for i = 1, n do
    local old = p
    p = { a = { old.a[1] + i }, b = old.b, c = old.c }
    if i % 97 == 0 then p.b = "y" .. i end
  end
  return p.a[1], p.b, p.c[1]
end
print("holds", holds_in_loop(20000))

-- many at a time, live across a loop with collections
local function many(n)
  local a, b, c = { s = "a" .. n }, { s = "b" .. n }, { s = "c" .. n, t = { n } }
  local sum = 0
  for i = 1, n do
    sum = sum + i
    if i == n then a.s = c.s .. a.s end
  end
  return a.s .. b.s .. c.s .. c.t[1] + sum
end
print("many", repeatedly(200, function(i) return many(1000 + i % 3) end))

-- in coroutines
local co = coroutine.wrap(function()
  local p = point(0, 0)
  for i = 1, 4000 do
    p = plus(p, point(i, 1))
    if i % 1000 == 0 then coroutine.yield(p.x + p.y) end
  end
end)
print("yield", co(), co(), co(), co())
