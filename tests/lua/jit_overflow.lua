-- Integer overflow wraps inside hot loops; sums go from integer to float late.
local function add(n, start, step) local x = start for _ = 1, n do x = x + step end return x end
for _ = 1, 100 do add(50, 1, 1) end
print(add(3000, math.maxinteger - 1500, 1), add(3000, math.mininteger + 10, -1), add(10, math.maxinteger, math.maxinteger))
local function fact(n) local r = 1 for i = 2, n do r = r * i end return r end
for i = 1, 3000 do fact(i % 20) end
print(fact(20), fact(21), fact(25), fact(66), fact(100))
local function lcg(n, seed) local x = seed for _ = 1, n do x = x * 6364136223846793005 + 1442695040888963407 end return x end
print(lcg(1, 0), lcg(3000, 42), lcg(5000, math.mininteger))
local function sub(n, x) for _ = 1, n do x = x - 3 end return x end
print(sub(5000, math.mininteger + 5000))
local function neg(x, n) for _ = 1, n do x = -x end return x end
print(neg(math.mininteger, 3001), neg(5, 3001), neg(0, 3001), neg(0.0, 3001))
local function pow2(n) local x = 1 for _ = 1, n do x = x * 2 end return x end
print(pow2(62), pow2(63), pow2(64), pow2(3000))
local function powf(n) local x = 1.0 for _ = 1, n do x = x * 2 end return x end
print(powf(63), powf(1023), powf(3000))
local s = 0
for i = 1, 5000 do s = s + (i << 50) end
print(s)
local acc = 0
for i = 1, 6000 do if i == 4000 then acc = acc + 0.5 end acc = acc + i end
print(acc, math.type(acc))
local function divs(n) local t = 0 for i = 1, n do t = t + math.mininteger // -i + math.mininteger % -i end return t end
print(divs(3000))
print("OK")
