-- test optimize code-size=100000
-- A recursive call of a function that is not inlined into itself: a direct call.
-- present: call_lua
-- absent: call_window
local function walk(n, x)
  if n == 0 then return x end
  for i = 1, 3 do x = x + i * 2 - x // 3 + (x & 7) - i % 5 + (x >> 2) end
  return 1 + walk(n - 1, x)
end
for i = 1, 20 do walk(5, i) end
return walk
-- expect
-- func "test:5" call params 2 stack 8
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
--   v6: int = int 1
--   v7: int = int 3
--   v16: int = int 2
--   v22: int = int 7
--   v25: int = int 5
--   jump b4(v3, v6)
-- b4(v11: int, v12: int) loop:
--   v17: int = int_op.mul v12, v16
--   v18: int = int_op.add v11, v17
--   v20: int = int_op.floordiv v11, v7
--   v21: int = int_op.sub v18, v20
--   v23: int = int_op.and v11, v22
--   v24: int = int_op.add v21, v23
--   v26: int = int_op.mod v12, v25
--   v27: int = int_op.sub v24, v26
--   v29: int = int_op.shr v11, v16
--   v30: int = int_op.add v27, v29
--   poll @s0
--   guard_polled [fs1 invalidated]
--   v32: bool = int_cmp.lt v12, v7
--   v33: int = int_op.add v12, v6
--   branch v32, b4(v30, v33), b5
-- b5:
--   v37: luafn = literal p0
--   v39: int = int -1
--   v41: int = int_op.add v2, v39
--   v42: any = call_lua.3.self v37, v41, v30 @s1
--   v43: int = guard_tag.int v42 [fs2 type for 22]
--   guard_valid [fs3 invalidated]
--   v44: int = int_op.add v43, v6
--   return v44
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 17 regs r0=v2, r1=v30, r2=v12, r3=v7, r4=v6
-- fs2: pc 23 regs r2=v6, r3=v42
-- fs3: pc 23 regs r2=v6, r3=v43
-- s0: pc 17
-- s1: pc 22
-- end
