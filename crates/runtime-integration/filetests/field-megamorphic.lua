-- test optimize
-- A field of objects of more shapes than a site notes: a lookup through the VM-wide
-- cache, and the interpreter only where that does not tell.
-- present: find_field
-- absent in hot code: interp_one call_window
local function get(o) return o.x end
for i = 1, 20 do
  for k = 1, 12 do get({ ["k" .. k] = 0, x = i }) end
end
return get
-- expect
-- func "test:6" call params 1 stack 2
-- p0: constant 0 "x"
-- b0(v0: any):
--   v1: bool = has_tag.table v0
--   branch v1, b3, b2
-- b2 cold:
--   store_reg.0 v0
--   interp_one @s0
--   v8: any = load_reg.1
--   jump b6(v8)
-- b3:
--   v2: table = unbox v0
--   v3: str = literal p0
--   v4: any = find_field v2, v3
--   v5: bool = has_tag.none v4
--   v6: bool = not v5
--   branch v6, b6(v4), b2
-- b6(v9: any):
--   return v9
-- s0: pc 0 live r0
-- end
