-- test optimize
-- An access by a computed string: a lookup through the VM-wide cache.
-- present: find_field
-- absent in hot code: interp_one
local function get(t, k) return t[k] end
local t = { a = 1, b = 2 }
for i = 1, 20 do get(t, i % 2 == 0 and "a" or "b") end
return get
-- expect
-- func "test:5" call params 2 stack 3
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: str = guard_tag.str v1 [fs0 type]
--   v4: any = find_field v2, v3
--   v5: bool = has_tag.none v4
--   v6: bool = not v5
--   branch v6, b5(v4), b2
-- b2 cold:
--   store_reg.0 v2
--   store_reg.1 v3
--   interp_one @s0
--   v8: any = load_reg.2
--   jump b5(v8)
-- b5(v9: any):
--   return v9
-- fs0: pc 0 regs r0=v0, r1=v1
-- s0: pc 0 live r0, r1
-- end
