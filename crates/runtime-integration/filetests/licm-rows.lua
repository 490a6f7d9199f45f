-- test optimize
-- matrix[i][j]: the row is loaded and tested outside of the inner loop.
-- absent in inner loops: guard_tag elems_kind guard poll guard_tag.table elems_len
-- count in inner loops: load_elem=1
local function sum(m)
  local s = 0.0
  for i = 1, #m do
    for j = 1, #m do s = s + m[i][j] end
  end
  return s
end
local m = {}
for i = 1, 10 do m[i] = {} for j = 1, 10 do m[i][j] = i + j / 2 end end
for i = 1, 20 do sum(m) end
return sum
-- expect
-- func "test:5" call params 1 stack 11
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: float = float 0.0
--   v3: int = int 1
--   v4: bool = none_beyond v1
--   guard v4 [fs1 elements]
--   v5: bool = no_meta v1
--   guard v5 [fs1 elements]
--   v6: int = elems_len v1
--   v8: bool = int_cmp.le v3, v6
--   branch v8, b7, b3(v2)
-- b2(v10: float, v11: int) loop:
--   v32: int = int_op.sub v11, v3
--   v34: bool = int_cmp.ult v32, v6
--   guard v34 [fs2 elements for 9]
--   v38: table = load_elem v1, v32
--   v41: int = elems_len v38
--   v43: int = elems_kind v38
--   v45: bool = int_cmp.eq v43, v44
--   guard v45 [fs2 elements for 10]
--   jump b8(v10, v3)
-- b3(v60: float):
--   return v60
-- b4(v22: float, v27: int) cold:
--   v40: int = int_op.sub v27, v3
--   v42: bool = int_cmp.ult v40, v41
--   guard v42 [fs3 elements]
--   v46: float = load_elem v38, v40
--   v47: float = float_op.add v22, v46
--   poll v1 @s0
--   guard_polled [fs4 invalidated]
--   v49: bool = int_cmp.lt v27, v6
--   v50: int = int_op.add v27, v3
--   branch v49, b8(v47, v50), b5(v47)
-- b5(v52: float):
--   poll v1 @s1
--   guard_polled [fs5 invalidated]
--   v57: bool = int_cmp.lt v11, v6
--   v58: int = int_op.add v11, v3
--   branch v57, b2(v52, v58), b3(v52)
-- b7:
--   v36: int = int 6
--   v44: int = int 3
--   v35: int = elems_kind v1
--   v37: bool = int_cmp.eq v35, v36
--   guard v37 [fs1 elements for 9]
--   jump b2(v2, v3)
-- b8(v67: float, v68: int) loop:
--   v70: int = int_op.sub v68, v3
--   v71: bool = int_cmp.ult v70, v41
--   branch v71, b9, b4(v67, v68)
-- b9:
--   v73: int = int_op.sub v41, v3
--   v74: int = int_op.sub v73, v70
--   v75: bool = int_cmp.le v68, v6
--   branch v75, b10, b4(v67, v68)
-- b10:
--   v76: int = int_op.sub v6, v68
--   v77: int = int 4095
--   v78: bool = int_cmp.ult v76, v77
--   v79: int = select v78, v76, v77
--   v80: bool = int_cmp.ult v74, v79
--   v81: int = select v80, v74, v79
--   v82: int = int_op.add v68, v81
--   jump b11(v67, v68)
-- b11(v83: float, v84: int) loop:
--   v86: int = int_op.sub v84, v3
--   v88: float = load_elem v38, v86
--   v89: float = float_op.add v83, v88
--   v92: int = int_op.add v84, v3
--   v93: bool = int_cmp.ne v84, v82
--   branch v93, b11(v89, v92), b12
-- b12:
--   poll v1 @s2
--   guard_polled [fs6 invalidated]
--   v90: bool = int_cmp.lt v84, v6
--   branch v90, b8(v89, v92), b5(v89)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 2 regs r0=v1, r1=v2, r2=v3
-- fs2: pc 9 regs r0=v1, r1=v10, r2=v11, r3=v6, r4=v3, r5=v11, r6=v3, r7=v6, r8=v3, r9=v3
-- fs3: pc 10 regs r0=v1, r1=v22, r2=v11, r3=v6, r4=v3, r5=v11, r6=v27, r7=v6, r8=v3, r9=v27, r10=v38
-- fs4: pc 12 regs r0=v1, r1=v47, r2=v11, r3=v6, r4=v3, r5=v11, r6=v27, r7=v6, r8=v3
-- fs5: pc 13 regs r0=v1, r1=v52, r2=v11, r3=v6, r4=v3
-- fs6: pc 12 regs r0=v1, r1=v89, r2=v11, r3=v6, r4=v3, r5=v11, r6=v84, r7=v6, r8=v3
-- s0: pc 12 live r0
-- s1: pc 13 live r0
-- s2: pc 12 live r0
-- end
