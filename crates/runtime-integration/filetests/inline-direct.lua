-- test optimize
-- A call of a local function that was assigned once: no test of the callee, only
-- watched facts, and the body in place.
-- absent: call_lua call_window guard_shape same_object
-- present: watch int_op.add
-- count: guard_tag=1
local function add(a, b) return a + b end
local function run(a) return (add(a, 1)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:8" call params 1 stack 6
-- p0: luafn line 8
-- p1: luafn line 7
-- p2: proto line 7
-- watch closures of line 8: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: int = int 1
--   v5: int = int_op.add v1, v4
--   return v5
-- fs0: pc 0 regs r0=v0
-- end
