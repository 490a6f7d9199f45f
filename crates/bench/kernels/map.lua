-- map: y[i] = a * x[i] + b over floats.
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

local function map(a, b, x, y, n)
  for i = 1, n do y[i] = a * x[i] + b end
end

return {
  elements = N,
  setup = function() return { x = floats(0.25), y = floats(0.5) } end,
  run = function(s) map(1.5, 0.25, s.x, s.y, N) end,
  result = function(s) return digest(s.y) end,
}
