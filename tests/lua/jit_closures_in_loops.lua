-- Closures created and called in hot loops; escaping and not escaping.
local function each(n, f) for i = 1, n do f(i) end end
local s = 0
each(3000, function(i) s = s + i end); print(s)
for r = 1, 100 do local k = r; each(30, function(i) k = k + i s = s + k end) end; print(s)
local function map(t, f) local r = {} for i = 1, #t do r[i] = f(t[i]) end return r end
local function filter(t, p) local r = {} for i = 1, #t do if p(t[i]) then r[#r + 1] = t[i] end end return r end
local function fold(t, f, a) for i = 1, #t do a = f(a, t[i]) end return a end
local nums = {}; for i = 1, 300 do nums[i] = i end
local r; for _ = 1, 20 do r = fold(filter(map(nums, function(x) return x * 3 end), function(x) return x % 2 == 0 end), function(a, b) return a + b end, 0) end; print(r); print(fold(map(nums, function(x) return x / 2 end), function(a, b) return a + b end, 0), fold(map(nums, tostring), function(a, b) return a + #b end, 0)); print(fold({"a", "b", "c"}, function(a, b) return a .. b end, ""))
local function compose(...) local fs = {...} return function(x) for i = 1, #fs do x = fs[i](x) end return x end end; local f = compose(function(x) return x + 1 end, function(x) return x * 2 end, function(x) return x - 3 end); local t = 0; for i = 1, 3000 do t = t + f(i) end; print(t, f(0.5), pcall(f, {}))
local function gen(n) local i = 0 return function() i = i + 1 if i <= n then return i end end end; local g = 0; for r = 1, 60 do for v in gen(50) do g = g + v end end; print(g); local function range(a, b, st) return function(_, c) c = c + st if c <= b then return c end end, nil, a - st end; for r = 1, 60 do for v in range(1, 20, r % 2 == 0 and 1 or 0.5) do g = g + v end end; print(g)
local adders = {}; for i = 1, 3000 do local base = i * 2; adders[i] = function(x) base = base + x return base end end; local z = 0; for i = 1, 3000 do z = z + adders[i](1) end; for i = 1, 3000, 3 do z = z + adders[i](1) end; print(z, adders[1](0), adders[2](0))
local function curry(a) return function(b) return function(c) return a * 100 + b * 10 + c end end end; z = 0; for i = 1, 3000 do z = z + curry(i)(1)(2) end; print(z); local memo = {}; local function memoize(fn) return function(x) local v = memo[x] if v == nil then v = fn(x) memo[x] = v end return v end end; local slow = memoize(function(x) return x * x end); z = 0; for i = 1, 3000 do z = z + slow(i % 50) end; print(z)
local cell = 0; local function mk() local mine = cell cell = cell + 1 return function() mine = mine + 1 return mine end end; local h = mk(); for i = 1, 3000 do h() if i % 100 == 0 then h = mk() end end; print(cell, h()); local same = {}; for i = 1, 10 do same[i] = function() return 1 end end; print(same[1](), type(same[1] == same[2]))
print("OK")
