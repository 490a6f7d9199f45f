-- test optimize
-- table.remove(t) takes the last element.
-- count: lib.pop_elem=1
-- absent: call_window interp_one
local function pop(t) return (table.remove(t)) end
local t = {} for i = 1, 40 do t[i] = i end
for i = 1, 20 do pop(t) end
return pop
-- expect
-- func "test:5" call params 1 stack 4
-- p0: luafn line 5
-- p1: table _G
-- p2: table table
-- p3: nativefn table.remove
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field table of _G: constant
-- watch shape of table: constant
-- watch field remove of table: constant
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v5: nativefn = literal p3
--   v6: bool = none_beyond v1
--   guard v6 [fs1 elements]
--   v7: bool = no_meta v1
--   guard v7 [fs1 elements]
--   v8: any = lib.pop_elem v1
--   return v8
-- fs0: pc 0 regs r0=v0
-- fs1: pc 3 regs r1=v5, r3=v1
-- end
