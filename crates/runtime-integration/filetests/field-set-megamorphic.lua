-- test optimize
-- A store to objects of many shapes: a helper, and the interpreter only where that
-- does not do it.
-- present: put_field
-- absent in hot code: interp_one
local function set(o, v) o.x = v end
for i = 1, 20 do
  for k = 1, 12 do set({ ["k" .. k] = 0, x = i }, i) end
end
return set
-- expect
-- func "test:6" call params 2 stack 2
-- p0: constant 0 "x"
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: str = literal p0
--   v5: bool = put_field v2, v4, v3
--   branch v5, b5, b2
-- b2 cold:
--   store_reg.0 v2
--   store_reg.1 v3
--   interp_one @s0
--   jump b5
-- b5:
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- s0: pc 0 live r0
-- end
