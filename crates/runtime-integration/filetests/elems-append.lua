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
--   push_elem v2, v3
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
