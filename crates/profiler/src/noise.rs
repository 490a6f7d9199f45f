//! Feedback changed at random, for tests: a wrong profile may cost time, never an answer.
//!
//! What is changed are expectations: types, kinds, counts, which shapes and callees come, and in
//! which order. What is left alone are facts that code relies on once a guard on a shape or callee
//! has held (the slot of a field, the holder of a method): ways move only between sites of one
//! instruction and key.

use crate::snapshot::{FunctionSnapshot, SiteSnapshot};
use std::collections::HashMap;
use vela_bytecode::{Instr, Op};
use vela_objects::Tag;
use vela_objects::feedback::{CacheState, MAX_WAYS};

/// A small generator of random numbers (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Tag bits as a profile may have them: of one tag, of any, or none.
    fn tags(&mut self) -> u16 {
        let [low, high, how, ..] = self.next().to_le_bytes();
        match how % 4 {
            0 => 0,
            1 => u16::from_le_bytes([low, high]),
            _ => 1 << (low % 8),
        }
    }
}

/// Sites between which ways may move: those of calls, and those of one field instruction and key.
#[derive(PartialEq, Eq, Hash)]
enum Group {
    Calls,
    Field(u8, u64),
}

/// Changes a snapshot; equal seeds change equal snapshots alike.
pub fn add(snapshot: &mut FunctionSnapshot, seed: u64) {
    let mut random = Random(seed ^ u64::from(snapshot.proto_id) << 32);
    change(snapshot, &mut random);
    let mut addresses: Vec<(u32, u64)> = snapshot
        .callees
        .iter()
        .map(|(address, callee)| (callee.proto_id, *address))
        .collect();
    // Addresses differ from run to run, ids do not.
    addresses.sort_unstable();
    for (_, address) in addresses {
        if random.once_in(8) {
            snapshot.callees.remove(&address);
        } else if let Some(callee) = snapshot.callees.get_mut(&address) {
            change(callee, &mut random);
        }
    }
}

fn change(f: &mut FunctionSnapshot, random: &mut Random) {
    move_ways(f, random);
    for site in &mut f.sites {
        change_site(site, random);
    }
    for tags in &mut f.arg_tags {
        if random.once_in(4) {
            *tags = random.tags();
        }
    }
    if random.once_in(8) && !f.osr_tags.is_empty() {
        let at = random.below(f.osr_tags.len());
        f.osr_tags[at] = [Tag::INT, Tag::FLOAT, Tag::NIL][random.below(3)];
    }
    if random.once_in(4) {
        f.code_size = random.below(20_000);
    }
}

fn change_site(site: &mut SiteSnapshot, random: &mut Random) {
    if random.once_in(4) {
        site.arith = random.byte();
    }
    if random.once_in(4) {
        site.result = random.tags();
    }
    if random.once_in(4) {
        site.index = random.byte() & 63;
    }
    if random.once_in(4) {
        site.elems = random.tags();
    }
    if random.once_in(4) {
        site.count = [0, 1, 1000, u32::MAX][random.below(4)];
    }
    if random.once_in(12) {
        site.failed |= 1 << random.below(8);
    }
    if random.once_in(8) && !site.ways.is_empty() {
        let at = random.below(site.ways.len());
        site.ways.remove(at);
    }
    if random.once_in(8) {
        site.protected = None;
    }
    if random.once_in(2) && site.ways.len() > 1 {
        let at = random.below(site.ways.len());
        site.ways.rotate_left(at);
    }
    site.state = match site.ways.len() {
        _ if random.once_in(16) => CacheState::Mega,
        0 if site.state == CacheState::Mega => CacheState::Mega,
        0 => CacheState::Uninit,
        1 => CacheState::Mono,
        _ => CacheState::Poly,
    };
    if site.state == CacheState::Mega {
        site.ways.clear();
    }
}

/// Gives sites ways of other sites of their group, instead of or besides their own.
fn move_ways(f: &mut FunctionSnapshot, random: &mut Random) {
    let mut groups: HashMap<Group, Vec<usize>> = HashMap::new();
    let mut order = Vec::new();
    for i in &f.proto.code {
        let site = usize::from(i.d());
        let Some(group) = group(*i, &f.strings).filter(|_| site < f.sites.len()) else {
            continue;
        };
        order.push(site);
        groups.entry(group).or_default().push(site);
    }
    let groups: Vec<Vec<usize>> = groups.into_values().collect();
    for site in order {
        let Some(peers) = groups.iter().find(|g| g.contains(&site)) else {
            continue;
        };
        let other = peers[random.below(peers.len())];
        let (replaces, chosen) = (random.once_in(2), random.once_in(4));
        if other == site || !chosen {
            continue;
        }
        let Some(way) = f.sites[other].ways.first().cloned() else {
            continue;
        };
        let ways = &mut f.sites[site].ways;
        if replaces {
            ways.clear();
        }
        let known = |w: &crate::snapshot::WaySnapshot| {
            w.shape.map(|s| s.addr) == way.shape.map(|s| s.addr)
                && w.target.as_ref().map(|t| t.addr) == way.target.as_ref().map(|t| t.addr)
        };
        if ways.len() < MAX_WAYS && !ways.iter().any(known) {
            ways.push(way);
        }
    }
}

fn group(i: Instr, strings: &[u64]) -> Option<Group> {
    let op = i.op()?;
    let key = match op {
        Op::Call | Op::TailCall => return Some(Group::Calls),
        Op::GetField | Op::SelfGet => i.c(),
        Op::SetField => i.b(),
        _ => return None,
    };
    let string = strings.get(usize::from(key)).copied()?;
    Some(Group::Field(op as u8, string))
}
