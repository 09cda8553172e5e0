#!/usr/bin/env python3
"""Checks an evidence pack of Cutoff, from nothing but EVIDENCE.md and Python's standard library: a second witness beside `cutoff verify`.

    verify_pack.py PACK... [--head H]     one line of JSON for each pack; exit 0 if all hold together, else 1

It does not derive outcomes from the rows again (only that the closing row counts each grant once); `cutoff verify` does.
"""

import hashlib
import json
import re
import struct
import sys
import uuid
import zlib
from datetime import datetime

LARGEST = 512 * 1024 * 1024
FILES = ["manifest.json", "rows.jsonl", "people.json", "grants.csv", "letter.txt", "report.html"]
HEX32, HEX64 = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{64}")
# Tokens of JSON without white space between them, and integers only. What they add up to is for the parser.
TOKEN = re.compile(rb'(?:"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?![0-9.eE])|[{}\[\],:]|true|false|null)*')


class Broken(Exception):
    pass


def must(true, why):
    if not true:
        raise Broken(why)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def pairs(found):
    must(len(dict(found)) == len(found), "a key occurs twice")
    return dict(found)


def strict(data):
    """One JSON object that every reader reads alike."""
    must(len(data) <= 16 * 1024 * 1024 and data[:1] == b"{" and TOKEN.fullmatch(data) and b"-0" not in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", data), "not in the strict form")
    value = json.loads(data.decode("utf-8"), object_pairs_hook=pairs)
    todo = [(value, 0)]
    while todo:
        part, depth = todo.pop()
        must(depth <= 32, "nested too deep")
        if isinstance(part, str):
            part.encode("utf-8")  # a lone surrogate cannot be
        elif isinstance(part, int):
            must(abs(part) < 2**53, "an integer beyond 2^53")
        elif isinstance(part, dict):
            todo += [(key, depth) for key in part] + [(inner, depth + 1) for inner in part.values()]
        elif isinstance(part, list):
            todo += [(inner, depth + 1) for inner in part]
    return value


def may_lack(kind):
    return lambda value: value is None or fits(value, kind)


def whole(bits):
    return lambda value: type(value) is int and 0 <= value < 2**bits


def moment(value):
    must(re.fullmatch(r"(?!0000|9999)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", value), "not a moment")
    return datetime.fromisoformat(value[:-1]) is not None


def fits(value, kind):
    """Whether a value is of a kind: a type, a function, a list of one kind, or an object with such fields and others."""
    if isinstance(kind, dict):
        return isinstance(value, dict) and all(fits(value.get(key), inner) for key, inner in kind.items())
    if isinstance(kind, list):
        return isinstance(value, list) and all(fits(inner, kind[0]) for inner in value)
    return isinstance(value, kind) if isinstance(kind, type) else bool(kind(value))


def digest(value):
    return isinstance(value, str) and HEX64.fullmatch(value)


def only(kind):
    return lambda value: fits(value, kind) and set(value) == set(kind)


U16, U32, U64, TEXT, DIGEST = whole(16), whole(32), whole(64), may_lack(str), may_lack(digest)
CLOCK = {"utc": moment, "mono_ms": U64, "boot_id": str}
CAME = {"answered": bool, "status": may_lack(U16), "error_type": TEXT, "request_id": TEXT, "server_date": TEXT}
POLICY = only({"first_party": str, "allowed_first_party": [str], "third_party": str, "allowed_third_party": [str]})
# The fields of each kind of row, as in EVIDENCE.md.
FIELDS = {
    "opening": {"format": str, "version": U32, "critical": [str], "hash_alg": str, "tool": {"name": str, "version": str, "commit": str}, "journal_id": str,
                "sweep_id": str, "previous_head": DIGEST, "plan": {"hash": digest, "count": U64}, "organization_name": DIGEST, "reason": DIGEST,
                "connection": {"scheme": str, "host": str, "port": U16, "public_token_sha256": digest, "organization_id": str, "environment": str},
                "actor": {"member_id": str, "member_session_id": str, "roles": [str], "factors": [str], "person": DIGEST, "impersonator": DIGEST}},
    "grant": {"n": U32, "member_id": str, "connected_app_id": str, "client_type": TEXT, "scopes": [str], "first_party": bool, "route": str,
              "member_roles": may_lack([str]), "person": DIGEST, "app_name": DIGEST},
    "intent": {"attempt": U32, "n": U32},
    "answer": {"attempt": U32, "n": U32, "sent": CLOCK, "failure": TEXT, **CAME},
    "read": {"read": U32, "view": str, "subject": TEXT, "began": CLOCK, "ended": CLOCK, **CAME, "complete": bool, "unreadable": U32, "present": [U32],
             "absent": [U32], "policy": may_lack({"first_party": TEXT, "third_party": TEXT, "app_forbidden": may_lack(bool)}), "others_listed": may_lack(U32)},
    "policy_intent": {"attempt": U32, "purpose": str, "before": POLICY, "after": POLICY},
    "policy_answer": {"attempt": U32, "sent": CLOCK, "failure": TEXT, **CAME},
    "policy_read": {"began": CLOCK, "ended": CLOCK, **CAME, "state": may_lack(POLICY)},
    "collateral": {"grants": [only({"member_id": str, "connected_app_id": str})]},
    "note": {"what": str, "detail": lambda detail: isinstance(detail, dict) and fits(list(detail.values()), [str])},
    "closing": {"counts": lambda counts: isinstance(counts, dict) and fits(list(counts.values()), [U64]), "rules_version": U32, "rows": U64},
}


def canonical(data, keys):
    """JSON in its one form, with exactly these keys in this order."""
    value = strict(data)
    must(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() == data and list(value) == keys, "not in its one form")
    return value


def archive(entries):
    out, directory = b"", b""
    for name, data in entries:
        shared = struct.pack("<5H3I2H", 10, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
        directory += b"PK\1\2" + struct.pack("<H", 0x031E) + shared + bytes(6) + struct.pack("<2I", 0o100600 << 16, len(out)) + name
        out += b"PK\3\4" + shared + name + data
    return out + directory + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, len(entries), len(entries), len(directory), len(out), 0)


def unpack(data):
    must(len(data) <= LARGEST, "larger than a pack can be")
    entries, at = [], 0
    while data[at:at + 4] == b"PK\3\4" and len(entries) <= len(FILES):
        must(len(data) >= at + 30, "cut off")
        size, length = struct.unpack("<I", data[at + 18:at + 22])[0], struct.unpack("<H", data[at + 26:at + 28])[0]
        start = at + 30 + length
        entries.append((data[at + 30:start], data[start:start + size]))
        at = start + size
    names = [name.decode("utf-8") for name, _ in entries]
    must(names == [name for name in FILES if name in names] and names[:2] == FILES[:2], "its files, or their order")
    must(archive(entries) == data, "not an archive in its one form")
    return {name: inner for name, (_, inner) in zip(names, entries)}


def walk(data):
    """The rows, and the hash of each."""
    must(data.endswith(b"\n"), "the rows do not end with the end of a line")
    rows, hashes, planned, grants, closed = [], [], 0, 0, False
    for seq, line in enumerate(data[:-1].split(b"\n")):
        row = strict(line)
        kind, n = row["kind"], row.get("n")
        must(isinstance(kind, str) and row["seq"] == seq and type(row["seq"]) is int, "a row out of its place")
        must(fits(row.get("clock"), CLOCK) and fits(row, FIELDS.get(kind, {})), "a row without the fields of its kind")
        must((kind == "opening") == (seq == 0), "one opening, in front")
        if kind == "opening":
            must((row["format"], row["version"], row["critical"], row["hash_alg"]) == ("cutoff-sweep", 1, [], "sha-256"), "rows of another format")
            planned, previous = row["plan"]["count"], sha(b"cutoff-chain-v1\0", uuid.UUID(row["journal_id"]).bytes, uuid.UUID(row["sweep_id"]).bytes)
        elif kind == "grant":
            grants += 1
            must(seq == grants == n and grants <= planned, "a grant out of its place")
        else:
            must(grants == planned, "fewer grants than planned")
            must(kind not in ("intent", "answer") or (1 <= n <= planned and not closed), "a request that cannot be")
            must(kind != "closing" or row["rows"] == seq, "a closing row counts other rows")
            closed = closed or kind == "closing"
        previous = sha(b"cutoff-row-v1\0", previous, struct.pack(">Q", len(line)), line)
        rows.append(row)
        hashes.append(previous.hex())
    must(grants == planned, "fewer grants than planned")
    for closing in [row for row in rows if row["kind"] == "closing"][-1:]:
        must(sum(closing["counts"].values()) == planned and min(closing["counts"].values(), default=0) >= 0, "the closing row does not count every grant once")
    return rows, hashes, closed


def check_people(data, rows):
    places = {}
    for row in rows:
        if row["kind"] == "opening":
            actor = row["actor"]
            found = [("reason", actor["member_id"], row.get("reason")), ("impersonator", actor["member_id"], actor.get("impersonator")),
                     ("member", actor["member_id"], actor.get("person")), ("organization", row["connection"]["organization_id"], row.get("organization_name"))]
        elif row["kind"] == "grant":
            found = [("member", row["member_id"], row.get("person")), ("app", row["connected_app_id"], row.get("app_name"))]
        elif row["kind"] == "note" and row["what"] == "indicator":
            found = [("indicator", row["detail"].get("n", ""), row["detail"].get("text"))]
        else:
            continue
        for kind, subject, commitment in found:
            if digest(commitment):
                places.setdefault(commitment, set()).add((kind, subject))
    if data is None:
        return len(places)
    people = canonical(data, ["format", "version", "people"])
    must((people["format"], people["version"]) == ("cutoff-people", 1) and whole(32)(people["version"]), "people of another format")
    entries = people["people"]
    must(isinstance(entries, list), "people of another format")
    must([e["commitment"] for e in entries] == sorted({e["commitment"] for e in entries}), "people out of order")
    for entry in entries:
        must(list(entry) == ["commitment", "kind", "subject", "salt", "text"] and HEX32.fullmatch(entry["salt"]), "not an entry of people")
        text = entry["text"].encode()
        made = sha(b"cutoff-commitment-v1\0", bytes.fromhex(entry["salt"]), struct.pack(">Q", len(text)), text).hex()
        must(made == entry["commitment"] and (entry["kind"], entry["subject"]) in places.get(made, ()), "a text that was not committed to")
    return len(places) - len(entries)


def verify(data, head=None):
    files = unpack(data)
    manifest = canonical(files["manifest.json"], ["format", "version", "critical", "hash_alg", "tool", "journal_id", "sweep_id", "chain_head", "rows", "files"])
    must(whole(32)(manifest["version"]) and all(manifest[key] == str(uuid.UUID(manifest[key])) for key in ("journal_id", "sweep_id")), "not a manifest")
    must((manifest["format"], manifest["version"], manifest["critical"], manifest["hash_alg"]) == ("cutoff-evidence", 1, [], "sha-256"), "of another format or a later version")
    must(list(manifest["tool"]) == ["name", "version", "commit"] and all(isinstance(text, str) for text in manifest["tool"].values()), "not a manifest")
    listed = {entry["name"]: entry for entry in manifest["files"]}
    must([e["name"] for e in manifest["files"]] == [f for f in FILES if f in listed and f not in ("manifest.json", "people.json")], "it names what a pack does not have")
    must(set(files) - {"manifest.json", "people.json"} <= set(listed), "a file that the manifest does not name")
    for name, entry in listed.items():
        must(list(entry) == ["name", "size", "sha256"] and whole(64)(entry["size"]) and HEX64.fullmatch(entry["sha256"]), "not a manifest")
        if name in files:
            must((entry["size"], entry["sha256"]) == (len(files[name]), sha(files[name]).hex()), name + " is not what it was")
    rows, hashes, closed = walk(files["rows.jsonl"])
    must((manifest["journal_id"], manifest["sweep_id"], manifest["chain_head"], manifest["rows"]) == (rows[0]["journal_id"], rows[0]["sweep_id"], hashes[-1], len(rows)), "a manifest of other rows")
    erased = check_people(files.get("people.json"), rows)
    own = sha(files["manifest.json"]).hex()
    must(head is None or head == own or head in hashes, "it holds together, and is not what the head was noted of")
    # Grants that a request left for; and others that one may have left for: about to be sent, and nothing more is recorded.
    kept_back = {(row["n"], row["attempt"]): row.get("failure") == "not_sent" for row in reversed(rows) if row["kind"] == "answer"}
    came = [(row["n"], kept_back.get((row["n"], row["attempt"]))) for row in rows if row["kind"] == "intent"]
    sent = {n for n, kept in came if kept is False}
    maybe_sent = {n for n, kept in came if kept is None} - sent
    finding = None
    if len(rows) > 1 and (rows[1]["kind"], rows[1].get("what")) == ("note", "indicator"):
        notes = [row for row in rows if row["kind"] == "note"]
        by = [row["detail"].get("matched_by", "none") for row in notes if row["what"] == "indicator"]
        all_read = next((row["detail"].get("complete") for row in notes if row["what"] == "indicators"), None) == "true"
        found = len(by) - by.count("none")
        finding = {"indicators": len(by), "found": found, "complete": all_read, "nil": all_read and not found}
    vouched = None if head is None else len(rows) if head == own else hashes.index(head) + 1
    return {"verdict": "consistent" if head is None else "unchanged", "head_of": head and ("pack" if head == own else "rows"), "rows_vouched": vouched,
            "head": own, "chain_head": hashes[-1], "rows": len(rows), "grants": rows[0]["plan"]["count"], "sent": len(sent), "maybe_sent": len(maybe_sent), "finding": finding, "closed": closed, "erased": erased}


def main(words):
    head = words[words.index("--head") + 1].strip().lower() if "--head" in words else None
    packs = [word for at, word in enumerate(words) if word != "--head" and words[at - 1:at] != ["--head"]]
    sound = bool(packs)
    for pack in packs:
        try:
            with open(pack, "rb") as file:
                told = verify(file.read(LARGEST + 1), head)
        # Whatever a hostile pack makes stumble is broken.
        except Exception as why:
            told, sound = {"verdict": "broken", "why": str(why) if isinstance(why, Broken) else type(why).__name__}, False
        print(json.dumps({"pack": pack, **told}))
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
