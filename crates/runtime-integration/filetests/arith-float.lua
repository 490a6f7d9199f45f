-- test optimize
-- Division and powers are of floats; integers are converted, constants when compiled.
-- present: float_op.div float_op.mul int_to_float
-- absent: interp_one lib
local function run(x, y) return x / y + y ^ 2 end
for i = 1, 20 do run(i, i + 0.5) end
return run
-- expect
-- func "test:5" call params 2 stack 4
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: float = guard_tag.float v1 [fs0 type]
--   v4: float = int_to_float v2
--   v5: float = float_op.div v4, v3
--   v8: float = float_op.mul v3, v3
--   v9: float = float_op.add v5, v8
--   return v9
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
