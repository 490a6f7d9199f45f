-- bounce: balls that bounce inside a box, each with a metatable of its own.
-- quick: 2
-- full: 130

local Benchmark = require("benchmark")
local Random = require("collections").Random

local Ball = {}

function Ball.new(random)
  local ball = {
    x = random:next() % 500,
    y = random:next() % 500,
    x_speed = random:next() % 300 - 150,
    y_speed = random:next() % 300 - 150,
  }
  return setmetatable(ball, { __index = Ball })
end

function Ball:bounce()
  local x_limit, y_limit = 500, 500
  local bounced = false
  self.x = self.x + self.x_speed
  self.y = self.y + self.y_speed
  if self.x > x_limit then
    self.x = x_limit
    self.x_speed = -math.abs(self.x_speed)
    bounced = true
  end
  if self.x < 0 then
    self.x = 0
    self.x_speed = math.abs(self.x_speed)
    bounced = true
  end
  if self.y > y_limit then
    self.y = y_limit
    self.y_speed = -math.abs(self.y_speed)
    bounced = true
  end
  if self.y < 0 then
    self.y = 0
    self.y_speed = math.abs(self.y_speed)
    bounced = true
  end
  return bounced
end

local Bounce = Benchmark:extend("bounce")
Bounce.expected = 1331

function Bounce:run()
  local random = Random.new()
  local balls, bounces = {}, 0
  for i = 1, 100 do balls[i] = Ball.new(random) end
  for _ = 1, 50 do
    for _, ball in ipairs(balls) do
      if ball:bounce() then bounces = bounces + 1 end
    end
  end
  return bounces
end

return Bounce
