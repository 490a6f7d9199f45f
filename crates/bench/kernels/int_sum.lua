-- int_sum: sum of integers.
-- quick: 2
-- full: 4000

local N = 4096

local function ints(modulus)
  local t = {}
  for i = 1, N do t[i] = i * 37 % modulus end
  return t
end

local function total(x, n)
  local sum = 0
  for i = 1, n do sum = sum + x[i] end
  return sum
end

return {
  elements = N,
  setup = function() return { x = ints(1009), sum = 0 } end,
  run = function(s) s.sum = total(s.x, N) end,
  result = function(s) return string.format("%d", s.sum) end,
}
