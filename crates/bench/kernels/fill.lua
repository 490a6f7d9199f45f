-- fill: sets all floats of an array to one value.
-- quick: 2
-- full: 4000

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

local function fill(x, value, n)
  for i = 1, n do x[i] = value end
end

return {
  elements = N,
  setup = function() return { x = floats(0.25) } end,
  run = function(s) fill(s.x, 1.25, N) end,
  result = function(s) return digest(s.x) end,
}
