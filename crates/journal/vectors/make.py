"""Writes the test vectors with nothing but Python's hashlib and json: a second witness for the format, in another language."""

import hashlib
import json
import struct
import uuid
from pathlib import Path

HERE = Path(__file__).parent


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def start(journal_id, sweep_id):
    return sha(b"cutoff-chain-v1\0", uuid.UUID(journal_id).bytes, uuid.UUID(sweep_id).bytes)


def link(previous, line):
    return sha(b"cutoff-row-v1\0", previous, struct.pack(">Q", len(line)), line)


def commitment(salt, text):
    text = text.encode()
    return sha(b"cutoff-commitment-v1\0", salt, struct.pack(">Q", len(text)), text).hex()


def clock(ms):
    return {"utc": f"2026-03-01T10:42:{ms // 1000:02}.{ms % 1000:03}Z", "mono_ms": ms, "boot_id": "b0"}


def opening(journal_id, sweep_id, count, **more):
    return {
        "kind": "opening", "format": "cutoff-sweep", "version": 1, "critical": [], "hash_alg": "sha-256",
        "tool": {"name": "vectors", "version": "1", "commit": "unknown"},
        "journal_id": journal_id, "sweep_id": sweep_id, "previous_head": None,
        "plan": {"hash": "ab" * 32, "count": count},
        "connection": {"scheme": "https", "host": "test.stytch.com", "port": 443, "public_token_sha256": "cd" * 32,
                       "organization_id": "organization-test-1", "environment": "test"},
        "actor": {"member_id": "member-test-1", "member_session_id": "member-session-test-1",
                  "roles": ["stytch_admin"], "factors": ["email_otp"], "impersonator": None},
        "reason": None, **more,
    }


def grant(n, member, app, **more):
    return {"kind": "grant", "n": n, "member_id": member, "connected_app_id": app, "client_type": "third_party_public",
            "scopes": ["openid"], "first_party": False, "route": "member", "person": None, "app_name": None, **more}


def intent(attempt, n):
    return {"kind": "intent", "attempt": attempt, "n": n}


def answer(attempt, n, **more):
    return {"kind": "answer", "attempt": attempt, "n": n, "sent": clock(30), "answered": True, "status": 200, "error_type": None,
            "request_id": "request-id-test-1", "server_date": "Sun, 01 Mar 2026 10:42:01 GMT", "failure": None, **more}


def read(number, present, absent):
    return {"kind": "read", "read": number, "view": "app", "subject": "connected-app-test-1", "began": clock(50), "ended": clock(60),
            "answered": True, "status": 200, "error_type": None, "request_id": "request-id-test-2", "server_date": None,
            "complete": True, "unreadable": 0, "present": present, "absent": absent,
            "policy": {"first_party": "ALL_ALLOWED", "third_party": "RESTRICTED", "app_forbidden": False}, "others_listed": None}


def note(what, **detail):
    return {"kind": "note", "what": what, "detail": detail}


def closing(rows, **counts):
    return {"kind": "closing", "counts": counts, "rules_version": 1, "rows": rows}


def lines(bodies, escape):
    """One JSON line per body. Escaping non-ASCII or not makes other bytes of the same row, and so another chain."""
    for seq, body in enumerate(bodies):
        yield json.dumps({"seq": seq, "clock": clock(seq * 10), **body}, separators=(",", ":"), ensure_ascii=escape).encode()


def chain(name, journal_id, sweep_id, all_lines, closed):
    previous = start(journal_id, sweep_id)
    out = {"name": name, "journal_id": journal_id, "sweep_id": sweep_id, "start": previous.hex(), "closed": closed, "rows": []}
    for line in all_lines:
        previous = link(previous, line)
        out["rows"].append({"line": line.decode(), "hash": previous.hex()})
    return out


J, S1, S2, S3 = (str(uuid.UUID(int=n << 64 | n)) for n in (1, 2, 3, 4))
HOSTILE = "member-\u202etest/../%2f \"\\\u0000 \U0001f600 é\u0301"

whole = [opening(J, S1, 2), grant(1, "member-test-7", "connected-app-test-1"),
         grant(2, HOSTILE, "connected-app-test-1", scopes=[], client_type=None, route="self"),
         intent(1, 1), answer(1, 1), intent(2, 2),
         answer(2, 2, answered=False, status=None, request_id=None, server_date=None, failure="timed_out"),
         note("resumed", run="2"), read(1, [2], [1]), intent(3, 2), answer(3, 2, status=404, error_type="connected_app_not_found"),
         read(2, [], [1, 2]), closing(12, revoked=2), read(3, [], [1, 2]), closing(14, revoked=2)]

chains = [
    chain("a sweep of two with a confirming read, closed twice", J, S1, lines(whole, False), True),
    chain("the same rows with escapes have other hashes", J, S1, lines(whole, True), True),
    chain("unfinished", J, S2, lines([opening(J, S2, 1, previous_head="ef" * 32), grant(1, "m", "a"), intent(1, 1)], False), False),
    chain("a kind of row and fields of a later version are passed over", J, S3, lines(
        [opening(J, S3, 1, later={"x": [1]}), grant(1, "m", "a", later=None), {"kind": "weather", "sky": "blue"}, closing(3, unknown=1)],
        False), True),
]

# Each breaks one rule at its last row; everything before is sound.
good = [opening(J, S2, 1), grant(1, "m", "a")]


def broken(why, bodies, edit=lambda line: line):
    made = list(lines(bodies, False))
    made[-1] = edit(made[-1])
    return {"why": why, "at": len(made) - 1, "lines": [line.decode() for line in made]}


refused = [
    broken("no opening row", [grant(1, "m", "a")]),
    broken("two opening rows", good + [opening(J, S2, 1)]),
    broken("another version", [opening(J, S2, 1, version=2)]),
    broken("another format", [opening(J, S2, 1, format="cutoff-plan")]),
    broken("another hash", [opening(J, S2, 1, hash_alg="sha-512")]),
    broken("a critical name that is not known", [opening(J, S2, 1, critical=["weather"])]),
    broken("more grants than planned", good + [grant(2, "m", "b")]),
    broken("a row before all grants are listed", [opening(J, S2, 2), grant(1, "m", "a"), intent(1, 1)]),
    broken("a grant out of turn", [opening(J, S2, 2), grant(2, "m", "a")]),
    broken("an intent for a grant that is not planned", good + [intent(1, 2)]),
    broken("an intent after closing", good + [closing(2, unknown=1), intent(1, 1)]),
    broken("an answer after closing", good + [closing(2, unknown=1), answer(1, 1)]),
    broken("a closing row that miscounts", good + [closing(3, unknown=1)]),
    broken("a row whose number is not its place", good + [note("paused")], lambda l: l.replace(b'"seq":2', b'"seq":3')),
    broken("a moment in another offset", good + [note("paused")], lambda l: l.replace(b'020Z', b'020+00:00')),
    broken("a moment without milliseconds", good + [note("paused")], lambda l: l.replace(b'.020Z', b'Z')),
    broken("a float", good + [intent(1, 1)], lambda l: l.replace(b'"attempt":1', b'"attempt":1.0')),
    broken("an integer beyond 2^53", good + [note("paused")], lambda l: l.replace(b'"mono_ms":20', b'"mono_ms":9007199254740992')),
    broken("a key twice", good + [intent(1, 1)], lambda l: l.replace(b'"n":1', b'"n":1,"n":1')),
    broken("a key twice, once in disguise", good + [intent(1, 1)], lambda l: l.replace(b'"n":1', b'"n":1,"\\u006e":1')),
    broken("a lone surrogate", good + [note("paused", a="b")], lambda l: l.replace(b'"b"', b'"\\ud800"')),
    broken("white space between tokens", good + [intent(1, 1)], lambda l: l.replace(b'"n":1', b'"n": 1')),
    broken("a line break at the end", good + [intent(1, 1)], lambda l: l + b"\n"),
    broken("a row without a clock", good + [intent(1, 1)], lambda l: l.replace(b'"clock"', b'"watch"')),
]

commitments = [{"salt": salt.hex(), "text": text, "commitment": commitment(salt, text)} for salt, text in [
    (bytes(16), ""), (bytes(range(16)), '{"name":"Ada Lovelace","email":"ada@acme.test"}'), (b"\xff" * 16, "DataSync \U0001f600"),
]]

(HERE / "v1.json").write_text(
    json.dumps({"chains": chains, "refused": refused, "commitments": commitments}, indent=1, ensure_ascii=True) + "\n")
