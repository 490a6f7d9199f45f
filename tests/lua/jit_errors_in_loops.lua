-- Errors raised in hot loops and caught by pcall; state after the error is exact.
local log = {}
local function work(i) if i % 997 == 0 then error("multiple of 997: " .. i) end return i end
local sum, fails = 0, 0
for i = 1, 5000 do local ok, v = pcall(work, i) if ok then sum = sum + v else fails = fails + 1 log[#log + 1] = v end end
print(sum, fails); print(table.concat(log, "\n"))
-- the variables written before the error keep their values
local a, b = 0, 0
local function partial(n, bad) for i = 1, n do a = a + 1 if i == bad then local x = nil + i end b = b + 1 end end
for _ = 1, 100 do pcall(partial, 50, 51) end
print(a, b, pcall(partial, 3000, 2500)); print(a, b)
-- runtime errors at different places of one function
local function many(t, k) local x = t.v local y = x + 1 local z = t.f(y) return #z .. k end
local good = {v = 1, f = function() return "abc" end}
for i = 1, 3000 do many(good, "!") end
print(many(good, "!")); print(pcall(many, nil, "!")); print(pcall(many, {}, "!")); print(pcall(many, {v = 1}, "!")); print(pcall(many, {v = 1, f = function() end}, "!")); print(pcall(many, good, nil)); print(pcall(many, {v = "x"}, "")); print(pcall(many, {v = 1, f = function() error("inner", 0) end}, ""))
-- nested pcalls in a hot loop
local depth = 0
local function nest(n) if n == 0 then error("bottom", 0) end local ok, e = pcall(nest, n - 1) depth = depth + 1 error(e, 0) end
for i = 1, 600 do pcall(nest, 5) end
print(depth, pcall(nest, 3))
-- errors with tables, levels, in metamethods
local E = setmetatable({}, {__tostring = function(e) return "E!" end}); local caught = 0; for i = 1, 3000 do local ok, e = pcall(error, i % 2 == 0 and E or i) if e == E then caught = caught + 1 end end; print(caught)
local v = setmetatable({}, {__add = function(x, y) if y == 2000 then error("at 2000", 0) end return y end}); local last; print(pcall(function() for i = 1, 3000 do last = v + i end end), last)
local function lvl(n) error("lvl" .. n, n) end; local function caller(n) lvl(n) return 1 end; for i = 1, 3000 do pcall(caller, i % 3) end; print(pcall(caller, 0)); print(pcall(caller, 1)); print(pcall(caller, 2))
-- error inside a generic for, a while condition, a repeat condition, a comparison
local n = 0; print(pcall(function() for k, x in ipairs(setmetatable({}, {__index = function(_, i) if i == 2000 then error("iter", 0) end return i end})) do n = n + 1 end end), n)
n = 0; print(pcall(function() while n < (n == 2500 and {} or 1e9) do n = n + 1 end end)); print(n); n = 0; print(pcall(function() repeat n = n + 1 until n > 2000 and nil > n end)); print(n)
print(pcall(function() local s = 0 for i = 1, 3000 do s = s + (10 // (2000 - i)) end return s end)); print(pcall(function() local s = 0 for i = 1, 3000 do s = s + (10.0 // (2000 - i)) end return s end)); print(select(2, pcall(string.rep)))
print("OK")
