-- dot: dot product of floats, summed in order.
-- quick: 2
-- full: 1000

local N = 4096

local function floats(scale)
  local t = {}
  for i = 1, N do t[i] = (i * 37 % 101) * scale + 0.5 end
  return t
end

local function dot(x, y, n)
  local sum = 0.0
  for i = 1, n do sum = sum + x[i] * y[i] end
  return sum
end

return {
  elements = N,
  setup = function() return { x = floats(0.25), y = floats(0.5), sum = 0.0 } end,
  run = function(s) s.sum = dot(s.x, s.y, N) end,
  result = function(s) return string.format("%.6f", s.sum) end,
}
