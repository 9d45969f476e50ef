//! The guide to events: the webhook that it prints, and the way to verify one.

use std::io::Write as _;
use std::process::{Command, Stdio};

use latchkey::simulated_encoder;
use serde_json::{Value, json};

use super::{Document, project};
use crate::access_grants;
use crate::support::{Receiver, Reply, text};
use crate::webhooks::{Hooks, UPDATE};

/// Runs the printed `verify` on headers and bodies, at that time; answers with what it said of each.
fn verified(sample: &str, now: i64, cases: &Value) -> Vec<Value> {
    let script = format!(
        "{sample}\nimport json, sys\ntime.time = lambda: {now}\n\
         print(json.dumps([verify(header, body.encode(), secret) for header, body, secret in json.load(sys.stdin)]))"
    );
    let mut python = Command::new("python3")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    python.stdin.take().expect("its input").write_all(cases.to_string().as_bytes()).expect("read");
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success(), "it must not raise");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Whether two values are objects of the same fields, or both texts and so on.
fn is_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| is_alike(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => one == other,
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// A webhook in the form of Seam's API: of a card that was written for the first time.
async fn issued(hooks: &Hooks) -> Value {
    let (house, receiver) = (&hooks.house, Receiver::new(Reply::Status(204)).await);
    let events = json!(["access_method.issued"]);
    let input = json!({"url": receiver.url(), "status": "ENABLED", "format": "SEAM", "events": events});
    house.locks.done("createWebhookEndpoint", input, "secret").await;
    for (name, input, selection) in access_grants::mutations(&house.desk, &house.locks).await {
        if name == "encodeAccessMethod" {
            house.locks.act(name, input, selection).await;
        }
    }
    simulated_encoder::encode_due(&house.test).await.expect("the database is there");
    hooks.deliver().await;
    receiver.received().remove(0).json()
}

#[tokio::test]
async fn g37_the_printed_webhook_is_like_a_real_one_and_the_printed_verification_refuses_what_is_malformed() {
    let mut document = Document::read("docs/EVENTS.md");
    let hooks = Hooks::new().await;
    let locks = &hooks.house.locks;
    let receiver = Receiver::new(Reply::Status(204)).await;
    let stay = hooks.house.stay("R1").await;

    let made = locks.data(&document.take("graphql"), json!({})).await["createWebhookEndpoint"].take();
    let secret = text(&made["secret"]);
    let change = json!({
        "id": made["webhookEndpoint"]["id"], "url": receiver.url(), "status": "ENABLED",
        "events": ["room_stay.updated"],
    });
    locks.data(UPDATE, json!({ "input": change })).await;
    locks.add(&stay, &locks.pin("1234").await).await;
    hooks.deliver().await;
    let arrived = receiver.received().remove(0);

    let mut printed: Value = serde_json::from_str(&document.take("json")).expect("JSON");
    assert!(is_alike(&printed, &arrived.json()), "{printed:#} {:#}", arrived.json());
    for id in [&mut printed["id"], &mut arrived.json()["id"]] {
        assert_eq!(text(id).len(), 64);
    }

    let (mut printed, told): (Value, _) =
        (serde_json::from_str(&document.take("json")).expect("JSON"), issued(&hooks).await);
    assert_eq!(printed["event_type"], told["event_type"]);
    assert_eq!(text(&printed["created_at"]).len(), text(&told["created_at"]).len());
    printed["access_grant_ids"] = told["access_grant_ids"].clone();
    assert!(is_alike(&printed, &told), "{printed:#} {told:#}");

    let sample = document.take("python");
    let readme = std::fs::read_to_string(project().join("README.md")).expect("text");
    let function = &sample[sample.find("def verify").expect("a function")..];
    assert!(readme.contains(function.trim_end()), "the receiver in README verifies as the guide does");

    let now = hooks.house.test.clock.now().timestamp();
    let (header, body) = (arrived.header("3rpms-signature").expect("signed"), text_of(&arrived.body));
    let other = format!("signature={}", "0".repeat(64));
    let good = [header.to_owned(), format!("{header},{other}"), header.replacen(',', &format!(",{other},"), 1)];
    let cases: Value = good.iter().map(|header| json!([header, body, secret])).collect();
    assert_eq!(verified(&sample, now, &cases), [true, true, true]);
    for late in [now + 301, now - 301] {
        assert_eq!(verified(&sample, late, &cases), [false, false, false]);
    }
    let signature = header.split_once(',').expect("two parts").1;
    let bad = [
        String::new(),
        ",".to_owned(),
        "t".to_owned(),
        "t=".to_owned(),
        "=".to_owned(),
        format!("t={now}"),
        format!("t=now,{signature}"),
        format!("t={now}.0,{signature}"),
        format!("t={},{signature}", "9".repeat(5_000)),
        format!("t=\u{b2},{signature}"),
        format!("t={now},signature"),
        format!("t={now},signature=é"),
        format!("t={now},{other}"),
        format!("t={},{signature}", now + 1),
        signature.to_owned(),
    ];
    let mut cases: Vec<Value> = bad.iter().map(|header| json!([header, body, secret])).collect();
    cases.push(json!([header, format!("{body} "), secret]));
    cases.push(json!([header, body, format!("{secret}x")]));
    let expected = vec![Value::Bool(false); cases.len()];
    assert_eq!(verified(&sample, now, &Value::from(cases)), expected);
}

fn text_of(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).expect("text")
}
