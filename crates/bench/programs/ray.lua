-- ray: a small ray tracer with spheres, a checkered floor, shadows and mirrors.
-- Stresses short-lived vector objects, operator metamethods, calls of one method on
-- several classes, float fields, recursion.
-- quick: 60
-- full: 740

local sqrt, floor, huge = math.sqrt, math.floor, math.huge

local Vec = {}
Vec.__index = Vec

local function vec(x, y, z) return setmetatable({ x = x, y = y, z = z }, Vec) end

Vec.__add = function(a, b) return vec(a.x + b.x, a.y + b.y, a.z + b.z) end
Vec.__sub = function(a, b) return vec(a.x - b.x, a.y - b.y, a.z - b.z) end
Vec.__mul = function(a, s) return vec(a.x * s, a.y * s, a.z * s) end
Vec.__unm = function(a) return vec(-a.x, -a.y, -a.z) end

function Vec:dot(b) return self.x * b.x + self.y * b.y + self.z * b.z end
function Vec:length() return sqrt(self:dot(self)) end
function Vec:normalized() return self * (1.0 / self:length()) end
function Vec:reflect(normal) return self - normal * (2.0 * self:dot(normal)) end

-- Shapes ------------------------------------------------------------------------

local Sphere = {}
Sphere.__index = Sphere

function Sphere.new(center, radius, color, mirror)
  return setmetatable({ center = center, radius = radius, color = color, mirror = mirror }, Sphere)
end

function Sphere:hit(origin, direction)
  local to = self.center - origin
  local along = to:dot(direction)
  if along < 0.0 then return nil end
  local d2 = to:dot(to) - along * along
  local r2 = self.radius * self.radius
  if d2 > r2 then return nil end
  local t = along - sqrt(r2 - d2)
  if t > 1e-6 then return t end
  return nil
end

function Sphere:normal(point) return (point - self.center) * (1.0 / self.radius) end
function Sphere:color_at() return self.color end

local Floor = {}
Floor.__index = Floor

function Floor.new(height) return setmetatable({ height = height, mirror = 0.1 }, Floor) end

function Floor:hit(origin, direction)
  if direction.y > -1e-6 then return nil end
  return (self.height - origin.y) / direction.y
end

function Floor:normal() return vec(0.0, 1.0, 0.0) end

local WHITE, BLACK = vec(0.9, 0.9, 0.9), vec(0.1, 0.1, 0.1)
function Floor:color_at(point)
  if (floor(point.x) + floor(point.z)) % 2 == 0 then return WHITE end
  return BLACK
end

-- Scene -------------------------------------------------------------------------------

local scene = {
  Floor.new(-1.0),
  Sphere.new(vec(0.0, 0.0, 5.0), 1.0, vec(0.9, 0.2, 0.2), 0.3),
  Sphere.new(vec(1.8, -0.4, 4.0), 0.6, vec(0.2, 0.9, 0.3), 0.2),
  Sphere.new(vec(-1.9, -0.2, 4.4), 0.8, vec(0.3, 0.3, 0.9), 0.5),
  Sphere.new(vec(0.4, 1.5, 6.5), 1.2, vec(0.9, 0.8, 0.2), 0.4),
}
local light = vec(-4.0, 6.0, -2.0)

local function nearest(origin, direction)
  local best, object = huge, nil
  for _, shape in ipairs(scene) do
    local t = shape:hit(origin, direction)
    if t and t < best then best, object = t, shape end
  end
  return object, best
end

local function trace(origin, direction, depth)
  local object, t = nearest(origin, direction)
  if not object then
    local up = 0.5 * (direction.y + 1.0)
    return vec(0.6, 0.7, 1.0) * up + vec(1.0, 1.0, 1.0) * (1.0 - up)
  end
  local point = origin + direction * t
  local normal = object:normal(point)
  local outside = point + normal * 1e-4
  local to_light = (light - outside):normalized()
  local brightness = 0.15
  local facing = normal:dot(to_light)
  if facing > 0.0 and not nearest(outside, to_light) then
    brightness = brightness + 0.85 * facing
  end
  local color = object:color_at(point) * brightness
  if object.mirror > 0.0 and depth < 3 then
    local reflected = trace(outside, direction:reflect(normal):normalized(), depth + 1)
    color = color * (1.0 - object.mirror) + reflected * object.mirror
  end
  return color
end

local n = tonumber(arg and arg[1]) or 430
local eye = vec(0.0, 0.3, -1.0)
local red, green, blue, weighted = 0.0, 0.0, 0.0, 0
for py = 0, n - 1 do
  for px = 0, n - 1 do
    local direction = vec((px + 0.5) / n * 2.0 - 1.0, 1.0 - (py + 0.5) / n * 2.0, 1.6):normalized()
    local c = trace(eye, direction, 0)
    red, green, blue = red + c.x, green + c.y, blue + c.z
    weighted = (weighted * 31 + floor(c.x * 255 + 0.5)) % 1000003
  end
end
print(string.format("ray(%d) = %.6f %.6f %.6f %d", n, red, green, blue, weighted))
