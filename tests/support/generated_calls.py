"""Generated bulk mutations, valid and invalid."""

from typing import Any

from hypothesis import strategies as st

_AGENTS = st.sampled_from([{"id": "@Ann"}, {"id": "@Bob"}, {"id": "@Cy"}, {"id": "@noagent"}])
_TAGS = st.sampled_from(
    [{"id": "@gold"}, {"id": "@vip"}, {"id": "@wecom"}, {"id": "@notag"}, {"name": "GOLD"}, {"name": "fresh"},
     {"name": "also fresh"}, {"name": "x" * 51}]
)  # fmt: skip
_WORTH = st.lists(_TAGS, max_size=2)
_SOME = st.fixed_dictionaries(
    {}, optional={"add": _WORTH, "remove": _WORTH, "set": _WORTH, "kind": st.sampled_from(["BUSINESS", "WECOM"])}
)
_PHONES = st.sampled_from(["+84901234561", "0901234569", "+84 90 123 4569", "nonsense"])
_EMAILS = st.sampled_from(["a@x.example", "A@X.example", "new@x.example", "nonsense"])
_VALUES = st.sampled_from(
    [
        {"key": "tier", "value": "gold"},
        {"key": "tier", "value": None},
        {"key": "badge", "value": "7"},
        {"key": "points", "value": 9},
        {"key": "points", "value": "nine"},
        {"key": "likes", "value": ["a", "c"]},
        {"key": "likes", "value": []},
        {"key": "since", "value": "2026-02-01T00:00:00+07:00"},
        {"key": "unknown", "value": 1},
    ]
)
inputs = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["An", " Bo ", "", None]),
        "nickname": st.sampled_from(["Nick", "", None, "x" * 201]),
        "realName": st.sampled_from(["Nguyễn", None]),
        "phones": st.lists(_PHONES, max_size=3) | st.none(),
        "phone": _PHONES | st.none(),
        "emails": st.lists(_EMAILS, max_size=3) | st.none(),
        "email": _EMAILS | st.none(),
        "gender": st.sampled_from(["FEMALE", None]),
        "birthDate": st.sampled_from(["2000-02-29", "2999-01-01", None]),
        "value": st.sampled_from(["5.5", "-3", None]),
        "address": st.sampled_from([{"city": "Đà Nẵng"}, {"line1": "1 Lê Lợi", "city": None}, None]),
        "source": st.sampled_from(["Fair", "Rule", None]),
        "relationshipStatus": st.sampled_from(["LEAD", "CUSTOMER", "VIP"]),
        "subscriptionStatus": st.sampled_from(["NOT_SUBSCRIBED", "SUBSCRIBED", "UNSUBSCRIBED", "DELETED"]),
        "stage": st.sampled_from(["NEW", "TO_BE_ASSIGNED", "FOLLOW_UP", "POOL"]),
        "followUpStage": st.sampled_from(["Offer sent", "Nowhere", None]),
        "company": st.sampled_from([{"domain": "SAMSUNG.example"}, {"domain": "no.example"}, None]),
        "owner": _AGENTS | st.none(),
        "resellerRelationship": st.booleans(),
        "tags": _SOME | st.none(),
        "wechatFriends": st.fixed_dictionaries({}, optional={"add": st.lists(_AGENTS, max_size=2),
                                                             "set": st.lists(_AGENTS, max_size=2)}),
        "customFields": st.lists(_VALUES, max_size=2),
        "externalIds": st.sampled_from(
            [[], [{"system": "erp", "value": "0"}], [{"system": "shop", "value": "1"}], None]
        ),
    },
)  # fmt: skip
_FEW = st.dictionaries(
    st.sampled_from(["nickname", "source", "value", "gender"]),
    st.none(),
    max_size=1,
)
mild = st.one_of(
    inputs.map(lambda one: dict(list(one.items())[:3])),
    st.fixed_dictionaries({"tags": _SOME}),
    st.fixed_dictionaries({"owner": _AGENTS}),
    st.fixed_dictionaries({"subscriptionStatus": st.sampled_from(["SUBSCRIBED", "UNSUBSCRIBED"])}),
    _FEW,
)
"""Inputs that are often valid."""

_IDS = st.lists(st.sampled_from([*(f"@{place}" for place in range(6)), "@0", "@nobody"]), min_size=1, max_size=8)
targets = st.one_of(
    _IDS.map(lambda ids: {"ids": ids}),
    st.sampled_from(
        [
            {"match": {"everyone": True}},
            {"match": {"everyone": True, "archived": "INCLUDE"}},
            {"match": {"filter": {"stage": {"in": ["POOL", "TO_BE_ASSIGNED"]}}}},
            {"match": {"filter": {"tags": {"any": {"name": {"eq": "gold"}}}}, "archived": "INCLUDE"}},
            {"match": {"everyone": True, "exceptIds": ["@1", "@2"]}},
        ]
    ),
)
_REFS = st.sampled_from(
    [{"id": f"@{place}"} for place in range(6)]
    + [{"externalId": {"system": "erp", "value": "3"}}, {"externalId": {"system": "crm", "value": "9"}},
       {"email": "a@x.example"}, {"email": "none@x.example"}, {"id": "@nobody"}]
)  # fmt: skip
_ROWS = st.lists(
    st.fixed_dictionaries({"input": mild | mild.map(lambda one: {"name": "New", **one})}, optional={"by": _REFS}),
    min_size=1,
    max_size=6,
)
_HAPPENED = st.fixed_dictionaries(
    {"kind": st.sampled_from(["CALL", "PAYMENT", "MESSAGE", "OPT_IN", "OPT_OUT", "DELIVERY_FAILED"])},
    optional={
        "outcome": st.sampled_from(["PAID", "FAILED"]),
        "direction": st.sampled_from(["INBOUND", "OUTBOUND"]),
        "occurredAt": st.sampled_from(["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"]),
        "agent": _AGENTS,
        "externalId": st.sampled_from([{"system": "pbx", "value": "1"}, {"system": "", "value": "1"}]),
        "subject": st.sampled_from(["x", "x" * 501]),
    },
)
_RECORDED = st.lists(st.fixed_dictionaries({"customer": _REFS, "input": _HAPPENED}), min_size=1, max_size=5)

JOB = """{ job { id status matched processed counts { outcome count }
    perAgent { agent { id } count }
    rows(first: 250) { nodes { row outcome node { id } changed { field before after }
      errors { __typename code path row message } } } }
  errors { __typename code path message } }"""


def _verb(name: str, arguments: str = "", variables: str = "") -> str:
    return f"""mutation ($target: CustomerTarget!, $options: BulkOptions{variables}) {{
      {name}(target: $target, options: $options{arguments}) {JOB} }}"""


def _with(document: str, **variables: Any) -> Any:
    return st.tuples(st.just(document), st.fixed_dictionaries({"target": targets, **variables}))


VERBS: dict[str, Any] = {
    "update": _with(_verb("customersUpdate", ", input: $input", ", $input: CustomerInput!"), input=mild),
    "assign": _with(
        _verb("customersAssign", ", to: $to", ", $to: AssigneesInput!"),
        to=st.sampled_from([{"agents": ["@Ann", "@Bob"]}, {"agents": ["@Bob"]}, {"departments": ["@Sales"]},
                            {"agents": ["@Bob"], "departments": ["@Sales"]}, {"agents": ["@Cy"]}]),
    ),
    "release": _with(_verb("customersRelease", ", to: $to", ", $to: ReleaseStage!"),
                     to=st.sampled_from(["POOL", "TO_BE_ASSIGNED"])),
    "claim": _with(_verb("customersClaim")),
    "verify": _with(_verb("customersVerify", ", valid: $valid", ", $valid: Boolean!"), valid=st.booleans()),
    "archive": _with(_verb("customersArchive")),
    "unarchive": _with(_verb("customersUnarchive")),
    "block": _with(_verb("customersBlock", ', reason: "Bad debts"')),
    "unblock": _with(_verb("customersUnblock")),
    "delete": _with(_verb("customersDelete")),
    "upsert": st.tuples(
        st.just(f"""mutation ($rows: [CustomerRow!]!, $options: BulkOptions) {{
          customersUpsert(rows: $rows, options: $options) {JOB} }}"""),
        st.fixed_dictionaries({"rows": _ROWS}),
    ),
    "record": st.tuples(
        st.just(f"""mutation ($rows: [InteractionRow!]!, $options: BulkOptions) {{
          interactionsRecord(rows: $rows, options: $options) {JOB} }}"""),
        st.fixed_dictionaries({"rows": _RECORDED}),
    ),
    "members": st.tuples(
        st.just(f"""mutation ($add: CustomerTarget, $remove: CustomerTarget, $options: BulkOptions) {{
          segmentMembersChange(id: "@list", add: $add, remove: $remove, options: $options) {JOB} }}"""),
        st.fixed_dictionaries({}, optional={"add": targets, "remove": targets}),
    ),
}  # fmt: skip
UNDO = f"mutation ($id: ID!, $options: BulkOptions) {{ jobUndo(id: $id, options: $options) {JOB} }}"
ABORTING = st.sampled_from(["CONTINUE", "CONTINUE", "ABORT"])
