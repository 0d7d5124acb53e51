"""What a tap came to, in a recording: so that a replay can say that it comes to something else.

    {"kind": "approved", "reason": "...", "scheme_kind": "approved", "tvr": "0000008001", "tsi": "E800",
     "cvm": "no CVM", "cvm_results": "1F0302",
     "oda": {"method": "CDA", "result": "succeeded", "reason": ""},
     "findings": [{"check": "weak_key", "response": "issuer decides", "words": "..."}]}

There is no card data in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emv.finding import Finding
from emv.oda import NO_ODA, OdaResult
from emv.outcome import Outcome, OutcomeKind
from emv.tags import Tag

_KINDS = {kind.value for kind in OutcomeKind}


def verdict(outcome: Outcome) -> dict[str, Any]:
    """Return what a tap came to, as a recording has it."""
    evidence = outcome.evidence
    oda = evidence.oda if evidence else NO_ODA
    terminal: Mapping[int, bytes] = evidence.terminal if evidence else {}
    return {
        "kind": outcome.kind.value,
        "reason": outcome.reason,
        "scheme_kind": (outcome.scheme_kind or outcome.kind).value,
        "tvr": terminal.get(Tag.TVR, b"").hex().upper(),
        "tsi": terminal.get(Tag.TSI, b"").hex().upper(),
        "cvm": outcome.cvm.value,
        "cvm_results": terminal.get(Tag.CVM_RESULTS, b"").hex().upper(),
        "oda": {"method": oda.method.value, "result": oda.result.value, "reason": oda.reason},
        "findings": findings_json(outcome.findings),
    }


def is_verdict(value: Any) -> bool:
    """Say whether a JSON value says what a tap came to."""
    return isinstance(value, dict) and isinstance(value.get("kind"), str) and value["kind"] in _KINDS


def authenticated(value: Mapping[str, Any]) -> bool:
    """Say whether offline data authentication was performed in a recorded tap."""
    oda = value.get("oda")
    result = oda.get("result") if isinstance(oda, dict) else None
    return result in (OdaResult.SUCCEEDED.value, OdaResult.FAILED.value)


def in_words(value: Mapping[str, Any]) -> str:
    """Return a recorded verdict in a line for people."""
    words = f"{value['kind']}"
    if reason := value.get("reason"):
        words += f" ({reason})"
    oda = value.get("oda")
    if isinstance(oda, dict) and (result := oda.get("result")):
        words += f"; authentication: {oda.get('method', '')}, {result}"
    return words


def findings_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return findings for a program."""
    return [{"check": its.check, "response": its.response.value, "words": its.words} for its in findings]


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield findings for people."""
    return (f"found: {its.words} ({its.response.value})" for its in findings)
