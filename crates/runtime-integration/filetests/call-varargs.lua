-- test optimize
-- A function that passes extra arguments of unknown number on is not inlined, nor is
-- what it calls: the arguments go through the window.
-- present: interp_one call_window
-- absent: load_vararg
local function sum(a, b, c) return a + (b or 0) + (c or 0) end
local function run(...) return (sum(...)) end
for i = 1, 20 do run(i) run(i, 2, 3) end
return run
-- expect
-- func "test:7" call params 0 vararg stack 3
-- p0: luafn line 7
-- p1: luafn line 6
-- watch closures of line 7: constant
-- watch captured variables: constant
-- b0:
--   v1: luafn = literal p1
--   interp_one @s0
--   guard_valid [fs0 invalidated]
--   store_reg.0 v1
--   call_window.0.all.1 @s1
--   v2: any = load_reg.0
--   guard_valid [fs1 invalidated]
--   return v2
-- fs0: pc 3 regs r0=v1
-- fs1: pc 4 regs r0=v2
-- s0: pc 2
-- s1: pc 3
-- end
