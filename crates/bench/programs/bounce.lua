-- bounce: balls that bounce inside a box.
-- Stresses small objects with integer fields, method calls, branches, math.abs.
-- quick: 4000

local abs = math.abs
local WIDTH, HEIGHT = 500, 500

local Ball = {}
Ball.__index = Ball

function Ball.new(random)
  return setmetatable({
    x = random() % WIDTH,
    y = random() % HEIGHT,
    dx = random() % 300 - 150,
    dy = random() % 300 - 150,
  }, Ball)
end

-- Moves one step; true when a wall was hit.
function Ball:bounce()
  local hit = false
  self.x = self.x + self.dx
  self.y = self.y + self.dy
  if self.x > WIDTH then self.x, self.dx, hit = WIDTH, -abs(self.dx), true end
  if self.x < 0 then self.x, self.dx, hit = 0, abs(self.dx), true end
  if self.y > HEIGHT then self.y, self.dy, hit = HEIGHT, -abs(self.dy), true end
  if self.y < 0 then self.y, self.dy, hit = 0, abs(self.dy), true end
  return hit
end

local function generator(seed)
  return function()
    seed = (seed * 1309 + 13849) % 65536
    return seed
  end
end

local steps = tonumber(arg and arg[1]) or 160000
local random = generator(74755)
local balls = {}
for i = 1, 100 do balls[i] = Ball.new(random) end

local bounces = 0
for _ = 1, steps do
  for _, ball in ipairs(balls) do
    if ball:bounce() then bounces = bounces + 1 end
  end
end
local place = 0
for _, ball in ipairs(balls) do place = place + ball.x * 3 + ball.y end
print(string.format("bounce(%d) = %d %d", steps, bounces, place))
