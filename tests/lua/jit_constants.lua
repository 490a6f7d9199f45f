-- Operators with constant operands on either side, immediate and not; kinds change late.
local function f1(x) return x + 1 end local function f2(x) return 1 - x end local function f3(x) return x * 2.5 end local function f4(x) return 7 // x end local function f5(x) return x % 3 end local function f6(x) return x & 0xFF end local function f7(x) return 1 << x end local function f8(x) return x >> 1 end local function f9(x) return x == 5 end local function f10(x) return x < 10 end local function f11(x) return 10 <= x end local function f12(x) return x .. "s" end local function f13(x) return x == "k" end local function f14(x) return x == nil end local function f15(x) return x ~= false end local function f16(x) return x + 1000000000000 end local function f17(x) return x == 1.5 end local function f18(x) return x > 2.5 end local function f19(x) return -x + 1 end local function f20(x) return x ^ 2 end local function f21(x) return 2 ^ x end local function f22(x) return x / 4 end local function f23(x) return x ~ 1 end local function f24(x) return x | -1 end local function f25(x) return x - 0.5 end
local fs = {f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25}
local s = 0
for i = 1, 3000 do for k = 1, #fs do local r = fs[k](i % 50 + 1) if type(r) == "number" then s = s + r % 1000 end end end
print(string.format("%.6f", s))
local late = {0, 5, 5.0, 2.5, -1, -0.0, "6", "k", "", nil, false, true, {}, 1.5, math.maxinteger, math.mininteger, 1e308, 1/0}
local function show(ok, v) if v ~= v then return "nan" end return ok and tostring(v):gsub("0x%x+", "ADDR") or "!" .. tostring(v):gsub("^.-:%d+: ", "") end
for k = 1, #fs do local out = {} for i = 1, 18 do out[#out + 1] = (show(pcall(fs[k], late[i]))) end print(k, table.concat(out, " | ")) end
for i = 1, 3000 do for k = 1, #fs do pcall(fs[k], i % 2 == 0 and i or i + 0.5) end end
print(f1(1), f1(1.5), f2(1), f3(2), f4(2), f5(-1), f7(3), f16(1), f20(3), f21(3), f23(1), f25(1))
print("OK")
