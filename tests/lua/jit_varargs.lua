-- Varargs in hot functions: select, packing, forwarding, changing counts and kinds.
local function sum(...) local s = 0 for i = 1, select("#", ...) do s = s + (select(i, ...)) end return s end
local t = 0
for i = 1, 3000 do t = t + sum(i, 1, 2) end
print(t); for i = 1, 1000 do t = t + sum() + sum(i) + sum(i, 0.5) + sum(1, 2, 3, 4, 5, 6, 7, 8) end; print(t, pcall(sum, 1, nil), pcall(sum, "x"))
local function fwd(f, ...) return f(...) end
for i = 1, 3000 do assert(fwd(math.max, i, 5, 10) == math.max(i, 10)) end
print(fwd(sum, 1, 2, 3), fwd(select, "#"), fwd(select, "#", nil, nil), fwd(fwd, fwd, sum, 4, 5), pcall(fwd), pcall(fwd, nil, 1))
local function pack2(...) local a, b = ... return {a, b, n = select("#", ...)} end
for i = 1, 3000 do local p = pack2(i, i * 2, i * 3) assert(p[1] == i and p[2] == i * 2 and p.n == 3) end; print(pack2().n, pack2(nil).n, pack2(1)[2], pack2("a", "b", "c", "d")[2])
local function tail(n, ...) if n == 0 then return ... end return tail(n - 1, n, ...) end; for i = 1, 500 do tail(10) end; print(tail(10)); print(select("#", tail(150)))
local function tbl(...) local r = {...} return #r, r[1], r[#r] end; for i = 1, 3000 do local n, a, b = tbl(i, "x", i) assert(n == 3 and a == b) end; print(tbl(1)); print(tbl(1.5, 2, "z"))
local function fixed(a, b, ...) if ... then return a + b + (...) end return a + b end; local s = 0; for i = 1, 3000 do s = s + fixed(i, 1) + fixed(i, 1, i) + fixed(i, 1, nil, 5) end; print(s, fixed("1", 2, 3.5), pcall(fixed, 1)); local function multi(i) if i % 3 == 0 then return elseif i % 3 == 1 then return i else return i, i * 2 end end
local c, acc = 0, 0; for i = 1, 3000 do local a, b = multi(i) if a then c = c + 1 acc = acc + a + (b or 0) end acc = acc + select("#", multi(i)) end; print(c, acc); local list = {}; for i = 1, 300 do for _, v in ipairs {multi(i)} do list[#list + 1] = v end end; print(#list, list[1], list[#list]); print((multi(2)), #{multi(2)})
print("OK")
