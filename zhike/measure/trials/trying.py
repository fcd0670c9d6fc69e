"""A draft and the score in force, side by side, on the same customers of the same past days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.kit.ruletrees import FieldType
from zhike.measure import health, lake, snapshots
from zhike.measure.computing import Watcher
from zhike.measure.facts import fields
from zhike.measure.lake import Engine
from zhike.measure.models import FactsDay
from zhike.measure.specs import ChurnSpec, HealthSpec
from zhike.measure.trials import figures
from zhike.measure.trials.figures import Figure, Judged, Rows

Outcome = Literal["churn", "renewal"]
LostBy = Literal["stage", "orders", "usage", "contract", "renewal"]
Verdict = Literal["too_few", "no_signal", "better", "worse", "same"]
STEP = 7  # Days between the kept days that are read.
EACH = 4  # Every so manieth of them is a day on which customers are scored and counted.
MOST_DAYS = 156
FEWEST_LOST = 20
LATE = 3  # Days after which a day that is computed may hold what was entered later.
GRACE = 7  # Days after the end of a contract by which its renewal is on record.
HORIZON, LEAST_HORIZON, MOST_HORIZON = 90, 14, 365
UNKNOWN = -1


class NothingToTry(Refusal):
    message = _("A draft is tried on kept days with %(horizon)s days after them; so far %(days)s days are kept.")


@dataclass(frozen=True)
class Tried:
    """What came of a trial.

    `lost_by` and `lost_days` say what being lost meant. `lost` counts customers, `rows` customers on days; `unscored`
    rows had no health. `better` is how much the draft's AUC exceeds that of the score in force. `deciles` hold the
    share of lost by tenths of each score, the worst first. `late` is how many of the days were computed long after
    they were over, so that what was entered afterwards may be in them.
    """

    outcome: Outcome
    lost_by: LostBy
    lost_days: int
    horizon: int
    first: date
    last: date
    days: int
    customers: int
    rows: int
    unscored: int
    lost: int
    late: int
    force: Judged
    draft: Judged
    better: Figure
    deciles: Mapping[str, list[float | None]]
    verdict: Verdict


def try_health(
    draft: HealthSpec,
    force: HealthSpec,
    *,
    horizon: int = HORIZON,
    outcome: Outcome = "churn",
    churn: ChurnSpec | None = None,
    watcher: Watcher,
) -> Tried:
    """Try a draft of the health score on the kept days.

    `horizon` is within how many days after a score somebody has to be lost to count: by what the plan calls churn,
    without that by the stage churned, on the days kept afterwards; or, for `renewal`, by a contract that ended within
    the horizon and was not renewed. Raises
    NothingToTry, RuleError for a segment that names no such fact, and LakeFileMissing.
    """
    kept = _grid()
    days = [day for day in kept if day.day <= kept[-1].day - timedelta(days=horizon)][::-1][::EACH][::-1]
    if not days:
        raise NothingToTry(horizon=horizon, days=FactsDay.objects.count())
    allowed = fields()
    with lake.engine() as engine:
        watcher.step(str(_("Finding who was lost")), 0, len(kept))
        gone = Gone(churn if outcome == "churn" else None)
        losses = _losses(engine, kept, gone) if outcome == "churn" else _not_renewed(engine, kept)
        trial = _Trial(engine, allowed, (force, draft), horizon, outcome, gone, losses)
        chosen = {day.day for day in days}
        for place, day in enumerate(kept):
            watcher.step(str(_("Scoring past days")), place, len(kept))
            trial.score(day, counted=day.day in chosen)
    return trial.told()


def _grid() -> list[FactsDay]:
    """Return kept days at least a week apart, the last one among them, oldest first."""
    found: list[FactsDay] = []
    for day in FactsDay.objects.order_by("-day"):
        if not found or (found[-1].day - day.day).days >= STEP:
            found.append(day)
    return found[:MOST_DAYS][::-1]


@dataclass(frozen=True)
class Gone:
    """What being gone means on a kept day: what the plan says, or the stage churned."""

    churn: ChurnSpec | None

    @property
    def column(self) -> str:
        """The fact that tells it."""
        signs = {"orders": "last_order", "usage": "last_usage", "contract": "mrr"}
        return signs[self.churn.by] if self.churn else "stage"

    def sql(self, day: date) -> str:
        """Return the condition on a row of that day; it is never unknown."""
        if self.churn is None:
            return "COALESCE(stage = 'churned', false)"
        if self.churn.by == "contract":
            return "NOT COALESCE(mrr > 0, false)"
        # Who never came is no customer who could still leave.
        return f"COALESCE(DATE '{day.isoformat()}' - {self.column} >= {self.churn.days}, true)"


# A lapse that is over by the next kept day is no loss.
LOSSES = """
SELECT customer_id, day FROM (
  SELECT customer_id, day, gone, LAG(gone) OVER days AS before, COALESCE(LEAD(gone) OVER days, true) AS still
  FROM ({kept}) WINDOW days AS (PARTITION BY customer_id ORDER BY day))
WHERE gone AND NOT before AND still
"""


def _losses(engine: Engine, kept: Sequence[FactsDay], gone: Gone) -> pa.Table:
    """Return customer_id and the first kept day of each loss."""
    told = " UNION ALL ".join(_told(day, gone.column, f"{gone.sql(day.day)} AS gone") for day in kept)
    return engine.query(lake.filled(LOSSES, kept=told))


def _not_renewed(engine: Engine, kept: Sequence[FactsDay]) -> pa.Table:
    """Return customer_id and the end of each contract that was not renewed."""
    ends = engine.query(" UNION ALL ".join(_told(day, "contract_end", "contract_end") for day in kept))
    return engine.query(ENDED, {"grace": GRACE}, ends=ends)


ENDED = """
WITH ended AS (SELECT customer_id, contract_end, MAX(day) AS last FROM ends
               WHERE contract_end IS NOT NULL AND contract_end >= day GROUP BY ALL),
later AS (SELECT ended.customer_id, ended.contract_end,
                 ARG_MIN(COALESCE(ends.contract_end, DATE '0001-01-01'), ends.day) AS told
          FROM ended JOIN ends ON ends.customer_id = ended.customer_id
               AND ends.day >= ended.contract_end + CAST($grace AS INTEGER)
          GROUP BY ALL)
SELECT customer_id, contract_end AS day FROM later WHERE told <= contract_end
"""


def _told(day: FactsDay, column: str, expression: str) -> str:
    """Return the statement for customer_id, an expression over a column, and the day, of a kept day."""
    return lake.filled(
        "SELECT customer_id, {expression}, DATE {day} AS day FROM {kept}",
        expression=expression,
        day=lake.quoted(day.day.isoformat()),
        kept=snapshots.relation(day, [column]),
    )


class _Trial:
    """Gathers scored rows day by day, and the alarms of those who were lost."""

    def __init__(
        self,
        engine: Engine,
        allowed: Mapping[str, FieldType],
        specs: tuple[HealthSpec, HealthSpec],
        horizon: int,
        outcome: Outcome,
        gone: Gone,
        losses: pa.Table,
    ) -> None:
        self.engine, self.allowed, self.specs = engine, allowed, specs
        self.horizon, self.outcome, self.gone, self.losses = horizon, outcome, gone, losses
        named = {gone.column, "contract_end"}
        self.columns = sorted(named.union(*(health.columns(spec, allowed) for spec in specs)) - {"customer_id"})
        self.counted: list[pa.Table] = []
        self.watched: list[pa.Table] = []
        self.days: list[date] = []
        self.late = 0
        self.unscored = 0

    def score(self, day: FactsDay, *, counted: bool) -> None:
        """Score a kept day: everybody where it is counted, else those who were lost sooner or later."""
        known = self.engine.query(
            lake.filled(
                "SELECT * FROM {kept} WHERE NOT {gone} {some}",
                gone=self.gone.sql(day.day),
                kept=snapshots.relation(day, self.columns),
                some="" if counted else "AND customer_id IN (SELECT customer_id FROM losses)",
            ),
            losses=self.losses,
        )
        force, draft = (self._scored(known, spec, day.day) for spec in self.specs)
        rows = self.engine.query(
            SCORED,
            {"day": day.day, "until": day.day + timedelta(days=self.horizon), "renewals": self.outcome == "renewal"},
            known=known,
            force=force,
            draft=draft,
            losses=self.losses,
        )
        self.watched.append(rows.filter(rows["ever"]).select(["customer_id", "day", "force", "draft"]))
        if counted:
            asked = rows.filter(rows["asked"])
            both = asked.filter(asked["scored"])
            self.unscored += asked.num_rows - both.num_rows
            self.counted.append(both.select(["customer_id", "day", "force", "draft", "lost"]))
            self.days.append(day.day)
            self.late += (day.computed_at.date() - day.day).days > LATE

    def _scored(self, known: pa.Table, spec: HealthSpec, day: date) -> pa.Table:
        past = snapshots.HEALTH.empty_table()
        found = health.scores(self.engine, known, spec, past, fields=self.allowed, today=day)
        return found.select(["customer_id", "health"])

    def told(self) -> Tried:
        """Return what came of it."""
        table = pa.concat_tables(self.counted).combine_chunks()
        keys, code = np.unique(table["customer_id"].to_numpy(), return_inverse=True)
        days = table["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
        lost = table["lost"].to_numpy().astype(np.float64)
        drawn = figures.weights(len(keys))
        force, draft = (self._rows(name, spec, table, keys, code, days, lost) for name, spec in self._named())
        judged = figures.judge(force, drawn), figures.judge(draft, drawn)
        better = figures.difference(force, draft, drawn)
        gone = len(np.unique(code[lost > 0]))
        return Tried(
            outcome=self.outcome,
            lost_by=self._lost_by(),
            lost_days=self.gone.churn.days if self.gone.churn else 0,
            horizon=self.horizon,
            first=self.days[0],
            last=self.days[-1],
            days=len(self.days),
            customers=len(keys),
            rows=table.num_rows,
            unscored=self.unscored,
            lost=gone,
            late=self.late,
            force=judged[0],
            draft=judged[1],
            better=better,
            deciles={"force": figures.deciles(force), "draft": figures.deciles(draft)},
            verdict=_verdict(gone, judged[1], better),
        )

    def _lost_by(self) -> LostBy:
        if self.outcome == "renewal":
            return "renewal"
        return self.gone.churn.by if self.gone.churn else "stage"

    def _named(self) -> list[tuple[str, HealthSpec]]:
        return list(zip(("force", "draft"), self.specs, strict=True))

    def _rows(
        self,
        name: str,
        spec: HealthSpec,
        table: pa.Table,
        keys: figures.Whole,
        code: figures.Whole,
        days: figures.Whole,
        lost: figures.Numbers,
    ) -> Rows:
        limit = round(10 * spec.warning_from)
        found = self.warnings(name, limit)
        known = np.searchsorted(keys, found[0])
        inside = (known < len(keys)) & (keys[np.minimum(known, len(keys) - 1)] == found[0]) if len(keys) else known > 0
        return Rows(
            customer=code.astype(np.int64),
            day=days,
            score=table[name].to_numpy().astype(np.int64),
            lost=lost,
            limit=limit,
            event_customer=known[inside],
            event_warning=found[1][inside],
        )

    def warnings(self, name: str, limit: int) -> tuple[figures.Whole, figures.Numbers]:
        """Return customer and days of warning of each loss: how long the last unbroken alarm before it had lasted."""
        watched = pa.concat_tables(self.watched)
        events: dict[int, list[date]] = {}
        for row in self.losses.to_pylist():
            events.setdefault(row["customer_id"], []).append(row["day"])
        scores: dict[int, list[tuple[date, int]]] = {}
        columns = (watched["customer_id"].to_pylist(), watched["day"].to_pylist(), watched[name].to_pylist())
        for key, day, value in zip(*columns, strict=True):
            scores.setdefault(key, []).append((day, value))
        found = [
            (key, _warned(sorted(scores.get(key, [])), day, limit))
            for key, days in sorted(events.items())
            for day in sorted(days)
            if day > self.days[0]
        ]
        return np.array([key for key, _d in found], np.int64), np.array([days for _k, days in found], np.float64)


def _warned(scores: Sequence[tuple[date, int]], lost: date, limit: int) -> int:
    """Return for how many days before the loss the score had been below the limit without a break."""
    begin = lost
    for day, value in reversed(scores):
        if day >= lost:
            continue
        if value == UNKNOWN or value >= limit:
            break
        begin = day
    return (lost - begin).days


# Points as whole tenths, -1 for unknown; the day of the loss lies after the day of the score, never on it.
SCORED = """
SELECT known.customer_id, CAST($day AS DATE) AS day,
       COALESCE(CAST(ROUND(force.health * 10) AS BIGINT), -1) AS force,
       COALESCE(CAST(ROUND(draft.health * 10) AS BIGINT), -1) AS draft,
       force.health IS NOT NULL AND draft.health IS NOT NULL AS scored,
       EXISTS (FROM losses WHERE losses.customer_id = known.customer_id) AS ever,
       EXISTS (FROM losses WHERE losses.customer_id = known.customer_id
               AND losses.day > CAST($day AS DATE) AND losses.day <= CAST($until AS DATE)) AS lost,
       NOT $renewals
       OR (known.contract_end > CAST($day AS DATE) AND known.contract_end <= CAST($until AS DATE)) AS asked
FROM known JOIN force USING (customer_id) JOIN draft USING (customer_id)
"""


def plain(told: Tried) -> dict[str, Any]:
    """Return a trial as plain values, the way it is kept and written as JSON."""
    found = asdict(told)
    return found | {"first": told.first.isoformat(), "last": told.last.isoformat()}


def _verdict(lost: int, draft: Judged, better: Figure) -> Verdict:
    if lost < FEWEST_LOST or better.low is None or better.high is None or draft.auc.low is None:
        return "too_few"
    if draft.auc.low <= 0.5:
        return "no_signal"
    return "better" if better.low > 0 else "worse" if better.high < 0 else "same"
