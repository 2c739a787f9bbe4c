//! openapi.yaml as a judge: which operations there are, and whether an answer is one that it documents.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Draft, Validator};
use reqwest::Method;
use serde_json::{Map, Value};

use super::http::{Answer, Program};
use super::programs::root;

/// The contract of both programs.
pub(crate) static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);

/// openapi.yaml, parsed.
pub(crate) struct Contract {
    document: Value,
    /// Compiled schemas, by their text: the stories under load ask thousands of times.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One method on one path of the contract.
#[derive(Debug, Clone)]
pub(crate) struct Operation<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) programs: Vec<Program>,
    pub(crate) responses: &'a Map<String, Value>,
}

impl Contract {
    fn read() -> Self {
        let text = std::fs::read_to_string(root().join("openapi.yaml")).unwrap();
        let document = serde_saphyr::from_str(&text).expect("openapi.yaml is YAML");
        Self { document, validators: Mutex::default() }
    }

    /// The whole document.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| operations_of(path, item)).collect()
    }

    /// The operations that a program has at a path as requested.
    pub(crate) fn at(&self, program: Program, path: &str) -> Vec<Operation<'_>> {
        let mut operations = self.operations();
        operations.retain(|operation| {
            operation.programs.contains(&program) && matches_template(operation.path, path)
        });
        operations
    }

    /// The documented response to what was answered, or why there is none.
    fn response(&self, answer: &Answer) -> Result<&Value, String> {
        let here = self.at(answer.program, &answer.path);
        let wanted = if answer.method == Method::HEAD { Method::GET } else { answer.method.clone() };
        let operation = here.iter().find(|operation| operation.method == wanted);
        let everywhere = self.document["x-everywhere"].as_object().unwrap();
        let responses = operation.map_or(everywhere, |operation| operation.responses);
        match (operation, answer.status) {
            (None, 405) if here.is_empty() => return Err("this path is not in the contract".to_owned()),
            (None, 404) if !here.is_empty() => return Err("this path is in the contract".to_owned()),
            _ => {}
        }
        let response =
            responses.get(&answer.status.to_string()).ok_or("the status is not in the contract")?;
        Ok(self.resolve(response))
    }

    /// Fails if the contract does not document this answer.
    pub(crate) fn hold(&self, answer: &Answer) {
        if let Err(why) = self.check(answer) {
            panic!("{} {} is not as in openapi.yaml: {why}\n{answer:?}", answer.method, answer.path);
        }
    }

    fn check(&self, answer: &Answer) -> Result<(), String> {
        let response = self.response(answer)?;
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = self.resolve(header);
            match answer.header(name) {
                Some(value) => self.valid(&header["schema"], &Value::from(value))?,
                None if header["required"] == true => return Err(format!("the header {name} is missing")),
                None => {}
            }
        }
        let Some(contents) = response["content"].as_object() else {
            return if answer.body.is_empty() { Ok(()) } else { Err("there should be no body".to_owned()) };
        };
        let sent_as = answer.header("content-type").unwrap_or_default();
        let (media_type, media) = contents
            .iter()
            .find(|(media_type, _)| {
                let parameters = sent_as.strip_prefix(media_type.as_str());
                parameters.is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
            })
            .ok_or_else(|| format!("the body should be one of {:?}", contents.keys()))?;
        if answer.method == Method::HEAD {
            return Ok(());
        }
        self.valid_body(media_type, media, &answer.decoded().map_err(|error| error.to_string())?)
    }

    /// Whether a body is valid against what a response documents for its media type.
    pub(crate) fn valid_body(&self, media_type: &str, media: &Value, text: &str) -> Result<(), String> {
        let body = if media_type.ends_with("json") {
            serde_json::from_str(text).map_err(|error| error.to_string())?
        } else {
            Value::from(text)
        };
        self.valid(&media["schema"], &body)?;
        media["x-events"].as_object().map_or(Ok(()), |events| {
            text.split_inclusive("\n\n")
                .filter(|frame| frame.ends_with("\n\n"))
                .try_for_each(|frame| self.valid_event(events, frame))
        })
    }

    /// Whether a frame of an event stream is one of the documented events, or a comment.
    fn valid_event(&self, events: &Map<String, Value>, frame: &str) -> Result<(), String> {
        let fields: HashMap<_, _> = frame.lines().filter_map(|line| line.split_once(": ")).collect();
        if frame.starts_with(':') {
            return Ok(());
        }
        let field = |name| fields.get(name).copied().ok_or(format!("an event without {name}: {frame:?}"));
        let schema = events.get(field("event")?).ok_or(format!("an undocumented event: {frame:?}"))?;
        field("id")?.parse::<u64>().map_err(|error| format!("{error}: {frame:?}"))?;
        let data = serde_json::from_str(field("data")?).map_err(|error| format!("{error}: {frame:?}"))?;
        self.valid(schema, &data)
    }

    /// Whether a value is valid against a schema of this document.
    pub(crate) fn valid(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = self.validator(schema)?;
        let errors: Vec<_> = validator
            .iter_errors(value)
            .map(|error| format!("{error} at {:?}", error.instance_path().to_string()))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    fn validator(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let mut validators = self.validators.lock().unwrap();
        if let Some(validator) = validators.get(&schema.to_string()) {
            return Ok(Arc::clone(validator));
        }
        let mut whole = schema.clone();
        // So that `#/components/…` resolves.
        whole["components"] = self.document["components"].clone();
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&whole)
            .map(Arc::new)
            .map_err(|error| format!("not a schema: {error}"))?;
        validators.insert(schema.to_string(), Arc::clone(&validator));
        Ok(validator)
    }

    /// Follows a `$ref` within the document.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self
                .document
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or_else(|| panic!("{reference} leads nowhere")),
            None => value,
        }
    }
}

fn operations_of<'a>(path: &'a str, item: &'a Value) -> Vec<Operation<'a>> {
    let programs: Vec<_> = item["servers"]
        .as_array()
        .unwrap_or_else(|| panic!("{path} does not say on which program it is"))
        .iter()
        .map(|server| match server["description"].as_str() {
            Some("the directory") => Program::Directory,
            Some("a peer") => Program::Peer,
            other => panic!("{path} is on {other:?}"),
        })
        .collect();
    ["get", "put", "post", "delete", "patch"]
        .into_iter()
        .filter_map(|method| Some((method, item.get(method)?)))
        .map(|(method, operation)| Operation {
            id: operation["operationId"].as_str().unwrap(),
            method: method.to_uppercase().parse().unwrap(),
            path,
            programs: programs.clone(),
            responses: operation["responses"].as_object().unwrap(),
        })
        .collect()
}

/// Whether a path as requested, with its query, is one of a template such as `/peers/{name}`.
fn matches_template(template: &str, path: &str) -> bool {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(pattern, part)| pattern == part || (pattern.starts_with('{') && !part.is_empty()))
}
