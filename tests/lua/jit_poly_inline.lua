-- Calls with several callees: methods of several classes, callbacks, and what
-- happens when something new turns up.
local function class(parent)
  local c = {}
  c.__index = c
  if parent then setmetatable(c, {__index = parent}) end
  return c
end

local Shape = class()
function Shape:describe(n) return self:area() + n end
function Shape:name() return 'shape' end
local Square = class(Shape)
function Square.new(w) return setmetatable({w = w}, Square) end
function Square:area() return self.w * self.w end
local Circle = class(Shape)
function Circle.new(r) return setmetatable({r = r}, Circle) end
function Circle:area() return 3 * self.r * self.r end
function Circle:name() return 'circle' end
local Rect = class(Shape)
function Rect.new(a, b) return setmetatable({a = a, b = b}, Rect) end
function Rect:area() return self.a * self.b end
local Odd = class(Shape)
function Odd.new(x) return setmetatable({x = x}, Odd) end
function Odd:area()
  local x = self.x
  if x > 1000 then error('too odd') end
  return x % 2 == 0 and x or -x
end

local list = {}
for i = 1, 60 do
  list[i] = i % 3 == 0 and Square.new(i) or i % 3 == 1 and Circle.new(i) or Rect.new(i, i + 1)
end
local function total(l)
  local s = 0
  for i = 1, #l do
    local o = l[i]
    s = s + o:area()
    s = s + o:describe(i)
  end
  return s
end
for _ = 1, 60 do total(list) end
print(total(list))

-- names: one method in two classes, another in the third
local function names(l)
  local n, s = 0, nil
  for i = 1, #l do
    s = l[i]:name()
    n = n + #s
  end
  return n, s
end
for _ = 1, 60 do names(list) end
print(names(list))

-- a fourth class, then a fifth: the code leaves, then knows
list[#list + 1] = Odd.new(7)
for _ = 1, 60 do total(list) end
print(total(list), names(list))
local Last = class(Shape)
function Last:area() return 'no number' end
list[#list + 1] = setmetatable({}, Last)
print(pcall(total, list))
list[#list] = setmetatable({}, {__index = {area = function() return 5 end, describe = function() return 6 end}})
for _ = 1, 60 do total(list) end
print(total(list))
list[#list] = setmetatable({}, {__index = function(_, k) return function() return #k end end})
for _ = 1, 60 do total(list) end
print(total(list))

-- errors inside one of the ways: message, line, traceback
local function area_of(o) local a = o:area(); return a end
local function all(l) local s = 0; for i = 1, #l do s = s + area_of(l[i]) end; return s end
local few = {Square.new(2), Circle.new(3), Odd.new(4), Rect.new(5, 6)}
for _ = 1, 300 do all(few) end
print(all(few))
few[3].x = 1001
print(pcall(all, few))
print((select(2, xpcall(all, debug.traceback, few)):gsub('%(%.%.%.tail calls%.%.%.%)\n%s*', '')))
few[3].x = 'x'
print(pcall(all, few))
few[3].x = 4
few[2].r = nil
print(pcall(all, few))
few[2] = {}
print(pcall(all, few))
few[2] = false
print(pcall(all, few))

-- methods redefined while code relies on them
few = {Square.new(2), Circle.new(3), Rect.new(5, 6)}
for _ = 1, 300 do all(few) end
local before = all(few)
function Circle:area() return self.r end
print(before, all(few))
for _ = 1, 300 do all(few) end
function Rect:area() return all({Square.new(self.a)}) end
print(all(few))

-- callbacks: two to four functions at one site, some of them too large
local function add(a, b) return a + b end
local function sub(a, b) return a - b end
local function mul(a, b) return a * b end
local function apply(f, x, y) return (f(x, y)) end
local function run(n)
  local s = 0
  for i = 1, n do
    s = s + apply(i % 2 == 0 and add or sub, i, 3)
    if i % 5 == 0 then s = s + apply(mul, i, i) end
  end
  return s
end
for _ = 1, 40 do run(100) end
print(run(100), pcall(run, '3'))
print(apply(math.max, 3, 4), pcall(apply, nil, 1, 2), pcall(apply, {}, 1, 2))
print(apply(setmetatable({}, {__call = function(_, a, b) return a .. b end}), 1, 2))
print(run(100), pcall(apply, add, {}, 2))

-- closures of one prototype, with different variables
local function adder(k) return function(x) return x + k end end
local function muler(k) return function(x) return x * k end end
local fs = {adder(1), muler(2), adder(3), muler(4)}
local function chain(x) for i = 1, #fs do x = fs[i](x) end return x end
for i = 1, 500 do chain(i) end
print(chain(1), chain(2.5))
fs[2] = adder(100)
fs[3] = function(x) return -x end
print(chain(1))

-- several results, none, and dropped ones
local function one() return 1 end
local function two() return 1, 2 end
local function none() end
local many = {one, two, none}
local function results(n)
  local s = 0
  for i = 1, n do
    local f = many[i % 3 + 1]
    local a, b, c = f()
    f()
    s = s + (a or 10) + (b or 100)
    if c then s = -s end
  end
  return s
end
for _ = 1, 40 do results(60) end
print(results(60))

-- callbacks passed to inlined functions, and functions made for one call
local function each(l, f) for i = 1, #l do f(l[i], i) end end
local numbers = {}
for i = 1, 20 do numbers[i] = i end
local function sums()
  local s, p, m = 0, 1, 0
  each(numbers, function(x) s = s + x end)
  each(numbers, function(x, i) p = (p * x + i) % 1000003 end)
  each(numbers, function(x) if x > m then m = x end end)
  return s, p, m
end
for _ = 1, 300 do sums() end
print(sums())
numbers[7] = {}
print(pcall(sums))
print((select(2, xpcall(sums, debug.traceback)):gsub('%(%.%.%.tail calls%.%.%.%)\n%s*', '')))
numbers[7] = 7
local function first(l, want)
  local found
  each(l, function(x) if x == want then found = x; if x == 13 then error('unlucky') end end end)
  return found
end
for i = 1, 300 do first(numbers, i % 12) end
print(first(numbers, 5), first(numbers, 50), pcall(first, numbers, 13))

-- tail calls of methods
local Node, Leaf = class(), class()
function Node:sum() return self.left:sum() + self.right:sum() end
function Node:deep() return self.left:deep() end
function Leaf:sum() return self.v end
function Leaf:deep() return self.v end
local function tree(d)
  if d == 0 then return setmetatable({v = d + 1}, Leaf) end
  return setmetatable({left = tree(d - 1), right = tree(d - 1)}, Node)
end
local t = tree(8)
for _ = 1, 30 do t:sum() end
print(t:sum())
local function deep(x) local v = x:deep(); return v end
for _ = 1, 400 do deep(t) end
print(deep(t))
t.left.left.left.left.left.left.left.left.v = nil
print(deep(t), pcall(t.sum, t))

-- collection inside one of the ways
local Maker, Giver = class(), class()
function Maker:get(i) return {i, {i}} end
function Giver:get(i) if i % 50 == 0 then collectgarbage() end return self.t end
local makers = {setmetatable({}, Maker), setmetatable({t = {4, {5}}}, Giver)}
local function gets(n)
  local s = 0
  for i = 1, n do
    local t = makers[i % 2 + 1]:get(i)
    s = s + t[1] + t[2][1]
  end
  return s
end
for _ = 1, 6 do gets(200) end
print(gets(200))
