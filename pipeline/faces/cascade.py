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

_FOLDER = Path(__file__).parent / "cascades"
FRONTAL, PROFILE = "haarcascade_frontalface_alt2", "haarcascade_profileface"


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """Stages of small trees over features of a square window of `side_px`.

    stage_end (n_stages,): the tree behind each stage's last; stage_threshold (n_stages,).
    tree_node, tree_leaf (n_trees,): where the nodes and leaves of a tree begin.
    nodes (n_nodes, 3): next node when smaller, when not, and the feature; 0 and below are leaves.
    node_threshold (n_nodes,); leaves (n_leaves,).
    corners (n_features, 3, 4): left, top, right, bottom of up to three rectangles, in pixels of
    the window; weights (n_features, 3), 0 for a rectangle that is not there.
    """

    side_px: int
    stage_end: Int32Array
    stage_threshold: Float32Array
    tree_node: Int32Array
    tree_leaf: Int32Array
    nodes: Int32Array
    node_threshold: Float32Array
    leaves: Float32Array
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
    stage_end, stage_threshold, tree_node, tree_leaf = [], [], [], []
    nodes: list[list[float]] = []
    leaves: list[float] = []
    for stage in root.iterfind("stages/_"):
        for tree in stage.iterfind("weakClassifiers/_"):
            tree_node.append(len(nodes))
            tree_leaf.append(len(leaves))
            numbers = _numbers(tree, "internalNodes")
            nodes += [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
            leaves += _numbers(tree, "leafValues")
        stage_end.append(len(tree_node))
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
        tree_leaf=np.array(tree_leaf, np.int32),
        nodes=node_table[:, :3].astype(np.int32),
        node_threshold=node_table[:, 3].astype(np.float32),
        leaves=np.array(leaves, np.float32),
        corners=corners,
        weights=weights,
    )


def _numbers(element: ElementTree.Element, name: str = "") -> list[float]:
    text = element.findtext(name) if name else element.text
    assert text is not None
    return [float(part) for part in text.split()]
