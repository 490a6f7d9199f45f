-- test optimize
-- m[i][j]: an array of tables has a kind, so that the row needs no test of its tag.
-- count: load_elem=2 elems_kind=2 guard_tag.table=1
-- absent: interp_one find_index
local function get(m, i, j) return m[i][j] end
local m = { { 1, 2 }, { 3, 4 } }
for i = 1, 20 do get(m, i % 2 + 1, i // 2 % 2 + 1) end
return get
-- expect
-- func "test:5" call params 3 stack 4
-- b0(v0: any, v1: any, v2: any):
--   v3: table = guard_tag.table v0 [fs0 type]
--   v4: int = guard_tag.int v1 [fs0 type]
--   v5: int = guard_tag.int v2 [fs0 type]
--   v6: int = int 1
--   v7: int = int_op.sub v4, v6
--   v8: int = elems_len v3
--   v9: bool = int_cmp.ult v7, v8
--   guard v9 [fs1 elements]
--   v10: int = elems_kind v3
--   v11: int = int 6
--   v12: bool = int_cmp.eq v10, v11
--   guard v12 [fs1 elements]
--   v13: table = load_elem v3, v7
--   v15: int = int_op.sub v5, v6
--   v16: int = elems_len v13
--   v17: bool = int_cmp.ult v15, v16
--   guard v17 [fs2 elements]
--   v18: int = elems_kind v13
--   v19: int = int 2
--   v20: bool = int_cmp.eq v18, v19
--   guard v20 [fs2 elements]
--   v21: int = load_elem v13, v15
--   return v21
-- fs0: pc 0 regs r0=v0, r1=v1, r2=v2
-- fs1: pc 0 regs r0=v3, r1=v4, r2=v5
-- fs2: pc 1 regs r2=v5, r3=v13
-- end
