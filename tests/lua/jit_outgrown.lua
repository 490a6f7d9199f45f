-- Objects made before their constructor knew how many fields they get, and those made since,
-- at the same places.

local Point = {}
Point.__index = Point

local function new(x)
  local p = setmetatable({}, Point)
  p.x = x
  p.y = x + 1
  p.z = x + 2
  return p
end

function Point:sum() return self.x + self.y + self.z end
function Point:move(d) self.x = self.x + d; return self end

local function run(points, rounds)
  local sum = 0
  for r = 1, rounds do
    for i = 1, #points do
      local p = points[i]
      sum = sum + p:sum() + p:move(1).x
    end
  end
  return sum
end

local first = new(0)
local later = {}
for i = 1, 10 do later[i] = new(i) end

-- Both seen early, only the later ones then, and all again.
print(run({first, later[1]}, 5))
print(run(later, 300))
print(run({first}, 300))
print(run({first, later[1], first, later[2]}, 300))
print(first.x, later[1].x, later[10].x)

-- A constructor whose objects go on growing.
local function grow(n)
  local t = {}
  for i = 1, n do t["f" .. i] = i end
  return t
end
local function read(t) return t.f1 + (t.f2 or 0) + (t.f9 or 0) end
local sum = 0
for n = 1, 12 do
  local t = grow(n)
  for i = 1, 100 do sum = sum + read(t) end
end
print(sum)
