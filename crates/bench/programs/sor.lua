-- sor: successive over-relaxation on a square grid.
-- Stresses a five-point stencil over nested float arrays, stores into the row read.
-- quick: 15
-- full: 2400

local function grid(n)
  local g, seed = {}, 101
  for i = 1, n do
    g[i] = {}
    for j = 1, n do
      seed = (seed * 3877 + 29573) % 139968
      g[i][j] = seed / 139968
    end
  end
  return g
end

local function relax(g, n, omega, rounds)
  local quarter, rest = omega * 0.25, 1.0 - omega
  for _ = 1, rounds do
    for i = 2, n - 1 do
      local above, row, below = g[i - 1], g[i], g[i + 1]
      for j = 2, n - 1 do
        row[j] = quarter * (above[j] + below[j] + row[j - 1] + row[j + 1]) + rest * row[j]
      end
    end
  end
end

local rounds = tonumber(arg and arg[1]) or 750
local N = 250
local g = grid(N)
relax(g, N, 1.25, rounds)
local sum = 0.0
for i = 1, N do
  for j = 1, N do sum = sum + g[i][j] end
end
print(string.format("sor(%d) = %.6f %.6f", rounds, g[2][2], sum))
