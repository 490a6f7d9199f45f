-- test optimize
-- sub and # of strings.
-- count: lib.str_sub=1 str_len=1
-- absent: call_window interp_one
local function tail(s, i) return #s:sub(i) end
for i = 1, 20 do tail("abcdefgh", i % 8 + 1) end
return tail
-- expect
-- func "test:5" call params 2 stack 6
-- p0: nativefn string.sub
-- watch metatables: constant
-- watch field sub of {...} singleton: constant
-- b0(v0: any, v1: any):
--   v2: str = guard_tag.str v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v5: int = int -1
--   v6: str = lib.str_sub v2, v3, v5
--   v7: int = str_len v6
--   return v7
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
