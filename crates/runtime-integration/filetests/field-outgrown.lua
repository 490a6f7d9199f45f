-- test optimize
-- The first object of a constructor teaches it how many fields its objects get, and has another
-- shape than those made since. Code does not wait for it.
-- count: guard_shape=1
-- absent: shape_in
local Point = {}
Point.__index = Point
local function new(x)
  local p = setmetatable({}, Point)
  p.x = x
  p.y = x + 1
  return p
end
local function run(p) return p.x end
local first = new(1)
for i = 1, 20 do run(new(i)) run(first) end
return run
-- expect
-- func "test:14" call params 1 stack 2
-- p0: shape @shape0 {x, y} meta @table0
-- watch field x of {x} meta @table0: int
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: ptr = literal p0
--   guard_shape v1, v2 [fs1 shape]
--   v3: int = load_slot.inline.0.2 v1
--   return v3
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- end
