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
--   v2: bool = has_tag.table v0
--   branch v2, b3, b2
-- b2 cold:
--   store_reg.0 v0
--   store_reg.1 v1
--   interp_one @s0
--   jump b6
-- b3:
--   v3: table = unbox v0
--   v4: str = literal p0
--   v5: bool = put_field v3, v4, v1
--   branch v5, b6, b2
-- b6:
--   return_none
-- s0: pc 0 live r0, r1
-- end
