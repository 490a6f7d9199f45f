-- Closures and upvalues: fresh per iteration, shared, nested, surviving their scope.
local fs = {}
for i = 1, 5 do fs[i] = function() i = i + 10 return i end end
print(fs[1](), fs[1](), fs[2](), fs[5]())
local gs = {}
for _, v in ipairs {"a", "b"} do gs[#gs + 1] = function(s) v = v .. s return v end end
print(gs[1]("x"), gs[1]("y"), gs[2]("z"))
local ws = {}; local k = 0
while k < 3 do k = k + 1; local j = k; ws[k] = function() j = j + 1 return j, k end end
print(ws[1](), ws[1]()); print(ws[3]())
local rs = {}; repeat local j = #rs; rs[#rs + 1] = function() j = j + 1 return j end until j >= 2
print(rs[1](), rs[1](), rs[3]())
-- two closures over one variable
local function counter() local c = 0 return function() c = c + 1 return c end, function() return c end, function(v) c = v end end
local inc, get, set = counter(); inc(); inc(); print(get()); set(10); print(inc(), get()); local inc2, get2 = counter(); print(inc2(), get(), get2())
-- three levels
local function outer(a) return function(b) local s = a + b return function(c) s = s + c a = a + 1 return s, a, b end end end
local o = outer(1)(2); print(o(10)); print(o(10))
-- recursion through an upvalue; reassigning it
local fact; fact = function(n) if n <= 1 then return 1 end return n * fact(n - 1) end; print(fact(10)); local old = fact; fact = function(n) return -n end; print(old(5), fact(5))
-- local function sees itself, local f = function does not
local function selfref() return selfref end; assert(selfref() == selfref); local notself = function() return notself end; assert(notself() == nil)
-- parameters and varargs captured
local function pack(...) local t = {...} return function(i) return t[i] end, select("#", ...) end; local p, n = pack("x", nil, "z"); print(p(1), p(2), p(3), n)
local function byparam(x) return function() x = x + 1 return x end end; local p1, p2 = byparam(1), byparam(100); print(p1(), p1(), p2())
-- closures kept after break, goto and error
local kept; for i = 1, 10 do local z = i * 2; kept = function() return z end; if i == 4 then break end end; print(kept())
local made = {}; do local i = 1 ::again:: local v = i; made[i] = function() return v end; i = i + 1 if i <= 3 then goto again end end; print(made[1](), made[2](), made[3]())
local saved; pcall(function() local w = 5; saved = function() w = w + 1 return w end; w = 6; error("x") end); print(saved(), saved())
-- shared between sibling closures of one iteration
local pairs_ = {}; for i = 1, 3 do local n = i; pairs_[i] = {up = function() n = n + 1 end, get = function() return n end} end; pairs_[2].up(); pairs_[2].up(); print(pairs_[1].get(), pairs_[2].get(), pairs_[3].get())
-- shadowing
local x = 1; local f1 = function() return x end; local x = 2; local f2 = function() return x end; do local x = 3; print(f1(), f2(), x) end
-- loop variable captured and assigned inside the loop
local caught = {}; for i = 1, 3 do caught[i] = function() return i end; i = i * 100 end; print(caught[1](), caught[2](), caught[3]())
-- many upvalues
local a1, a2, a3, a4, a5, a6, a7, a8 = 1, 2, 3, 4, 5, 6, 7, 8; local function sum() return a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 end; a5 = 50; print(sum())
-- functions as values: identity, in tables, immediately called
assert((function(...) return select("#", ...) end)(1, 2, nil) == 3); local t = {f = function(self) return self end}; assert(t:f() == t and t.f(5) == 5)
-- global functions and _ENV
function globalf() return "g" end; print(globalf(), _ENV == _G, _G.globalf == globalf); globalf = nil
do local _ENV = {print = print}; y = 5; print(y, _ENV.y) end; assert(y == nil)
local function sandbox(_ENV) return z end; print(sandbox({z = "from env"}))
print("OK")
