-- test build
-- The builder: an addition whose operands were integers is a guard of each type and a
-- wrapping addition.
-- count: guard_tag.int=2 int_op.add=1
-- absent: interp_one float_op
local function add(a, b) return a + b end
for i = 1, 20 do add(i, i) end
return add
-- expect
-- func "test:6" call params 2 stack 3
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   jump b1
-- b1:
--   v4: int = int_op.add v2, v3
--   return v4
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
