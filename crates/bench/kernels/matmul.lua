-- matmul: product of matrices of floats held as arrays of rows.
-- quick: 2
-- full: 40

local S = 64
local N = S * S * S

local function matrix(scale)
  local m = {}
  for i = 1, S do
    local row = {}
    for j = 1, S do row[j] = ((i * 37 + j * 11) % 101) * scale + 0.5 end
    m[i] = row
  end
  return m
end

local function multiply(a, b, c, size)
  for i = 1, size do
    local ai, ci = a[i], c[i]
    for j = 1, size do ci[j] = 0.0 end
    for k = 1, size do
      local aik, bk = ai[k], b[k]
      for j = 1, size do ci[j] = ci[j] + aik * bk[j] end
    end
  end
end

local function digest(m)
  local sum = 0.0
  for i = 1, S do
    for j = 1, S do sum = sum * 0.5 + m[i][j] end
  end
  return string.format("%.6f", sum)
end

return {
  elements = N,
  setup = function() return { a = matrix(0.25), b = matrix(0.5), c = matrix(1.0) } end,
  run = function(s) multiply(s.a, s.b, s.c, S) end,
  result = function(s) return digest(s.c) end,
}
