"""Likeness: what words say of the demand of services, learnt from the catalogue.

    python -m training.orchestrator.tasks.likeness        # writes rapps/orchestrator/usual.csv

By kernel ridge regression: texts are alike by their words and by the vectors of these, MiniLM's, so that words of
like meaning say the like. A training reads each text by words that were learnt without its service, for services
to come are in no catalogue either: so what is told to be usual is as wrong in training as in use.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from scipy.linalg import solve
from scipy.sparse import csr_matrix

from rapps.orchestrator import usual
from rapps.orchestrator.reading import Reading, read
from rapps.orchestrator.task import Task as ServedTask
from rapps.orchestrator.usual import ALL, FILE, STEP, WITHIN, Words
from training.orchestrator.tasks.catalogue import AXES, Service, services
from training.orchestrator.tasks.phrasing import bank
from training.orchestrator.tasks.task import Task

FOLDS = 10
RIDGE = 1.0
COMMON = 20
"""How often a phrase that any service is asked for with counts, for a service's own once."""
_SLOT = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Words and pieces of words, and their vectors, of a mean square length of 1 [words, features]."""

    rows: dict[str, int]
    vectors: np.ndarray

    @classmethod
    def minilm(cls) -> Self:
        """MiniLM's, of Latin letters alone, around their mean."""
        from safetensors.numpy import load_file

        # It loads torch, which reading tasks does not need.
        from training.slicing.llm import minilm_folder

        folder = minilm_folder()
        words = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        known = [row for row, word in enumerate(words) if re.fullmatch(f"({WITHIN})?[a-z]+", word)]
        table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"][known].astype(float)
        table -= table.mean(axis=0)
        return cls(
            {words[row]: place for place, row in enumerate(known)}, table / np.sqrt((table**2).sum(1).mean())
        )


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """What is learnt from: texts in pieces, and how far the demand that they stand for lies from the mean."""

    pieces: Sequence[Sequence[str]]
    decades: np.ndarray
    """[texts, AXES]."""
    service: np.ndarray
    """Whose each text is by place, -1 where everybody's [texts]."""

    @classmethod
    def of(cls, catalogue: Sequence[Service], known: dict[str, int]) -> Self:
        """The names, descriptions and cues of services, and the phrases that any is asked for with."""
        needs = np.log10([[service.range(axis).middle for axis in AXES] for service in catalogue])
        needs -= needs.mean(axis=0)
        told = [
            (" ".join(texts), needs[place], place)
            for place, service in enumerate(catalogue)
            for texts in (service.names, service.about, service.cues)
        ]
        told += [(text, shift, -1) for text, shift in _phrases(catalogue)]
        cut = [[*usual.pieces(text, known)] for text, _, _ in told]
        kept = [row for row, found in enumerate(cut) if found]
        return cls(
            [cut[row] for row in kept],
            np.array([told[row][1] for row in kept]),
            np.array([told[row][2] for row in kept]),
        )


def learnt(texts: Texts, vectors: Vectors, base: np.ndarray, without: Sequence[np.ndarray]) -> list[Words]:
    """What words say by the texts of all services but some, for each of these groups; `base` as in Words."""
    rows, everybodys = vectors.rows, texts.service < 0
    often = np.where(everybodys, COMMON, 1.0)
    weight = _weights(texts, vectors, often)
    shares = csr_matrix(
        (
            np.concatenate(
                [_shares(np.array([weight[rows[piece]] for piece in found])) for found in texts.pieces]
            ),
            [rows[piece] for found in texts.pieces for piece in found],
            np.cumsum([0, *map(len, texts.pieces)]),
        ),
        shape=(len(texts.pieces), len(rows)),
    )
    features = shares @ vectors.vectors
    alike = features @ features.T + (shares @ shares.T).toarray()
    found = []
    for group in without:
        own = np.flatnonzero(~np.isin(texts.service, group))
        system = alike[np.ix_(own, own)] + np.diag(RIDGE / often[own])
        dual = solve(system, texts.decades[own], assume_a="pos")
        said = vectors.vectors @ (features[own].T @ dual) + shares[own].T @ dual
        found.append(Words(rows, weight, said, base))
    return found


@lru_cache
def crossed() -> tuple[dict[str, int], list[Words]]:
    """The fold of each service of the catalogue, and what words say by the services of all other folds."""
    catalogue = services()
    vectors = Vectors.minilm()
    texts = Texts.of(catalogue, vectors.rows)
    fold = np.random.default_rng(0).permutation(len(catalogue)) % FOLDS
    groups = [np.flatnonzero(fold == number) for number in range(FOLDS)]
    return (
        {service.key: int(number) for service, number in zip(catalogue, fold, strict=True)},
        learnt(texts, vectors, _base(catalogue), groups),
    )


def of_all() -> Words:
    """What words say by the services of the whole catalogue."""
    catalogue, vectors = services(), Vectors.minilm()
    (words,) = learnt(Texts.of(catalogue, vectors.rows), vectors, _base(catalogue), [np.array([], dtype=int)])
    return words


def reading(task: ServedTask) -> Reading:
    """A task's text as it is read in training: its service is not among those that tell what is usual."""
    if not isinstance(task, Task) or task.service not in _keys():
        return read(task.text)
    fold, words = crossed()
    return read(task.text, words[fold[task.service]])


@lru_cache
def _keys() -> frozenset[str]:
    return frozenset(service.key for service in services())


def _base(catalogue: Sequence[Service]) -> np.ndarray:
    base: np.ndarray = np.log10([[service.range(axis).middle for axis in AXES] for service in catalogue]).mean(
        axis=0
    )
    return base


def _phrases(catalogue: Sequence[Service]) -> list[tuple[str, np.ndarray]]:
    """Phrases for any service, and what they say: nothing, or that more or less of one target is wanted."""
    phrases = bank()
    plain = [*phrases.openings, *phrases.asides, *phrases.greetings, *phrases.joined, *phrases.listed]
    for wishes in (phrases.noun, phrases.sentence, phrases.terse):
        plain += [text for own in wishes.values() for text in own]
    found = [(_SLOT.sub(" ", text), np.zeros(len(AXES))) for text in plain]
    for place, axis in enumerate(AXES):
        width = np.mean([np.log10(service.range(axis).high / service.range(axis).low) for service in catalogue])
        for shade, texts in phrases.shades[axis].items():
            shift = np.zeros(len(AXES))
            shift[place] = width / 2.0 if (shade == "strict") == (axis == "throughput") else -width / 2.0
            found += [(text, shift) for text in texts]
    return found


def _weights(texts: Texts, vectors: Vectors, often: np.ndarray) -> np.ndarray:
    """How much each word counts: the less, the more texts it is in; what is in none, as what is in two."""
    count: Counter[str] = Counter()
    for found, times in zip(texts.pieces, often.tolist(), strict=True):
        count.update(dict.fromkeys(found, int(times)))
    total = float(often.sum())
    return np.log1p(total / np.maximum([count[piece] + 1.0 for piece in vectors.rows], 3.0))


def _shares(weights: np.ndarray) -> np.ndarray:
    shares: np.ndarray = weights / np.sqrt(weights @ weights)
    return shares


def main() -> None:
    """Write what the words of the whole catalogue say."""
    words = of_all()
    with FILE.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([ALL, 0, *np.round(words.base / STEP).astype(int)])
        table = np.round(np.column_stack((words.weight, words.said)) / STEP).astype(int)
        lines.writerows([piece, *steps] for piece, steps in zip(words.rows, table.tolist(), strict=True))


if __name__ == "__main__":
    main()
