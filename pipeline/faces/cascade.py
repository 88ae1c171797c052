"""Read a boosted cascade of Haar features, as OpenCV writes it, into arrays."""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import StudyError
from pipeline.records import Float32Array

Int32Array = NDArray[np.int32]
Float64Array = NDArray[np.float64]

_FOLDER = Path(__file__).parent / "cascades"
FRONTAL, PROFILE = "haarcascade_frontalface_alt2", "haarcascade_profileface"
_MAX_NODES = 2
"""Of a tree."""


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """Stages of small trees over features of a square window of `side_px`.

    stage_end (n_stages,): the tree behind each stage's last; stage_threshold (n_stages,).
    tree_node (n_trees + 1,): where the one or two nodes of a tree begin.
    tree_says (n_trees, 4): what a tree adds to its stage's score, by the answers of its nodes: 1 if
    the first reaches its threshold, and 2 more if the second does.
    node_feature, node_threshold (n_nodes,).
    corners (n_features, 3, 4): left, top, right, bottom of up to three rectangles, in pixels of
    the window; weights (n_features, 3), 0 for a rectangle that is not there.
    """

    side_px: int
    stage_end: Int32Array
    stage_threshold: Float32Array
    tree_node: Int32Array
    tree_says: Float64Array
    node_feature: Int32Array
    node_threshold: Float32Array
    corners: Int32Array
    weights: Float32Array


@cache
def load_cascade(name: str) -> Cascade:
    """The cascade shipped under this name. Raises StudyError for a missing or damaged file."""
    path = _FOLDER / f"{name}.xml.gz"
    try:
        root = ElementTree.fromstring(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ElementTree.ParseError) as problem:
        raise StudyError(
            f"The face detector's file {path.name} cannot be read.", hint="Install Coview again."
        ) from problem
    found = root.find("cascade")
    assert found is not None
    return _cascade(found)


def _cascade(root: ElementTree.Element) -> Cascade:
    stage_end, stage_threshold, tree_node, tree_says = [], [], [0], []
    nodes: list[list[float]] = []
    for stage in root.iterfind("stages/_"):
        for tree in stage.iterfind("weakClassifiers/_"):
            numbers = _numbers(tree, "internalNodes")
            own = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
            tree_says.append(_says(own, _numbers(tree, "leafValues")))
            nodes += own
            tree_node.append(len(nodes))
        stage_end.append(len(tree_says))
        stage_threshold += _numbers(stage, "stageThreshold")
    features = [
        [_numbers(rectangle) for rectangle in feature.iterfind("rects/_")]
        for feature in root.iterfind("features/_")
    ]
    corners = np.zeros((len(features), 3, 4), np.int32)
    weights = np.zeros((len(features), 3), np.float32)
    for number, rectangles in enumerate(features):
        for place, (left, top, width, height, weight) in enumerate(rectangles):
            corners[number, place] = (left, top, left + width, top + height)
            weights[number, place] = weight
    node_table = np.array(nodes, np.float64)
    return Cascade(
        side_px=int(_numbers(root, "width")[0]),
        stage_end=np.array(stage_end, np.int32),
        stage_threshold=np.array(stage_threshold, np.float32),
        tree_node=np.array(tree_node, np.int32),
        tree_says=np.array(tree_says, np.float32).astype(np.float64),
        node_feature=node_table[:, 2].astype(np.int32),
        node_threshold=node_table[:, 3].astype(np.float32),
        corners=corners,
        weights=weights,
    )


def _says(nodes: list[list[float]], leaves: list[float]) -> list[float]:
    """What a tree says to each of the four answers of its nodes.

    A node names what comes next when its threshold is not reached and when it is: a node, or, from
    0 downwards, a leaf.
    """
    assert len(nodes) <= _MAX_NODES
    found = []
    for answers in range(1 << _MAX_NODES):
        at = 0
        while True:
            at = int(nodes[at][answers >> at & 1])
            if at <= 0:
                break
        found.append(leaves[-at])
    return found


def _numbers(element: ElementTree.Element, name: str = "") -> list[float]:
    text = element.findtext(name) if name else element.text
    assert text is not None
    return [float(part) for part in text.split()]
