"""The three findings of Ma et al. 2022 as questions, and what a probe's indices answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pipeline.probe_tables import CORPUS
from pipeline.probes.verdicts import Index


class Answer(str, Enum):
    """What a study and a model say to a question."""

    YES = "Yes"
    NO = "No"
    IN_PART = "In part"
    AT_LEAST_IN_PART = "At least in part"
    AT_MOST_IN_PART = "At most in part"
    UNKNOWN = "Cannot be told"


@dataclass(frozen=True, slots=True)
class Finding:
    """A question about two indices with a verdict; the answer is yes where both say so.

    `is_double`: the question asks two things, so one yes and one no are "in part", not no.
    """

    question: str
    first: str
    second: str
    is_double: bool = False


FINDINGS = (
    Finding("Do objects alone count?", "ORI", "GSI"),
    Finding("Is a sentence pattern preferred, and grammar ignored?", "TCI", "OSI", is_double=True),
    Finding("Does the number of visual words beat the truth?", "VWS", "VWS absent - function"),
)


@dataclass(frozen=True, slots=True)
class FindingAnswer:
    """A finding, its answer for one scope, and the two indices it rests on."""

    finding: Finding
    answer: Answer
    first: Index
    second: Index


def answers(indices: Sequence[Index], scope: str = CORPUS) -> tuple[FindingAnswer, ...]:
    """The answers of the corpus or of one child, in the order of FINDINGS."""
    of_name = {index.name: index for index in indices if index.scope == scope}
    return tuple(
        FindingAnswer(
            finding,
            _answer(finding, of_name[finding.first], of_name[finding.second]),
            of_name[finding.first],
            of_name[finding.second],
        )
        for finding in FINDINGS
    )


def _answer(finding: Finding, first: Index, second: Index) -> Answer:
    verdicts = {first.supports, second.supports}
    if verdicts == {True}:
        return Answer.YES
    if verdicts == {None}:
        return Answer.UNKNOWN
    if not finding.is_double:
        return Answer.NO if False in verdicts else Answer.UNKNOWN
    if verdicts == {True, False}:
        return Answer.IN_PART
    if None in verdicts:
        return Answer.AT_LEAST_IN_PART if True in verdicts else Answer.AT_MOST_IN_PART
    return Answer.NO
