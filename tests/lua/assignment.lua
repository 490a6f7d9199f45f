-- Multiple assignment: evaluation before assignment, order, adjustment, swaps, upvalues.
local a, b, c = 1, 2, 3
a, b, c = c, a, b; print(a, b, c)
a, b = b; print(a, b); a, b = 1, 2, 3; print(a, b)
local i, t = 1, {}
i, t[i] = i + 1, 20; print(i, t[1], t[2])
t = {1, 2, 3}; i = 1; i, t[i], t[i + 1] = 3, "x", "y"; print(i, t[1], t[2], t[3])
do local x = {y = 1}; local old = x; x, x.y = {y = 5}, 7; print(old.y, x.y) end
local log = {}
local function k(v) log[#log + 1] = v return v end
local tt = setmetatable({}, {__newindex = function(_, key, v) log[#log + 1] = key .. "=" .. tostring(v) end})
tt[k("a")], tt[k("b")] = k(1), k(2); print(table.concat(log, " "))
log = {}; local proxy = setmetatable({}, {__index = function(_, n) log[#log + 1] = "get" .. n return n end})
local r = {proxy.x, proxy.y, z = proxy.z, proxy.w}; print(table.concat(log, " "))
local function f() return 10, 20 end
local p, q, s = f(); print(p, q, s); p, q, s = f(), 1; print(p, q, s); p, q, s = 0, f(); print(p, q, s); p, q = (f()); print(p, q)
local u = 1; local function setu() u = u + 1 return u end; u, p = setu(), u; print(u, p)
do local x, y = 1; local x, z = x, x; print(x, y, z); local x = x + 1; print(x) end
do local a, a = 1, 2; print(a) end
t = {}; t.x, t.y = 1; print(t.x, t.y); t[1], t[2], t[3] = f(); print(t[1], t[2], t[3])
x1, x2 = 5, 6; print(x1, x2, _G.x1); x1, x2 = x2, x1; print(x1, x2); x1, x2 = nil
local m = {n = {o = {}}}; m.n.o.p, m.n.o = 1, 2; print(m.n.o)
local arr = {10, 20, 30}; local idx = 1; arr[idx], idx = idx, arr[idx]; print(arr[1], idx)
local function swap(x, y) x, y = y, x return x, y end; print(swap(1, 2)); local c1, c2 = 1, 2; local function sw() c1, c2 = c2, c1 end; sw(); print(c1, c2)
print(pcall(function() local nothing; nothing.x, a = 1, 2 end), a)
for n = 1, 3 do a, b = b, a + n end; print(a, b)
local function fib(n) local x, y = 0, 1 for _ = 1, n do x, y = y, x + y end return x end; print(fib(50), fib(90))
a = {}; a.b = {}; a.b.c = a; a.b.c.d = 5; print(a.d); local e <const> = 1; print(e)
print((function() local v1, v2 = nil, false; v1, v2 = v2, v1 return v1, v2 end)())
print("OK")
