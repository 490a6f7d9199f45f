-- test optimize
-- An array of values of several kinds: the tag is loaded; a hole leaves the code.
-- count: load_elem=1
-- absent: find_index interp_one
local function get(t, i) return t[i] end
local t = { 1, "a", 2.5 }
for i = 1, 20 do get(t, i % 3 + 1) end
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
--   guard v7 [fs1 elements]
--   v8: any = load_elem v2, v5
--   v9: bool = has_tag.nil v8
--   v10: bool = not v9
--   guard v10 [fs1 elements]
--   return v8
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
