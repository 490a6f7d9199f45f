-- test optimize
-- A store to objects of two shapes.
-- count: shape_in=1 guard_shape=1 store_slot=2
-- absent: put_field interp_one
local function set(o, v) o.x = v end
for i = 1, 20 do set({ x = i }, i) set({ a = 0, x = i }, i) end
return set
-- expect
-- func "test:5" call params 2 stack 2
-- p0: shape @shape0 {x}
-- p1: shape @shape1 {a, x}
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   v5: bool = shape_in v2, v4
--   branch v5, b2, b3
-- b2:
--   store_slot.inline.0.2.tag v2, v3
--   jump b4
-- b3:
--   v6: ptr = literal p1
--   guard_shape v2, v6 [fs1 shape]
--   store_slot.inline.1.2.tag v2, v3
--   jump b4
-- b4:
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
