//! Measures the collector's longest pause with 500 MB of live data.
//!
//! `cargo run --release --example gc_pauses [--features llvm-jit]`

use vela::{Vm, VmConfig};

const PROGRAMS: &[(&str, &str)] = &[
    (
        "500 MB of small tables, turned over",
        r"
        local all = {}
        for i = 1, 40000 do
          local part = {}
          for j = 1, 90 do part[j] = { id = j, name = i, next = part[j - 1] } end
          all[i] = part
        end
        collectgarbage('incremental', 120) collectgarbage()
        measure()
        for round = 1, 60000 do
          local part = {}
          for j = 1, 90 do part[j] = { id = j, name = round, next = part[j - 1] } end
          all[round % #all + 1] = part
        end
        return all",
    ),
    (
        "one array of 500 MB, mutated",
        r"
        local big = {}
        for i = 1, 28 * 1000 * 1000 do big[i] = i % 7 == 0 and {} or i end
        collectgarbage('incremental', 120) collectgarbage()
        measure()
        for i = 1, 30 * 1000 * 1000 do
          local at = i * 7919 % #big + 1
          big[at] = i % 4 == 0 and {} or i
        end
        return big",
    ),
    (
        "20,000 coroutines, resumed in turn",
        r"
        local threads = {}
        for i = 1, 20000 do
          threads[i] = coroutine.wrap(function()
            local kept = {}
            while true do
              kept[#kept % 40 + 1] = { #kept }
              coroutine.yield()
            end
          end)
        end
        collectgarbage('incremental', 120) collectgarbage()
        measure()
        for round = 1, 100 do
          for i = 1, #threads do threads[i]() end
        end
        return threads",
    ),
    (
        "500 MB of strings",
        r"
        local all = {}
        for i = 1, 5 * 1000 * 1000 do all[i] = 'a string of some length, number ' .. i end
        collectgarbage('incremental', 120) collectgarbage()
        measure()
        for i = 1, 15 * 1000 * 1000 do
          all[i * 7919 % #all + 1] = 'another string of some length, number ' .. i
        end
        return all",
    ),
];

fn main() -> Result<(), vela::Error> {
    for (name, source) in PROGRAMS {
        let mut vm = Vm::new(VmConfig::default())?;
        vm.set_native("measure", |vm, _| {
            vm.take_longest_pause();
            Ok(vela_objects::Ret::None)
        });
        let before = vm.state().gc_cycles();
        vm.exec(source.as_bytes(), "=program")?;
        let megabytes = vm.state().heap.bytes_in_use() >> 20;
        let cycles = vm.state().gc_cycles() - before;
        let pause = vm.state().take_longest_pause();
        println!("{name}: {megabytes} MB, {cycles} cycles, longest pause {pause:.2?}");
    }
    Ok(())
}
