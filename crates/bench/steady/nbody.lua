-- nbody: planets of the outer solar system as objects, 1000 steps per iteration.
-- quick: 2
-- full: 35

local Benchmark = require("benchmark")
local Vector = require("collections").Vector

local SOLAR_MASS = 4 * math.pi * math.pi
local DAYS = 365.24

local Body = {}
Body.__index = Body

function Body.new(x, y, z, vx, vy, vz, mass)
  return setmetatable({
    x = x, y = y, z = z,
    vx = vx * DAYS, vy = vy * DAYS, vz = vz * DAYS,
    mass = mass * SOLAR_MASS,
  }, Body)
end

function Body:set_momentum(px, py, pz)
  self.vx = 0.0 - px / SOLAR_MASS
  self.vy = 0.0 - py / SOLAR_MASS
  self.vz = 0.0 - pz / SOLAR_MASS
end

function Body:kinetic()
  return 0.5 * self.mass * (self.vx * self.vx + self.vy * self.vy + self.vz * self.vz)
end

function Body:drift(dt)
  self.x = self.x + dt * self.vx
  self.y = self.y + dt * self.vy
  self.z = self.z + dt * self.vz
end

function Body:attract(other, dt)
  local dx, dy, dz = self.x - other.x, self.y - other.y, self.z - other.z
  local squared = dx * dx + dy * dy + dz * dz
  local magnitude = dt / (squared * math.sqrt(squared))
  self.vx = self.vx - dx * other.mass * magnitude
  self.vy = self.vy - dy * other.mass * magnitude
  self.vz = self.vz - dz * other.mass * magnitude
  other.vx = other.vx + dx * self.mass * magnitude
  other.vy = other.vy + dy * self.mass * magnitude
  other.vz = other.vz + dz * self.mass * magnitude
end

local System = {}
System.__index = System

function System.new()
  local bodies = {
    Body.new(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    Body.new(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
      1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
    Body.new(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
      -2.76742510726411900e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
    Body.new(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
      2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
    Body.new(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
      2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05),
  }
  local px, py, pz = 0.0, 0.0, 0.0
  for _, b in ipairs(bodies) do
    px = px + b.vx * b.mass
    py = py + b.vy * b.mass
    pz = pz + b.vz * b.mass
  end
  bodies[1]:set_momentum(px, py, pz)
  return setmetatable({ bodies = bodies }, System)
end

function System:advance(dt)
  local bodies = self.bodies
  for i = 1, #bodies do
    local body = bodies[i]
    for j = i + 1, #bodies do body:attract(bodies[j], dt) end
  end
  for _, body in ipairs(bodies) do body:drift(dt) end
end

function System:energy()
  local e = 0.0
  for i, a in ipairs(self.bodies) do
    e = e + a:kinetic()
    for j = i + 1, #self.bodies do
      local b = self.bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      e = e - a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return e
end

local NBody = Benchmark:extend("nbody")

function NBody:run()
  local system = System.new()
  for _ = 1, 1000 do system:advance(0.01) end
  return system:energy()
end

function NBody:check(result) return math.abs(result + 0.169079859) < 0.001 end
function NBody:show(result) return string.format("%.12f", result) end

return NBody
