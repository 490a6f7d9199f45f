-- Deep and mutual recursion, classic recursive functions.
local function depth(n) if n == 0 then return 0 end return 1 + depth(n - 1) end
print(depth(10), depth(1000), depth(100000), depth(180000))
local function ack(m, n) if m == 0 then return n + 1 elseif n == 0 then return ack(m - 1, 1) end return ack(m - 1, ack(m, n - 1)) end
print(ack(2, 3), ack(2, 50), ack(3, 4))
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(20), fib(20.0), math.type(fib(20.0)))
local function hanoi(n, a, b, c) if n == 0 then return 0 end return hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a) end
print(hanoi(10, "a", "b", "c"))
local function tak(x, y, z) if y >= x then return z end return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) end
print(tak(12, 8, 4))
local isodd
local function iseven(n) if n == 0 then return true end return not not isodd(n - 1) end
function isodd(n) if n == 0 then return false end return not not iseven(n - 1) end
print(iseven(1001), isodd(1001))
local function tree(d) if d == 0 then return {} end return {tree(d - 1), tree(d - 1)} end
local function count(t) if not t[1] then return 1 end return 1 + count(t[1]) + count(t[2]) end
print(count(tree(8)))
local function perms(a, n, out) n = n or #a if n <= 1 then out[#out + 1] = table.concat(a) return out end for i = 1, n do a[n], a[i] = a[i], a[n] perms(a, n - 1, out) a[n], a[i] = a[i], a[n] end return out end
local all = perms({"a", "b", "c", "d"}, nil, {}); table.sort(all); print(#all, all[1], all[24])
local function qsort(t, lo, hi) if lo < hi then local p, i = t[hi], lo - 1 for j = lo, hi - 1 do if t[j] <= p then i = i + 1 t[i], t[j] = t[j], t[i] end end t[i + 1], t[hi] = t[hi], t[i + 1] qsort(t, lo, i) qsort(t, i + 2, hi) end return t end
local q = {}; for i = 1, 200 do q[i] = (i * 7919) % 211 end; qsort(q, 1, #q); for i = 2, #q do assert(q[i - 1] <= q[i]) end
local memo = setmetatable({}, {__index = function(t, n) local v = n < 2 and n or t[n - 1] + t[n - 2] rawset(t, n, v) return v end}); for i = 1, 90 do local _ = memo[i] end; print(memo[90])
local Y = function(f) return (function(x) return x(x) end)(function(x) return f(function(...) return x(x)(...) end) end) end; print(Y(function(self) return function(n) if n == 0 then return 1 end return n * self(n - 1) end end)(15))
local function queens(n, row, cols, d1, d2) if row > n then return 1 end local s = 0 for c = 1, n do if not (cols[c] or d1[row + c] or d2[row - c + n]) then cols[c], d1[row + c], d2[row - c + n] = true, true, true s = s + queens(n, row + 1, cols, d1, d2) cols[c], d1[row + c], d2[row - c + n] = nil end end return s end; print(queens(6, 1, {}, {}, {}))
local ok, msg = pcall(function() local function inf(n) return inf(n + 1) + 1 end return inf(1) end); print(ok, msg:match("stack overflow") ); local function strdepth(s, n) if n == 0 then return s end return strdepth(s, n - 1) .. "x" end; print(#strdepth("", 5000))
print("OK")
