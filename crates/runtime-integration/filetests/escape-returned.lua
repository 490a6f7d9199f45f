-- test optimize
-- An object that is returned on one of two paths is made on that path alone.
-- count: new_table=1
-- present: int_op.add
local function run(x, keep)
  local p = { x = x, y = x + 1 }
  if keep then return p end
  return p.x + p.y
end
for i = 1, 20 do run(i, i % 2 == 0) end
return run
-- expect
-- func "test:5" call params 2 stack 5
-- p0: shape @shape0 {}
-- p1: shape @shape1 {x}
-- p2: shape @shape2 {x, y}
-- watch field x of {x}: int
-- watch field y of {x, y}: int
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: bool = guard_tag.bool v1 [fs0 type]
--   v4: ptr = literal p0
--   v8: int = int 1
--   v9: int = int_op.add v2, v8
--   v11: ptr = literal p2
--   branch v3, b2, b3
-- b2:
--   v18: table = new_table.2.0 v4
--   store_slot.inline.0.2.tag v18, v2
--   store_slot.inline.1.2.tag v18, v9
--   set_shape v18, v11
--   return v18
-- b3:
--   v16: int = int_op.add v2, v9
--   return v16
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
