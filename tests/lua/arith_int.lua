-- Integer arithmetic: wraparound, // and % signs, division by zero, mixed results.
local maxi, mini = math.maxinteger, math.mininteger
assert(maxi + 1 == mini and mini - 1 == maxi)
assert(maxi * 2 == -2 and mini * -1 == mini and -mini == mini)
assert(maxi * maxi == 1 and mini * mini == 0)
assert(mini // -1 == mini and mini % -1 == 0)
assert(7 // 2 == 3 and -7 // 2 == -4 and 7 // -2 == -4 and -7 // -2 == 3)
assert(7 % 3 == 1 and -7 % 3 == 2 and 7 % -3 == -2 and -7 % -3 == -1)
assert(6 % 3 == 0 and -6 % 3 == 0 and 6 % -3 == 0)
assert(mini % maxi == maxi - 1 and maxi % mini == -1)
assert(mini // maxi == -2 and maxi // mini == -1)
for _, d in ipairs {1, -1, 2, -2, 3, 10, maxi, mini} do
  for _, n in ipairs {0, 1, -1, 5, -5, maxi, mini, maxi - 1, mini + 1} do
    assert(n // d * d + n % d == n)
    assert(n % d == 0 or (n % d < 0) == (d < 0))
  end
end
-- kinds of results
assert(math.type(3 + 4) == "integer" and math.type(3 + 4.0) == "float")
assert(math.type(6 / 2) == "float" and 6 / 2 == 3)
assert(math.type(2 ^ 2) == "float" and math.type(7 // 2.0) == "float")
assert(math.type(7 % 2.0) == "float" and math.type(-(-3)) == "integer")
assert(3 // 0.0 == 1/0 and -3 // 0.0 == -1/0 and 0/0 ~= 0/0)
-- errors
local function divide(a, b) return a // b end
local function modulo(a, b) return a % b end
print(pcall(divide, 1, 0))
print(pcall(modulo, 1, 0))
print(pcall(divide, 0, 0))
print(pcall(divide, 1.0, 0))
print(pcall(modulo, 5.5, math.huge), pcall(modulo, -5.5, math.huge))
-- precedence and associativity
assert(2 + 3 * 4 ^ 2 / 2 == 26.0 and -2 ^ 2 == -4.0 and 2 ^ 3 ^ 2 == 512.0)
assert(1 .. 2 == "12" and 2 * 3 .. "" == "6" and not nil == true and -3 % 5 == 2)
assert(5 - 3 - 1 == 1 and 2 ^ -1 == 0.5 and 1 << 2 + 1 == 8 and 5 & 3 == 1)
-- strings as numbers
assert("10" + 5 == 15 and math.type("10" + 5) == "integer")
assert("0x10" * 1 == 16 and "1e1" + 0 == 10.0 and math.type("1e1" + 0) == "float")
assert(" 5 " - 1 == 4 and -"2" == -2 and "3" // 1 == 3 and "7" % "4" == 3)
assert("9223372036854775807" + 1 == mini and "9223372036854775808" + 0 == 2^63)
print(pcall(function() return "abc" + 1 end))
print(pcall(function() return {} .. "x" end))
print(pcall(function() return 1 + nil end))
-- literals
assert(0xff == 255 and 0xffffffffffffffff == -1 and 0x7fffffffffffffff == maxi)
assert(0x1p4 == 16.0 and 0xA.8p0 == 10.5 and 1e2 == 100.0 and .5 == 0.5 and 3. == 3.0)
assert(9223372036854775808 == 2.0^63 and math.type(9223372036854775807) == "integer")
assert(0x10000000000000001 == 1)
print(maxi, mini, maxi // -1, mini // 10, mini % 10, -7 // 2.0, -7 % 2.5)
print("OK")
