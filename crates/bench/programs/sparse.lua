-- sparse: repeated product of a sparse matrix, in compressed rows, and a vector.
-- Stresses indirect indexing through integer arrays into a float array.
-- quick: 20
-- full: 4000

local ROWS, PER_ROW = 5000, 12

local function build()
  local values, columns, first = {}, {}, {}
  local seed, at = 17, 1
  for i = 1, ROWS do
    first[i] = at
    local step = math.floor(i / PER_ROW)
    if step < 1 then step = 1 end
    for k = 0, PER_ROW - 1 do
      seed = (seed * 3877 + 29573) % 139968
      values[at] = seed / 139968
      columns[at] = k * step % ROWS + 1
      at = at + 1
    end
  end
  first[ROWS + 1] = at
  return values, columns, first
end

local function multiply(y, values, columns, first, x)
  for i = 1, ROWS do
    local sum = 0.0
    for k = first[i], first[i + 1] - 1 do
      sum = sum + x[columns[k]] * values[k]
    end
    y[i] = sum
  end
end

local rounds = tonumber(arg and arg[1]) or 1300
local values, columns, first = build()
local x, y = {}, {}
for i = 1, ROWS do x[i], y[i] = 1.0 + i % 3, 0.0 end
for _ = 1, rounds do
  multiply(y, values, columns, first, x)
  local largest = 0.0
  for i = 1, ROWS do
    if y[i] > largest then largest = y[i] end
  end
  for i = 1, ROWS do x[i] = y[i] / largest end
end
local sum = 0.0
for i = 1, ROWS do sum = sum + x[i] end
print(string.format("sparse(%d) = %.9f", rounds, sum))
