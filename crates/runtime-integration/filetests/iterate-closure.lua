-- test optimize
-- An iterator that is a closure made by an inlined function: its body is in the loop,
-- the captured variable is a value, and no closure is made.
-- absent: call_lua call_window new_closure new_cell load_cell interp_one
-- present in loops: int_op.add
local function range(n)
  local i = 0
  return function() i = i + 1 if i <= n then return i end end
end
local function sum(n) local s = 0 for i in range(n) do s = s + i end return s end
for i = 1, 20 do sum(i) end
return sum
-- expect
-- func "test:10" call params 1 stack 11
-- p0: luafn line 10
-- p1: luafn line 6
-- p2: proto line 6
-- p3: proto line 8
-- watch closures of line 10: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: int = int 0
--   v4: luafn = literal p1
--   v9: nil = nil
--   v16: any = box v9
--   v27: int = int 1
--   jump b4(v2, v2)
-- b4(v17: int, v48: int) loop:
--   v29: int = int_op.add v48, v27
--   v32: any = box v29
--   v37: bool = int_cmp.le v29, v1
--   branch v37, b5(v32), b5(v16)
-- b5(v42: any):
--   v58: cell = virtual_cell v29
--   v59: cell = virtual_cell v1
--   v60: luafn = virtual_closure.0 v4, v58, v59
--   poll v9, v42 @s2
--   guard_polled [fs1 invalidated]
--   v43: bool = has_tag.nil v42
--   branch v43, b9, b10
-- b9:
--   return v17
-- b10:
--   v61: cell = virtual_cell v29
--   v62: cell = virtual_cell v1
--   v63: luafn = virtual_closure.0 v4, v61, v62
--   v44: int = guard_tag.int v42 [fs2 type]
--   v45: int = int_op.add v17, v44
--   jump b4(v45, v29)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 7 regs r1=v17, r2=v60, r3=v9, r5=v9, r6=v42
-- fs2: pc 5 regs r1=v17, r2=v63, r3=v9, r4=v42, r5=v9, r6=v42
-- s2: pc 7 live r2, r6
-- end
