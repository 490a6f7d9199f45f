-- test optimize
-- Operators on bits: integer operations; shifts have Lua's meaning for any count.
-- present: int_op.and int_op.or int_op.xor int_op.shl int_op.shr
-- absent: interp_one float_op guard_float_to_int
local function run(x, y) return (x & y) | (x ~ 255) << 3 | ~y >> 2 end
for i = 1, 20 do run(i, i * 7) end
return run
-- expect
-- func "test:5" call params 2 stack 4
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: int = int_op.and v2, v3
--   v5: int = int 255
--   v6: int = int_op.xor v2, v5
--   v7: int = int 3
--   v8: int = int_op.shl v6, v7
--   v9: int = int_op.or v4, v8
--   v10: int = int -1
--   v11: int = int_op.xor v3, v10
--   v12: int = int 2
--   v13: int = int_op.shr v11, v12
--   v14: int = int_op.or v9, v13
--   return v14
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
