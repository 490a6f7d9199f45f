-- test optimize
-- A field that the class has: the shape tells the class, whose field is a constant.
-- count: guard_shape=1
-- absent: load_slot find_field interp_one
local C = { scale = 10 }
C.__index = C
local function get(o, x) return o.scale * x end
for i = 1, 20 do get(setmetatable({ x = i }, C), i) end
return get
-- expect
-- func "test:7" call params 2 stack 3
-- p0: shape @shape0 {x} meta @table0
-- p1: table @table0
-- watch metatables: constant
-- watch field scale of @table0: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   v6: int = int 10
--   v7: int = int_op.mul v3, v6
--   return v7
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
