-- test optimize
-- A loop in an inlined function in a loop: both have their counters in values, and the
-- inner one is split.
-- absent: call_lua
-- absent in loops: guard_tag box
-- absent in inner loops: poll guard_valid
local function inner(n) local s = 0 for k = 1, n do s = s + k end return s end
local function run(n)
  local s = 0
  for i = 1, n do s = s + inner(i) end
  return s
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:8" call params 1 stack 14
-- p0: luafn line 8
-- p1: luafn line 7
-- p2: proto line 7
-- watch closures of line 8: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: int = int 0
--   v3: int = int 1
--   v5: bool = int_cmp.le v3, v1
--   branch v5, b9, b3(v2)
-- b2(v6: int, v7: int) loop:
--   jump b10(v2, v3)
-- b3(v32: int):
--   return v32
-- b6(v17: int, v18: int) cold:
--   v22: int = int_op.add v17, v18
--   poll v12 @s1
--   guard_polled [fs1 invalidated]
--   v24: bool = int_cmp.lt v18, v7
--   v25: int = int_op.add v18, v3
--   branch v24, b10(v22, v25), b7(v22)
-- b7(v26: int):
--   v28: int = int_op.add v6, v26
--   poll @s2
--   guard_polled [fs3 invalidated]
--   v30: bool = int_cmp.lt v7, v1
--   v31: int = int_op.add v7, v3
--   branch v30, b2(v28, v31), b3(v28)
-- b9:
--   v12: luafn = literal p1
--   jump b2(v2, v3)
-- b10(v39: int, v40: int) loop:
--   v42: bool = int_cmp.le v40, v7
--   branch v42, b11, b6(v39, v40)
-- b11:
--   v43: int = int_op.sub v7, v40
--   v44: int = int 4095
--   v45: bool = int_cmp.ult v43, v44
--   v46: int = select v45, v43, v44
--   v47: int = int_op.add v40, v46
--   jump b12(v39, v40)
-- b12(v48: int, v49: int) loop:
--   v51: int = int_op.add v48, v49
--   v54: int = int_op.add v49, v3
--   v55: bool = int_cmp.ne v49, v47
--   branch v55, b12(v51, v54), b13
-- b13:
--   poll v12 @s3
--   guard_polled [fs4 invalidated]
--   v52: bool = int_cmp.lt v49, v7
--   branch v52, b10(v51, v54), b7(v51)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 6 regs r1=v22, r2=v18, r3=v7, r4=v3 caller fs2 closure v12 proto p2 at 6
-- fs2: pc 7 regs r1=v6, r2=v7, r3=v1, r4=v3
-- fs3: pc 9 regs r1=v28, r2=v7, r3=v1, r4=v3
-- fs4: pc 6 regs r1=v51, r2=v49, r3=v7, r4=v3 caller fs2 closure v12 proto p2 at 6
-- s0: pc 7
-- s1: pc 6 caller s0 at 6
-- s2: pc 9
-- s3: pc 6 caller s0 at 6
-- end
