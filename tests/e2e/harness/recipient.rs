//! Somebody in a peer's place who takes messages as a peer does, singly and in batches, keeps them in memory, and tells
//! honestly what it has had from their sender; unless the story says otherwise. It counts what reaches it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use protocol::Slug;
use reqwest::Method;
use serde_json::{Value, json};

use super::directory::Directory;
use super::fake::{Asked, Fake, Reply};
use super::key::Key;
use super::new_token;

/// A recipient of one sender's messages; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Recipient {
    fake: Fake,
    memory: Arc<Mutex<Memory>>,
}

/// How a recipient differs from an honest one.
pub(crate) struct Ways {
    answers: Rule<Asked, Reply>,
    refuses: Rule<Value, Slug>,
    tells: Box<dyn Fn(&mut Value) + Send + Sync>,
}

/// What is said to something, if it is anything else than usual.
type Rule<What, Said> = Box<dyn Fn(&What) -> Option<Said> + Send + Sync>;

/// A name that was claimed with a key, and who holds it.
pub(crate) struct Claim {
    name: String,
    pub(crate) key: Key,
    token: String,
}

impl Claim {
    /// Claims the name for somebody new, who is away from then on.
    pub(crate) fn offline(directory: &Directory, name: &str) -> Self {
        let claim = Self { name: name.to_owned(), key: Key::new(), token: new_token() };
        let (nowhere, fingerprint) = ("https://127.0.0.1:7101", claim.key.fingerprint());
        directory.register_with_key(name, nowhere, &claim.token, fingerprint).expect(201);
        directory.request(Method::DELETE, "/register").bearer(&claim.token).send().expect(204);
        claim
    }
}

/// What a recipient has had.
#[derive(Default)]
struct Memory {
    /// Each message that was taken, whenever it came.
    arrived: Vec<Value>,
    kept: BTreeSet<String>,
    had: Ranges,
}

/// Sequence numbers as ranges that neither touch nor overlap, ascending.
#[derive(Default)]
struct Ranges(Vec<[u64; 2]>);

/// Where messages are left.
pub(crate) const MESSAGES: &str = "POST /messages";

impl Recipient {
    /// One that is honest until it is told otherwise.
    pub(crate) fn who() -> Ways {
        Ways { answers: Box::new(|_| None), refuses: Box::new(|_| None), tells: Box::new(|_| {}) }
    }

    /// An honest one, registered.
    pub(crate) fn start(directory: &Directory, name: &str) -> Self {
        Self::who().start(directory, name)
    }

    /// Its place, its key, and every request to it.
    pub(crate) fn fake(&self) -> &Fake {
        &self.fake
    }

    /// The texts of what it keeps, in the order of first arrival.
    pub(crate) fn kept(&self) -> Vec<String> {
        let memory = self.memory.lock().unwrap();
        let mut seen = BTreeSet::new();
        memory.arrived.iter().filter(|message| seen.insert(id_of(message))).map(body_of).collect()
    }

    /// Each message that it took, whenever it came.
    pub(crate) fn arrived(&self) -> Vec<Value> {
        self.memory.lock().unwrap().arrived.clone()
    }

    /// The texts that came more than once, and how often they did.
    pub(crate) fn repeats(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for message in &self.memory.lock().unwrap().arrived {
            *times.entry(body_of(message)).or_default() += 1;
        }
        times.retain(|_, times| *times > 1);
        times
    }

    /// The sequence numbers that it never had, below the highest that it has.
    pub(crate) fn lacks(&self) -> Vec<[u64; 2]> {
        self.memory.lock().unwrap().had.gaps()
    }

    /// How many messages there were in each request, whatever it was answered; `None` for one that was no array.
    pub(crate) fn requests(&self) -> Vec<Option<usize>> {
        let asked = self.fake.asked(MESSAGES);
        asked.iter().map(|asked| asked.body.as_array().map(Vec::len)).collect()
    }

    /// Loses what it had under these sequence numbers, as if an old backup had been restored.
    pub(crate) fn loses(&self, first: u64, last: u64) {
        let mut memory = self.memory.lock().unwrap();
        memory.had.remove(first, last);
        let is_lost = |message: &Value| (first..=last).contains(&message["seq"].as_u64().unwrap());
        let ids: Vec<_> = memory.arrived.iter().filter(|message| is_lost(message)).map(id_of).collect();
        for id in ids {
            memory.kept.remove(&id);
        }
    }
}

impl Ways {
    /// Answers a whole request with this, if there is something; nothing of it is taken then.
    pub(crate) fn answering(
        mut self,
        answers: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        self.answers = Box::new(answers);
        self
    }

    /// Refuses a message with this, if there is something.
    pub(crate) fn refusing(
        mut self,
        refuses: impl Fn(&Value) -> Option<Slug> + Send + Sync + 'static,
    ) -> Self {
        self.refuses = Box::new(refuses);
        self
    }

    /// Changes its receipts like this.
    pub(crate) fn telling(mut self, tells: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.tells = Box::new(tells);
        self
    }

    /// Listens and registers.
    pub(crate) fn start(self, directory: &Directory, name: &str) -> Recipient {
        let recipient = self.listen("127.0.0.1:0", &Key::new());
        recipient.fake.register(directory, name, &new_token()).expect(201);
        recipient
    }

    /// Listens, and registers as the one who holds this claim.
    pub(crate) fn comes(self, directory: &Directory, claim: &Claim) -> Recipient {
        let recipient = self.listen("127.0.0.1:0", &claim.key);
        let answer = recipient.fake.register(directory, &claim.name, &claim.token);
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        recipient
    }

    /// Listens there as soon as the port is free, with this key.
    pub(crate) fn listen(self, place: &str, key: &Key) -> Recipient {
        let memory = Arc::new(Mutex::new(Memory::default()));
        let own = Arc::clone(&memory);
        let fake = Fake::at(place, key, move |asked| {
            (self.answers)(asked).unwrap_or_else(|| self.take(&mut own.lock().unwrap(), &asked.body))
        });
        Recipient { fake, memory }
    }

    /// What a peer answers to a message or a batch.
    fn take(&self, memory: &mut Memory, body: &Value) -> Reply {
        let Some(batch) = body.as_array() else {
            return match self.take_one(memory, body) {
                Ok((status, receipt)) => Reply::answer(status, "application/json", receipt.to_string()),
                Err(slug) => Reply::problem(slug),
            };
        };
        let mut end = None;
        let item = |message: &Value| match end.map_or_else(|| self.take_one(memory, message), Err) {
            Ok((status, mut receipt)) => {
                receipt["status"] = json!(status);
                receipt
            }
            Err(slug) => {
                // What comes later would overtake.
                end = end.or(matches!(slug.status(), 429 | 503 | 507).then_some(slug));
                serde_json::to_value(slug.because("As the story says.").body()).unwrap()
            }
        };
        let items: Vec<_> = batch.iter().map(item).collect();
        Reply::answer(200, "application/json", Value::from(items).to_string())
    }

    fn take_one(&self, memory: &mut Memory, message: &Value) -> Result<(u16, Value), Slug> {
        if let Some(slug) = (self.refuses)(message) {
            return Err(slug);
        }
        memory.arrived.push(message.clone());
        let is_new = memory.kept.insert(id_of(message));
        let seq = message["seq"].as_u64().expect("a peer's messages are counted");
        memory.had.add([seq, seq]);
        let closed: Option<Vec<[u64; 2]>> = serde_json::from_value(message["closed"].clone()).unwrap();
        closed.into_iter().flatten().for_each(|range| memory.had.add(range));
        let mut receipt =
            json!({"id": message["id"], "received_at": "2026-11-22T09:30:00Z", "verified": true});
        receipt["highest"] = json!(memory.had.highest());
        let missing = memory.had.gaps();
        if !missing.is_empty() {
            receipt["missing"] = json!(missing);
        }
        (self.tells)(&mut receipt);
        Ok((if is_new { 201 } else { 200 }, receipt))
    }
}

fn id_of(message: &Value) -> String {
    message["id"].as_str().unwrap().to_owned()
}

fn body_of(message: &Value) -> String {
    message["body"].as_str().unwrap().to_owned()
}

impl Ranges {
    fn add(&mut self, [mut first, mut last]: [u64; 2]) {
        self.0.retain(|range| {
            let apart = range[1] + 1 < first || last + 1 < range[0];
            if !apart {
                (first, last) = (first.min(range[0]), last.max(range[1]));
            }
            apart
        });
        self.0.push([first, last]);
        self.0.sort_unstable();
    }

    fn remove(&mut self, first: u64, last: u64) {
        let pieces = |range: [u64; 2]| {
            [[range[0], range[1].min(first.saturating_sub(1))], [range[0].max(last + 1), range[1]]]
        };
        self.0 =
            self.0.iter().flat_map(|range| pieces(*range)).filter(|range| range[0] <= range[1]).collect();
    }

    fn highest(&self) -> Option<u64> {
        self.0.last().map(|range| range[1])
    }

    /// The 16 highest ranges that lie between.
    fn gaps(&self) -> Vec<[u64; 2]> {
        let before = std::iter::once(0).chain(self.0.iter().map(|range| range[1]));
        let gaps = before.zip(&self.0).map(|(before, range)| [before + 1, range[0] - 1]);
        let gaps: Vec<_> = gaps.filter(|gap| gap[0] <= gap[1]).collect();
        gaps[gaps.len().saturating_sub(16)..].to_vec()
    }
}

#[test]
fn ranges_are_counted_as_the_specification_says() {
    let mut had = Ranges::default();
    for range in [[3, 3], [5, 9], [4, 4], [12, 12]] {
        had.add(range);
    }
    assert_eq!((had.0.as_slice(), had.highest()), (&[[3, 9], [12, 12]][..], Some(12)));
    assert_eq!(had.gaps(), [[1, 2], [10, 11]]);
    had.remove(5, 7);
    assert_eq!(had.0, [[3, 4], [8, 9], [12, 12]]);
    had.remove(12, 20);
    assert_eq!((had.highest(), had.gaps()), (Some(9), vec![[1, 2], [5, 7]]));
}
