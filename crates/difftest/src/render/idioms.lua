-- Idioms of Lua programs, filled in by the renderer. Each begins with a line of its cost per trip.
--
--   $k     number of trips          $b     a trip at which something changes, 1 to $k
--   $e $f  an expression that is expected to be a number, and one of any type (once in an idiom)
--   $m     a number from 0 to 3     $op    an arithmetic operator     $cmp   a comparison
--   $sum   a number that is zero before and shown to the program afterwards
--   $body  statements that run once a trip at most (once in an idiom)
--
-- Names have no digits, so that they hide none of the renderer's.
--- 12 a coroutine resumed until after its end
local co = coroutine.create(function(x, y)
  for i = 1, $k do
    $body
    x, y = coroutine.yield(i, x)
    if y == $b then return "done", $e end
  end
  return $f
end)
for i = 1, $k + 2 do
  local ok, p, q = coroutine.resume(co, i, i % $k)
  show("co", ok, p, q, coroutine.status(co))
end
--- 10 an iterator made by wrap
for i, v in coroutine.wrap(function()
  for i = 1, $k do coroutine.yield(i, i == $b and $f or $e) end
end) do
  if type(v) == "number" then $sum = $sum + v end
  $body
end
--- 14 yields across pcall, metamethods and nested calls
local M = {}
M.__add = function(p, q) return coroutine.yield("add", q) end
M.__index = function(t, key) return coroutine.yield("index", key) end
M.__lt = function(p, q) return coroutine.yield("lt", q) end
M.__concat = function(p, q) return coroutine.yield("concat", q) end
M.__newindex = function(t, key, v) rawset(t, key, coroutine.yield("newindex", key) or v) end
M.__call = function(self, v) return (coroutine.yield("call", v)) end
local function deep(n, o) if n == 0 then return o + n end return (deep(n - 1, o)) end
local f = coroutine.wrap(function()
  local o = setmetatable({}, M)
  local s = 0
  for i = 1, $k do
    local ok, v = pcall(function()
      if i == $b then return deep($m, o) end
      if i % 3 == 0 then o[i] = 1 end
      return (o + i) + (o.x or 1) + o(i) + (o < o and 1 or 2)
    end)
    show("in", ok, v)
    s = s + (type(v) == "number" and v or 1)
  end
  return "end", s
end)
local reply
for i = 1, 5 * $k do
  local what, v = f(reply)
  show(what, v)
  if what == "end" then break end
  reply = i % 5 ~= $m and i or nil
end
--- 12 producer and consumer, the consumer closes the producer
local function producer()
  local h <close> = closer("producer")
  for i = 1, $k do
    $body
    coroutine.yield(i * $e)
  end
end
local p = coroutine.create(producer)
for i = 1, $b do
  local ok, v = coroutine.resume(p)
  show(ok, v)
end
show(coroutine.close(p), coroutine.status(p))
show(coroutine.resume(p))
--- 10 an error inside a coroutine, reported by wrap
local g = coroutine.wrap(function(v)
  for i = 1, $k do
    if i == $b then error($f, $m) end
    v = coroutine.yield(v + i)
  end
  return "over"
end)
for i = 1, $k do show(pcall(g, i)) end
--- 6 coroutines that take turns
local cos, live = {}, 0
for i = 1, 3 do
  cos[i] = coroutine.wrap(function(x)
    local s = x
    for j = 1, $k do s = s + coroutine.yield(s $op i) end
    return s
  end)
end
for j = 1, $k do for i = 1, 3 do $sum = $sum + (j == 1 and cos[i](i) or cos[i](j)) end end
--- 4 a value that changes its type in the middle of a loop
local v, n = 1, 0
for i = 1, $k do
  if i == $b then v = $f end
  n = i
  $sum = $sum + (type(v) == "number" and v or i)
  local ok, w = pcall(function() return v $op i end)
  if ok then v = w end
  show(v, n)
end
--- 6 an array whose elements change their kind
local a = {}
for i = 1, $k do a[i] = i end
for i = 1, $k do
  if i == $b then a[i] = $f or 0 end
  a[i] = type(a[i]) == "number" and a[i] $op 2 or a[i]
end
for i = 1, $k do
  local v = a[i]
  if type(v) == "number" then $sum = $sum + v else show(i, v) end
end
--- 5 an array of floats, then an integer stored, then a string
local a = {}
for i = 1, $k do a[#a + 1] = i * 0.5 end
for r = 1, 3 do
  local s = 0
  for i = 1, #a do
    local v = a[i]
    s = type(v) == "number" and s + v or s
    if i == $b then a[i] = r == 1 and $m or r == 2 and "s" or 2.5 end
  end
  show(s, #a)
  $sum = $sum + s
end
--- 8 rows of numbers
local rows = {}
for i = 1, 3 do
  rows[i] = {}
  for j = 1, $k do rows[i][j] = i * j + (i == 2 and 0.5 or 0) end
end
rows[$m + 1] = rows[$m + 1] or rows[1]
for i = 1, 3 do
  local row = rows[i]
  for j = 1, $k do
    $sum = $sum + rows[i][j] * row[$k + 1 - j]
    if j == $b then rows[i][j] = $e end
  end
end
--- 4 a loop that ends at the largest integer, or is empty, or goes down to the smallest
for i = math.maxinteger - $m, math.maxinteger do $sum = $sum + (i & 7) end
for i = math.maxinteger - $k, math.maxinteger, 3 do $sum = $sum + (i & 7) end
for i = math.mininteger + $m, math.mininteger, -1 do $sum = $sum + (i & 7) end
for i = math.mininteger, math.mininteger + $m, math.maxinteger do show(i) end
for i = $m, $m - 1 do show("never") end
for i = 1, math.huge do if i > $k then break end $sum = $sum + i end
for i = -1, -math.huge, -1 do if i < -$k then break end $sum = $sum + i end
for i = 1, 0/0 do show("never") end
show(pcall(function() for i = 1, 10, $m - $m do end end))
show(pcall(function() for i = 1, $f do break end end))
show(pcall(function() for i = "1", 2 do end end))
--- 4 float loops
for x = 0, 1, 0.25 do $sum = $sum + x end
for x = 1.5, -$k, -1.25 do $sum = $sum + x end
for x = $k, 0.5, -1 do $sum = $sum + x end
for x = -0.0, 0 do show(1 / x) end
for x = 2^53 - 1, 2^53 + 1 do $sum = $sum + x - 2^53 break end
local x = 0.0
for i = 1, $k do
  x = x + 0.1
  if x == $b / 10 then show("equal") end
  if i == $b then x = -x end
end
show(x, x // 1, x % 0.3)
--- 9 operators on edge values
local vs = {0, -1, 1, math.mininteger, math.maxinteger, 0.0, -0.0, 1/0, -1/0, 2^53, 2^63, -2^63, 0.5}
local n = #vs
for i = 1, $k do
  local p, q = vs[i * 5 % n + 1], vs[(i * $m + $b) % n + 1]
  show(pcall(function() return p // q, p % q end))
  show(p + q, p - q, p * q, p / q)
  show(p < q, p <= q, p == q, p > q)
  show(pcall(function() return p & q, p | q, p ~ q, p << q, p >> q, ~p end))
  show(-p, math.tointeger(p), math.ult(math.tointeger(p) or 1, i), math.max(p, q), math.min(p, q))
  show(pcall(math.fmod, p, q))
end
--- 3 wrapping arithmetic
local p, q = math.maxinteger, $b
for i = 1, $k do
  p = p + q
  q = q * 3 - p
  if p > q then p = p ~ (q >> 3) end
  if i == $b then q = q // ($m - 1) end
end
$sum = $sum + (p & 255) + q % 100
show(p, q)
--- 5 integers and floats compared where floats are not exact
local big = 1 << 53
for i = -1, $k do
  local f = big + 0.0 + i
  show(big + i == f, big + i < f, big + i <= f, f > big + i, math.maxinteger + 0.0 == math.maxinteger + i)
  if f ~= f or i == $b then big = -big end
end
--- 5 numbers and strings
local list = {"10", "0x10", " 7 ", "1e1", "abc", "", "0x", "1e", "5.", ".5", "inf", "0x1p4", "9223372036854775808"}
for i = 1, $k do
  local s = list[(i + $b) % #list + 1]
  show(tonumber(s), pcall(function() return s + 1, s * 2, -s end))
  show(pcall(function() return s // $m, s & 3 end), tonumber(s, 16), i .. s, s == i, #s)
  $sum = $sum + (tonumber(s) or 0)
end
--- 14 every metamethod, one removed on the way
local M = {}
local function value(o) return type(o) == "table" and rawget(o, "v") or o end
local function new(v) return setmetatable({v = v}, M) end
M.__add = function(p, q) return new(value(p) + value(q)) end
M.__sub = function(p, q) return value(p) - value(q) end
M.__mul = function(p, q) return new(value(p) * value(q)) end
M.__div = function(p, q) return value(p) / value(q), "dropped" end
M.__mod = function(p, q) return value(p) % 7 end
M.__pow = function(p, q) return value(p) ^ 2 end
M.__unm = function(p) return new(-value(p)) end
M.__idiv = function(p, q) return value(p) // 2 end
M.__band = function(p, q) return 1 end
M.__bor = function(p, q) return 2 end
M.__bxor = function(p, q) return 3 end
M.__shl = function(p, q) return 4 end
M.__shr = function(p, q) return 5 end
M.__bnot = function(p) return 6 end
M.__concat = function(p, q) return str(value(p)) .. ".." .. str(value(q)) end
M.__len = function(p) return value(p) end
M.__eq = function(p, q) return value(p) == value(q) end
M.__lt = function(p, q) return value(p) < value(q) end
M.__le = function(p, q) return value(p) <= value(q) end
M.__index = function(t, key) return key end
M.__newindex = function(t, key, v) rawset(t, "last", v) end
M.__call = function(self, x, ...) return value(self) + (x or 0), select("#", ...) end
local o = new($m)
local gone = {"__add", "__sub", "__mul", "__unm", "__concat", "__len", "__eq", "__lt", "__index", "__call", "__bnot"}
for i = 1, $k do
  local p = new(i)
  show(pcall(function()
    o = o + p
    o = p * 2 - o
    o = new(o)
    return (o / p), (o % p), o ^ 2, (-o).v, o // 3, o & 1, 1 | o, o ~ p, o << 1, o >> 1, ~o
  end))
  show(pcall(function() return o .. p, 1 .. o, o .. "s", #o, o == p, o ~= p, o < p, o <= 3, 3 >= o end))
  show(pcall(function() o.field = i return o.other, o.last, o(i, nil, nil), o[i] end))
  if type(o) ~= "table" then o = new(i) end
  if i == $b then M[gone[($m * 4 + $k) % #gone + 1]] = nil end
end
--- 8 tables whose elements are computed when they are read, and whose stores are counted
local M = {}
local function lazy(f) return setmetatable({values = {}, f = f, writes = 0}, M) end
M.__index = function(t, key)
  local v = t.values[key]
  if v == nil then
    v = t.f(key)
    t.values[key] = v
  end
  return v
end
M.__newindex = function(t, key, v)
  t.writes = t.writes + 1
  t.values[key] = v
end
local function total(t, n)
  local s = 0
  for i = 1, n do s = s + t[i] end
  return s
end
for i = 1, $k do
  local t = lazy(function(key) if key == $b then return $e end return key + i end)
  t[$m] = $f
  for j = 1, 3 do t[j * 2] = i end
  show(pcall(total, t, $m + 5))
  show(t.writes, t[2.0], t[i .. ""], pcall(total, t, $m + 5))
  if i == $b then rawset(t, 1, "own") end
  show(pcall(total, t, 2))
  dump(t.values)
end
--- 8 inheritance over three levels, a method replaced on the way
local A = {} A.__index = A
function A.new(x) return setmetatable({x = x, n = 0}, A) end
function A:get() return self.x end
function A:add(v) self.x = self.x + v return self end
function A:twice(v) return self:add(v):add(v):get() end
local B = setmetatable({}, {__index = A}) B.__index = B
function B.new(x) local o = A.new(x) o.y = 1 return setmetatable(o, B) end
function B:get() return A.get(self) + self.y end
local C = setmetatable({}, {__index = B}) C.__index = C
function C.new(x) return setmetatable({y = 2, x = x, n = "n"}, C) end
function C:add(v) self.y = self.y + 1 return B.add(self, v) end
local os = {A.new(1), B.new(2), C.new(3), A.new(4.5)}
for i = 1, $k do
  local o = os[i % #os + 1]
  $sum = $sum + o:twice(i)
  if i == $b then
    function A:add(v) self.x = self.x - $e return self end
    B.get = $m > 1 and A.get or nil
    os[1].x = 0.5
  end
end
show($sum)
--- 6 one metatable an object
local Class = {get = function(self) return self.v end}
function Class:inc(d) self.v = self.v + d return self end
local function new(v)
  local o = setmetatable({}, {__index = Class})
  o.v = v
  if v == $b then o.get = function() return $m end end
  return o
end
for i = 1, $k do
  local o = new(i)
  $sum = $sum + o:inc(i):get()
  $body
end
--- 5 fields added in different orders, and one removed
local list = {}
for i = 1, $k do
  local r = {}
  if i % 2 == 0 then r.p = i r.q = 1 else r.q = 2 r.p = i end
  if i == $b then r.p = $f r.extra = true end
  if i % 3 == 0 then r.q = nil end
  list[i] = r
end
for i = 1, $k do
  local r = list[i]
  show(r.p, r.q, r.extra)
  r.q = (r.q or 0) + 1
  $sum = $sum + r.q
end
--- 5 an absent field found later, through a chain
local base = {}
local middle = setmetatable({}, {__index = base})
local top = setmetatable({}, {__index = middle})
for i = 1, $k do
  local o = setmetatable({}, {__index = top})
  $sum = $sum + (o.late or 1)
  if i == $b then base.late = $m elseif i == $b + 2 then middle.late = $e end
  show(o.late, rawget(o, "late"))
end
--- 5 a metatable set and taken away in a loop
local o, M = {x = 1}, {__index = function(_, key) return key end, __newindex = function(t, key, v) rawset(t, key, v + 1) end}
for i = 1, $k do
  if i == $b then setmetatable(o, M) elseif i == $b + 2 then setmetatable(o, nil) end
  o["f" .. i] = i
  show(o.absent, o["f" .. i], o.x, getmetatable(o) == M)
end
--- 8 varargs: counted, selected, packed, passed on
local function count(...) return select("#", ...) end
local function pass(...) return ... end
local function rest(x, ...) return ... end
local function tail(n, ...) return select(n, ...) end
local function all(...)
  local p, q = ...
  local t = {...}
  local u = table.pack(...)
  local s = 0
  for i = 1, select("#", ...) do
    local v = select(i, ...)
    s = s + (type(v) == "number" and v or 1)
  end
  return s + u.n, p, q, #t, count(pass(...), ...), (pass(...)), rest(...)
end
for i = 1, $k do
  local n = (i + $m) % 4
  if n == 0 then show(all())
  elseif n == 1 then show(all(i))
  elseif n == 2 then show(all(i, i == $b and $f or 2.5))
  else show(all(nil, i, pass(i, "s"))) end
  show(pcall(tail, i - $b, 1, 2, 3))
  show(tail(-1, i, 2), pass(), (pass()))
  $sum = $sum + all(i, i)
end
--- 6 unpack and pack
local t = {}
for i = 1, $k do t[i] = i == $b and $f or i end
for i = 1, $k do
  local p, q = table.unpack(t, i, i + 1)
  show(p, q, select("#", table.unpack(t, i, $k)), table.unpack(t, $k - 1))
end
show(pcall(table.unpack, t, 1, math.maxinteger))
--- 6 inserting, removing and moving
local t = {}
for i = 1, $k do
  table.insert(t, i)
  if i % 3 == 0 then table.insert(t, 1, -i) end
  if i == $b then table.insert(t, $f or 0) end
end
show(#t, t[1], t[#t], table.concat(t, ",", 1, 1))
for i = 1, $k do
  local v = i % 2 == 0 and table.remove(t, 1) or table.remove(t)
  show(v, #t)
  if type(v) == "number" then $sum = $sum + v end
end
show(table.remove(t), table.remove({}), pcall(table.insert, t, 99, 1), pcall(table.remove, t, -5))
show(table.concat(table.move({1, 2, 3}, 1, 3, 2), " "))
--- 8 sorting records by two keys
local t = {}
for i = 1, $k do t[i] = {key = i * 7 % 5, id = i} end
table.sort(t, function(p, q)
  if p.key ~= q.key then return p.key < q.key end
  return p.id < q.id
end)
local n = 0
for i = 1, $k do n = n + t[i].id end
$sum = $sum + n
local s = {}
for i = 1, $k do s[i] = "k" .. (i * $b % 11) end
table.sort(s)
show(table.concat(s, " "))
show(pcall(table.sort, {3, "x", 1}))
--- 5 string keys made in the loop
local counts = {}
for i = 1, $k do
  local key = "k" .. i % ($m + 2)
  counts[key] = (counts[key] or 0) + 1
  counts[i] = i
  if i == $b then counts[key] = nil counts[2.0^53] = i end
end
dump(counts)
for key, v in pairs(counts) do $sum = $sum + v end
--- 5 a string built up
local s, n = "", 0
for i = 1, $k do
  s = s .. i .. (i == $b and "|" or ",")
  n = n + #s
  if i % 4 == 0 then s = s:sub(2, -2) end
end
show(s, n, s:find("|", 1, true), s:byte(1, 2))
for w in s:gmatch("%d+") do $sum = $sum + w end
show((s:gsub("%d", {["1"] = "one", ["2"] = false})), (s:gsub(",", function() return nil end)), s:rep(2, "-"))
--- 5 characters
local s, out = "hello World 12", {}
for i = 1, $k do
  local b = s:byte(i) or 32
  out[#out + 1] = string.char((b + $m) % 128)
  $sum = $sum + b
  if s:sub(i, i) == "o" then out[#out + 1] = "!" end
  if i == $b then s = s:upper() .. i end
end
show(table.concat(out), s:len(), s:reverse():sub(-$m))
--- 6 formatting
for i = 1, $k do
  local v = i == $b and $f or i * 1.5
  show(pcall(string.format, "%d|%5.2f|%s|%q", i, i / 3, str(v), i))
  show(pcall(string.format, "%x %g %i", i, i * 0.1, v))
  show(tostring(i), tostring(i + 0.5), i .. "", (i / 2) .. "", 2^i .. "")
end
--- 5 goto: the next round of the outer loop, and back
for i = 1, 3 do
  for j = 1, $k do
    if j == $b then goto next end
    if (i + j) % 3 == 0 then goto skip end
    $sum = $sum + i * j
    ::skip::
  end
  show("full", i)
  ::next::
end
local n = 0
do
  ::again::
  local v = n
  local f = function() v = v + 1 return v end
  n = n + 1
  $sum = $sum + f() + f()
  if n < $k then goto again end
end
--- 6 closures of a loop that share variables
local shared, fs = 0, {}
for i = 1, $k do
  local own = i
  local function get() shared = shared + own return own end
  fs[i] = {get, function(v) own = own + v if i == $b then own = 0.5 end return own end}
end
for r = 1, 2 do
  for i = 1, $k do
    fs[i][2](r)
    $sum = $sum + fs[i][1]()
  end
end
show(shared)
--- 5 a counter and a closure that outlives its block
local function counter(start)
  local n = start
  return function(d) n = n + (d or 1) return n end, function() return n end
end
local inc, get = counter($m)
for i = 1, $k do
  inc(i)
  if i == $b then inc, get = counter($e) end
  $sum = $sum + get()
end
--- 4 a callee that changes in the loop
local function one(v) return v + 1 end
local function two(v) return v * 2 end
local f = one
for i = 1, $k do
  if i == $b then f = two elseif i == $b + 2 then f = math.floor elseif i == $b + 4 then f = function(v) return v - $e end end
  $sum = $sum + f(i)
end
--- 5 callbacks handed to a loop of another function
local function each(t, f) for i = 1, #t do f(t[i], i) end end
local function map(t, f) local r = {} for i = 1, #t do r[i] = f(t[i]) end return r end
local function fold(t, f, v) for i = 1, #t do v = f(v, t[i]) end return v end
local t = {}
for i = 1, $k do t[i] = i end
if $m == 1 then t[$b] = 2.5 end
each(t, function(v, i) $sum = $sum + v * i end)
show(fold(map(t, function(v) return v $op 2 end), function(p, q) return p + q end, 0))
show(fold(map(t, str), function(p, q) return p .. q end, ""))
--- 4 swaps and rotations
local p, q, r = 1, 2.5, "s"
local t = {}
for i = 1, $k do t[i] = i end
for i = 1, $k do
  p, q, r = q, r, p
  t[i], t[$k + 1 - i] = t[$k + 1 - i], t[i]
  local j = $b
  j, t[j] = i, j
  if i == $b then q = $f end
end
show(p, q, r, table.concat(t, " "))
--- 6 a list of nodes, reversed, with nodes taken out
local head
for i = 1, $k do head = {v = i, next = head} end
local n = head
while n do
  $sum = $sum + n.v
  if n.v == $b then n.v = 0.5 end
  if n.next and n.next.v % 3 == $m then n.next = n.next.next end
  n = n.next
end
local back
n = head
while n do n.next, back, n = back, n, n.next end
n = back
while n do show(n.v) n = n.next end
--- 6 a tree
local function make(d) if d == 0 then return {} end return {make(d - 1), make(d - 1), v = d} end
local function check(t) if t[1] then return 1 + check(t[1]) + check(t[2]) + (t.v or 0) end return 1 end
local t = make($m)
for i = 1, 3 do
  $sum = $sum + check(t)
  if t[1] and i == 1 then t[1].v = $f and 1.5 end
end
--- 6 vectors that live for an expression, and one that is kept
local function vec(x, y) return {x = x, y = y} end
local function add(p, q) return vec(p.x + q.x, p.y + q.y) end
local function scale(p, s) return {x = p.x * s, y = p.y * s} end
local kept, p = {}, vec(0, 1)
for i = 1, $k do
  local d = scale(vec(i, 0.5), 2)
  p = add(p, d)
  if i == $b then kept[#kept + 1] = d d.x = $e end
  if i % 4 == 0 then kept[#kept + 1] = p end
  $body
end
show(p.x, p.y, #kept, kept[1] and kept[1].x)
--- 8 errors through several levels
local function fail(v, level) error(v, level) end
local function outer(v, level) fail(v, level) return 1 end
for i = 1, $k do
  local v = i == $b and $f or "m" .. i
  show(pcall(outer, v, i % 4))
  show(pcall(pcall, outer, v))
  show(xpcall(outer, function(e) return type(e), e end, {code = i}, $m))
  show(select("#", pcall(error)))
  local ok, e = pcall(function()
    local ok, e = pcall(outer, v, 2)
    error(e, 0)
  end)
  show(ok, e)
end
--- 6 errors of operators
local bad = {nil, true, {}, "s", 1.5, 2}
for i = 1, $k do
  local v = bad[(i + $b) % 6 + 1]
  local t = {field = v}
  show(pcall(function() return v + 1 end))
  show(pcall(function() return t.field.x end))
  show(pcall(function() return t.field() end))
  show(pcall(function() return t:field() end))
  show(pcall(function() return 1 < v end))
  show(pcall(function() return #v, -v, ~v end))
  show(pcall(function() t[v] = 1 return t[v] end))
  show(pcall(function() return v .. "x" end))
  show(pcall(function() return 2^53 & v, v | 1 end))
  show(pcall(function() for j = 1, v do break end return "ok" end))
end
--- 7 variables to be closed: left by break, return and error
local function f(i)
  local h <close> = closer("f")
  for j = 1, 3 do
    local g <close> = closer(j)
    if j == 2 and i == $b then break end
    if j == 2 and i % 4 == 1 then return j, h ~= nil end
    if j == 3 and i % 4 == 2 then error("closed " .. i) end
  end
  return i
end
for i = 1, $k do show(pcall(f, i)) end
--- 6 a closing value that fails, and the one of a generic loop
local function iterate(n)
  local i = 0
  return function() i = i + 1 if i <= n then return i end end, nil, nil, closer("loop")
end
for i = 1, $k do
  show(pcall(function()
    for v in iterate(3) do
      if v == $m and i == $b then error("inside") end
      if v == 2 then break end
    end
    local c <close> = setmetatable({}, {__close = function(_, e) if i % 3 == 0 then error("closing " .. str(e)) end end})
    local n <close> = nil
    if i % 2 == 0 then error("body") end
    return "fine"
  end))
end
show(pcall(function() local c <close> = 1 end))
--- 5 next, pairs and a table changed while it is walked
local t = {}
for i = 1, $k do t["f" .. i] = i t[i] = i end
for key, v in pairs(t) do
  if v == $b then t[key] = nil else t[key] = v + 1 end
end
local n = 0
for key, v in next, t do n = n + v end
$sum = $sum + n
local p = setmetatable({}, {__pairs = function(self) return function(_, i) if i < $m then return i + 1, i end end, self, 0 end})
for i, v in pairs(p) do show(i, v) end
show(next({}), n, pcall(next, t, "absent"), pcall(ipairs))
local q = setmetatable({}, {__index = function(_, i) if i <= $k then return i * 2 end end})
for i, v in ipairs(q) do $sum = $sum + v end
--- 5 calls that end in calls
local even, odd
function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
local function loop(n, s) if n == 0 then return s end return loop(n - 1, s + n) end
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
show(even($k), odd($b), loop($k, $e), fib($m + 4))
show(pcall(function() return even("x") end))
--- 5 conditions whose values are no booleans
local p, q = 1, nil
for i = 1, $k do
  local v = p and q or i
  q = not q and v
  if not (p and q) == (i > $b) then $sum = $sum + 1 end
  p = i ~= $b and (q or false) or nil
  local w = (p or q) and (i $cmp $b) or "none"
  show(v, w, p == q, not w, not nil == true)
end
--- 4 not a number and the two zeros
local nan, zero = 0/0, 0.0
for i = 1, $k do
  show(nan == nan, nan < i, nan ~= nan, not (nan > i), 1 / zero, 1 / -zero, zero == -zero)
  if i == $b then zero = -zero end
  zero = zero * -1
  show(math.max(zero, 0.0) == 0, pcall(function() local t = {} t[nan] = 1 end), ({})[nan])
  show(zero + 0, 0 * -1.0, -zero // 1, 0.0 % -1, math.floor(-0.5) == 0)
end
--- 5 globals that come, change and go
GA = 1
function GF(v) return v + GA end
for i = 1, $k do
  $sum = $sum + GF(i)
  GA = GA + 1
  if i == $b then GA = 0.5 function GF(v) return v * 2 end end
end
show(GA, undefined, pcall(function() return undefined.x end), pcall(function() undefined() end))
GA = nil
--- 5 numbers through the math library
for i = 1, $k do
  local v = i == $b and $f or i * 1.5 - 3
  show(pcall(math.floor, v), pcall(math.ceil, v), pcall(math.abs, v))
  show(pcall(math.tointeger, v), math.type(v), pcall(math.max, 1, v, 2))
  local n = math.floor(i * 1.5) + math.ceil(i / 4) - math.abs(-i) + math.max(i, 2.5, $m) + math.min(i, $b)
  $sum = $sum + n + math.sqrt(i * i) + (math.tointeger(i + 0.0) or 0)
end
show(math.floor(-2^63), math.ceil(2^53 + 0.0), pcall(math.floor, 2^63), math.abs(math.mininteger))
--- 4 raw access past metamethods
local log = 0
local o = setmetatable({1, 2}, {__index = function(t, key) log = log + 1 return -1 end, __newindex = function() log = log + 10 end, __len = function() return 77 end, __eq = function() return true end})
for i = 1, $k do
  show(o[i], rawget(o, i), #o, rawlen(o), o == {}, rawequal(o, {}))
  if i == $b then rawset(o, i, i) else o[i] = nil end
  o[3] = i
end
show(log, pcall(rawset, 1, 2, 3), pcall(rawset, o, nil, 1), getmetatable("").__index == string)
--- 5 a state machine with strings
local state, n = "start", 0
for i = 1, $k do
  if state == "start" then state = i == $b and "stop" or "run"
  elseif state == "run" then n = n + 1 state = n % 3 == $m and "wait" or "run"
  elseif state == "wait" then state = "run" n = n + 0.5
  else state = nil break end
end
show(state, n)
$sum = $sum + n
--- 6 memory of results by key
local memo = setmetatable({}, {__mode = "k"})
local cache = {}
local function slow(v)
  local found = cache[v]
  if found then return found end
  cache[v] = v $op 3
  return cache[v]
end
for i = 1, $k do
  $sum = $sum + slow(i % 4) + slow(i % 4 + 0.0) + slow(i % 3 * 0.5)
end
dump(cache)
--- 5 loads of text
local source = "local p = ... return p $op " .. $b
local f = load(source)
for i = 1, $k do
  show(pcall(f, i), pcall(load("return ... , _ENV == nil", "=c", "t", {}), i))
  if i == $b then f = load("return (...) .. 'x'") end
end
show(load("x ="), load("return 1", "=c", "b"))
--- 8 loops inside loops whose bounds change
for i = 1, 3 do
  local n = i * $m
  for j = i, n do
    for l = j, j + 1 do $sum = $sum + l end
    if j == $b then n = 0 end
    $body
  end
  local w = $k
  while w > 0 do w = w - i if w == $b then break end end
  repeat local done = w >= i w = w + 1 until done
  $sum = $sum + w
end
--- 9 constructors whose keys meet
local function make(i, v) return {[0] = i, [2] = "key", v, [$m] = i, $e, i == $b and $f or i, [i] = "late"} end
for i = 1, $k do
  local t = make(i, i * 2)
  local n = 0
  for key, v in pairs(t) do n = n + 1 end
  show(n, t[0], t[1], t[2], t[3], t[4], t[i])
  t[n] = nil
  t[i + 3] = $b
  dump(t)
end
--- 7 zero-based arrays that grow, shrink and have gaps
local t, far = {[0] = $e}, {[$k + 2] = "far", [-1] = "low"}
for i = 1, $k do
  t[i] = (t[i - 1] or 0) == i and i or $f
  far[i] = i == $b and i + 0.5 or i
  if i == $b then t[i] = nil far[i + 1] = "next" end
  $body
end
for i = $k, 1, -1 do t[i + $m] = i end
for i = 0, $k do $sum = $sum + (type(t[i]) == "number" and t[i] or 1) end
local left = 0
for key in pairs(far) do if left % 2 == 0 then far[key] = nil end left = left + 1 end
show(left)
dump(t)
--- 6 numbers that change their kind
local function steps(n)
  local c = 0
  while n ~= 1 and c < 20 do
    if n % 2 == 0 then n = n / 2 elseif n == 5.0 then n = 16 else n = 3 * n + 1 end
    c = c + 1
  end
  return c, n
end
local least, most, s = math.huge, -math.huge, 0
for i = 1, $k do
  local v = i == $b and $f or i % 3 == $m and i / 2 or i
  show(pcall(steps, v), pcall(function() return v % 4.0, v // 2, -v, v ^ 2, v $op 3, v $cmp 2, v == 1, v ~= 0.5 end))
  if type(v) == "number" then
    if v < least then least = v end
    if v >= most then most = v end
    s = s + v
  end
end
show(least, most, s / $k, s % 8)
--- 5 metamethods of access that are functions
local count = 0
local C = {}
C.__index = function(o, key) count = count + 1 if key == "deep" then return o.name end return rawget(C, key) or key end
C.__newindex = function(o, key, v) if key == $b then error({code = key}) end rawset(o, key, v) end
function C.get(o, v) return v end
local function make(n) return setmetatable({n = n}, C) end
for i = 1, $k do
  local o = make(i)
  $sum = $sum + o.n + (o:get(i) or 0) + (o[i] or 0) + o[i + 0.5]
  o.extra = $f
  show(o.name, o.deep, o.extra, math.type(o[2.0]), pcall(function() o[i] = i return rawlen(o) end))
  if i == $b then C.__index = {n = 0, get = function() return 1 end, [i] = 1} C.__index[i + 0.5] = 2 end
end
show(count)
--- 14 protected calls in place: nested, returned, ended by a tail call, with captured variables
local function risky(x, y)
  if x == $b then x = $f end
  return x + y, y
end
local function nested(x)
  local ok, v, w = pcall(risky, x, $m)
  if not ok then return "failed", w end
  return pcall(risky, v, w)
end
local function tailed(x) return risky(x, x) end
for i = 1, $k do
  local before = $sum
  local a, b, c, d = pcall(nested, i)
  show(a, b, c, d, pcall(tailed, i))
  local ok = pcall(function()
    $sum = $sum + i
    if i $cmp $b then error($f, $m) end
    local v = risky(i, 1)
    if math.type(v) then $sum = $sum + i end
  end)
  show(ok, $sum - before)
  pcall(function()
    $body
  end)
end
--- 12 handlers around protected calls in place
local function work(x) if x == $b then return x .. nil end return x end
local seen = 0
local function handler(e) seen = seen + 1 return e end
show(xpcall(function()
  for i = 1, $k do
    local ok, v = pcall(work, i)
    show(ok, v)
    if i == $k then work($b) end
  end
end, handler))
show(seen)
for i = 1, $k do show(select("#", pcall(work, i)), xpcall(pcall, handler, work, i)) end
show(seen)
--- 16 yields and closing variables within protected calls in place
local function steps(x)
  local c <close> = setmetatable({}, {__close = function(_, e) $sum = $sum + 1 show(e) end})
  local y = coroutine.yield(x)
  if y == $b then error("stop " .. x, 0) end
  return y
end
local function through(x) return (steps(x)) end
local co = coroutine.wrap(function(n)
  for i = 1, n do show(pcall(through, i)) end
  return "end"
end)
local got = co($k)
for i = 1, $k do
  got = co(i)
  show(got)
end
