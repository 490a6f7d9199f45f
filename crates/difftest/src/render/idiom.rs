//! Idioms of Lua programs: the texts of `idioms.lua` with their holes filled.

use std::sync::LazyLock;

use super::{Frame, Renderer};
use crate::ast::{ARITH, CMP, Idiom, Kind};

const SOURCE: &str = include_str!("idioms.lua");

struct Template {
    /// Cost per trip.
    cost: u64,
    lines: Vec<&'static str>,
}

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let mut list: Vec<Template> = Vec::new();
    for line in SOURCE.lines() {
        if let Some(header) = line.strip_prefix("--- ") {
            let cost = header.split(' ').next().and_then(|w| w.parse().ok());
            list.push(Template {
                cost: cost.expect("an idiom begins with its cost"),
                lines: Vec::new(),
            });
        } else if let Some(t) = list.last_mut() {
            t.lines.push(line);
        }
    }
    list
});

impl Renderer {
    pub(super) fn template(&mut self, idiom: &Idiom) {
        let template = &TEMPLATES[usize::from(idiom.number) % TEMPLATES.len()];
        let trips = self.affordable(u64::from(idiom.trips % 12) + 2);
        if trips < 2 || !self.charge(trips * template.cost) {
            return;
        }
        let change = (u64::from(idiom.change) % trips + 1).to_string();
        let sum = self.fresh(Kind::Num);
        self.line(&format!("local {sum} = 0"));
        self.open("do");
        // The holes may lie in functions and loops of the text: they see neither the arguments nor
        // the loops outside, and what they cost counts once a trip.
        let outer = self.frame();
        let mut frame = Frame::new(outer.limit);
        frame.mult = outer.mult * trips;
        frame.cost = outer.cost;
        self.frames.push(frame);
        let number = self.expr(&idiom.number_hole);
        let any = self.expr(&idiom.any_hole);
        let replacements = [
            ("$sum", sum.clone()),
            (
                "$cmp",
                CMP[usize::from(idiom.change) % CMP.len()].to_owned(),
            ),
            (
                "$op",
                ARITH[usize::from(idiom.operator) % ARITH.len()].to_owned(),
            ),
            ("$k", trips.to_string()),
            ("$b", change),
            ("$m", (idiom.trips / 16 % 4).to_string()),
            ("$e", number),
            ("$f", any),
        ];
        for line in &template.lines {
            if line.trim() == "$body" {
                self.open("do");
                self.scoped(&idiom.body);
                self.close("end");
                continue;
            }
            let mut text = (*line).to_owned();
            for (hole, filling) in &replacements {
                if text.contains(hole) {
                    text = text.replace(hole, filling);
                }
            }
            self.line(&text);
        }
        let inner = self.frames.pop().expect("pushed above");
        self.frame().cost = inner.cost;
        self.close("end");
        self.declare(&sum, Kind::Num, true);
    }
}

#[cfg(test)]
mod tests {
    use super::TEMPLATES;

    #[test]
    fn names_of_idioms_hide_none_of_the_renderer() {
        assert!(TEMPLATES.len() > 50);
        for line in TEMPLATES.iter().flat_map(|t| &t.lines) {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let mut after_local = words.skip_while(|w| *w != "local").skip(1);
            let name = after_local.next().unwrap_or_default();
            assert!(!name.ends_with(|c: char| c.is_ascii_digit()), "{line}");
        }
    }
}
