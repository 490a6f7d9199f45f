-- test optimize
-- One method of objects of three shapes: one test for the three, and the method once.
-- absent: call_lua call_window find_field
-- count: int_op.mul=1
local C = {}
C.__index = C
function C:twice(i) return i * 2 end
local function run(o, i) return (o:twice(i)) end
for i = 1, 20 do
  run(setmetatable({ x = i }, C), i) run(setmetatable({ y = i }, C), i) run(setmetatable({ z = i }, C), i)
end
return run
-- expect
-- func "test:8" call params 2 stack 7
-- p0: shape @shape0 {x} meta @table0
-- p1: shape @shape1 {y} meta @table0
-- p2: shape @shape2 {z} meta @table0
-- p3: table @table0
-- p4: luafn line 7
-- p5: proto line 7
-- watch metatables: constant
-- watch field twice of @table0: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   v5: ptr = literal p1
--   v6: ptr = literal p2
--   v7: bool = shape_in v2, v4, v5, v6
--   guard v7 [fs1 shape]
--   v14: int = int 2
--   v15: int = int_op.mul v3, v14
--   return v15
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
