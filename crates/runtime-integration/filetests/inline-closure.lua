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
--   v1: int = guard_tag.int v0 [fs0 type]
--   v13: int = int 2
--   v17: int = int_op.add v1, v13
--   return v17
-- fs0: pc 0 regs r0=v0
-- end
