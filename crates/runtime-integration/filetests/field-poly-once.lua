-- test optimize
-- A second access of an object of several shapes: the first one's test decides it,
-- and where it was true nothing is tested again.
-- count: shape_in=1 load_slot=4
-- absent: find_field interp_one
local function get(o) return o.x + o.y end
for i = 1, 20 do
  get({ x = i, y = i * 2 }) get({ y = i, x = i * 2 })
end
return get
-- expect
-- func "test:6" call params 1 stack 3
-- p0: shape @shape0 {x, y}
-- p1: shape @shape1 {y, x}
-- watch field x of {x}: int
-- watch field x of {y, x}: int
-- watch field y of {x, y}: int
-- watch field y of {y}: int
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: ptr = literal p0
--   v3: bool = shape_in v1, v2
--   branch v3, b2, b3
-- b2:
--   v4: int = load_slot.inline.0.2 v1
--   jump b4(v4)
-- b3:
--   v5: ptr = literal p1
--   guard_shape v1, v5 [fs1 shape]
--   v6: int = load_slot.inline.1.2 v1
--   jump b4(v6)
-- b4(v7: int):
--   branch v3, b5, b6
-- b5:
--   v10: int = load_slot.inline.1.2 v1
--   jump b7(v10)
-- b6:
--   v11: ptr = literal p1
--   guard_shape v1, v11 [fs2 shape]
--   v12: int = load_slot.inline.0.2 v1
--   jump b7(v12)
-- b7(v13: int):
--   v14: int = int_op.add v7, v13
--   return v14
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- fs2: pc 1 regs r0=v1, r1=v7
-- end
