-- mandelbrot: counts the points of an n by n grid that stay in the Mandelbrot set.
-- Stresses float arithmetic held in locals, a loop with an early exit, no memory.
-- quick: 160

local function stays(cr, ci, limit)
  local zr, zi = 0.0, 0.0
  local zr2, zi2 = 0.0, 0.0
  for i = 1, limit do
    zi = 2.0 * zr * zi + ci
    zr = zr2 - zi2 + cr
    zr2, zi2 = zr * zr, zi * zi
    if zr2 + zi2 > 4.0 then return false, i end
  end
  return true, limit
end

local n = tonumber(arg and arg[1]) or 1300
local inside, steps = 0, 0
for row = 0, n - 1 do
  local ci = 2.0 * row / n - 1.0
  for col = 0, n - 1 do
    local ok, i = stays(2.0 * col / n - 1.5, ci, 100)
    if ok then inside = inside + 1 end
    steps = steps + i
  end
end
print(string.format("mandelbrot(%d) = %d %d", n, inside, steps))
