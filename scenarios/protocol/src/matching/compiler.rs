//! Collects the rules and values of a protocol into one matcher.

use memchr::memmem::Finder;

use super::bits::Bits;
use super::matcher::{Compiled, Cut, Document, Matcher, Text, Watched};
use super::pattern::{ID, JSON, Pattern};
use super::pointer::Pointer;
use super::rule::{Rule, TextTest};
use super::slot::{RuleNumber, Slot};
use super::test::Test;

/// Collects the rules and values of a protocol, of all its operations and pushes together: what several ask is looked at
/// once.
#[derive(Debug, Default)]
pub struct Compiler {
    rules: Vec<Collected>,
    values: Vec<Watched>,
    /// What each value is read from: a JSON text and where in it, for those that are no captures.
    places: Vec<Option<(Option<usize>, Pointer)>>,
    asked: usize,
    message: Document,
    cuts: Vec<Cut>,
}

#[derive(Debug)]
struct Collected {
    asks: Vec<usize>,
    texts: Vec<TextTest>,
    ids: Vec<usize>,
    /// The pattern whose captures and JSON it sees.
    cut: Option<usize>,
}

impl Compiler {
    /// Adds a rule. Its pointers look into the `${json}` of its own pattern; without one, into that of the rule `within`
    /// (the `ok` of an answer looks into what its `when` cut out); else into the whole message.
    pub fn rule(&mut self, rule: &Rule, within: Option<RuleNumber>) -> RuleNumber {
        let mut collected = Collected {
            asks: Vec::new(),
            texts: rule.texts.clone(),
            ids: Vec::new(),
            cut: within.and_then(|rule| self.rules[rule.0].cut),
        };
        if let Some(pattern) = &rule.pattern {
            let cut = self.cut(pattern);
            collected.cut = Some(cut);
            collected.asks.push(self.cuts[cut].asked);
            if let Some(capture) = pattern.captures().position(|name| name == ID) {
                collected.ids.push(self.cuts[cut].captures[capture]);
            }
        }
        for (pointer, test) in &rule.values {
            let slot = self.slot(pointer, collected.cut);
            collected.asks.push(self.ask(slot, test));
            if *test == Test::Id {
                collected.ids.push(slot);
            }
        }
        self.rules.push(collected);
        RuleNumber(self.rules.len() - 1)
    }

    /// Adds a value to be read at a pointer; it looks into the same JSON as the pointers of the rule `within`.
    pub fn value(&mut self, pointer: &Pointer, within: Option<RuleNumber>) -> Slot {
        let cut = within.and_then(|rule| self.rules[rule.0].cut);
        let slot = self.slot(pointer, cut);
        self.document(cut).tree.keep_parts(pointer.steps());
        Slot(slot)
    }

    /// What the pattern of this rule (or of the one that it was added within) captures under a name.
    #[must_use]
    pub fn capture(&self, name: &str, within: RuleNumber) -> Option<Slot> {
        let cut = &self.cuts[self.rules[within.0].cut?];
        let capture = cut.pattern.captures().position(|captured| captured == name)?;
        Some(Slot(cut.captures[capture]))
    }

    /// The names of what the pattern of this rule (or of the one that it was added within) captures.
    pub fn captures(&self, within: RuleNumber) -> impl Iterator<Item = &str> {
        self.rules[within.0].cut.into_iter().flat_map(|cut| self.cuts[cut].pattern.captures())
    }

    /// All of them as one reader.
    #[must_use]
    pub fn finish(mut self) -> Matcher {
        let documents = self.cuts.iter_mut().map(|cut| &mut cut.document).chain([&mut self.message]);
        for document in documents {
            document.tree.seal();
            document.absent = document.values.iter().filter_map(|value| self.values[*value].absent).collect();
        }
        let rules = self.rules.into_iter().map(|rule| {
            let mut asks = Bits::none(self.asked);
            rule.asks.iter().for_each(|asked| asks.set(*asked));
            let texts = rule.texts.into_iter().map(|test| match test {
                TextTest::Whole(text) => Text::Whole(text),
                TextTest::Starts(text) => Text::Starts(text),
                TextTest::Contains(text) => Text::Contains(Box::new(Finder::new(&text).into_owned())),
            });
            Compiled { asks, texts: texts.collect(), ids: rule.ids }
        });
        Matcher {
            rules: rules.collect(),
            values: self.values,
            asked: self.asked,
            message: self.message,
            cuts: self.cuts,
        }
    }

    fn cut(&mut self, pattern: &Pattern) -> usize {
        if let Some(known) = self.cuts.iter().position(|cut| cut.pattern == *pattern) {
            return known;
        }
        let first = self.values.len();
        let captures = pattern.captures().count();
        self.values.resize_with(first + captures, || Watched { captured: true, ..Watched::default() });
        self.places.resize(first + captures, None);
        self.cuts.push(Cut {
            pattern: pattern.clone(),
            asked: self.asked,
            captures: (first..first + captures).collect(),
            json: pattern.captures().position(|name| name == JSON),
            document: Document::default(),
        });
        self.asked += 1;
        self.cuts.len() - 1
    }

    fn slot(&mut self, pointer: &Pointer, cut: Option<usize>) -> usize {
        let place = Some((cut, pointer.clone()));
        if let Some(known) = self.places.iter().position(|known| *known == place) {
            return known;
        }
        let slot = self.values.len();
        self.values.push(Watched::default());
        self.places.push(place);
        let document = self.document(cut);
        document.tree.add(pointer.steps(), slot);
        document.values.push(slot);
        slot
    }

    /// What pointers look into; without JSON in it, a pattern leaves them to the whole message.
    fn document(&mut self, cut: Option<usize>) -> &mut Document {
        match cut.and_then(|cut| self.cuts.get_mut(cut)) {
            Some(cut) if cut.json.is_some() => &mut cut.document,
            _ => &mut self.message,
        }
    }

    fn ask(&mut self, slot: usize, test: &Test) -> usize {
        let (watched, next) = (&mut self.values[slot], self.asked);
        let asked = match test {
            Test::Present => *watched.present.get_or_insert(next),
            Test::Absent => *watched.absent.get_or_insert(next),
            test => match watched.tests.iter().find(|(known, _)| known == test) {
                Some((_, known)) => *known,
                None => {
                    watched.tests.push((test.clone(), next));
                    next
                }
            },
        };
        self.asked += usize::from(asked == next);
        asked
    }
}
