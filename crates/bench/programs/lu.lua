-- lu: LU factorization with partial pivoting, and a solve that checks it.
-- Stresses nested float arrays, row swaps, triangular loops.
-- quick: 120
-- full: 1000

local abs = math.abs

local function random_matrix(n)
  local rows, seed = {}, 101
  for i = 1, n do
    local row = {}
    for j = 1, n do
      seed = (seed * 3877 + 29573) % 139968
      row[j] = seed / 139968 - 0.5
    end
    rows[i] = row
  end
  return rows
end

local function factor(a, n, pivots)
  for j = 1, n do
    local p, largest = j, abs(a[j][j])
    for i = j + 1, n do
      local v = abs(a[i][j])
      if v > largest then p, largest = i, v end
    end
    pivots[j] = p
    if largest == 0.0 then return false end
    a[p], a[j] = a[j], a[p]

    local aj = a[j]
    local reciprocal = 1.0 / aj[j]
    for i = j + 1, n do a[i][j] = a[i][j] * reciprocal end
    for i = j + 1, n do
      local ai = a[i]
      local f = ai[j]
      for k = j + 1, n do ai[k] = ai[k] - f * aj[k] end
    end
  end
  return true
end

local function solve(lu, n, pivots, b)
  for i = 1, n do
    local p = pivots[i]
    b[p], b[i] = b[i], b[p]
  end
  for i = 1, n do
    local sum, row = b[i], lu[i]
    for j = 1, i - 1 do sum = sum - row[j] * b[j] end
    b[i] = sum
  end
  for i = n, 1, -1 do
    local sum, row = b[i], lu[i]
    for j = i + 1, n do sum = sum - row[j] * b[j] end
    b[i] = sum / row[i]
  end
end

local n = tonumber(arg and arg[1]) or 680
local a, original = random_matrix(n), random_matrix(n)
local pivots, b = {}, {}
-- The right-hand side whose solution is all ones.
for i = 1, n do
  local sum = 0.0
  for j = 1, n do sum = sum + original[i][j] end
  b[i] = sum
end
assert(factor(a, n, pivots), "singular matrix")
solve(a, n, pivots, b)
local worst, diagonal = 0.0, 0.0
for i = 1, n do
  worst = math.max(worst, abs(b[i] - 1.0))
  diagonal = diagonal + abs(a[i][i])
end
assert(worst < 1e-6, "wrong solution")
print(string.format("lu(%d) = %.6f", n, diagonal))
