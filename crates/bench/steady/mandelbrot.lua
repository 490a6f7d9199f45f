-- mandelbrot: the set on a 100 by 100 grid, folded into a checksum of its bits.
-- quick: 2
-- full: 12

local Benchmark = require("benchmark")

local Mandelbrot = Benchmark:extend("mandelbrot")

function Mandelbrot:escapes(cr, ci)
  local zr, zi, zr2, zi2 = 0.0, 0.0, 0.0, 0.0
  local z = 0
  while z < 50 do
    zr = zr2 - zi2 + cr
    zi = 2.0 * zr * zi + ci
    zr2 = zr * zr
    zi2 = zi * zi
    if zr2 + zi2 > 4.0 then return 1 end
    z = z + 1
  end
  return 0
end

function Mandelbrot:grid(size)
  local sum, byte, bits = 0, 0, 0
  local y = 0
  while y < size do
    local ci = 2.0 * y / size - 1.0
    local x = 0
    while x < size do
      byte = byte * 2 + self:escapes(2.0 * x / size - 1.5, ci)
      bits = bits + 1
      if bits == 8 then
        sum = (sum * 31 + byte) % 65521
        byte, bits = 0, 0
      end
      x = x + 1
    end
    y = y + 1
  end
  return sum
end

function Mandelbrot:run() return self:grid(100) end
Mandelbrot.expected = 33699

return Mandelbrot
