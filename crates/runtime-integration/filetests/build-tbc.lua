-- test build
-- The builder: what is not specialised runs in the interpreter on the same frame.
-- present: interp_one
local function run(x)
  local guard <close> = x
  return 1
end
for i = 1, 20 do run(nil) end
return run
-- expect
-- func "test:4" call params 1 stack 3
-- b0(v0: any):
--   jump b1
-- b1:
--   store_reg.1 v0
--   interp_one @s0
--   v1: int = int 1
--   store_reg.2 v1
--   interp_one @s1
--   return v1
-- s0: pc 1 live r1
-- s1: pc 3 live r1
-- end
