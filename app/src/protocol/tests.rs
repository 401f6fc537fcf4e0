//! Messages survive the trip between page and worker.
#![allow(clippy::unwrap_used)]

use engine::literal::Literal;

use super::*;

#[test]
fn messages_survive_the_trip() {
    let show = Request::Show {
        generation: 7,
        clauses: vec![Clause {
            id: "column:delay".to_owned(),
            predicate: Predicate::Between {
                column: "delay".to_owned(),
                low: Literal::Number("9007199254740993".to_owned()),
                high: Literal::from(1.5),
            },
        }],
        views: vec![View {
            id: ViewId(3),
            mark: Mark::Scatter {
                varied: Default::default(),
                x: "a".to_owned(),
                y: "b".to_owned(),
                color: None,
                look: Look::read("log;labels").unwrap(),
            },
        }],
    };
    let text = serde_json::to_string(&show).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), show, "{text}");
}
