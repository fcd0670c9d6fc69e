"""Writing what a full storm counted into the page that people read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "reliability.md"
CELLS = 6
COLUMNS = "| storm | seed | what happened | found | its sabotage | bound | when |"


def trials(name: str, found: Mapping[str, Any]) -> int:
    """Return how many independent trials a storm made."""
    if name == "T03":
        return len(found["faults"])
    return int(found.get("kills", 1)) + int(found.get("bucket", {}).get("kills", 0))


def row(name: str, found: Mapping[str, Any], sabotage: str, machine: str) -> str:
    """Return the line of the table for a storm that passed."""
    count = trials(name, found)
    bound = f"3/{count} = {300 / count:.1f} %" if count > 1 else "one trial"
    told = f"{datetime.now(UTC):%Y-%m-%d}, {found['minutes']} min, {machine}"
    cells = [name, str(found["seed"]), _happened(name, found), _found(name, found), sabotage, bound, told]
    return f"| {' | '.join(cells)} |"


def _happened(name: str, found: Mapping[str, Any]) -> str:
    events = f"{found['acknowledged']:,} events acknowledged" if "acknowledged" in found else ""
    if name == "T04":
        kills = f"{found['kills']} kills, and {found['bucket']['kills']} with a bucket"
        return f"{found['points']} fail points × {found['seeds']} seeds, {kills}"
    if name == "T03":
        return f"{', '.join(found['faults'])}; {events}"
    if name == "T30":
        return f"429 or 503 told {sum(found['statuses'].get(code, 0) for code in ('429', '503')):,} times; {events}"
    kinds = found.get("killed") or found.get("ways") or {}
    return f"{found['kills']} kills ({', '.join(f'{kind} {count}' for kind, count in sorted(kinds.items()))}); {events}"


def _found(name: str, found: Mapping[str, Any]) -> str:
    if name == "T04":
        return f"{found['missing']} missing, {found['twice']} twice"
    told = f"{found['lost']} lost, {found['duplicated']} duplicated, {found['strange']} never sent"
    if name == "T02":
        told += f"; first 2xx at most {found['longest_to_first_2xx_s']} s after ready"
    if name == "T30":
        most = max(found["memory_mb"].items(), key=lambda each: each[1])
        served = found["other_source"].get("200", 0) / max(1, sum(found["other_source"].values()))
        told += f"; {served:.0%} of another source's requests served; at most {most[1]} MB ({most[0]})"
    return told


def record_sabotage(name: str, seen: str) -> None:
    """Write into a storm's line how its sabotage was seen."""
    text = PAGE.read_text(encoding="utf-8")
    line = next(each for each in text.splitlines() if each.startswith(f"| {name} | ") and each.count(" | ") == CELLS)
    cells = line.split(" | ")
    cells[4] = seen
    PAGE.write_text(text.replace(line, " | ".join(cells)), encoding="utf-8")


def record(name: str, line: str) -> None:
    """Put the line of a storm into the table, in the place of its former one."""
    before, head, after = PAGE.read_text(encoding="utf-8").partition(f"{COLUMNS}\n")
    rule, _, rest = after.partition("\n")
    rows, _, tail = rest.partition("\n\n") if not rest.startswith("\n") else ("", "", rest[1:])
    kept = [each for each in rows.splitlines() if each and not each.startswith(f"| {name} |")]
    PAGE.write_text(f"{before}{head}{rule}\n" + "\n".join(sorted([*kept, line])) + f"\n\n{tail}", encoding="utf-8")
