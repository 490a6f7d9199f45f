-- test optimize
-- A constructor of positional values: they are operands of the allocation.
-- count: new_table.0.3=1
-- absent: lib push_elem interp_one
local function triple(x) return { x, x + 1, x + 2 } end
for i = 1, 20 do triple(i) end
return triple
-- expect
-- func "test:5" call params 1 stack 5
-- p0: shape @shape0 {}
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: int = int 1
--   v3: int = int_op.add v1, v2
--   v4: int = int 2
--   v5: int = int_op.add v1, v4
--   v6: ptr = literal p0
--   v8: table = new_table.0.3 v6, v1, v3, v5
--   return v8
-- fs0: pc 0 regs r0=v0
-- end
