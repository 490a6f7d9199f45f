-- test optimize
-- // and % of integers: the divisor is tested for zero unless it is a constant.
-- count: int_op.floordiv=2 int_op.mod=2 guard=1
-- absent: interp_one
local function run(x, y) return x // y + x % y + x // 8 + x % 8 end
for i = 1, 20 do run(i, i) end
return run
-- expect
-- func "test:5" call params 2 stack 4
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: int = int 0
--   v5: bool = int_cmp.ne v3, v4
--   guard v5 [fs1 range]
--   v6: int = int_op.floordiv v2, v3
--   v9: int = int_op.mod v2, v3
--   v10: int = int_op.add v6, v9
--   v11: int = int 8
--   v12: int = int_op.floordiv v2, v11
--   v13: int = int_op.add v10, v12
--   v15: int = int_op.mod v2, v11
--   v16: int = int_op.add v13, v15
--   return v16
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
