-- Varargs, select, multiple results and their adjustment.
local function n(...) return select("#", ...) end
local function f() return 1, 2, 3 end
local function none() end
assert(n() == 0 and n(nil) == 1 and n(nil, nil) == 2 and n(f()) == 3 and n(f(), f()) == 4 and n((f())) == 1 and n(none()) == 0 and n(none(), none()) == 1 and n((none())) == 1)
print(select(2, "a", "b", "c")); print(select(-1, "a", "b", "c")); print(select(-3, "a", "b", "c")); print(select(4, 1, 2, 3)); print(pcall(select, 0, 1)); print(pcall(select, -5, 1)); print(pcall(select, "x")); print(select("#")); print(select("2", "a", "b"))
local function va(...) local a, b, c = ...; local t = {...}; local u = {..., "end"}; return a, b, c, #t, #u, ... end
print(va()); print(va(1)); print(va(1, 2)); print(va(1, 2, 3, 4)); print((va(9)))
local function pass(...) return ... end; print(pass(1, nil, 3)); print((pass(1, 2))); print(pass(), "x"); print(pass(1, 2), "x"); print("x", pass(1, 2))
local function fixed(a, b, ...) return a, b, n(...), ... end; print(fixed()); print(fixed(1)); print(fixed(1, 2)); print(fixed(1, 2, 3, nil))
-- table.pack and unpack round trips
local p = table.pack(pass(nil, 2, nil)); print(p.n, p[1], p[2], p[3]); print(table.unpack(p, 1, p.n)); print(n(table.unpack({}, 1, 10)))
-- in the middle, in conditions, in arithmetic, as last in a constructor
local function tail(...) if ... then return "yes", ... end return "no" end; print(tail(), tail(nil), tail(1)); local function add(...) local s = 0 for i = 1, select("#", ...) do s = s + (select(i, ...)) end return s end; print(add(1, 2, 3.5), add())
local t = {f(), f(), x = 1, f()}; print(#t, t[1], t[2], t[3], t[5]); t = {pass()}; print(#t); t = {[1] = "over", pass("list")}; print(t[1])
-- vararg in main chunk, load
print(load("return select('#', ...), ...")("a", nil)); print(select("#", ...))
-- many arguments
local big = {}; for i = 1, 200 do big[i] = i end; print(n(table.unpack(big)), (select(200, table.unpack(big)))); print(add(table.unpack(big))); print(#{table.unpack(big)}, math.max(table.unpack(big)), #string.char(table.unpack(big, 65, 90)))
-- nested varargs functions do not share
local function outer(...) local function inner(...) return n(...), ... end return n(...), inner("i"), ... end; print(outer(1, 2)); local function cap(...) local args = table.pack(...) return function() return table.unpack(args, 1, args.n) end end; print(cap(1, nil)())
-- recursion with varargs
local function rev(a, ...) if a == nil then return end local r = {rev(...)}; r[#r + 1] = a; return table.unpack(r) end; print(rev(1, 2, 3, 4)); local function cnt(...) if select("#", ...) == 0 then return 0 end return 1 + cnt(select(2, ...)) end; print(cnt(1, nil, 3, nil, 5))
-- results are cut and filled
local a, b, c, d = f(); print(a, b, c, d); a, b = f(), 10; print(a, b); a, b, c = 0, f(); print(a, b, c); local x, y = none(); print(x, y); x = f(); print(x); print(#{f()}, (f()))
for i, v in (function(...) return ... end)(ipairs({10, 20})) do io.write(i, ":", v, " ") end print()
print(pcall(pass, 1, 2)); print(pcall(pass)); print(string.format("%s %s", pass("a", "b"))); print(math.max(pass(3, 9, 2)), #pass("abc", "d"), -pass(5), pass(2, 3) + 1, "v" .. pass("w", "x"))
local obj = {m = function(self, ...) return self.k, n(...), ... end, k = "key"}; print(obj:m()); print(obj:m(f())); print(pcall(obj.m, obj, nil))
print("OK")
