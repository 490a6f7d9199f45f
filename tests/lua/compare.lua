-- Comparisons between integers, floats and strings; equality across kinds.
local maxi, mini = math.maxinteger, math.mininteger
assert(1 == 1.0 and not (1 ~= 1.0) and 1 < 1.5 and 1.5 < 2 and 2 > 1.5 and 1 <= 1.0)
assert(maxi < 2^63 and not (maxi >= 2^63) and maxi + 0.0 == 2^63 and maxi ~= 2^63)
assert(mini <= -2^63 and mini >= -2^63 and mini == -2^63 and mini > -2^64)
assert((1 << 53) + 1 > 2^53 and 2^53 < (1 << 53) + 1 and not ((1 << 53) + 1 <= 2^53))
assert(maxi < math.huge and mini > -math.huge and maxi > 1e18 and mini < -1e18)
local nan = 0/0
for _, x in ipairs {0, 1, -1, maxi, mini, 0.5, math.huge} do
  assert(not (x < nan) and not (x <= nan) and not (x > nan) and not (x >= nan) and x ~= nan)
  assert(not (nan < x) and not (nan <= x) and not (nan > x) and not (nan >= x) and nan ~= x)
end
assert(-0.0 == 0 and not (-0.0 < 0) and 0 <= -0.0)
assert("a" < "b" and "a" < "aa" and "" < "a" and "Z" < "a" and not ("a" < "a") and "a" <= "a")
assert("a\0b" > "a\0a" and "a\0" > "a" and "10" < "9")
assert("1" ~= 1 and "" ~= false and nil ~= false and {} ~= {} and print == print)
local t = {}
t[1] = "i"; t[1.0] = "f"; t["1"] = "s"
assert(t[1] == "f" and #t == 1 and t["1"] == "s")
t[2^53] = "big"
assert(t[1 << 53] == "big")
for _, pair in ipairs {{1, "1"}, {nil, 1}, {{}, {}}, {true, false}, {"a", 1}, {print, print}} do
  local a, b = pair[1], pair[2]
  print(select(2, pcall(function() return a < b end)))
  print(select(2, pcall(function() return a <= b end)))
  print(select(2, pcall(function() return a > b end)))
end
print(select(2, pcall(function() return nil < 1 end)))
-- results of and, or, not
assert((nil and 1) == nil and (false or nil) == nil and (1 and 2) == 2 and (nil or false) == false)
assert(not not 0 == true and not "" == false and (false == nil) == false)
local function f(a, b, c) return a and b or c end
assert(f(1, 2, 3) == 2 and f(nil, 2, 3) == 3 and f(1, nil, 3) == 3 and f(false, 1, nil) == nil)
-- conditions without values
local n = 0
if 1 < 2 and not (2 < 1) or error("not reached") then n = n + 1 end
if nil or false then n = n + 10 elseif 0 then n = n + 100 end
if not (1 > 2 or 3 > 4) and (5 > 4 or error("not reached")) then n = n + 1000 end
print(n)
print("OK")
