-- test optimize
-- select of a known number of extra arguments.
-- absent: call_window load_vararg interp_one vararg_count
local function second(...) return (select(2, ...)) + select("#", ...) end
local function run(i) return (second(i, i + 1, 3)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:5" call params 1 stack 14
-- p0: luafn line 5
-- p1: luafn line 4
-- p2: proto line 4
-- p3: table _G
-- p4: nativefn select
-- p5: str "#"
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field select of _G: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: int = int 1
--   v5: int = int_op.add v1, v4
--   v6: int = int 3
--   v14: int = int_op.add v5, v6
--   return v14
-- fs0: pc 0 regs r0=v0
-- end
