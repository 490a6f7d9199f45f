-- polynomial: a polynomial of degree 7 at every float of an array.
-- quick: 2
-- full: 1000

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

local function evaluate(x, y, n)
  for i = 1, n do
    local v = x[i]
    y[i] = ((((((0.125 * v + 0.25) * v - 0.5) * v + 0.75) * v - 1.0) * v + 1.5) * v - 2.0) * v + 3.0
  end
end

return {
  elements = N,
  setup = function() return { x = floats(0.03125), y = floats(0.5) } end,
  run = function(s) evaluate(s.x, s.y, N) end,
  result = function(s) return digest(s.y) end,
}
