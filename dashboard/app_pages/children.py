"""Each child: distribution, share, interval; by speaker, age, activity or location."""

from __future__ import annotations

from dashboard import by_child, data, labels, summaries
from dashboard.charts.children import children_rows
from dashboard.charts.readable import shares_table
from dashboard.components.captions import (
    MIN_DRAWN,
    chance_note,
    interval_note,
    score_axis,
    setting_note,
    undrawn_note,
)
from dashboard.components.child_pair import child_pair
from dashboard.components.child_table import child_table
from dashboard.components.figure import clicked_point, current_look
from dashboard.components.group_differences import group_differences
from dashboard.components.groups import groups_of
from dashboard.components.share_by_age import share_by_age
from dashboard.components.url_choice import url_choice
from dashboard.components.view import open_view, stop_when_empty
from dashboard.navigation import child_from_url, open_moments_of_child
from dashboard.queries import chance, shares

view = open_view("Children")
measure, options, look = view.measure, view.store.options, current_look()
counts = data.count(view.store, shares.counts_by_recording, view.filters, measure)
stop_when_empty(len(counts))
by_chance = data.count(view.store, chance.chance_by_recording, view.filters, measure)
width = summaries.score_width(counts)
bins = data.count(view.store, shares.score_bins, view.filters, measure, width)
share = data.count(view.store, by_child.share_of_all, view.filters, measure)
children = summaries.children_in_order(
    data.count(view.store, by_child.shares_of_children, view.filters, measure),
    data.count(view.store, by_child.excess_of_children, view.filters, measure),
    marked=child_from_url(),
)

split = "none"
if len(options.splits) > 1:
    split = url_choice(
        "Split the shares by",
        options.splits,
        param="split",
        default="none",
        words=labels.GROUPS.__getitem__,
    )
split_shares, split_counts = children, counts
if split != "none":
    split_counts = data.count(view.store, shares.counts_by_recording, view.filters, measure, split)
    split_shares = data.count(view.store, by_child.shares_of_children, view.filters, measure, split)
drawn = split_shares
if split != "none":
    drawn = split_shares[split_shares["n_scored"] >= MIN_DRAWN]
groups = groups_of(split, options, look)
clicked = clicked_point(
    children_rows(
        children,
        bins,
        drawn,
        groups=groups,
        width=width,
        threshold=measure.threshold,
        axis_title=score_axis(measure),
        look=look,
    ),
    key="children_rows",
    title="Scores and shares of highly aligned utterances by child",
    hint="A click on a dot opens the moments of that child.",
    caption=f"{undrawn_note(split_shares, drawn)}{setting_note(measure)} "
    f"{interval_note(share)} {chance_note(measure, options)}",
    setting="",
    table=shares_table(split_shares, groups),
)
if clicked:
    open_moments_of_child(view.filters, clicked[0])
child_table(view, children)
group_differences(view, split, split_counts, groups)

if options.has_ages:
    share_by_age(view, counts, by_chance)
if len(children) > 1:
    child_pair(view, children, counts, bins, width)
