-- What 5.4 keeps of 5.3 when PUC's makefile builds it (LUA_COMPAT_5_3): functions of the math
-- library, `a <= b` by `__lt`, debug.setcstacklimit.

-- The last digits of these are libm's.
for _, f in ipairs{"cosh", "sinh", "tanh"} do
  for _, x in ipairs{0, -0.0, 0.5, -1, 3, 20.25, 710.5, math.huge, -math.huge} do
    print(f, x, string.format("%.12g", math[f](x)))
  end
end
for _, x in ipairs{1, 10, 1000, 0.001, 2, 0, math.huge, "100"} do print("log10", x, math.log10(x)) end
for _, pair in ipairs{{2, 10}, {2, -1}, {-8, 1 / 3}, {0, 0}, {0, -1}, {-0.0, -3}, {1.5, 2.5}, {"3", "2"}} do
  local r = math.pow(pair[1], pair[2])
  print("pow", pair[1], pair[2], r == r and r or "nan", math.type(r))
end
for _, x in ipairs{1, -0.75, 3, 1e300, -1e-300, 5e-324, 2^-1030 + 2^-1060, 0, -0.0, 2^53, 0.1} do
  local m, e = math.frexp(x)
  print("frexp", x, m, e, math.type(m), math.type(e), math.ldexp(m, e) == x)
end
print(math.frexp(math.huge) == math.huge, math.frexp(-math.huge) == -math.huge, math.frexp(0 / 0) ~= math.frexp(0 / 0))
for _, pair in ipairs{{1, 0}, {1, 1023}, {1, 1024}, {1, -1074}, {1, -1075}, {1.5, -1075}, {5e-324, 2097}, {3, 4.0},
  {0, 5000}, {1, 2147483647}, {1, -2147483648}, {1, 4294967297}, {-1e308, 10}, {math.huge, -5000}, {1 + 2^-52, -1074}} do
  print("ldexp", pair[1], pair[2], math.ldexp(pair[1], pair[2]))
end
-- One function: which of its names an error gives depends on the order of a traversal.
print(math.atan2 == math.atan, math.atan2(1, -1) == math.atan(1, -1), (pcall(math.atan2)))
for _, f in ipairs{"cosh", "sinh", "tanh", "log10", "pow", "frexp", "ldexp"} do
  print(pcall(math[f]))
  print(pcall(math[f], {}))
  print(pcall(math[f], 1, "x"))
end
print(pcall(math.ldexp, 1, 1.5))

-- `not (b < a)`, of the right operand first.
local Version = {}
Version.__index = Version
Version.__lt = function(a, b) return a.n < b.n end
local function version(n) return setmetatable({n = n}, Version) end
local ones, less = 0, 0
for i = 1, 3000 do
  local a, b = version(i % 7), version(i % 5)
  if a <= b then ones = ones + 1 end
  if a < b then less = less + 1 end
  if a >= b then ones = ones + 10000 end
end
print(ones, less)

local log = {}
local function comparing(name, result)
  return setmetatable({}, {__lt = function(a, b) log[#log + 1] = name; return result end})
end
local t, f = comparing("t", 1), comparing("f", nil)
print(t <= f, f <= t, t <= t, t >= f, f >= t, table.concat(log, " "))
print(pcall(function() return 1 <= t end), pcall(function() return t <= 1 end))
print(pcall(function() return {} <= {} end))
print(pcall(function() return t <= nil end))
local failing = setmetatable({}, {__lt = function() error("no order", 0) end})
print(pcall(function() return failing <= failing end))
-- An own `__le` comes first.
local both = setmetatable({}, {__lt = function() return true end, __le = function() return "own" end})
print(both <= both, both >= 1, both < 1)
-- The comparison may yield.
local lazy = setmetatable({}, {__lt = function() return coroutine.yield("asked") end})
local co = coroutine.wrap(function() return lazy <= lazy end)
print(co(), co(true))
co = coroutine.wrap(function() if lazy <= lazy then return "yes" else return "no" end end)
print(co(), co(false))

print(debug.setcstacklimit(300), debug.setcstacklimit(0), pcall(debug.setcstacklimit, "x"))
print(pcall(debug.setcstacklimit))
