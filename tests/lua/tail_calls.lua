-- Tail calls run in constant space, whatever is called.
local N = 1000000
local function loop(n) if n == 0 then return "done" end return loop(n - 1) end
print(loop(N))
local even, odd
function even(n) if n == 0 then return true end return odd(n - 1) end
function odd(n) if n == 0 then return false end return even(n - 1) end
print(even(N), odd(N))
local function acc(n, a) if n == 0 then return a end return acc(n - 1, a + n) end
print(acc(N, 0))
-- with varargs, methods, fields, upvalues, different numbers of arguments
local function va(n, ...) if n == 0 then return select("#", ...), ... end return va(n - 1, ...) end
print(va(200000, "a", nil, "c"))
local obj = {n = 0}
function obj:step(k) self.n = self.n + 1 if k == 0 then return self.n end return self:step(k - 1) end
print(obj:step(N))
local function more(n, a, b, c, d, e) if n == 0 then return a, b, c, d, e end if n % 2 == 0 then return more(n - 1, b, c) end return more(n - 1, a, b, c, d, e) end
print(more(100001, 1, 2, 3, 4, 5))
local callable = setmetatable({}, {__call = function(self, n) if n == 0 then return "called" end return self(n - 1) end})
print(callable(200000))
-- a tail call to a builtin, and pcall around a tail-calling function
local function tolib(s) return string.upper(s) end
print(tolib("x"), pcall(function() return loop(1000) end))
local function fail(n) if n == 0 then error("at the end", 0) end return fail(n - 1) end
print(pcall(fail, N))
-- (f()) and f(), x are not tail calls: the depth is real
local function nottail(n) if n == 0 then return 0 end return (nottail(n - 1)) end
print(nottail(10000))
-- state machines through tables of functions
local states = {}
states.a = function(n) if n <= 0 then return "end a" end return states.b(n - 1) end
states.b = function(n) if n <= 0 then return "end b" end return states.c(n - 1) end
states.c = function(n) if n <= 0 then return "end c" end return states.a(n - 1) end
print(states.a(N), states.a(N + 1), states.a(N + 2))
-- closures captured along the way are closed
local function capt(n, prev) local v = n if n == 0 then return prev() end return capt(n - 1, function() return v end) end
print(capt(1000))
print("OK")
