-- test optimize
-- t[#t + 1] = v: appends without a lookup of the key.
-- count: push_elem=1
-- absent: put_index interp_one
local function push(t, v) t[#t + 1] = v end
local t = {}
for i = 1, 20 do push(t, i) end
return push
-- expect
-- func "test:5" call params 2 stack 3
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: bool = none_beyond v2
--   guard v4 [fs1 elements]
--   v5: bool = no_meta v2
--   guard v5 [fs1 elements]
--   v6: int = elems_len v2
--   v7: int = int 1
--   v8: int = int_op.add v6, v7
--   v10: int = int_op.sub v8, v7
--   v12: bool = int_cmp.eq v10, v6
--   guard v12 [fs2 elements]
--   push_elem v2, v3
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- fs2: pc 2 regs r0=v2, r1=v3, r2=v8
-- end
