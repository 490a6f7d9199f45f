-- test optimize
-- A function that calls its argument, which was one of two: a compare of the callee
-- for each.
-- absent: call_lua call_window
-- count: same_object=2
local function add(a, b) return a + b end
local function sub(a, b) return a - b end
local function run(f, x) return (f(x, 3)) end
for i = 1, 20 do run(add, i) run(sub, i) end
return run
-- expect
-- func "test:8" call params 2 stack 7
-- p0: luafn line 6
-- p1: proto line 6
-- p2: luafn line 7
-- p3: proto line 7
-- b0(v0: any, v1: any):
--   v2: int = int 3
--   v3: luafn = guard_tag.luafn v0 [fs0 type]
--   v4: luafn = literal p0
--   v5: bool = same_object v3, v4
--   branch v5, b3, b4
-- b2(v15: int):
--   return v15
-- b3:
--   v7: int = guard_tag.int v1 [fs1 type]
--   v8: int = int_op.add v7, v2
--   jump b2(v8)
-- b4:
--   v10: luafn = literal p2
--   v11: bool = same_object v3, v10
--   guard v11 [fs3 callee]
--   v12: int = guard_tag.int v1 [fs4 type]
--   v13: int = int_op.sub v12, v2
--   jump b2(v13)
-- fs0: pc 3 regs r2=v0, r4=v1, r5=v2
-- fs1: pc 0 regs r0=v1, r1=v2 caller fs2 closure v4 proto p1 at 2
-- fs2: pc 3
-- fs3: pc 3 regs r2=v3, r4=v1, r5=v2
-- fs4: pc 0 regs r0=v1, r1=v2 caller fs5 closure v10 proto p3 at 2
-- fs5: pc 3
-- end
