-- test optimize
-- A closure that the function makes and calls: the captured variable is a value,
-- neither cell nor closure are made.
-- absent: call_lua call_window new_closure new_cell load_cell store_cell
-- present: int_op.add
local function run(x)
  local n = 0
  local function bump(d) n = n + d return n end
  bump(x)
  return (bump(2))
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:6" call params 1 stack 7
-- p0: luafn line 6
-- p1: proto line 8
-- watch closures of line 6: constant
-- b0(v0: any):
--   v1: int = int 0
--   v3: luafn = literal p0
--   v22: cell = virtual_cell v1
--   v23: luafn = virtual_closure.0 v3, v22
--   guard_valid [fs0 invalidated]
--   v8: int = guard_tag.int v0 [fs1 type]
--   v13: int = int 2
--   v17: int = int_op.add v8, v13
--   return v17
-- fs0: pc 3 regs r0=v0, r2=v23
-- fs1: pc 1 regs r0=v0, r1=v1 caller fs2 closure v23 proto p1 at 3
-- fs2: pc 5 regs r2=v23
-- end
