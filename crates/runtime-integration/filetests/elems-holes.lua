-- test optimize
-- Reading beyond the end of an array is nil where the site saw that.
-- absent in hot code: interp_one
-- present: load_elem
local function get(t, i) return t[i] end
local t = { 1, 2, 3 }
for i = 1, 20 do get(t, i) end
return get
-- expect
-- func "test:5" call params 2 stack 3
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: int = int 1
--   v5: int = int_op.sub v3, v4
--   v6: int = elems_len v2
--   v7: bool = int_cmp.ult v5, v6
--   branch v7, b5, b4
-- b2 cold:
--   store_reg.0 v2
--   store_reg.1 v3
--   interp_one @s0
--   v15: any = load_reg.2
--   jump b8(v15)
-- b4 cold:
--   v11: any = find_index v2, v3
--   v12: bool = has_tag.none v11
--   v13: bool = not v12
--   branch v13, b8(v11), b2
-- b5:
--   v8: any = load_elem v2, v5
--   v9: bool = has_tag.nil v8
--   v10: bool = not v9
--   branch v10, b8(v8), b4
-- b8(v16: any):
--   return v16
-- fs0: pc 0 regs r0=v0, r1=v1
-- s0: pc 0 live r0
-- end
