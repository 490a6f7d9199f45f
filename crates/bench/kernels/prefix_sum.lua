-- prefix_sum: running sums of integers.
-- quick: 2
-- full: 2000

local N = 4096

local function ints(modulus)
  local t = {}
  for i = 1, N do t[i] = i * 37 % modulus end
  return t
end

local function digest(t)
  local sum = 0.0
  for i = 1, N do sum = sum * 0.5 + t[i] end
  return string.format("%.6f", sum)
end

local function prefix(x, y, n)
  local sum = 0
  for i = 1, n do
    sum = sum + x[i]
    y[i] = sum
  end
end

return {
  elements = N,
  setup = function() return { x = ints(1009), y = ints(7) } end,
  run = function(s) prefix(s.x, s.y, N) end,
  result = function(s) return digest(s.y) end,
}
