-- particles: particles in a force field, with vectors that are made anew by every operation.
-- quick: 2
-- full: 60

local Benchmark = require("benchmark")

local Vec = {}
Vec.__index = Vec

local function vec(x, y) return setmetatable({ x = x, y = y }, Vec) end

function Vec:plus(o) return vec(self.x + o.x, self.y + o.y) end
function Vec:minus(o) return vec(self.x - o.x, self.y - o.y) end
function Vec:times(k) return vec(self.x * k, self.y * k) end
function Vec:dot(o) return self.x * o.x + self.y * o.y end
function Vec:turned() return vec(-self.y, self.x) end

local function each(list, f)
  for i = 1, #list do f(list[i], i) end
end

local Particles = Benchmark:extend("particles")
Particles.expected = 758

-- The path of one particle, of which only the end is kept.
local function fly(place, speed, steps)
  local centre = vec(0.5, -0.25)
  local dt = 1.0 / 64.0
  for _ = 1, steps do
    local away = place:minus(centre)
    local pull = away:times(-1.0 / (1.0 + away:dot(away)))
    local swirl = away:turned():times(0.125)
    speed = speed:plus(pull:plus(swirl):times(dt))
    place = place:plus(speed:times(dt))
  end
  return place, speed
end

function Particles:run()
  local list = {}
  for i = 1, 40 do
    list[i] = { place = vec(i % 7 * 0.5, i % 5 * 0.25), speed = vec(0.0, 0.0) }
  end
  local energy = 0.0
  each(list, function(p, i)
    p.place, p.speed = fly(p.place, p.speed, 200)
    energy = energy + p.speed:dot(p.speed) * i
  end)
  return math.floor(energy)
end

return Particles
