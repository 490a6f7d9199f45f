-- test optimize
-- A tail call in an inlined function: the callee's body in place of it.
-- absent: call_lua call_window tail_call tail_call_lua call_tail guard_valid
-- present: int_op.mul
local function double(x) return x * 2 end
local function twice(x) return double(x) end
local function run(x) return (twice(x)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 7
-- p0: luafn line 7
-- p1: luafn line 6
-- p2: proto line 6
-- p3: luafn line 5
-- watch closures of line 7: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v5: int = int 2
--   v6: int = int_op.mul v1, v5
--   return v6
-- fs0: pc 0 regs r0=v0
-- end
