-- test optimize
-- A call of a class makes an object by its __call metamethod, which passes its
-- extra arguments on: all of it is in place, and the object is a value.
-- absent: call_lua call_window load_vararg new_table interp_one
-- present: int_op.add
local Point = {}
Point.__index = Point
function Point:init(x, y) self.x, self.y = x, y end
setmetatable(Point, { __call = function(class, ...)
  local o = setmetatable({}, class)
  o:init(...)
  return o
end })
local function run(i)
  local p = Point(i, 3)
  return p.x + p.y
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:14" call params 1 stack 16
-- p0: luafn line 14
-- p1: table Point
-- p2: shape @shape0 {__index, init} meta @table0 singleton
-- p3: luafn line 9
-- p4: proto line 9
-- p5: table _G
-- p6: nativefn setmetatable
-- p7: shape @shape1 {}
-- p8: shape @shape2 {} meta Point
-- p9: luafn line 8
-- p10: proto line 8
-- p11: shape @shape3 {y} meta Point
-- p12: shape @shape4 {y, x} meta Point
-- watch closures of line 14: constant
-- watch captured variables: constant
-- watch metatables: constant
-- watch field __call of @table0: constant
-- watch shape of _G: constant
-- watch field setmetatable of _G: constant
-- watch field init of Point: constant
-- watch field x of {y, x} meta Point: int
-- watch field y of {y} meta Point: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v3: table = literal p1
--   v4: int = int 3
--   v5: ptr = literal p2
--   guard_shape v3, v5 [fs1 shape]
--   v25: int = int_op.add v1, v4
--   return v25
-- fs0: pc 0 regs r0=v0
-- fs1: pc 3 regs r1=v3, r3=v1, r4=v4
-- end
