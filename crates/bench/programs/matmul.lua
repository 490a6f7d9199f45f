-- matmul: product of two n by n matrices held as arrays of row arrays.
-- Stresses nested arrays, float multiply-add reductions, row hoisting.
-- quick: 120
-- full: 740

local function generate(n, seed)
  local rows = {}
  local scale = seed / n / n
  for i = 1, n do
    local row = {}
    for j = 1, n do row[j] = scale * (i - j) * (i + j - 2) end
    rows[i] = row
  end
  return rows
end

local function transpose(a, n)
  local t = {}
  for i = 1, n do
    t[i] = {}
    for j = 1, n do t[i][j] = a[j][i] end
  end
  return t
end

local function multiply(a, b, n)
  local bt, c = transpose(b, n), {}
  for i = 1, n do
    local ai, ci = a[i], {}
    for j = 1, n do
      local bj, sum = bt[j], 0.0
      for k = 1, n do sum = sum + ai[k] * bj[k] end
      ci[j] = sum
    end
    c[i] = ci
  end
  return c
end

local n = tonumber(arg and arg[1]) or 520
local c = multiply(generate(n, 1.0), generate(n, 2.0), n)
local half = math.floor(n / 2) + 1
local trace = 0.0
for i = 1, n do trace = trace + c[i][i] end
print(string.format("matmul(%d) = %.6f %.6f", n, c[half][half], trace))
