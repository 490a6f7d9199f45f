-- test optimize
-- A store of a float to an array of floats: neither tag nor barrier.
-- count: store_elem=1
-- absent: store_elem_mixed put_index interp_one
local function set(t, i, v) t[i] = v end
local t = { 1.5, 2.5, 3.5 }
for i = 1, 20 do set(t, i % 3 + 1, i + 0.5) end
return set
-- expect
-- func "test:5" call params 3 stack 3
-- b0(v0: any, v1: any, v2: any):
--   v3: table = guard_tag.table v0 [fs0 type]
--   v4: int = guard_tag.int v1 [fs0 type]
--   v5: float = guard_tag.float v2 [fs0 type]
--   v6: int = int 1
--   v7: int = int_op.sub v4, v6
--   v8: int = elems_len v3
--   v9: bool = int_cmp.ult v7, v8
--   guard v9 [fs1 elements]
--   v10: int = elems_kind v3
--   v11: int = int 3
--   v12: bool = int_cmp.eq v10, v11
--   guard v12 [fs1 elements]
--   store_elem v3, v7, v5
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1, r2=v2
-- fs1: pc 0 regs r0=v3, r1=v4, r2=v5
-- end
