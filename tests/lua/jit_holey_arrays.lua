-- Arrays that change kind, get holes, shrink and grow while hot.
local function sum(t, n) local s = 0 for i = 1, n do local v = t[i] if v then s = s + v end end return s end
local t = {}
for i = 1, 1000 do t[i] = i end
for _ = 1, 20 do sum(t, 1000) end
print(sum(t, 1000), sum(t, 2000), sum(t, 0))
t[500] = nil; print(sum(t, 1000)); t[501] = 0.5; print(sum(t, 1000)); t[502] = "10"; print(sum(t, 1000)); t[503] = false; print(sum(t, 1000)); t[504] = {}; print(pcall(sum, t, 1000))
-- all integers, then floats, then mixed
local function fill(n, v) local a = {} for i = 1, n do a[i] = v end return a end
local function scale(a, k) for i = 1, #a do a[i] = a[i] * k end return a end
for _ = 1, 200 do scale(fill(20, 2), 3) end
print(scale(fill(5, 2), 3)[5], scale(fill(5, 2), 0.5)[5], scale(fill(5, 2.5), 2)[1], scale({1, 2.5, "3"}, 2)[3])
-- append and remove at the end
local st = {}
for r = 1, 50 do for i = 1, 100 do st[#st + 1] = i end for i = 1, 100 do st[#st] = nil end end
print(#st)
for i = 1, 3000 do st[#st + 1] = i if i % 3 == 0 then st[#st] = nil end end
print(#st, st[#st], st[1])
-- reads and writes out of bounds, at 0, negative, float and huge indices
local function at(a, i) return a[i] end
for i = 1, 3000 do at(st, i % 100 + 1) end
print(at(st, 0), at(st, -1), at(st, 1.0), at(st, 1.5), at(st, 1e9 // 1 | 0), at(st, "1"), at(st, #st + 1), at(st, 2^53), at("str", 1), pcall(at, nil, 1))
local function put(a, i, v) a[i] = v return a end
for i = 1, 3000 do put(st, i % 100 + 1, i) end
put(st, 0, "zero"); put(st, -5, "neg"); put(st, 2.0, "two"); put(st, 1.5, "frac"); put(st, #st + 1, "next"); print(st[0], st[-5], st[2], st[1.5], st[#st]); print(pcall(put, st, nil, 1)); print(pcall(put, st, 0/0, 1))
-- sieve, with booleans, twice with different fillers
local function sieve(n, mark) local c, comp = 0, {} for i = 2, n do if not comp[i] then c = c + 1 for j = i * i, n, i do comp[j] = mark end end end return c end
print(sieve(3000, true), sieve(3000, 1), sieve(3000, "x"))
-- matrices
local function mat(n, f) local m = {} for i = 1, n do m[i] = {} for j = 1, n do m[i][j] = f(i, j) end end return m end
local function mul(a, b, n) local c = {} for i = 1, n do local row = {} for j = 1, n do local s = 0 for k = 1, n do s = s + a[i][k] * b[k][j] end row[j] = s end c[i] = row end return c end
local a = mat(12, function(i, j) return i + j end); local b = mat(12, function(i, j) return i - j end); local c = mul(a, b, 12); c = mul(a, b, 12); print(c[1][1], c[12][12], c[3][7]); b[5][5] = 0.5; print(mul(a, b, 12)[1][5]); b[6] = nil; print(pcall(mul, a, b, 12))
-- traversal while clearing
local big = {}; for i = 1, 3000 do big[i] = i end; local n = 0; for i, v in pairs(big) do n = n + v; big[i] = nil end; print(n, next(big))
print("OK")
