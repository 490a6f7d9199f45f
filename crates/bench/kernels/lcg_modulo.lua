-- lcg_modulo: mixes integers with a congruential generator by multiplication and modulo.
-- quick: 2
-- full: 500

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

local function mix(x, n, seed)
  for i = 1, n do
    seed = (seed * 1309 + 13849) % 65521
    x[i] = (x[i] + seed) % 4093
  end
  return seed
end

return {
  elements = N,
  setup = function() return { x = ints(1009), seed = 42 } end,
  run = function(s) s.seed = mix(s.x, N, s.seed) end,
  result = function(s) return digest(s.x) end,
}
