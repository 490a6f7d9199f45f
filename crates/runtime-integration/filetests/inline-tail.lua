-- test optimize
-- A tail call in an inlined function: the callee's body in place of it.
-- absent: call_lua call_window tail_call tail_call_lua call_tail
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
--   v3: luafn = literal p3
--   v4: int = int 2
--   v5: int = guard_tag.int v0 [fs0 type]
--   v6: int = int_op.mul v5, v4
--   guard_valid [fs2 invalidated]
--   return v6
-- fs0: pc 0 regs r0=v0 caller fs1 closure v3 proto p2 at 1 tail
-- fs1: pc 2
-- fs2: pc 3 regs r1=v6
-- end
