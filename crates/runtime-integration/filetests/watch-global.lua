-- test optimize
-- A global function that was defined once is known: its name is not looked up.
-- absent: load_slot guard_shape call_lua find_field
-- present: watch int_op.mul
function Square(x) return x * x end
local function run(x) return (Square(x)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:6" call params 1 stack 5
-- p0: luafn line 6
-- p1: table _G
-- p2: luafn line 5
-- p3: proto line 5
-- watch closures of line 6: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field Square of _G: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v5: int = int_op.mul v1, v1
--   return v5
-- fs0: pc 0 regs r0=v0
-- end
