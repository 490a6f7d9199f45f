-- Recursion through pcall, xpcall, metamethods and library callbacks in hot functions.
local function sum(n) if n == 0 then return 0 end local ok, r = pcall(sum, n - 1) return n + r end
for i = 1, 200 do sum(20) end
print(sum(100), sum(150))
local function thrower(n) if n == 0 then error("zero", 0) end local ok, e = pcall(thrower, n - 1) if n % 10 == 0 then return e .. n end error(e, 0) end
for i = 1, 300 do pcall(thrower, 12) end
print(pcall(thrower, 35)); print(pcall(thrower, 40))
local function fib(n) if n < 2 then return n end local _, a = pcall(fib, n - 1) return a + select(2, pcall(fib, n - 2)) end; print(fib(15))
local handled = 0; local function xp(n) if n == 0 then error("x") end return select(2, xpcall(xp, function(m) handled = handled + 1 return "h" end, n - 1)) end; for i = 1, 500 do xp(4) end; print(xp(10), handled)
local T = setmetatable({}, {__index = function(t, n) if n <= 1 then return n end return t[n - 1] + 1 end}); for i = 1, 200 do local _ = T[30] end; print(T[100], T[150])
local A = {}; A.__add = function(x, y) if x.n == 0 then return setmetatable({n = 0}, A) end return setmetatable({n = x.n - 1}, A) + y end; local one = setmetatable({n = 1}, A); for i = 1, 500 do local _ = one + one end; print((setmetatable({n = 100}, A) + one).n)
local function srt(d) local t = {3, 1, 2} table.sort(t, function(a, b) if d > 0 then srt(d - 1) end return a < b end) return t[1] * 100 + t[2] * 10 + t[3] end; print(srt(3))
local function gs(s, d) if d == 0 then return s end return (s:gsub("%w", function(c) return gs(c, d - 1) .. "." end)) end; for i = 1, 300 do gs("ab", 2) end; print(gs("abc", 3))
local function mutual_a(n) if n <= 0 then return "a" end return mutual_b(n - 1) end
function mutual_b(n) if n <= 0 then return "b" end local ok, r = pcall(mutual_a, n - 1) return r end; for i = 1, 300 do mutual_a(10) end; print(mutual_a(50), mutual_a(51))
local function deep(n) if n == 0 then return 0 end return 1 + deep(n - 1) end; for i = 1, 100 do deep(50) end; print(deep(20000), pcall(deep, 100000)); local function inf(n) return 1 + inf(n + 1) end; for i = 1, 3 do local ok, m = pcall(inf, 1) print(ok, m:match("stack overflow")) end; print(deep(1000), (pcall(deep, 1e4)))
mutual_b = nil
print("OK")
