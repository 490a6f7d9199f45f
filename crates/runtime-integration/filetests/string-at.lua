-- test optimize
-- s:sub(i, i) is the string of one byte, which code generation has in place: from and to are
-- one value.
-- present: lib.str_sub
-- count: lib.str_sub=1
-- absent: call_window call_lua interp_one
local function at(s, i) return s:sub(i, i) end
for i = 1, 20 do at("hello", i) end
return at
-- expect
-- func "test:7" call params 2 stack 7
-- p0: nativefn string.sub
-- watch metatables: constant
-- watch field sub of {...} singleton: constant
-- b0(v0: any, v1: any):
--   v2: str = guard_tag.str v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v5: str = lib.str_sub v2, v3, v3
--   return v5
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
