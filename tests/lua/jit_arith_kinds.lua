-- Every arithmetic and bitwise operator, hot on one pair of kinds and then on all the others.
local ops = {
  add = function(a, b) return a + b end, sub = function(a, b) return a - b end, mul = function(a, b) return a * b end, div = function(a, b) return a / b end,
  idiv = function(a, b) return a // b end, mod = function(a, b) return a % b end, pow = function(a, b) return a ^ b end, band = function(a, b) return a & b end,
  bor = function(a, b) return a | b end, bxor = function(a, b) return a ~ b end, shl = function(a, b) return a << b end, shr = function(a, b) return a >> b end,
  unm = function(a) return -a end, bnot = function(a) return ~a end, lt = function(a, b) return a < b end, le = function(a, b) return a <= b end, eq = function(a, b) return a == b end,
}
local names = {}; for n in pairs(ops) do names[#names + 1] = n end; table.sort(names)
local values = {1, -7, 0, 2.5, -0.0, 3.0, "10", "0x1p2", "abc", math.maxinteger, math.mininteger, 1e300, {}, true}
local function show(v) if v ~= v then return "nan" end return type(v) == "table" and "table" or tostring(v) end
local function clean(ok, v) return ok and show(v) or (tostring(v):gsub("^[^:]*:%d+: ", "")) end
for _, warm in ipairs {{5, 3}, {5.5, 3.5}, {5, 3.5}} do
  for _, n in ipairs(names) do
    local op, out = ops[n], {}
    if not (warm[1] % 1 ~= 0 or warm[2] % 1 ~= 0) or not n:match("^[bs]") or n == "sub" then for _ = 1, 1000 do op(warm[1], warm[2]) end end
    for _, a in ipairs(values) do for _, b in ipairs {2, -3, 0, 0.5, "4", math.mininteger} do out[#out + 1] = clean(pcall(op, a, b)) end end
    local h = 0
    for _, s in ipairs(out) do for i = 1, #s do h = (h * 31 + s:byte(i)) & 0xffffffff end end
    print(n, string.format("%08x", h), out[1], out[10], out[20], out[40], out[60])
  end
end
print("OK")
