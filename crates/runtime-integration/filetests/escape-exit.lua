-- test optimize
-- An object that a side exit may need: the frame state names a description of it.
-- present: virtual_table guard
-- absent: new_table
local function run(x, t)
  local p = { x = x }
  local s = t[1]
  return p.x + s
end
for i = 1, 20 do run(i, { i }) end
return run
-- expect
-- func "test:5" call params 2 stack 5
-- p0: shape @shape0 {}
-- p1: shape @shape1 {x}
-- watch field x of {x}: int
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: table = guard_tag.table v1 [fs0 type]
--   v7: ptr = literal p1
--   v9: int = int 0
--   v10: int = elems_len v3
--   v11: bool = int_cmp.ult v9, v10
--   v20: table = virtual_table v7, v2
--   guard v11 [fs1 elements]
--   v12: int = elems_kind v3
--   v13: int = int 2
--   v14: bool = int_cmp.eq v12, v13
--   guard v14 [fs1 elements]
--   v15: int = load_elem v3, v9
--   v18: int = int_op.add v2, v15
--   return v18
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 2 regs r1=v3, r2=v20
-- end
