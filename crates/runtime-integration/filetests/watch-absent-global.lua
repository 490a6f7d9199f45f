-- test optimize
-- A global that nobody has set is nil as long as the table of globals gets no key.
-- absent: find_field interp_one load_slot has_tag
local function f(n) if DEBUGGING then return n * 2 end return n + 1 end
for i = 1, 20 do f(i) end
return f
-- expect
-- func "test:4" call params 1 stack 2
-- p0: luafn line 4
-- p1: table _G
-- watch closures of line 4: constant
-- watch captured variables: constant
-- watch @fact0: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v8: int = int 1
--   v9: int = int_op.add v1, v8
--   return v9
-- fs0: pc 0 regs r0=v0
-- end
