-- spectral_norm: largest singular value of an infinite matrix by power iteration.
-- Stresses float arithmetic in nested loops, a tiny helper function, float arrays.
-- quick: 150
-- full: 1650

local function element(i, j)
  local ij = i + j
  return 1.0 / (ij * (ij + 1) * 0.5 + i + 1)
end

local function times(x, y, n)
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do
      sum = sum + x[j + 1] * element(i, j)
    end
    y[i + 1] = sum
  end
end

local function times_transposed(x, y, n)
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do
      sum = sum + x[j + 1] * element(j, i)
    end
    y[i + 1] = sum
  end
end

local n = tonumber(arg and arg[1]) or 1000
local u, v, tmp = {}, {}, {}
for i = 1, n do u[i] = 1.0 end

for _ = 1, 10 do
  times(u, tmp, n)
  times_transposed(tmp, v, n)
  times(v, tmp, n)
  times_transposed(tmp, u, n)
end

local vbv, vv = 0.0, 0.0
for i = 1, n do
  local ui, vi = u[i], v[i]
  vbv = vbv + ui * vi
  vv = vv + vi * vi
end
print(string.format("spectral_norm(%d) = %.9f", n, math.sqrt(vbv / vv)))
