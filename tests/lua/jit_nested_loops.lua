-- Nested loops with break, goto, several kinds of counters and exits in a hot main chunk.
local c = 0
for i = 1, 100 do for j = 1, 100 do if (i + j) % 7 == 0 then goto cont end if j > i then break end c = c + 1 ::cont:: end end
print(c)
local found; for a = 1, 100 do for b = a, 100 do local q = a * a + b * b local r = math.sqrt(q) if r == r // 1 and r <= 100 and a > 30 then found = {a, b, r // 1 | 0} goto out end end end ::out:: print(found[1], found[2], found[3])
local s = 0; local i = 0; while i < 3000 do i = i + 1 if i % 3 == 0 then goto next end local j = 0 repeat j = j + 1 if j > 3 then break end s = s + j until j == i % 5 ::next:: end print(s)
s = 0; for x = 1, 10, 0.25 do for y = 10, 1, -3 do s = s + x * y end end print(s); for n = 3000, 1, -1 do if n % 2 == 1 then s = s + n else s = s - n end end print(s); for x = 1, 0 do error("no") end; for k = math.maxinteger - 1, math.maxinteger do s = s + 1 end print(s); for k = math.mininteger, math.mininteger + 2 do s = s + 1 end print(s)
local function collatz(n) local k = 0 while n ~= 1 do if n % 2 == 0 then n = n // 2 else n = 3 * n + 1 end k = k + 1 end return k end; local best, at = 0, 0; for n = 1, 1500 do local k = collatz(n) if k > best then best, at = k, n end end print(best, at, collatz(27.0))
local m = {}; for y = 1, 30 do m[y] = {} for x = 1, 30 do m[y][x] = (x * y) % 11 end end; local mx, n5 = -1, 0; for y = 1, 30 do local row = m[y] for x = 1, 30 do local v = row[x] if v > mx then mx = v end if v == 5 then n5 = n5 + 1 elseif v == 6 then n5 = n5 - 1 end end end print(mx, n5)
local function triple(n) local cnt = 0 for a = 1, n do for b = a, n do for d = b, n do if a * a + b * b == d * d then cnt = cnt + 1 end if d * d > a * a + b * b then break end end end end return cnt end print(triple(40), triple(60))
local function mandel(w, h, lim) local tot = 0 for py = 0, h - 1 do for px = 0, w - 1 do local x0, y0 = px / w * 3.5 - 2.5, py / h * 2 - 1 local x, y, it = 0.0, 0.0, 0 while x * x + y * y <= 4 and it < lim do x, y = x * x - y * y + x0, 2 * x * y + y0 it = it + 1 end tot = tot + it end end return tot end print(mandel(30, 20, 50))
local str, k = "", 0; for outer = 1, 5 do local t = outer ::again:: k = k + 1 if t > 1 then t = t - 1 goto again end str = str .. k .. " " end print(str); local d = 0; for a = 1, 20 do for b = 1, 20 do if b == a then break end for e = 1, 20 do if e == b then goto skip end d = d + 1 end ::skip:: end end print(d)
local function first(t, p) for idx, v in ipairs(t) do if p(v) then return idx, v end end end; local z = 0; for r = 1, 300 do local ix = first({5, 3, 8, 1, 9}, function(v) return v > r % 10 end) z = z + (ix or 100) end print(z); local lim = 10; local cnt = 0; for a = 1, lim do lim = 5 for b = a, lim do cnt = cnt + 1 end end print(cnt, lim)
print("OK")
