-- test optimize
-- A captured variable that is assigned once is a constant.
-- absent: upval load_cell
-- present: watch
-- count: guard_tag=1
local scale = 3
local function run(x) return x * scale end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 2
-- p0: luafn line 7
-- watch closures of line 7: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v3: int = int 3
--   v4: int = int_op.mul v1, v3
--   return v4
-- fs0: pc 0 regs r0=v0
-- end
