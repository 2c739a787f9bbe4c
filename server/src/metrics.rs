//! What an operator counts: everything of it, with the names that Prometheus knows it by. HTTP and the listener tell it
//! what happens; how the directory stands is asked when somebody looks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use listener::Observer;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use protocol::Slug;

use crate::directory::{Directory, Standing};

const PREFIX: &str = "recado_directory";

/// From a renewal in memory to the longest that a request may take.
const REQUEST_SECONDS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0];
/// From a commit that wrote nothing to a disk that hangs.
const COMMIT_SECONDS: [f64; 10] = [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];
const COMMIT_WRITES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 512.0];

/// The metrics of one directory.
#[derive(Debug)]
pub struct Metrics {
    directory: Directory,
    registry: Registry,
    connections: Gauge,
    refusals: Family<Refused, Counter>,
    requests: Family<Kind, Histogram, fn() -> Histogram>,
}

/// A form in which they can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' own, 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
}

/// Requests that count as one kind. A name never depends on what a stranger wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    /// As on the page of routes.
    pub route: String,
    /// One that a route has.
    pub method: &'static str,
    /// `2xx` and the like.
    pub status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    slug: &'static str,
}

/// Asked for at every look.
struct Now(Directory);

impl Metrics {
    /// Counts for this directory from now on.
    #[must_use]
    pub fn of(directory: &Directory) -> Arc<Self> {
        let mut registry = Registry::with_prefix(PREFIX);
        let connections = Gauge::default();
        registry.register("connections", "Connections that are open", connections.clone());
        let refusals = Family::default();
        registry.register("refusals", "Problems that were answered", refusals.clone());
        let requests: Family<Kind, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS));
        let help = "How long requests took until the head of their answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, requests.clone());
        let took = Histogram::new(COMMIT_SECONDS);
        let help = "How long commits took until they were on the disk";
        registry.register_with_unit("commit_duration", help, Unit::Seconds, took.clone());
        let writes = Histogram::new(COMMIT_WRITES);
        registry.register("commit_writes", "How many writes shared a commit", writes.clone());
        registry.register_collector(Box::new(Now(directory.clone())));
        directory.observe_commits(move |commit| {
            took.observe(commit.took.as_secs_f64());
            writes.observe(u32::try_from(commit.writes).map_or(f64::MAX, f64::from));
        });
        Arc::new(Self { directory: directory.clone(), registry, connections, refusals, requests })
    }

    /// A request of this kind was answered after this time.
    pub fn answered(&self, kind: &Kind, took: Duration) {
        self.requests.get_or_create(kind).observe(took.as_secs_f64());
    }

    /// All of them as text. What the database says comes first, if it can say it.
    pub async fn encode(&self, format: Format) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        match self.directory.count_names().await {
            Ok(names) => text::encode_registry(&mut text, &counted(names))?,
            Err(error) => tracing::warn!(%error, "the names cannot be counted"),
        }
        text::encode(&mut text, &self.registry)?;
        Ok(match format {
            Format::OpenMetrics => text,
            Format::Prometheus => as_prometheus(&text),
        })
    }
}

impl Observer for Metrics {
    fn opened(&self) {
        self.connections.inc();
    }

    fn closed(&self) {
        self.connections.dec();
    }

    fn refused(&self, slug: Slug) {
        self.refusals.get_or_create(&Refused { slug: slug.word() }).inc();
    }
}

/// The number of names, which no collector can ask for: it would have to wait for it.
fn counted(names: u64) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let gauge = Gauge::<i64>::default();
    gauge.set(names.try_into().unwrap_or(i64::MAX));
    registry.register("names", "Names that are claimed, online or not", gauge);
    registry
}

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Standing { online, streams, counts, events } = self.0.standing();
        let mut gauge = |name, help, value: u64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("online", "Names that are online.", online as u64)?;
        gauge("streams", "Event streams that are open.", streams as u64)?;
        for (name, help, value) in [
            ("claims", "Names that were claimed.", counts.claims),
            ("joins", "Names that came online.", counts.joins),
            ("renewals", "Leases that were lengthened without a change.", counts.renewals),
            ("departures", "Leases that were given up, or lost with a released name.", counts.departures),
            ("expired_leases", "Leases that ended by themselves.", counts.expirations),
            ("events", "Events: names that joined, changed or left.", events),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Now")
    }
}

/// `OpenMetrics` in the older form: there a counter's name ends in `_total` wherever it stands, and units and the end are
/// not marked.
fn as_prometheus(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help = "";
    for line in open.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        if line.starts_with("# HELP ") {
            // Which type it is of stands in the next line.
            help = line;
            continue;
        }
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|line| line.strip_suffix(" counter")) {
            let said = help.get("# HELP ".len() + name.len()..).unwrap_or_default();
            text.extend(["# HELP ", name, "_total", said, "\n# TYPE ", name, "_total counter\n"]);
            continue;
        }
        if line.starts_with("# TYPE ") {
            text.extend([help, "\n"]);
        }
        text.extend([line, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_form_has_the_older_names() {
        let open = "# HELP a_b Those of b.\n# TYPE a_b counter\na_b_total{x=\"y\"} 1\n\
                    # HELP c_seconds Time.\n# TYPE c_seconds histogram\n# UNIT c_seconds seconds\n\
                    c_seconds_bucket{le=\"+Inf\"} 2\n# HELP d It.\n# TYPE d gauge\nd 3\n# EOF\n";
        let old = "# HELP a_b_total Those of b.\n# TYPE a_b_total counter\na_b_total{x=\"y\"} 1\n\
                   # HELP c_seconds Time.\n# TYPE c_seconds histogram\n\
                   c_seconds_bucket{le=\"+Inf\"} 2\n# HELP d It.\n# TYPE d gauge\nd 3\n";
        assert_eq!(as_prometheus(open), old);
    }
}
