-- fft: fast Fourier transform forth and back on an interleaved array of complex numbers.
-- Stresses float arrays with computed indices (in the reordering also float-typed ones),
-- strided loops, a loop-carried rotation.
-- quick: 12
-- full: 19

local PI, sin = math.pi, math.sin

-- Reorders n complex numbers by the reversed bits of their index.
local function bit_reverse(data, n)
  local j = 0
  for i = 0, n - 2 do
    if i < j then
      local a, b = 2 * i + 1, 2 * j + 1
      data[a], data[b] = data[b], data[a]
      data[a + 1], data[b + 1] = data[b + 1], data[a + 1]
    end
    local k = n / 2
    while k <= j do
      j = j - k
      k = k / 2
    end
    j = j + k
  end
end

local function transform(data, n, direction)
  if n == 1 then return end
  bit_reverse(data, n)
  local dual = 1
  while dual < n do
    local wr, wi = 1.0, 0.0
    local theta = direction * PI / dual
    local s, s2 = sin(theta), 2.0 * sin(theta / 2.0) ^ 2
    for a = 0, dual - 1 do
      if a > 0 then
        wr, wi = wr - s * wi - s2 * wr, wi + s * wr - s2 * wi
      end
      for b = 0, n - 1, 2 * dual do
        local i = 2 * (b + a) + 1
        local j = i + 2 * dual
        local zr, zi = data[j], data[j + 1]
        local dr, di = wr * zr - wi * zi, wr * zi + wi * zr
        data[j] = data[i] - dr
        data[j + 1] = data[i + 1] - di
        data[i] = data[i] + dr
        data[i + 1] = data[i + 1] + di
      end
    end
    dual = dual * 2
  end
end

local function inverse(data, n)
  transform(data, n, -1.0)
  local norm = 1.0 / n
  for i = 1, 2 * n do data[i] = data[i] * norm end
end

local bits = tonumber(arg and arg[1]) or 18
local n = 1
for _ = 1, bits do n = n * 2 end
local data, original, seed = {}, {}, 113
for i = 1, 2 * n do
  seed = (seed * 3877 + 29573) % 139968
  data[i] = seed / 139968
  original[i] = data[i]
end

local spectrum = 0.0
for _ = 1, 4 do
  transform(data, n, 1.0)
  spectrum = spectrum + data[1] + data[n + 1]
  inverse(data, n)
end
local worst = 0.0
for i = 1, 2 * n do worst = math.max(worst, math.abs(data[i] - original[i])) end
assert(worst < 1e-9, "the inverse differs")
print(string.format("fft(%d) = %.6f", bits, spectrum))
