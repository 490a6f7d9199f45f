-- test optimize
-- s:byte(i): a test of the type, of the method as a fact, and of the bounds.
-- count: str_byte=1 str_len=1
-- absent: call_window interp_one find_field
local function at(s, i) return (s:byte(i)) end
for i = 1, 20 do at("abcdefgh", i % 8 + 1) end
return at
-- expect
-- func "test:5" call params 2 stack 6
-- p0: nativefn string.byte
-- watch metatables: constant
-- watch field byte of {...} singleton: constant
-- b0(v0: any, v1: any):
--   v2: str = guard_tag.str v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: nativefn = literal p0
--   v5: int = str_len v2
--   v6: int = int 1
--   v7: int = int_op.sub v3, v6
--   v8: int = int_op.add v3, v5
--   v9: int = int 0
--   v10: bool = int_cmp.lt v3, v9
--   v11: int = select v10, v8, v7
--   v12: bool = int_cmp.ult v11, v5
--   guard v12 [fs1 elements]
--   v13: int = str_byte v2, v11
--   return v13
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 2 regs r2=v4, r4=v2, r5=v3
-- end
