-- Operators on objects whose class has metamethods: results, errors, tracebacks,
-- and what happens when something else turns up.
local V = {}
V.__index = V
local function vec(x, y) return setmetatable({x = x, y = y}, V) end
V.__add = function(a, b) return vec(a.x + b.x, a.y + b.y) end
V.__sub = function(a, b) return vec(a.x - b.x, a.y - b.y) end
V.__mul = function(a, b)
  if type(a) == 'number' then return vec(a * b.x, a * b.y) end
  if type(b) == 'number' then return vec(a.x * b, a.y * b) end
  return a.x * b.x + a.y * b.y
end
V.__unm = function(a) return vec(-a.x, -a.y) end
V.__eq = function(a, b) return a.x == b.x and a.y == b.y end
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__len = function(a) return a.x * a.x + a.y * a.y end
V.__concat = function(a, b)
  local s = type(a) == 'string' and a or '<' .. a.x .. ',' .. a.y .. '>'
  local t = type(b) == 'string' and b or '<' .. b.x .. ',' .. b.y .. '>'
  return s .. t
end
V.__idiv = function(a, b) return a.x // b, a.y // b end
V.__mod = function() end
V.__band = function(a, b) return (a.x & b.x) | (a.y & b.y) end

local function run(n)
  local p, d, s = vec(0, 0), vec(1, 2), 0
  for i = 1, n do
    p = p + d
    p = p - d * 2 + 2 * d
    s = s + p * d + #p
    if p == d then s = s + 1 end
    if p ~= d then s = s + 2 end
    if p < d then s = s + 4 end
    if p <= d then s = s + 8 end
    if not (d < p) then s = s + 16 end
    if d > p then s = s + 32 end
    if d >= p then s = s + 64 end
    s = s + (-p).x + p // 2 + (p & d)
    if p % 3 ~= nil then s = s + 1000000 end
  end
  return p.x, p.y, s
end
for _ = 1, 40 do run(50) end
print(run(50))
local function texts(n)
  local p, s = vec(1, 2), ''
  for i = 1, n do
    local t = p .. 'a'
    t = 'b' .. p .. p
    s = (p .. p) .. t
  end
  return s
end
for _ = 1, 40 do texts(50) end
print(texts(3))

-- the same object is equal without being asked
local asked = 0
local E = {__eq = function() asked = asked + 1; return nil end}
local e1, e2 = setmetatable({}, E), setmetatable({}, E)
local function same(a, b) if a == b then return 'same' end return 'other' end
for _ = 1, 300 do same(e1, e2); same(e1, e1) end
print(same(e1, e2), same(e1, e1), same(e1, nil), same(e1, 1), asked)
print(same(vec(1, 2), vec(1, 2)), same({}, {}), same(e1, {}))

-- errors inside metamethods
local function sum(l, z) local s = z; for i = 1, #l do s = s + l[i] end return s end
local l = {}
for i = 1, 20 do l[i] = vec(i, -i) end
for _ = 1, 200 do sum(l, vec(0, 0)) end
print(sum(l, vec(0, 0)).x)
l[7].x = nil
print(pcall(sum, l, vec(0, 0)))
print((select(2, xpcall(sum, debug.traceback, l, vec(0, 0)))))
l[7].x = 'x'
print(pcall(sum, l, vec(0, 0)))
l[7] = 5
print(pcall(sum, l, vec(0, 0)))
l[7] = {}
print(pcall(sum, l, vec(0, 0)))
l[7] = vec(7, -7)
print(sum(l, vec(0, 0)).x)
print(pcall(sum, l, 5), pcall(sum, {1, 2, 3}, 4))

local B = {}
B.__lt = function(a, b) if a.v > 90 then error('too big', 2) end return a.v < b.v end
B.__le = function(a, b) if a.v > 90 then error({a.v}) end return a.v <= b.v end
B.__unm = function(a) if a.v > 90 then error('unm') end return a.v end
local function box(v) return setmetatable({v = v}, B) end
local function least(n)
  local m = box(50)
  for i = 1, n do
    local b = box(i)
    if b < m then m = b end
    if m <= b then m = m end
    local x = -b
  end
  return m.v
end
for _ = 1, 60 do least(80) end
print(least(80), pcall(least, 100))
print((select(2, xpcall(least, debug.traceback, 100))))
local function neg(b) local x = -b; return x end
for i = 1, 300 do neg(box(i % 90)) end
print(pcall(neg, box(91)))
print((select(2, xpcall(neg, debug.traceback, box(91)))))

-- metamethods redefined, removed, and classes swapped
local function add(a, b) local c = a + b; return c end
for i = 1, 400 do add(vec(i, i), vec(1, 1)) end
print(add(vec(1, 2), vec(3, 4)).y)
V.__add = function(a, b) return 'new' end
print(add(vec(1, 2), vec(3, 4)))
for i = 1, 400 do add(vec(i, i), vec(1, 1)) end
V.__add = nil
print(pcall(add, vec(1, 2), vec(3, 4)))
V.__add = function(a, b) V.__add = function() return 'later' end; return 'now' end
print(add(vec(1, 2), vec(3, 4)), add(vec(1, 2), vec(3, 4)))
print(add(1, 2), add('1', 2), pcall(add, {}, 1))

-- a metamethod that is no Lua function, or a callable table, or yields
local N = setmetatable({}, {__add = math.max, __len = setmetatable({}, {__call = function() return 12 end})})
local function native(n) local s = 0; for i = 1, n do s = s + #N end return s, pcall(add, N, 1) end
for _ = 1, 40 do native(20) end
print(native(20))
local Y = {__add = function(a, b) return coroutine.yield(a.v + b) end, __lt = function() return coroutine.yield('lt') end}
local function yields(n)
  local y, s = setmetatable({v = 1}, Y), 0
  for i = 1, n do
    s = s + (y + i)
    if y < y then s = s + 0.5 end
  end
  return s
end
for k = 1, 20 do
  local co = coroutine.wrap(yields)
  local v, t = co(30), 0
  while type(v) == 'number' or v == 'lt' do
    t = t + 1
    if t == 60 then break end
    v = co(v == 'lt' and t % 4 == 0 or 7)
  end
  if k == 20 then print(v, t, co(false)) end
end

-- metamethods that call each other, recursion, tail calls, collection
local R = {}
R.__add = function(a, b)
  if b == 0 then return a.v end
  return a + (b - 1)
end
R.__sub = function(a, b) return (a + b) + 1 end
R.__mul = function(a, b) if b % 40 == 0 then collectgarbage() end return setmetatable({v = a.v + b}, R) end
local r = setmetatable({v = 3}, R)
local function deep(n) local s = 0; for i = 1, n do s = s + (r + i % 5) + (r - 2) + (r * i).v end return s end
for _ = 1, 30 do deep(60) end
print(deep(60))

-- inherited classes: metamethods copied to each
local function derive(name)
  local C = {}
  C.__index = C
  C.__add = V.__sub
  C.__tostring = function(o) return name .. o.x end
  C.__eq = V.__eq
  return C
end
local C1, C2 = derive('one'), derive('two')
local function mixed(n)
  local s = 0
  for i = 1, n do
    local C = i % 3 == 0 and C1 or C2
    local o = setmetatable({x = i, y = 1}, C)
    s = s + (o + o).x + (o + vec(1, 1)).y
    if o == vec(i, 1) then s = s + 1 end
  end
  return s
end
for _ = 1, 40 do mixed(30) end
print(mixed(30))
