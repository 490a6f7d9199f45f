-- test optimize
-- Lengths of strings, by operator, method and library function: one load.
-- count: str_len=1
-- absent: call_window interp_one
local function run(s) return #s + s:len() + string.len(s) end
for i = 1, 20 do run("abc") end
return run
-- expect
-- func "test:5" call params 1 stack 5
-- p0: nativefn string.len
-- p1: luafn line 5
-- p2: table _G
-- p3: table string
-- watch metatables: constant
-- watch field len of {...} singleton: constant
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field string of _G: constant
-- watch shape of string: constant
-- b0(v0: any):
--   v1: str = guard_tag.str v0 [fs0 type]
--   v2: int = str_len v1
--   v5: int = int_op.add v2, v2
--   v11: int = int_op.add v5, v2
--   return v11
-- fs0: pc 0 regs r0=v0
-- end
