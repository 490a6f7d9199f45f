-- Floats: NaN, signed zeros, infinities, // and % on floats, powers, conversions.
local nan, inf = 0/0, math.huge
assert(nan ~= nan and not (nan < nan) and not (nan <= nan) and not (nan == nan) and not (nan > 1))
assert(0.0 == -0.0 and 1/0.0 == inf and 1/-0.0 == -inf and 1/(-0.0) == -inf)
assert(tostring(-0.0) == "-0.0" and tostring(0.0) == "0.0" and tostring(0.0 + -0.0) == "0.0")
assert(tostring(-(0.0)) == "-0.0" and tostring(0 * -1.0) == "-0.0" and tostring(-0) == "0")
assert(5.5 // 2 == 2.0 and -5.5 // 2 == -3.0 and 5.5 // -2 == -3.0)
assert(5.5 % 2 == 1.5 and -5.5 % 2 == 0.5 and 5.5 % -2 == -0.5 and -5.5 % -2 == -1.5)
assert(1 % inf == 1.0 and -1 % inf == inf and 1 % -inf == -inf and -1 % -inf == -1.0)
assert(inf // 1 == inf and (nan // 1) ~= (nan // 1) and 1 // inf == 0.0 and tostring(-1 // inf) == "-0.0")
assert(inf - inf ~= inf - inf and inf * 0 ~= 0 and inf + 1 == inf)
assert(2^10 == 1024.0 and 2^0.5 == math.sqrt(2) and (-8)^(1/3) ~= (-8)^(1/3) and 0^0 == 1.0)
assert(2^-1074 > 0 and 2^-1075 == 0 and 2^1024 == inf)
assert(10 // 0.3 == 33.0 and 1e308 * 10 == inf and -1e308 * 10 == -inf)
assert(0.1 + 0.2 ~= 0.3 and 0.1 + 0.2 == 0.30000000000000004)
-- int to float and back
assert(2^53 == 2^53 + 1 and (1 << 53) + 1 ~= (1 << 53) and (1 << 53) + 1.0 == 2^53)
assert(math.maxinteger + 0.0 == 2^63 and math.maxinteger + 0.0 ~= math.maxinteger)
assert(math.mininteger + 0.0 == math.mininteger)
assert(3 | 0 == 3 and 3.0 | 0 == 3 and math.type(3.0 | 0) == "integer")
print(pcall(function() return 3.5 | 0 end))
print(pcall(function() local x = 2^63 return x | 0 end))
print(pcall(function() local t = {v = 1.5} return t.v & 1 end))
-- text
for _, x in ipairs {0.1, 1/3, 100.0, 1e15, 1e16, 1e100, 123456789012345.0, 1234567890123456.0,
    -1.5e-7, 5e-324, 2^53, 2^63, -2^63, 3.14159265358979, 1e14, 1e-5, 123.456} do
  print(x, string.format("%.17g", x), string.format("%a", x))
end
print(inf, -inf, 2^1023 * 2, -1/0)
print(1e15, 10 / 2, 3 | 0, 7 // 1.0, 2^31, 1e3 // 1)
print("OK")
