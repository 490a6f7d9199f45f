-- Sites that see integers and floats in turn, and then something else.

local function show(v)
  if v ~= v then return "nan" end
  return math.type(v) and (math.type(v) .. ":" .. string.format(math.type(v) == "float" and "%.17g" or "%d", v)) or tostring(v)
end

local values = {
  0, 1, -1, 2, 3, -7, 10, 0.0, -0.0, 0.5, 1.0, -1.5, 2.0, 3.0, 1e15, -1e300, 1e300,
  1 / 0, -1 / 0, 0 / 0, 2 ^ 53, 2 ^ 53 + 2, (1 << 53) + 1, -(1 << 53) - 1, math.maxinteger,
  math.mininteger, 2 ^ 63, -2.0 ^ 63, 5e-324, -5e-324,
}

local binary = {
  add = function(a, b) return a + b end,
  sub = function(a, b) return a - b end,
  mul = function(a, b) return a * b end,
  div = function(a, b) return a / b end,
  mod = function(a, b) return a % b end,
  idiv = function(a, b) return a // b end,
  pow = function(a, b) return a ^ b end,
  band = function(a, b) return a & b end,
  neg = function(a) return -a end,
  twice = function(a) return a + a end,
  half = function(a) return a / 2 end,
  mod2 = function(a) return a % 2 end,
  mod2f = function(a) return a % 2.0 end,
  mod1 = function(a) return a % 1 end,
  mod10 = function(a) return a % 10 end,
  lt = function(a, b) return a < b end,
  le = function(a, b) return a <= b end,
  eq = function(a, b) return a == b end,
  ne = function(a, b) return a ~= b end,
  lt3 = function(a) return a < 3 end,
  ge3 = function(a) return a >= 3 end,
  is3 = function(a) return a == 3 end,
  isnot3 = function(a) return a ~= 3.0 end,
  ishalf = function(a) return a == 0.5 end,
  isbig = function(a) return a == 9007199254740993 end,
  ishuge = function(a) return a == 1e300 end,
}

local names = {}
for name in pairs(binary) do names[#names + 1] = name end
table.sort(names)

local function sweep(name)
  local f, sum = binary[name], {}
  for _, a in ipairs(values) do
    for _, b in ipairs(values) do
      local ok, v = pcall(f, a, b)
      sum[#sum + 1] = ok and show(v) or v:gsub("^.-:%d+: ", "")
    end
  end
  local text = table.concat(sum, " ")
  local h = 0
  for i = 1, #text do h = (h * 31 + text:byte(i)) % 1000000007 end
  return #text .. " " .. h
end

-- Warm with a few of each kind, so that the code knows of both.
for _, name in ipairs(names) do
  local f = binary[name]
  local kinds = name == "band" and {1, 2, 3.0, 4.0} or {1, 2.5, 3, 4.25}
  for i = 1, 40 do
    for _, a in ipairs(kinds) do
      for _, b in ipairs(kinds) do f(a, b) end
    end
  end
  print(name, sweep(name), sweep(name))
end

-- Then what is no number.
local meta = setmetatable({}, {
  __add = function() return "add" end, __mod = function() return "mod" end,
  __unm = function() return "unm" end, __lt = function() return true end,
  __le = function() return false end, __eq = function() return true end,
  __div = function() return "div" end,
})
for _, name in ipairs(names) do
  local line = {name}
  for _, v in ipairs {"10", "x", meta, {}, true, print} do
    local ok, r = pcall(binary[name], v, 3)
    line[#line + 1] = ok and show(r) or r
  end
  print((table.concat(line, " | "):gsub("0x%x+", "ADDRESS")))
end

-- Loops whose variable changes its kind.
local function collatz(n)
  local steps = 0
  while n ~= 1 do
    if n % 2 == 0 then n = n / 2 else n = 3 * n + 1 end
    steps = steps + 1
  end
  return steps, n
end
local best, at = 0, 0
for i = 1, 3000 do
  local s = collatz(i)
  if s > best then best, at = s, i end
end
print(best, at, collatz(27))

local function mean(t)
  local s = 0
  for i = 1, #t do s = s + t[i] end
  return s / #t
end
local t = {}
for i = 1, 100 do t[i] = i % 3 == 0 and i / 2 or i end
for i = 1, 50 do mean(t) end
print(mean(t), mean {1, 2, 3}, mean {1.5})
t[50] = "12"
print(mean(t))
t[50] = {}
print(pcall(mean, t))

local function extremes(t)
  local least, most = math.huge, -math.huge
  for i = 1, #t do
    local v = t[i]
    if v < least then least = v end
    if v > most then most = v end
  end
  return least, most
end
t[50] = (1 << 53) + 1
for i = 1, 50 do extremes(t) end
print(extremes(t))
t[51] = 2.0 ^ 53
print(extremes(t))
t[52] = "a"
print(pcall(extremes, t))
