-- varargs: functions with variable arguments and several results.
-- Stresses "..." in calls, select, table.pack and unpack idioms, adjustment of results,
-- multiple assignment.
-- quick: 15000

local unpack = table.unpack or unpack

local function pack(...) return { n = select("#", ...), ... } end

local function sum(...)
  local s = 0
  for i = 1, select("#", ...) do s = s + (select(i, ...)) end
  return s
end

local function sum_table(...)
  local s = 0
  for _, x in ipairs({ ... }) do s = s + x end
  return s
end

local function sum_recursive(first, ...)
  if first == nil then return 0 end
  return first + sum_recursive(...)
end

local function minmax(first, ...)
  local low, high = first, first
  for i = 1, select("#", ...) do
    local x = select(i, ...)
    if x < low then low = x end
    if x > high then high = x end
  end
  return low, high
end

local function bind(f, ...)
  local bound = pack(...)
  return function(...)
    local args = { unpack(bound, 1, bound.n) }
    local extra = select("#", ...)
    for i = 1, extra do args[bound.n + i] = (select(i, ...)) end
    return f(unpack(args, 1, bound.n + extra))
  end
end

local function pass(...) return ... end
local function divmod(a, b) return math.floor(a / b), a % b end
local function swap3(a, b, c) return c, a, b end

local rounds = tonumber(arg and arg[1]) or 750000
local total = 0
local add_10_20 = bind(sum, 10, 20)
for i = 1, rounds do
  total = total + sum(i, 2, 3) + sum(i, 5, 6, 7, 8, 9)
  total = total + sum_table(i, i, 1, 2)
  total = total + sum_recursive(1, 2, 3, i)
  local low, high = minmax(i % 17, 4, 9, i % 5, 12)
  local q, r = divmod(i, 7)
  local a, b, c = swap3(low, high, q)
  a, b, c = c, a, b
  total = total + a * 3 + b * 5 + c * 7 + r
  total = total + add_10_20(i, 1)
  local p = pack(pass(i, nil, low), nil)
  total = total + p.n + sum((pass(i, high)), pass(1, 2))
  total = total % 1000000007
end
print(string.format("varargs(%d) = %d", rounds, total))
