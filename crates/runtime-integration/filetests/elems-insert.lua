-- test optimize
-- table.insert(t, v) is the same.
-- count: push_elem=1
-- absent: call_window interp_one
local function push(t, v) table.insert(t, v) end
local t = {}
for i = 1, 20 do push(t, i) end
return push
-- expect
-- func "test:5" call params 2 stack 6
-- p0: luafn line 5
-- p1: table _G
-- p2: table table
-- p3: nativefn table.insert
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field table of _G: constant
-- watch shape of table: constant
-- watch field insert of table: constant
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v7: nativefn = literal p3
--   v8: bool = none_beyond v2
--   guard v8 [fs1 elements]
--   v9: bool = no_meta v2
--   guard v9 [fs1 elements]
--   push_elem v2, v3
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 4 regs r2=v7, r4=v2, r5=v3
-- end
