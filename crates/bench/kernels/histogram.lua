-- histogram: counts how often each small integer occurs.
-- quick: 2
-- full: 1000

local N = 4096

local function ints(modulus)
  local t = {}
  for i = 1, N do t[i] = i * 37 % modulus end
  return t
end

local function histogram(x, counts, n)
  for i = 1, n do
    local v = x[i] + 1
    counts[v] = counts[v] + 1
  end
end

return {
  elements = N,
  setup = function()
    local counts = {}
    for i = 1, 256 do counts[i] = 0 end
    return { x = ints(251), counts = counts }
  end,
  run = function(s) histogram(s.x, s.counts, N) end,
  result = function(s)
    local sum = 0
    for i = 1, 256 do sum = (sum * 31 + s.counts[i]) % 1000003 end
    return string.format("%d", sum)
  end,
}
