-- test optimize
-- A field of objects of three shapes, of which two have it in one place: one test
-- for the two, one guard for the third.
-- count: shape_in=1 guard_shape=1 load_slot=2
-- absent: find_field interp_one
local function get(o) return o.x end
for i = 1, 20 do
  get({ x = i, y = 0 }) get({ x = i, z = 0 }) get({ a = 0, x = i })
end
return get
-- expect
-- func "test:6" call params 1 stack 2
-- p0: shape @shape0 {x, y}
-- p1: shape @shape1 {x, z}
-- p2: shape @shape2 {a, x}
-- watch field x of {x}: int
-- watch field x of {a, x}: int
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: ptr = literal p0
--   v3: ptr = literal p1
--   v4: bool = shape_in v1, v2, v3
--   branch v4, b2, b3
-- b2:
--   v5: int = load_slot.inline.0.2 v1
--   jump b4(v5)
-- b3:
--   v6: ptr = literal p2
--   guard_shape v1, v6 [fs1 shape]
--   v7: int = load_slot.inline.1.2 v1
--   jump b4(v7)
-- b4(v8: int):
--   return v8
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- end
