-- test optimize
-- A tail call of the function itself.
-- present: tail_call_lua.self
-- absent: call_lua call_window
local function loop(n, acc)
  if n == 0 then return acc end
  return loop(n - 1, acc + n)
end
for i = 1, 20 do loop(i, 0) end
return loop
-- expect
-- func "test:5" call params 2 stack 6
-- p0: luafn line 5
-- watch closures of line 5: constant
-- watch captured variables: constant
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: int = int 0
--   v5: bool = int_cmp.eq v2, v4
--   branch v5, b2, b3
-- b2:
--   return v3
-- b3:
--   v6: luafn = literal p0
--   v8: int = int -1
--   v10: int = int_op.add v2, v8
--   v11: int = int_op.add v3, v2
--   tail_call_lua.self v6, v10, v11
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
