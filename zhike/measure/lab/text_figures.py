"""The figures of `zhike lab text`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zhike.measure.mining import calibrating
from zhike.measure.mining.folds import Ints
from zhike.measure.mining.linear import Floats
from zhike.measure.mining.sorting import PARTS, Sorter

if TYPE_CHECKING:
    from zhike.measure.lab.labelled import Labelled
    from zhike.measure.lab.text import Learnt, Tried

TWO_SIDED_95 = 1.959963984540054
CURVE = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
DRAWS_UNTIL, DRAWS = 200, 3
MOST_CONFUSIONS, EXAMPLES, EXAMPLE_LENGTH = 6, 2, 90


def figures(given: Labelled, test: Labelled | None, tried: Tried, learnt: Learnt, *, sure: float) -> dict[str, Any]:
    """Return what --json prints, without the learning curve."""
    right, confidence = tried.right, tried.confidence
    by_label = _by_label(tried, learnt)
    answered = right[tried.sure]
    low, high = interval(int(right.sum()), len(right))
    return {
        "rows": given.rows,
        "learnt_from": len(learnt.corpus),
        "judged": len(right),
        "test": None if test is None else {"rows": test.rows},
        "how": f"{PARTS}-fold, the same text always in one part" if test is None else "test file",
        "texts": len(np.unique(learnt.corpus.group)),
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": float(np.mean([one["f1"] for one in by_label if one["rows"]])),
        "unsure_share": float(1 - tried.sure.mean()),
        "answered_accuracy": float(answered.mean()) if len(answered) else None,
        "sure": sure,
        "threshold": learnt.model.threshold if learnt.model.threshold <= 1 else None,
        "ece": calibrating.calibration_error(confidence, right),
        "log_loss": float(losses(tried).mean()),
        "accuracy_any_label": float(_any_label(tried).mean()),
        "majority": _majority(tried, learnt),
        "labels": by_label,
        "confusion": _confusion(tried),
        "confusions": _confusions(tried),
        "reliability": [
            {"share": share, "stated": stated, "true": true}
            for share, stated, true in calibrating.reliability(confidence, right)
        ],
    }


def interval(right: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z2 = TWO_SIDED_95**2
    share = right / of
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    spread = TWO_SIDED_95 * np.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return float(max(0.0, middle - spread)), float(min(1.0, middle + spread))


def losses(tried: Tried) -> Floats:
    """Return minus the logarithm of the probability of the truth, of a label never learnt that of one in a million."""
    known = tried.truth >= 0
    found = np.full(len(tried.truth), 1e-6)
    found[known] = tried.probabilities[np.flatnonzero(known), tried.truth[known]]
    return np.asarray(-np.log(np.maximum(found, 1e-6)))


def _all_names(tried: Tried) -> list[str]:
    return [*tried.names, *sorted(set(tried.truth_names) - set(tried.names))]


def _truth(tried: Tried, names: list[str]) -> Ints:
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[name] for name in tried.truth_names], dtype=np.int64)


def _by_label(tried: Tried, learnt: Learnt) -> list[dict[str, Any]]:
    names = _all_names(tried)
    truth, answers = _truth(tried, names), tried.answers
    speaking = learnt.model.speaking(learnt.corpus)
    found = []
    for place, name in enumerate(names):
        meant, said = truth == place, answers == place
        both = int((meant & said).sum())
        precision = both / int(said.sum()) if said.any() else 0.0
        recall = both / int(meant.sum()) if meant.any() else 0.0
        known = place < len(tried.names)
        found.append(
            {
                "label": name,
                "rows": int(meant.sum()),
                "learnt_from": int((learnt.labels == place).sum()),
                "precision": precision,
                "recall": recall,
                "f1": 2 * precision * recall / (precision + recall) if both else 0.0,
                "answered": int((said & tried.sure).sum()),
                "terms": speaking[place] if known else [],
            }
        )
    return found


def _any_label(tried: Tried) -> Any:
    """Say which answers are one of the labels that the same text has anywhere among those judged."""
    pairs = set(zip(tried.group.tolist(), tried.truth.tolist(), strict=True))
    return np.array([pair in pairs for pair in zip(tried.group.tolist(), tried.answers.tolist(), strict=True)])


def _majority(tried: Tried, learnt: Learnt) -> dict[str, Any]:
    commonest = int(np.bincount(learnt.labels, minlength=len(tried.names)).argmax())
    share = float((tried.truth == commonest).mean())
    return {"label": tried.names[commonest], "accuracy": share}


def _confusion(tried: Tried) -> dict[str, Any]:
    names = _all_names(tried)
    size = len(names)
    counts = np.bincount(_truth(tried, names) * size + tried.answers, minlength=size * size).reshape(size, size)
    return {"labels": names, "counts": counts.tolist()}


def _confusions(tried: Tried) -> list[dict[str, Any]]:
    """Return the largest confusions with texts of which the model was most convinced."""
    names = _all_names(tried)
    truth = _truth(tried, names)
    wrong = np.flatnonzero(truth != tried.answers)
    pairs, counts = np.unique(truth[wrong] * len(names) + tried.answers[wrong], return_counts=True)
    found = []
    for at in np.argsort(-counts, kind="stable")[:MOST_CONFUSIONS]:
        meant, said = divmod(int(pairs[at]), len(names))
        here = wrong[(truth[wrong] == meant) & (tried.answers[wrong] == said)]
        worst = here[np.argsort(-tried.confidence[here], kind="stable")]
        examples = list(dict.fromkeys(shortened(tried.texts[row]) for row in worst))[:EXAMPLES]
        found.append({"truth": names[meant], "answer": names[said], "rows": int(counts[at]), "examples": examples})
    return found


def shortened(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXAMPLE_LENGTH else f"{line[: EXAMPLE_LENGTH - 1]}…"


def curve(learnt: Learnt, held: Ints, tried: Tried, count: int) -> list[dict[str, float]]:
    """Return accuracy on a fifth kept back, by how many labelled texts of the rest were learnt from."""
    rest = np.setdiff1d(np.arange(len(learnt.corpus)), held)
    judged, truth = learnt.corpus.only(held), learnt.labels[held]
    found = []
    for size in [*(size for size in CURVE if size < 0.8 * len(rest)), len(rest)]:
        scored = []
        for draw in range(DRAWS if size <= DRAWS_UNTIL and size < len(rest) else 1):
            if size == len(rest):
                scores = learnt.trial.scores[held]  # The trial has learnt from all of them already.
            else:
                rows = np.random.default_rng(draw).permutation(rest)[:size]
                scores = Sorter.learn(learnt.corpus.only(rows), learnt.labels[rows], count).scores(judged)
            answers = scores.argmax(axis=1)
            scored.append([float((answers == truth).mean()), macro_f1(truth, answers, count)])
        accuracy, f1 = np.mean(scored, axis=0)
        found.append({"labels": size, "accuracy": float(accuracy), "macro_f1": float(f1)})
    return found


def macro_f1(truth: Ints, answers: Ints, count: int) -> float:
    """Return the mean F1 of the labels that occur in the truth."""
    both = np.bincount(truth[truth == answers], minlength=count)
    meant, said = np.bincount(truth, minlength=count), np.bincount(answers, minlength=count)
    occurs = meant > 0
    return float((2 * both[occurs] / (meant + said)[occurs]).mean())
