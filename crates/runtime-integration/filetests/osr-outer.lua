-- test optimize osr=1
-- Code that is entered in the outer loop.
-- present: load_reg
-- absent in loops: load_reg guard_tag box interp_one
local function run(n)
  local s = 0
  for i = 1, n do
    for j = 1, n do s = s + i * j end
  end
  return s
end
for i = 1, 20 do run(i) end
return run, 10
-- expect
-- func "test:5" osr 5 params 1 stack 11
-- b0:
--   v0: any = load_reg.0
--   v1: any = load_reg.1
--   v2: any = load_reg.2
--   v3: any = load_reg.3
--   v4: any = load_reg.4
--   v5: any = load_reg.5
--   v6: int = guard_tag.int v0 [fs0 type]
--   v7: int = guard_tag.int v1 [fs0 type]
--   v8: int = guard_tag.int v2 [fs0 type]
--   v9: int = guard_tag.int v3 [fs0 type]
--   v10: int = guard_tag.int v4 [fs0 type]
--   v11: int = guard_tag.int v5 [fs0 type]
--   jump b6
-- b1(v13: int, v14: int) loop:
--   branch v20, b5, b3(v13)
-- b2(v22: int, v27: int) cold:
--   v31: int = int_op.mul v14, v27
--   v32: int = int_op.add v22, v31
--   poll @s0
--   guard_polled [fs1 invalidated]
--   v34: bool = int_cmp.lt v27, v6
--   v35: int = int_op.add v27, v18
--   branch v34, b7(v32, v35), b3(v32)
-- b3(v37: int):
--   poll @s1
--   guard_polled [fs2 invalidated]
--   v42: bool = int_cmp.lt v14, v9
--   v43: int = int_op.add v14, v18
--   branch v42, b1(v37, v43), b4
-- b4:
--   return v37
-- b5:
--   jump b7(v13, v18)
-- b6:
--   v18: int = int 1
--   v20: bool = int_cmp.le v18, v6
--   jump b1(v7, v8)
-- b7(v51: int, v52: int) loop:
--   v54: bool = int_cmp.le v52, v6
--   branch v54, b8, b2(v51, v52)
-- b8:
--   v55: int = int_op.sub v6, v52
--   v56: int = int 4095
--   v57: bool = int_cmp.ult v55, v56
--   v58: int = select v57, v55, v56
--   v59: int = int_op.add v52, v58
--   jump b9(v51, v52)
-- b9(v60: int, v61: int) loop:
--   v63: int = int_op.mul v14, v61
--   v64: int = int_op.add v60, v63
--   v67: int = int_op.add v61, v18
--   v68: bool = int_cmp.ne v61, v59
--   branch v68, b9(v64, v67), b10
-- b10:
--   poll @s2
--   guard_polled [fs3 invalidated]
--   v65: bool = int_cmp.lt v61, v6
--   branch v65, b7(v64, v67), b3(v64)
-- fs0: pc 5 window r0, r1, r2, r3, r4, r5
-- fs1: pc 11 regs r0=v6, r1=v32, r2=v14, r3=v9, r4=v10, r5=v14, r6=v27, r7=v6, r8=v18
-- fs2: pc 12 regs r0=v6, r1=v37, r2=v14, r3=v9, r4=v10
-- fs3: pc 11 regs r0=v6, r1=v64, r2=v14, r3=v9, r4=v10, r5=v14, r6=v61, r7=v6, r8=v18
-- s0: pc 11
-- s1: pc 12
-- s2: pc 11
-- end
