-- An inlined function whose results are all wanted ends in a call of a closure that is known
-- here, and another than those that its site saw.
function F1(n12, f13, n14)
  return f13(u2)
end

for i = 1, 13 do show("F1", pcall(F1, i % 2 == 0 and i or i + 1, function() end)) end
show(i)
for i = 1, 14 do show(pcall(F1, 2, function() u1 = nil return q end)) end
for i = 1, 14 do show(F1(2, function() return 1, 2 end)) end
