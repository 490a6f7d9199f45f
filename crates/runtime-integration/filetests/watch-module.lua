-- test optimize
-- A function in a module in a captured variable: facts, no loads.
-- absent: load_slot guard_shape call_lua find_field upval load_cell
-- present: watch int_op.mul
local M = {}
function M.square(x) return x * x end
local function run(x) return (M.square(x)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 5
-- p0: luafn line 7
-- p1: table M
-- p2: luafn line 6
-- p3: proto line 6
-- watch closures of line 7: constant
-- watch captured variables: constant
-- watch shape of M: constant
-- watch field square of M: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v5: int = int_op.mul v1, v1
--   return v5
-- fs0: pc 0 regs r0=v0
-- end
