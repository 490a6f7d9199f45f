-- test optimize
-- Stores that add fields: the slots are written, the shape changes from one to the
-- next, and what is between is known.
-- count: guard_shape=1 store_slot=2
-- absent: put_field add_slot interp_one
local function fill(o, v) o.x = v o.y = v end
for i = 1, 20 do fill({}, i) end
return fill
-- expect
-- func "test:6" call params 2 stack 2
-- p0: shape @shape0 {}
-- p1: shape @shape1 {x}
-- p2: shape @shape2 {x, y}
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   store_slot.inline.0.2.tag v2, v3
--   v5: ptr = literal p1
--   set_shape v2, v5
--   store_slot.inline.1.2.tag v2, v3
--   v7: ptr = literal p2
--   set_shape v2, v7
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
