"""The dashboard's charts, each made as its page makes it, and plain SQL for the same counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dashboard import by_child, summaries
from dashboard.charts import agreement as agreement_charts
from dashboard.charts import comparing as comparing_charts
from dashboard.charts import quality as quality_charts
from dashboard.charts.children import children_rows
from dashboard.charts.distribution import score_distribution, two_distributions
from dashboard.charts.look import LIGHT, Chart
from dashboard.charts.shares import shares_before_after, shares_by_child
from dashboard.components.groups import groups_of
from dashboard.filters import Filters
from dashboard.queries import comparing, quality, shares, words
from dashboard.queries.agreement import joint_counts
from dashboard.queries.arrays import ScoreArrays
from dashboard.queries.opening import StoreConnection, open_store
from dashboard.queries.options import StoreOptions
from dashboard.queries.selection import Measure
from pipeline.stats import histogram

Sql = str
WIDTH = 0.005
"""What `summaries.score_width` says of these scores; the page has counted them before."""


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store as the dashboard has it open."""

    connection: StoreConnection
    options: StoreOptions
    arrays: ScoreArrays

    @property
    def measure(self) -> Measure:
        model = self.options.models[0]
        threshold = model.default_threshold
        assert threshold is not None
        return Measure(model.scorer, "center", "strict", "max", "raw", threshold)

    @property
    def compared(self) -> Measure:
        """What the page that compares crops and windows opens with."""
        crops = self.options.crops
        if len(crops) == 1:
            return self.measure.under(crop=crops[0], window="1s", statistic="max")
        return self.measure.under(crop=crops[1], window="strict", statistic="max")

    @property
    def other(self) -> Measure:
        scorer = self.options.models[1].scorer
        return Measure(scorer, "center", "strict", "max", "raw", self.measure.threshold)


def open_as_pages_do(path: Path) -> OpenStore:
    """Open a store as `dashboard.data` does."""
    return OpenStore(*open_store(path))


@dataclass(frozen=True, slots=True)
class ChartWay:
    """How a chart is made from an open store, and the SQL over raw rows that counts the same."""

    page: str
    make: Callable[[OpenStore, Filters], Chart]
    plain: Callable[[OpenStore], Sql]


def _bins(store: OpenStore, filters: Filters) -> pd.DataFrame:
    return histogram.bins_of_all(shares.score_bins(store.arrays, filters, store.measure, WIDTH))


def _distribution(store: OpenStore, filters: Filters) -> Chart:
    bins = _bins(store, filters)
    cells = shares.null_cells(store.arrays, filters, store.measure)
    return score_distribution(
        bins,
        histogram.expected_bins(cells, bins, WIDTH),
        width=WIDTH,
        threshold=store.measure.threshold,
        axis_title="Cosine",
        look=LIGHT,
    )


def _by_child(store: OpenStore, filters: Filters) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked = store.arrays, filters, store.measure
    return by_child.shares_of_children(*asked), by_child.excess_of_children(*asked)


def _children_shares(store: OpenStore, filters: Filters) -> Chart:
    shares, excess = _by_child(store, filters)
    rows = shares.merge(excess, on="child_id", how="left")
    rows["label"], rows["n"] = rows["child_id"], rows["n_scored"]
    overall = float(rows["share"].mean())
    return shares_by_child(rows, overall=overall, reference=None, look=LIGHT)


def _children_ridges(store: OpenStore, filters: Filters) -> Chart:
    children = summaries.children_in_order(*_by_child(store, filters), marked=None)
    return children_rows(
        children,
        shares.score_bins(store.arrays, filters, store.measure, WIDTH),
        children,
        groups=groups_of("none", store.options, LIGHT),
        width=WIDTH,
        threshold=store.measure.threshold,
        axis_title="Cosine",
        look=LIGHT,
    )


def _children_by_speaker(store: OpenStore, filters: Filters) -> Chart:
    children = summaries.children_in_order(*_by_child(store, filters), marked=None)
    drawn = by_child.shares_of_children(store.arrays, filters, store.measure, "speaker")
    return children_rows(
        children,
        shares.score_bins(store.arrays, filters, store.measure, WIDTH),
        drawn,
        groups=groups_of("speaker", store.options, LIGHT),
        width=WIDTH,
        threshold=store.measure.threshold,
        axis_title="Cosine",
        look=LIGHT,
    )


def _word(store: OpenStore) -> str:
    return "w7" if store.options.models[0].scorer == "synthetic" else "ball"


def _word_distribution(store: OpenStore, filters: Filters) -> Chart:
    own = words.word_bins(store.arrays, filters, store.measure, _word(store), WIDTH)
    parts = {"the word": own, "all": _bins(store, filters)}
    rows = pd.concat(
        pd.DataFrame(
            {"name": name, "bin_start": part["bin_start"], "share": part["n"] / part["n"].sum()}
        )
        for name, part in parts.items()
    )
    return two_distributions(
        rows,
        width=WIDTH,
        threshold=store.measure.threshold,
        axis_title="Cosine",
        colours={"the word": LIGHT.accent, "all": LIGHT.muted},
        look=LIGHT,
    )


def _differences(store: OpenStore, filters: Filters) -> Chart:
    a, b = store.measure, store.compared
    width = by_child.difference_width(store.arrays, filters, a, b)
    return comparing_charts.paired_differences(
        comparing.difference_bins(store.arrays, filters, a, b, width),
        by_child.mean_difference(store.arrays, filters, a, b),
        width=width,
        unit="cosine",
        look=LIGHT,
    )


def _before_after(store: OpenStore, filters: Filters) -> Chart:
    rows = by_child.paired_shares(store.arrays, filters, store.measure, store.compared)
    rows["label"] = rows["child_id"]
    return shares_before_after(rows, names=("A", "B"), look=LIGHT)


def _joint(store: OpenStore, filters: Filters) -> Chart:
    joint = joint_counts(store.arrays, filters, store.measure, store.other)
    threshold = store.measure.threshold
    return agreement_charts.joint_distribution(
        joint.a,
        joint.b,
        joint.counts,
        names=("A", "B"),
        thresholds=(threshold, threshold),
        look=LIGHT,
    )


def _missing(store: OpenStore, filters: Filters) -> Chart:
    rows = quality.counts_by_child(store.arrays, filters, store.measure)
    names = [f"missing_{reason}" for reason in quality.REASONS]
    drawn = pd.DataFrame({"code": names, "label": names, "n": rows[names].sum().to_numpy()})
    return quality_charts.count_bars(drawn, total=int(rows["n"].sum()), look=LIGHT)


def _confidence(store: OpenStore, filters: Filters) -> Chart:
    bins = quality.confidence_bins(store.arrays, filters, store.measure)
    return quality_charts.value_bins(
        bins, width=quality.LOGPROB_WIDTH, x_title="Log-probability", look=LIGHT
    )


def _plain_bins(store: OpenStore) -> Sql:
    m = store.measure
    return f"""SELECT child_id, floor(({m.score} - {m.threshold}) / {WIDTH}) AS bin, count(*)
        FROM scores_wide WHERE scorer = '{m.scorer}' AND {m.score} IS NOT NULL GROUP BY ALL"""


def _plain_counts(store: OpenStore) -> Sql:
    m = store.measure
    return f"""SELECT recording_id, count(*), count({m.score}), sum({m.score}),
            count(*) FILTER ({m.score} >= {m.threshold})
        FROM scores_wide WHERE scorer = '{m.scorer}' GROUP BY ALL"""


def _plain_counts_by_speaker(store: OpenStore) -> Sql:
    return _plain_counts(store).replace("SELECT recording_id", "SELECT recording_id, speaker")


def _plain_word(store: OpenStore) -> Sql:
    return _plain_bins(store).replace(
        "GROUP BY",
        f"AND utterance_id IN (SELECT utterance_id FROM utterances WHERE "
        f"regexp_matches(text, '\\b{_word(store)}\\b')) GROUP BY",
    )


def _plain_differences(store: OpenStore) -> Sql:
    a, b = store.measure, store.compared
    return f"""SELECT floor(({b.score} - {a.score}) / {WIDTH}) AS bin, count(*) FROM scores_wide
        WHERE scorer = '{a.scorer}' GROUP BY ALL"""


def _plain_joint(store: OpenStore) -> Sql:
    a, b = store.measure, store.other
    return f"""SELECT floor(x.{a.score} * 200) AS one, floor(y.{b.score} * 200) AS two, count(*)
        FROM scores_wide x JOIN scores_wide y USING (utterance_number)
        WHERE x.scorer = '{a.scorer}' AND y.scorer = '{b.scorer}' GROUP BY ALL"""


def _plain_missing(store: OpenStore) -> Sql:
    return f"""SELECT child_id, missing_reason, flag_bits, count(*) FROM scores_wide
        WHERE scorer = '{store.measure.scorer}' GROUP BY ALL"""


def _plain_confidence(store: OpenStore) -> Sql:
    return f"""SELECT floor(mean_logprob * 10) AS bin, count(*) FROM scores_wide
        WHERE scorer = '{store.measure.scorer}' GROUP BY ALL"""


WAYS: Mapping[str, ChartWay] = {
    "distribution": ChartWay("Overview", _distribution, _plain_bins),
    "shares of children": ChartWay("Overview", _children_shares, _plain_counts),
    "ridges": ChartWay("Children", _children_ridges, _plain_counts),
    "ridges by speaker": ChartWay("Children", _children_by_speaker, _plain_counts_by_speaker),
    "a word's scores": ChartWay("Words", _word_distribution, _plain_word),
    "differences": ChartWay("Compare", _differences, _plain_differences),
    "before and after": ChartWay("Compare", _before_after, _plain_differences),
    "joint distribution": ChartWay("Models", _joint, _plain_joint),
    "why without a score": ChartWay("Quality", _missing, _plain_missing),
    "confidence": ChartWay("Quality", _confidence, _plain_confidence),
}
