//! What is wrong in a protocol file is told with its line, its key and what to write instead.

use proptest::prelude::*;
use protocol::{check, shipped};

/// A file with these lines after its name, of which the first is line 2.
fn mistakes_of(lines: &str) -> Vec<(usize, String, String, String)> {
    let text = format!("name = \"mine\"\n{}", lines.trim_start());
    let Err(mistakes) = check("mine.toml", &text) else { return Vec::new() };
    let told = mistakes.0.into_iter().map(|mistake| {
        let line = mistake.place.strip_prefix("mine.toml:").and_then(|rest| rest.split(':').next());
        let line = line.and_then(|line| line.parse().ok());
        (line.unwrap_or_else(|| panic!("{}", mistake.place)), mistake.key, mistake.problem, mistake.remedy)
    });
    told.collect()
}

/// A mistake, and the only one: what the file says, then line, key, and parts of problem and remedy.
type Case<'c> = (&'c str, usize, &'c str, &'c str, &'c str);

fn each_is_told(cases: &[Case<'_>]) {
    for (lines, line, key, problem, remedy) in cases {
        let told = mistakes_of(lines);
        let [(at, said_key, said, help)] = told.as_slice() else { panic!("{lines}\n{told:#?}") };
        assert_eq!((at, said_key.as_str()), (line, *key), "{lines}\n{said}: {help}");
        assert!(said.contains(problem), "{lines}\n{said}");
        assert!(help.contains(remedy) && !help.is_empty(), "{lines}\n{help}");
    }
}

/// An operation that is in order.
const SAY: &str = r#"
[operations.say]
send = '{"id":"${id}","text":"${text}"}'
answer = { by = "id", at = "/id" }
"#;

/// Mistakes in what stands before an operation that is in order.
fn beside_an_operation(cases: &[Case<'_>]) {
    let cases: Vec<_> = cases
        .iter()
        .map(|(lines, line, key, problem, remedy)| (format!("{lines}{SAY}"), *line, *key, *problem, *remedy))
        .collect();
    let cases: Vec<_> = cases
        .iter()
        .map(|(lines, line, key, problem, remedy)| (lines.as_str(), *line, *key, *problem, *remedy))
        .collect();
    each_is_told(&cases);
}

#[test]
fn the_operation_that_the_cases_use_is_in_order() {
    assert_eq!(mistakes_of(SAY), []);
}

#[test]
fn of_form() {
    beside_an_operation(&[
        ("description = 7", 2, "description", "must be string, found 7", "in a sentence"),
        ("descripton = \"x\"", 2, "descripton", "unknown key", "did you mean `description`?"),
        ("heartbeat = { every = \"soon\" }", 2, "heartbeat.every", "\"soon\"", "How often"),
        ("heartbeat = { every = 30 }", 2, "heartbeat.every", "30", "How often"),
        ("heartbeat = {}", 2, "heartbeat.every", "is missing", "How often"),
        ("frames = { send_as = \"blob\" }", 2, "frames.send_as", "must be one of", "`text` or `binary`"),
    ]);
    each_is_told(&[
        ("description = ", 2, "", "", "the file must be TOML"),
        ("description = \"x\"", 1, "operations", "is missing", "What players can do"),
        ("operations = {}", 2, "operations", "players can do nothing", "[operations.send_message]"),
    ]);
}

#[test]
fn of_the_handshake() {
    beside_an_operation(&[
        ("handshake.path = \"socket\"", 2, "handshake.path", "is no path", "begin it with `/`"),
        ("handshake.path = \"/a?b=c\"", 2, "handshake.path", "is no path", "stand in `query`"),
        ("handshake.path = \"/${text}\"", 2, "handshake.path", "`${text}` stands for nothing here", "player"),
        ("handshake.query = { \"\" = \"x\" }", 2, "handshake.query.", "has no name", "name the parameter"),
        (
            "handshake.query = { v = \"${tokn}\" }",
            2,
            "handshake.query.v",
            "`${tokn}`",
            "`${token}` is meant?",
        ),
        (
            "handshake.headers = { Host = \"x\" }",
            2,
            "handshake.headers.Host",
            "by the handshake itself",
            "leave it out",
        ),
        (
            "handshake.headers = { \"a b\" = \"x\" }",
            2,
            "handshake.headers.\"a b\"",
            "is not a header name",
            "letters",
        ),
        ("handshake.headers = { A = \"é\" }", 2, "handshake.headers.A", "cannot have", "ASCII"),
        (
            "handshake.headers = { Sec-WebSocket-Protocol = \"x\" }",
            2,
            "handshake.headers.Sec-WebSocket-Protocol",
            "is set by subprotocols",
            "handshake.subprotocols",
        ),
        (
            "handshake.subprotocols = [\"a\", \"a\"]",
            2,
            "handshake.subprotocols.1",
            "offered twice",
            "leave it out",
        ),
        (
            "handshake.subprotocols = [\"a b\"]",
            2,
            "handshake.subprotocols.0",
            "is not a subprotocol",
            "without blanks",
        ),
    ]);
}

#[test]
fn of_frames_heartbeat_replies_and_closing() {
    beside_an_operation(&[
        ("frames.split = \"\"", 2, "frames.split", "parts nothing", "leave it out"),
        ("heartbeat = { every = \"0s\" }", 2, "heartbeat.every", "above zero", ""),
        (
            "heartbeat = { every = \"30s\", silence = \"20s\" }",
            2,
            "heartbeat.silence",
            "is over before",
            "longer than `every`",
        ),
        (
            "heartbeat = { every = \"30s\", send = 'ping', expect = { \"/1\" = \"${id}\" } }",
            2,
            "heartbeat.expect",
            "the number of a message that has none",
            "put `${id}`",
        ),
        (
            "heartbeat = { every = \"30s\", send = '{\"a\":${player}}' }",
            2,
            "heartbeat.send",
            "is a text, and stands in JSON outside of quotes",
            "\"${player}\"",
        ),
        (
            "[[replies]]\nwhen = { \"/type\" = \"ping\" }\nsend = '{\"n\":${n}}'",
            4,
            "replies.0.send",
            "`${n}` stands for nothing here",
            "pointer",
        ),
        (
            "[[replies]]\nwhen = { \"/type\" = true }\nsend = '{\"type\":\"pong\"}'",
            4,
            "replies.0.send",
            "may be answered itself",
            "does not have",
        ),
        ("[[replies]]\nwhen = {}\nsend = 'x'", 3, "replies.0.when", "holds for every message", "say what"),
        (
            "[[errors]]\nwhen = { \"/a\" = true }\nsaid = \"a\"",
            4,
            "errors.0.said",
            "does not begin with `/`",
            "/",
        ),
        (
            "[[ignore]]\nwhen = { tpye = 1 }",
            3,
            "ignore.0.when.tpye",
            "no test is called so",
            "begins with `/`",
        ),
        ("[close]\n99 = \"x\"", 3, "close.99", "is no close code", "1000 to 4999"),
        ("[close]\n4400 = \"\"", 3, "close.4400", "has no error class", "unauthorized"),
    ]);
}

#[test]
fn of_the_opening() {
    beside_an_operation(&[
        ("[[opening]]\nname = \"x\"", 2, "opening.0", "does nothing", "`send`, `await` or `settle`"),
        ("[[opening]]\nsettle = \"2m\"", 3, "opening.0.settle", "at most a minute", "300ms"),
        ("[[opening]]\nsend = 'a ${b}'", 3, "opening.0.send", "`${b}` stands for nothing here", "one of"),
        ("[[opening]]\nsend = 'a ${id'", 3, "opening.0.send", "is not closed", "close it with `}`"),
        (
            "[[opening]]\nsend = 'a'\nawait = { \"/1\" = \"${id}\" }",
            4,
            "opening.0.await",
            "the number of a message that has none",
            "put `${id}` into the step's `send`",
        ),
        (
            "[[opening]]\nsend = 'a'\nfailed = { \"/1\" = 1 }",
            4,
            "opening.0.failed",
            "nothing is awaited that could fail",
            "`await`",
        ),
        (
            "[[opening]]\nsend = 'a'\nkeep = { sid = \"/sid\" }",
            4,
            "opening.0.keep",
            "nothing is awaited that values could be kept of",
            "`await`",
        ),
        (
            "[[opening]]\nawait = { \"/1\" = 1 }\nkeep = { ref = \"${id}\" }",
            4,
            "opening.0.keep.ref",
            "is not asked for `${id}`",
            "ask for it",
        ),
        (
            "[[opening]]\nawait = { pattern = \"0${json}\" }\nkeep = { ref = \"${x}\" }",
            4,
            "opening.0.keep.ref",
            "no pattern captures `x`",
            "write a pointer",
        ),
        (
            "[[opening]]\nsend = '${session}'\n[[opening]]\nawait = { \"/a\" = 1 }\nkeep = { session = \"/a\" }",
            3,
            "opening.0.send",
            "`${session}` stands for nothing here",
            "one of",
        ),
        (
            "[[opening]]\nawait = { \"/a\" = 1, \"/sid\" = false }\nkeep = { sid = \"/sid\" }",
            4,
            "opening.0.keep.sid",
            "is never filled",
            "allows",
        ),
        ("[[opening]]\nawait = []", 3, "opening.0.await", "holds for no message", "write a rule"),
        (
            "[[opening]]\nawait = { \"/a\" = 1 }\nkeep = { text = \"/a\" }",
            4,
            "opening.0.keep.text",
            "means something else",
            "another name",
        ),
        (
            "[[opening]]\nawait = { \"/a\" = 1 }\nkeep = { \"a-b\" = \"/a\" }",
            4,
            "opening.0.keep.a-b",
            "is no name",
            "letters, digits and `_`",
        ),
    ]);
}

#[test]
fn of_rules() {
    let cases = [
        ("{ \"/a\" = { from = 9, to = 1 } }", "no number is from 9 to 1", "the least"),
        ("{ \"/a\" = { form = 9 } }", "is no test", "from = 200"),
        ("{ \"/a\" = [] }", "one of none", "an array"),
        ("{ \"/a\" = [[1]] }", "neither a text nor a number", "a text"),
        ("{ \"/a\" = \"room:${room}\" }", "holds a place", "only \"${id}\""),
        ("{ \"/a~2\" = 1 }", "`~`", "/a/0/b"),
        ("{ \"/a|jsn/b\" = 1 }", "`|jsn` is no step", "|json"),
    ];
    for (rule, problem, remedy) in cases {
        let told = mistakes_of(&format!("[[ignore]]\nwhen = {rule}{SAY}"));
        let [(line, key, said, help)] = told.as_slice() else { panic!("{rule}: {told:#?}") };
        assert_eq!(*line, 3, "{rule}");
        assert!(key.starts_with("ignore.0.when.\"/a"), "{rule}: {key}");
        assert!(said.contains(problem) && help.contains(remedy), "{rule}\n{said}\n{help}");
    }
    beside_an_operation(&[
        (
            "[[ignore]]\nwhen = { text = \"x\", \"/a\" = 1 }",
            3,
            "ignore.0.when",
            "contradicts itself",
            "leave out what excludes the rest",
        ),
        (
            "[[ignore]]\nwhen = { pattern = \"a${b}${c}\" }",
            3,
            "ignore.0.when.pattern",
            "nothing says where `${b}` ends",
            "literals between",
        ),
        (
            "[[ignore]]\nwhen = { pattern = \"4${a}\", \"/0\" = 1 }",
            3,
            "ignore.0.when",
            "which has none",
            "end the pattern with `${json}`",
        ),
        ("[[ignore]]\nwhen = { starts = 1 }", 3, "ignore.0.when.starts", "is no text", "write a text"),
    ]);
}

/// Mistakes in an operation whose lines follow on `[operations.say]`, line 2.
fn in_an_operation(cases: &[Case<'_>]) {
    let cases: Vec<_> = cases
        .iter()
        .map(|(lines, line, key, problem, remedy)| {
            let key =
                if key.is_empty() { "operations.say".to_owned() } else { format!("operations.say.{key}") };
            (format!("[operations.say]\n{lines}"), *line, key, *problem, *remedy)
        })
        .collect();
    let cases: Vec<_> = cases
        .iter()
        .map(|(lines, line, key, problem, remedy)| (lines.as_str(), *line, key.as_str(), *problem, *remedy))
        .collect();
    each_is_told(&cases);
}

#[test]
fn of_what_is_sent() {
    in_an_operation(&[
        ("answer = { by = \"none\" }", 2, "", "sends nothing", "send = '…'"),
        ("send = 'x'", 2, "", "does not say what answers it", "by = \"none\""),
        (
            "send = 'x'\nanswer = { by = \"none\" }\nanswers = [{ by = \"order\", ok = { text = \"y\" } }]",
            5,
            "answers",
            "exclude each other",
            "keep one of them",
        ),
        ("send = 'x'\nanswers = []", 4, "answers", "holds no answer", "by = \"none\""),
        (
            "send = 'x'\nanswers = [{ by = \"none\" }]",
            4,
            "answers.0.by",
            "either an answer or none",
            "answer = { by = \"none\" }",
        ),
        (
            "send = '{\"a\":${text}}'\nanswer = { by = \"none\" }",
            3,
            "send",
            "outside of quotes",
            "\"${text}\"",
        ),
        (
            "send = '{\"a\":}'\nanswer = { by = \"none\" }",
            3,
            "send",
            "begins like JSON and is none",
            "must parse",
        ),
        (
            "send = '{\"a\":${mode}}'\nparameters = { mode = \"ranked\" }\nanswer = { by = \"none\" }\npush = 1",
            6,
            "push",
            "must be object, found 1",
            "What it leads to",
        ),
        (
            "send = '${text|jsn}'\nanswer = { by = \"none\" }",
            3,
            "send",
            "`|jsn` is no filter",
            "json, base64, url",
        ),
        (
            "send = 'x'\nparameters = { mode = 1 }\nanswer = { by = \"none\" }",
            4,
            "parameters.mode",
            "does not hold `${mode}`",
            "put it there",
        ),
        (
            "send = '${id}'\nparameters = { id = 1 }\nanswer = { by = \"none\" }",
            4,
            "parameters.id",
            "means something else",
            "another name",
        ),
        (
            "send = '${a}'\nparameters = { a = 1 }\nanswer = { by = \"order\", ok = { \"/a\" = true }, keep = { a = \"/a\" } }",
            4,
            "parameters.a",
            "is also a value that is kept",
            "another name",
        ),
    ]);
    each_is_told(&[
        (
            "[operations.connect]\nsend = 'x'\nanswer = { by = \"none\" }",
            2,
            "operations.connect",
            "means something else",
            "another name",
        ),
        (
            "[operations.a-b]\nsend = 'x'\nanswer = { by = \"none\" }",
            2,
            "operations.a-b",
            "is no name",
            "letters, digits and `_`",
        ),
    ]);
}

#[test]
fn of_answers() {
    in_an_operation(&[
        (
            "send = 'x'\nanswer = { by = \"id\", at = \"/id\" }",
            4,
            "answer.by",
            "has no number that an answer could name",
            "put `${id}` into `send`",
        ),
        ("send = '${id}'\nanswer = { by = \"id\" }", 4, "answer", "`at` is missing", "at = \"/id\""),
        (
            "send = '${id}'\nanswer = { by = \"id\", at = \"id\" }",
            4,
            "answer.at",
            "does not begin with `/`",
            "/",
        ),
        (
            "send = 'x'\nanswer = { by = \"field\", at = \"/a\" }",
            4,
            "answer",
            "`is` is missing",
            "is = \"room:${room}\"",
        ),
        (
            "send = 'x'\nanswer = { by = \"field\", at = \"/a\", is = \"b\" }",
            4,
            "answer.is",
            "is the same for every request",
            "let it hold a value",
        ),
        (
            "send = 'x'\nanswer = { by = \"field\", is = \"${room}\" }",
            4,
            "answer",
            "`at` is missing",
            "/channel",
        ),
        (
            "send = 'x'\nanswer = { by = \"echo\" }",
            4,
            "answer.by",
            "no text that an answer could repeat",
            "put `${text}` into `send`",
        ),
        ("send = 'x'\nanswer = { by = \"order\" }", 4, "answer", "takes every message", "say with `ok`"),
        (
            "send = 'x'\nanswer = { by = \"none\", ok = { \"/a\" = 1 } }",
            4,
            "answer.ok",
            "means nothing with by = \"none\"",
            "leave it out",
        ),
        (
            "send = 'x'\nanswer = { by = \"order\", at = \"/a\", ok = { \"/a\" = 1 } }",
            4,
            "answer.at",
            "means nothing with by = \"order\"",
            "another `by`",
        ),
        (
            "send = '${id}'\nanswer = { by = \"id\", at = \"/id\", when = { \"/a\" = 1 }, ok = { \"/a\" = 2 } }",
            4,
            "answer.ok",
            "contradicts `when`",
            "leave out",
        ),
        (
            "send = '${id}'\nanswer = { by = \"id\", at = \"/id\", failed = { \"/e\" = 1 }, class = \"e_${e}\" }",
            4,
            "answer.class",
            "`${e}` stands for nothing here",
            "a pointer",
        ),
        (
            "send = 'x'\nanswer = { by = \"order\", ok = { text = \"Sent\" }, keep = { ticket = \"/ticket\" } }",
            4,
            "answer.keep.ticket",
            "is never filled",
            "allows",
        ),
        (
            "send = '${room} ${player}'\nanswers = [{ by = \"field\", at = \"/a\", is = \"${room}\" }, { by = \"field\", at = \"/b\", is = \"${player}\" }]",
            4,
            "answers.1",
            "another answer is found by a field, too",
            "by one field",
        ),
    ]);
}

#[test]
fn of_pushes() {
    const NONE: &str = "answer = { by = \"none\" }";
    const TICKET: &str = "answer = { by = \"order\", ok = { \"/ticket\" = true, \"/state\" = false }, keep = { ticket = \"/ticket\" } }";
    let cases = [
        (
            NONE,
            "push = { when = { \"/a\" = 1 }, to = \"everyone\" }",
            "push.tie",
            "no text in which a marker",
            "${text}",
        ),
        (
            NONE,
            "push = { when = { \"/a\" = 1 }, tie = {} }",
            "push.tie",
            "links the push to nothing",
            "\"marker\"",
        ),
        (
            NONE,
            "push = { when = { \"/a\" = 1 }, tie = { kept = \"ticket\", at = \"/ticket\" } }",
            "push.tie.kept",
            "no answer of `say` fills `ticket`",
            "let its answer keep it",
        ),
        (
            TICKET,
            "push = { when = { \"/state\" = true }, tie = { kept = \"ticket\" } }",
            "push.tie",
            "`at` is missing",
            "at = \"/ticket\"",
        ),
        (
            TICKET,
            "push = { when = { \"/state\" = true }, tie = { kept = \"ticket\", at = \"/ticket\" }, to = \"room\" }",
            "push.to",
            "goes to nobody but the one that asked",
            "leave it out",
        ),
        (
            NONE,
            "push = { when = { \"/a\" = 1 }, tie = { player = true }, to = \"everyone\" }",
            "push.to",
            "goes to nobody but the one that asked",
            "leave it out",
        ),
        (
            NONE,
            "push = { when = { \"/a\" = 1 }, tie = { player = true }, sender = true }",
            "push.sender",
            "says nothing more",
            "leave it out",
        ),
        (
            NONE,
            "push = { when = { \"/a\" = 1 }, tie = { player = true }, class = \"x\" }",
            "push.class",
            "no push says that anything failed",
            "`final`",
        ),
        (
            NONE,
            "push = { when = { \"/a\" = 1 }, tie = { player = true }, final = { \"/a\" = 2 } }",
            "push.final",
            "contradicts `when`",
            "leave out",
        ),
        (
            NONE,
            "push = { name = \"sockets\", when = { \"/a\" = 1 }, tie = { player = true } }",
            "push.name",
            "means something else",
            "another name",
        ),
    ];
    for (answer, push, key, problem, remedy) in cases {
        in_an_operation(&[(&format!("send = 'x'\n{answer}\n{push}"), 5, key, problem, remedy)]);
    }
    let text = format!("send = '${{text}}'\n{NONE}\n");
    in_an_operation(&[
        (
            &format!("{text}push = {{ when = {{ \"/a\" = 1 }} }}"),
            5,
            "push",
            "does not say who gets it",
            "\"everyone\"",
        ),
        (
            &format!("{text}push = {{ when = {{ \"/a\" = 1 }}, to = \"recipients\" }}"),
            5,
            "push.to",
            "names no recipients",
            "${recipients}",
        ),
    ]);
}

#[test]
fn of_what_may_be_something_else() {
    let two = |one: &str, other: &str| {
        format!(
            "[operations.a]\nsend = '${{text}}'\nanswer = {{ by = \"none\" }}\n\
             push = {{ {one}, to = \"everyone\" }}\n\
             [operations.b]\nsend = '${{text}}'\nanswer = {{ by = \"none\" }}\n\
             push = {{ {other}, to = \"everyone\" }}\n"
        )
    };
    each_is_told(&[
        (
            &two("when = { \"/t\" = 1 }", "when = { \"/t\" = { from = 1 } }"),
            9,
            "operations.b.push.when",
            "may be the same message as `operations.a.push.when` (mine.toml:5",
            "let each ask for what the other never has",
        ),
        (
            &two("name = \"x\", when = { \"/t\" = 1 }", "name = \"x\", when = { \"/t\" = 2 }"),
            9,
            "operations.b.push.name",
            "another push is called `x` (mine.toml:5",
            "a `name` of its own",
        ),
        (
            "[operations.a]\nsend = 'a'\nanswer = { by = \"order\", ok = { text = \"ok\" } }\n\
             [operations.b]\nsend = 'b'\nanswer = { by = \"order\", ok = { starts = \"o\" } }",
            7,
            "operations.b.answer.ok",
            "may be the same message as `operations.a.answer.ok` (mine.toml:4",
            "let each ask",
        ),
    ]);
}

#[test]
fn of_what_is_polled() {
    let poll = "poll = { start = \"POST /p\", again = \"GET /p/${t}\", keep = { t = \"/t\" }, final = { \"/s\" = 1 }";
    in_an_operation(&[
        (&format!("{poll} }}"), 3, "poll", "never ends unless it ends well", "`pending`"),
        (
            &format!("send = 'x'\n{poll}, pending = {{ \"/s\" = 0 }} }}"),
            3,
            "send",
            "is polled over REST",
            "leave out",
        ),
        (
            &format!(
                "{poll}, pending = {{ \"/s\" = 0 }} }}\npush = {{ when = {{ \"/a\" = 1 }}, tie = {{ player = true }} }}"
            ),
            4,
            "push",
            "is not awaited",
            "leave it out",
        ),
        (
            "poll = { start = \"POST /p/${t}\", again = \"GET /p/${t}\", keep = { t = \"/t\" }, final = { \"/s\" = 1 }, failed = { \"/s\" = 2 } }",
            3,
            "poll.start",
            "`${t}` stands for nothing here",
            "one of",
        ),
        (
            "poll = { start = \"/p\", again = \"GET /p\", final = { \"/s\" = 1 }, failed = { \"/s\" = 2 } }",
            3,
            "poll.start",
            "is no request",
            "POST /placements",
        ),
        (
            "poll = { start = \"POST /p\", again = \"LOOK /p\", final = { \"/s\" = 1 }, failed = { \"/s\" = 2 } }",
            3,
            "poll.again",
            "has no method",
            "POST /placements",
        ),
        (
            "poll = { start = \"POST p\", again = \"GET /p\", final = { \"/s\" = 1 }, failed = { \"/s\" = 2 } }",
            3,
            "poll.start",
            "begins with `/`",
            "POST /placements",
        ),
    ]);
}

#[test]
fn all_at_once() {
    let told = mistakes_of(
        "handshake.path = \"x\"\nfoo = 1\n[operations.say]\nsend = '${txt}'\nanswer = { by = \"order\" }\n\
         push = { when = {}, to = \"everyone\" }\n",
    );
    let keys: Vec<_> = told.iter().map(|(line, key, ..)| (*line, key.as_str())).collect();
    assert_eq!(
        keys,
        [
            (3, "foo"),
            (2, "handshake.path"),
            (5, "operations.say.send"),
            (6, "operations.say.answer"),
            (7, "operations.say.push.when"),
        ]
    );
}

/// Words of protocol files, and what is none.
fn words() -> impl Strategy<Value = String> {
    let known = [
        "name",
        "send",
        "answer",
        "answers",
        "by",
        "at",
        "is",
        "when",
        "ok",
        "failed",
        "keep",
        "class",
        "push",
        "tie",
        "kept",
        "player",
        "to",
        "final",
        "poll",
        "opening",
        "await",
        "heartbeat",
        "every",
        "silence",
        "expect",
        "replies",
        "errors",
        "said",
        "ignore",
        "close",
        "frames",
        "split",
        "join",
        "handshake",
        "query",
        "headers",
        "subprotocols",
        "operations",
        "parameters",
        "work",
        "text",
        "starts",
        "pattern",
        "contains",
        "${id}",
        "${json}",
        "${text}",
        "${",
        "}",
        "{",
        "[",
        "]",
        "\"",
        "'",
        "=",
        ".",
        ",",
        "/a",
        "/a|json/b",
        "|json",
        "~",
        "$${",
        "\\u0000",
        "\n",
        "\n[[",
        "]]\n",
        "[operations.",
        "true",
        "false",
        "0",
        "-1",
        "1e400",
        "99999999999999999999",
        "0x7f",
        "1979-05-27",
        "é",
        "4${id}${json}",
        "${a}${b}",
        "#",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

#[test]
fn of_stamps() {
    let operation = |traced: &str, stamps: &str| {
        format!(
            "[operations.say]\nsend = '{{\"id\":\"${{id}}\",\"text\":\"${{text}}\"}}'\n{traced}\n\
             answer = {{ by = \"id\", at = \"/id\" }}\n\
             push = {{ when = {{ \"/type\" = \"said\" }}, to = \"everyone\", stamps = [{stamps}] }}\n"
        )
    };
    let good = r#"{ name = "a", at = "/a", unit = "ms" }"#;
    let with = |more: &str| operation("", &format!("{good}, {more}"));
    assert_eq!(mistakes_of(&with(r#"{ name = "b", at = "/b|json/c", unit = "ns", hop = "wait" }"#)), []);
    let key = "operations.say.push.stamps.1";
    for (file, line, key, problem, remedy) in [
        (
            with(r#"{ name = "a", at = "/b", unit = "ms", hop = "wait" }"#),
            6,
            format!("{key}.name"),
            "another stamp is called `a`",
            "another name",
        ),
        (
            with(r#"{ name = "b", at = "/b", unit = "ms", function = "Say" }"#),
            6,
            format!("{key}.function"),
            "`Say` does none of the operation's work",
            "the operation's `functions`",
        ),
        (
            with(r#"{ name = "b", at = "/b", unit = "ms", hop = "to_a" }"#),
            6,
            format!("{key}.hop"),
            "another hop is called `to_a`",
            "otherwise",
        ),
        (
            with(r#"{ name = "player", at = "/b", unit = "ms" }"#),
            6,
            format!("{key}.name"),
            "another hop is called `to_player`",
            "otherwise",
        ),
        (
            with(r#"{ name = "b c", at = "/b", unit = "ms" }"#),
            6,
            format!("{key}.name"),
            "`b c` is no name",
            "letters",
        ),
        (with(r#"{ name = "b", at = "b", unit = "ms" }"#), 6, format!("{key}.at"), "`b`", "JSON Pointer"),
        (
            with(r#"{ name = "b", at = "/type/x", unit = "ms" }"#),
            6,
            format!("{key}.at"),
            "is never there",
            "where the push has it",
        ),
        (with(r#"{ name = "b", at = "/b", unit = "min" }"#), 6, format!("{key}.unit"), "min", "us"),
        (
            operation(r#"send_traced = '{"t":1,"id":"${id}","text":"${text}"}'"#, ""),
            4,
            "operations.say.send_traced".to_owned(),
            "nothing reads",
            "push.stamps",
        ),
        (
            operation(r#"send_traced = '{"t":1,"text":"${text}"}'"#, good),
            4,
            "operations.say.send_traced".to_owned(),
            "other values than `send`",
            "the message of `send`",
        ),
    ] {
        each_is_told(&[(&file, line, &key, problem, remedy)]);
    }
}

/// A shipped protocol with some of its text replaced.
fn changed() -> impl Strategy<Value = String> {
    let files: Vec<&str> = shipped::names().filter_map(shipped::text).collect();
    let change = (any::<prop::sample::Index>(), 0..24_usize, words());
    (prop::sample::select(files), prop::collection::vec(change, 1..6)).prop_map(|(text, changes)| {
        changes.into_iter().fold(text.to_owned(), |mut text, (at, length, word)| {
            let from = text.floor_char_boundary(at.index(text.len() + 1));
            let to = text.floor_char_boundary((from + length).min(text.len()));
            text.replace_range(from..to, &word);
            text
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_text_panics(text in prop_oneof![
        4 => changed(),
        1 => prop::collection::vec(words(), 0..40).prop_map(|words| words.join(" ")),
    ]) {
        if let Err(mistakes) = check("mine.toml", &text) {
            prop_assert!(!mistakes.0.is_empty());
            for mistake in &mistakes.0 {
                prop_assert!(mistake.place.starts_with("mine.toml:"), "{mistake}");
                prop_assert!(!mistake.problem.is_empty(), "{mistake}");
            }
        }
    }
}
