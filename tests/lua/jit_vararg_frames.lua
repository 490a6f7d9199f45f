-- Variadic functions called by native ones, at different depths, while the
-- collector looks at the native function's frame.
local function sum(...)
  local t = {...}
  local s = 0
  for i = 1, #t do s = s + t[i] end
  return s, select("#", ...)
end
local function deep(n, ...)
  local t = {n, ...}
  if n == 0 then return sum(table.unpack(t)) end
  local ok, a, b = pcall(deep, n - 1, n, ...)
  return a, b, ok, t
end
-- Leaves tables where later frames are.
local function fill(n)
  local a, b, c, d, e, f, g, h, i, j = {}, {}, {}, {}, {}, {}, {}, {}, {}, {}
  if n > 0 then fill(n - 1) end
  return a, b, c, d, e, f, g, h, i, j
end
local total = 0
for i = 1, 30 do
  fill(9)
  local a, b = deep(i % 7, i, i)
  local c = select(2, pcall(sum, i, 2, 3))
  local d = select(2, pcall(pcall, sum, i, 2))
  table.sort({3, 1, 2, i}, function(...) local x = {...} return x[1] < x[2] end)
  local e = ("x y z"):gsub("%w", function(...) return ({...})[1] .. i end)
  total = total + a + b + c + (d and 1 or 0) + #e
end
print(total)
