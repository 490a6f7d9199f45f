-- Numeric loops that run over integers and over floats in turn: code that does
-- not speculate on the type tests it, in both directions, with steps of any
-- sign, and leaves errors and overflow as they are.

local function up(a, n)
  local s = 0
  for i = a, n do s = s + i end
  return s
end

local function step(a, n, d)
  local s, count = 0, 0
  for i = a, n, d do
    s = s + i
    count = count + 1
  end
  return s, count
end

local function nested(a, b)
  local s = 0
  for i = a, a + 3 do
    for j = i, b, -1 do s = s * 0.5 + i - j end
  end
  return s
end

local function captured(a, n)
  local fs = {}
  for i = a, n do fs[#fs + 1] = function() i = i + 1 return i end end
  local s = 0
  for k = 1, #fs do s = s + fs[k]() + fs[k]() end
  return s
end

local total = 0
for k = 1, 3000 do
  local whole = k % 2 == 0
  total = total + up(whole and 1 or 0.5, k % 3 == 0 and 10 or 10.5)
  local s, count = step(whole and 20 or 20.25, 1, k % 5 == 0 and -3 or -1.5)
  total = total + s + count
  s, count = step(1, k % 7, k % 4 == 0 and 2 or 1.25)
  total = total + s + count
  total = total + nested(whole and 3 or 3.5, k % 3)
  if k % 10 == 0 then total = total + captured(whole and 1 or 1.5, 4) end
end
print(string.format("%.6f", total))

-- The end of the integers, and floats that do not move.
for _ = 1, 3 do
  print(step(math.maxinteger - 2, math.maxinteger, 1))
  print(step(math.mininteger + 2, math.mininteger, -1))
  print(select(2, step(1, 1e300, 3e299)))
  print(step(3, 1, 1), step(1.0, 0.5, 1))
end
print(pcall(step, 1, 10, 0))
print(pcall(step, 1.5, 10, 0))
print(pcall(step, "1", 10, 1))
print(pcall(up, 1, {}))
print(math.type((up(1, 3))), math.type((up(1.0, 3))), math.type((up(1, 3.7))))
