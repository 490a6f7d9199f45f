-- test optimize
-- Two closures that share a variable, made and called in a loop: the variable is a
-- value, and there is neither cell nor closure.
-- absent: new_cell new_closure store_cell load_cell call_lua
-- absent in loops: guard_tag box
-- present in loops: int_op.add
local function run(n)
  local s = 0
  for i = 1, n do
    local v = i
    local function get() return v end
    local function set(x) v = x end
    set(get() + 1)
    s = s + get()
  end
  return s
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 15 spares
-- p0: luafn line 7
-- p1: proto line 11
-- p2: proto line 12
-- watch closures of line 7: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: int = int 0
--   v3: int = int 1
--   v5: bool = int_cmp.le v3, v1
--   branch v5, b10, b3(v2)
-- b2(v6: int, v7: int) cold:
--   v21: int = int_op.add v7, v3
--   v27: int = int_op.add v6, v21
--   poll @s3
--   guard_polled [fs1 invalidated]
--   v29: bool = int_cmp.lt v7, v1
--   branch v29, b11(v27, v21), b3(v27)
-- b3(v31: int):
--   return v31
-- b10:
--   jump b11(v2, v3)
-- b11(v40: int, v41: int) loop:
--   v43: bool = int_cmp.le v41, v1
--   branch v43, b12, b2(v40, v41)
-- b12:
--   v44: int = int_op.sub v1, v41
--   v45: int = int 4095
--   v46: bool = int_cmp.ult v44, v45
--   v47: int = select v46, v44, v45
--   v48: int = int_op.add v41, v47
--   jump b13(v40, v41)
-- b13(v49: int, v50: int) loop:
--   v58: int = int_op.add v50, v3
--   v60: int = int_op.add v49, v58
--   v62: bool = int_cmp.ne v50, v48
--   branch v62, b13(v60, v58), b14
-- b14:
--   poll @s4
--   guard_polled [fs2 invalidated]
--   v61: bool = int_cmp.lt v50, v1
--   branch v61, b11(v60, v58), b3(v60)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 17 regs r1=v27, r2=v7, r3=v1, r4=v3
-- fs2: pc 17 regs r1=v60, r2=v50, r3=v1, r4=v3
-- s3: pc 17
-- s4: pc 17
-- end
