-- test optimize
-- Every test is made once: of the arguments' types, of the shape, of the bounds and
-- the kind of the elements.
-- count: guard_tag.table=2 guard_shape=1 elems_len=1 elems_kind=1 load_elem=1 guard_tag.int=1
local function run(o, t, i) return o.x + t[i] + o.y + t[i] end
local t = { 1, 2, 3, 4 }
for i = 1, 20 do run({ x = i, y = i * 2 }, t, i % 4 + 1) end
return run
-- expect
-- func "test:5" call params 3 stack 5
-- p0: shape @shape0 {x, y}
-- watch field x of {x}: int
-- watch field y of {x, y}: int
-- b0(v0: any, v1: any, v2: any):
--   v3: table = guard_tag.table v0 [fs0 type]
--   v4: table = guard_tag.table v1 [fs0 type]
--   v5: int = guard_tag.int v2 [fs0 type]
--   v6: ptr = literal p0
--   guard_shape v3, v6 [fs1 shape]
--   v7: int = load_slot.inline.0.2 v3
--   v8: int = int 1
--   v9: int = int_op.sub v5, v8
--   v10: int = elems_len v4
--   v11: bool = int_cmp.ult v9, v10
--   guard v11 [fs2 elements]
--   v12: int = elems_kind v4
--   v13: int = int 2
--   v14: bool = int_cmp.eq v12, v13
--   guard v14 [fs2 elements]
--   v15: int = load_elem v4, v9
--   v16: int = int_op.add v7, v15
--   v18: int = load_slot.inline.1.2 v3
--   v19: int = int_op.add v16, v18
--   v28: int = int_op.add v19, v15
--   return v28
-- fs0: pc 0 regs r0=v0, r1=v1, r2=v2
-- fs1: pc 0 regs r0=v3, r1=v4, r2=v5
-- fs2: pc 1 regs r0=v3, r1=v4, r2=v5, r3=v7
-- end
