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
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: str = literal p0
--   v3: any = find_field v1, v2
--   v4: bool = has_tag.none v3
--   v5: bool = not v4
--   branch v5, b5(v3), b2
-- b2 cold:
--   store_reg.0 v1
--   interp_one @s0
--   v7: any = load_reg.1
--   jump b5(v7)
-- b5(v8: any):
--   return v8
-- fs0: pc 0 regs r0=v0
-- s0: pc 0 live r0
-- end
