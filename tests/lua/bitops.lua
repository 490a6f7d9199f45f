-- Bitwise operators and shifts.
local maxi, mini = math.maxinteger, math.mininteger
assert(0xF0 & 0x3C == 0x30 and 0xF0 | 0x0F == 0xFF and 0xFF ~ 0x0F == 0xF0 and ~0 == -1 and ~5 == -6 and ~~7 == 7)
assert(1 << 0 == 1 and 1 << 63 == mini and 1 << 64 == 0 and 1 << 100 == 0 and 1 << -1 == 0 and 2 << -1 == 1 and 1 << maxi == 0 and 1 << mini == 0)
assert(-1 >> 1 == maxi and -1 >> 63 == 1 and -1 >> 64 == 0 and -1 >> -1 == -2 and 8 >> 2 == 2 and mini >> 63 == 1 and -1 >> mini == 0 and -1 << maxi == 0)
assert(-1 & maxi == maxi and mini | maxi == -1 and -1 ~ -1 == 0 and mini ~ -1 == maxi)
assert(3.0 & 1 == 1 and 2^31 | 0 == 2147483648 and -0.0 | 0 == 0 and 1e15 | 0 == 1000000000000000 and math.type(3.0 ~ 0) == "integer")
assert(5 & 6 == 4 and "a" .. (1 << 2) == "a4" and not (5 & 6 ~= 4) and -1 >> 60 << 60 == 0xF << 60)
for _, x in ipairs {1.5, 2^63, -2^64, 1/0, "a", {}, "1.5"} do print(pcall(function() return x & 1 end)); print(pcall(function() return 1 << x end)); print(pcall(function() return ~x end)) end
print(pcall(function() return 0/0 | 0 end))
-- hashes and generators that rely on wrapping and shifts
local function fnv(s) local h = 0xcbf29ce484222325 for i = 1, #s do h = (h ~ s:byte(i)) * 0x100000001b3 end return h end; print(fnv(""), fnv("a"), fnv("hello"))
local x = 88172645463325252; local function xorshift() x = x ~ (x << 13) x = x ~ (x >> 7) x = x ~ (x << 17) return x end; print(xorshift(), xorshift(), xorshift())
local function popcount(v) local n = 0 while v ~= 0 do v = v & (v - 1) n = n + 1 end return n end; print(popcount(0), popcount(-1), popcount(0x5555), popcount(mini))
local function rotl(v, k) return (v << k) | (v >> (64 - k)) end; print(rotl(1, 63), rotl(mini, 1), rotl(0x123456789ABCDEF0, 4), string.format("%x", rotl(0xF, 62)))
local function crc32(s) local c = 0xFFFFFFFF for i = 1, #s do c = c ~ s:byte(i) for _ = 1, 8 do c = (c >> 1) ~ (0xEDB88320 & -(c & 1)) end end return c ~ 0xFFFFFFFF end; print(string.format("%08x %08x", crc32("123456789"), crc32("")))
local function isqrt(n) local r, b = 0, 1 << 62 while b > n do b = b >> 2 end while b ~= 0 do if n >= r + b then n, r = n - (r + b), (r >> 1) + b else r = r >> 1 end b = b >> 2 end return r end; print(isqrt(0), isqrt(99), isqrt(100), isqrt(maxi))
for i = 0, 70, 10 do io.write(1 << i, " ", -1 >> i, " ", -1 << i, "; ") end print()
print("OK")
