-- stencil: weighted mean of three neighbours.
-- quick: 2
-- full: 2000

local N = 4096

local function floats(scale)
  local t = {}
  for i = 1, N do t[i] = (i * 37 % 101) * scale + 0.5 end
  return t
end

local function digest(t)
  local sum = 0.0
  for i = 1, N do sum = sum * 0.5 + t[i] end
  return string.format("%.6f", sum)
end

local function stencil(x, y, n)
  for i = 2, n - 1 do
    y[i] = 0.25 * x[i - 1] + 0.5 * x[i] + 0.25 * x[i + 1]
  end
end

return {
  elements = N,
  setup = function() return { x = floats(0.25), y = floats(0.5) } end,
  run = function(s) stencil(s.x, s.y, N) end,
  result = function(s) return digest(s.y) end,
}
