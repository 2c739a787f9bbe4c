//! Stories over the real programs: each starts its own directory and peers, on ports and in folders of its own.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests; clippy does not see that this whole binary is one"
)]

/// The kit: programs as processes, the HTTP client that holds every answer against the contract, waiting, chance.
mod harness;

/// Ana writes to Rui; both see it, in every listing and as JSON.
mod main_path;

/// What a script relies on: exit codes, and what goes to which stream.
mod command_line;

/// What is set by a flag, by a variable, in `config.toml`, or by nobody; and what is wrong there.
mod settings;

/// A real bash completes commands, flags, values and names.
mod completions;

/// Help and the manual: each command has a page, in both languages, under the name that it was started by.
mod manual;

/// What was perhaps meant by a misspelt command, flag, value or name; every mistake in both languages.
mod suggestions;

/// What a stranger writes is shown, never sent to a terminal.
mod hostile_text;

/// What people see at a terminal: columns, times, marks, colour.
mod terminal;

/// Every example in README and in help, as it is printed.
mod examples;

/// A program leaves a message as curl would, rightly and in every wrong way.
mod messages;

/// Many messages in one request: order, one bad among good ones, no room, a disk that fails.
mod batches;

/// Keys in handshakes: proved by who has them, and by nobody else; pinned by the first message, and never again.
mod keys;

/// A peer's key and its port: one key for good, TLS and plain HTTP told apart, and who may go without TLS.
mod identity;

/// Eve speaks under names that have a key, in every way that a program without it has.
mod forgers;

/// Somebody in Rui's place: at his address, in the directory, or with his certificate.
mod imposters;

/// How people come to know each other: by a link, by writing; without any directory too.
mod acquaintance;

/// A peer that somebody made of openssl and curl.
mod other_stack;

/// Receipts to senders with a key: what was had, what is missing; and how much of whom is kept.
mod receipts;

/// What nobody else may read: keys, tokens, messages. Not in logs, not in the list of processes, not in the files.
mod secrets;

/// Claims, tokens and names at the directory.
mod claims;

/// An operator shows names and releases some, while the directory runs and while it does not.
mod names;

/// A private directory: invites for new names, tokens for readers.
mod private;

/// What the directory counts, as a scraper reads it.
mod metrics;

/// How many names there may be, and how fast one network claims them.
mod room;

/// Leases: they end by themselves, and outlive the directory's death.
mod leases;

/// Crowds of clients that hang, and of peers that come at once.
mod crowd;

/// What one client may take of either program, as its flags say.
mod limits;

/// Both families of addresses on one port, and too few files.
mod sockets;

/// A directory that speaks TLS.
mod https;

/// Where a request came from, when proxies stand between.
mod proxies;

/// The list of who is online: pages, tags, codings.
mod listing;

/// The list as it changes: events, with and without a break.
mod changes;

/// Rui is offline, comes back, never comes back, refuses, or hangs.
mod offline;

/// Something comes from a recipient for whom messages wait.
mod alive;

/// Ana waits for Rui at the directory's events, and only then.
mod events;

/// `peer peers --watch`: who is online, and who comes and goes.
mod watch;

/// A private directory, as a peer meets it: an invitation for a new name, a token for every question.
mod invited;

/// A list of many pages, and one that has no end.
mod pages;

/// A directory that hangs, refuses or counts wrongly: the peer serves and delivers on.
mod bad_directory;

/// `peer send` with and without a daemon: one process delivers.
mod one_shot;

/// What waits for one recipient leaves in batches, whatever the recipient says to which message.
mod queue;

/// `peer retry`: what was refused or has expired is sent again.
mod retry;

/// Listings are in the order in which each sender wrote.
mod order;

/// Old backups, damaged files, and those who say that they lack something: what is lacking comes again, and no storm.
mod repair;

/// Forty commands at once, killed at random: one delivers, and nothing is lost between them.
mod deliverers;

/// A hundred thousand messages for one recipient hold up no other, nor do fifty who never answer.
mod fairness;

/// `--on-message`: a command for each message, whatever is killed when, and whatever the command does.
mod on_message;

/// `peer doctor` finds what is wrong, says what to do, and changes nothing.
mod doctor;

/// What a service manager is told.
mod supervised;

/// Kill -9 under load: the receiver, the sender, the directory. Nothing acknowledged is lost, doubled or disordered.
mod kill;

/// The disk fails, is full, or takes its time: said as it is, and nothing acknowledged is lost.
mod disk;

/// English and Portuguese: people read their language, programs read the same in both.
mod language;

/// The menu through a pipe, in two languages.
mod menu;

/// Two peers that exchanged links need no directory.
mod links;

/// Parts of listings: since, before, page by page; and following from where one was.
mod parts;

/// Messages are found by their words.
mod search;

/// The history on another machine: exported, imported, and files that are not what they say.
mod moving;

/// What the user deletes never comes back, and is in no file.
mod deleting;

/// Contacts: links, trust, blocks, and what is forgotten.
mod contacts;

/// The demo shows an exchange, stays open, and leaves nothing behind.
mod demo;

/// SIGTERM is a good-bye: deregistered, finished, zero.
mod goodbye;

/// Code and openapi.yaml say the same.
mod contract;

/// README's table of limits, and what the programs say of themselves.
mod readme;

/// The walls of the code: doors for libraries, owners of tables, rooms.
mod tidy;

/// The Debian package: what is in it, and what its programs call themselves.
mod package;

/// The examples in tests/http, run by the hurl command.
mod hurl;

/// Requests that schemathesis makes up, and what both programs answer.
mod schemathesis;

/// A client that openapi-python-client made from openapi.yaml.
mod generated_client;
