"""Clips are cut a few at a time: for those who wait first, and not for those who left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.media.file_cache import FileCache
from pipeline.media.turns import Asking, NotWantedError, Turns


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.002)


def test_who_waits_goes_before_who_asks_ahead_and_each_in_the_order_they_came():
    turns, order, let_go = Turns(1), list[str](), threading.Event()

    def take(name: str, is_ahead: bool) -> None:
        with turns.turn(Asking(is_ahead=is_ahead)):
            order.append(name)
            let_go.wait(10)

    threads = []
    for n, (name, is_ahead) in enumerate(
        (
            ("first", True),
            ("ahead 1", True),
            ("ahead 2", True),
            ("waits 1", False),
            ("waits 2", False),
        )
    ):
        thread = threading.Thread(target=take, args=(name, is_ahead))
        threads.append(thread)
        thread.start()
        until(lambda n=n: bool(order) and len(turns._waiting) == n)
    let_go.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "waits 1", "waits 2", "ahead 1", "ahead 2"]


def test_no_more_than_allowed_have_a_turn_at_once_and_one_that_fails_gives_it_back():
    turns, lock, running, most = Turns(3), threading.Lock(), [0], [0]

    def take(n: int) -> None:
        try:
            with turns.turn(Asking(is_ahead=n % 2 == 0)):
                with lock:
                    running[0] += 1
                    most[0] = max(most[0], running[0])
                time.sleep(0.01)
                with lock:
                    running[0] -= 1
                if n % 5 == 0:
                    raise RuntimeError
        except RuntimeError:
            pass

    threads = [threading.Thread(target=take, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (running[0], most[0]) == (0, 3)


def test_a_clip_asked_for_ahead_is_cut_at_once_for_one_who_waits_for_it(tmp_path: Path):
    cache = FileCache(tmp_path, suffixes=(".mp4",), max_bytes=10**9)
    cache._turns = Turns(1)
    made, busy = list[str](), threading.Event()

    def make(path: Path) -> None:
        made.append(path.name)
        busy.wait(10)
        path.write_bytes(b"clip")

    def ask(name: str, is_ahead: bool) -> threading.Thread:
        asking = Asking(is_ahead=is_ahead)
        thread = threading.Thread(target=cache.file, args=(name, make, asking))
        thread.start()
        return thread

    threads = [ask("11.mp4", True)]
    until(lambda: len(made) == 1)
    for name, is_ahead in (("aa.mp4", True), ("bb.mp4", True), ("bb.mp4", False)):
        threads.append(ask(name, is_ahead))
        until(lambda: len(cache._turns._waiting) == len(threads) - 1)
    busy.set()
    for thread in threads:
        thread.join(10)
    assert made[1:] == ["bb.mp4", "aa.mp4"]


def test_nothing_is_cut_for_who_left_before_their_turn(tmp_path: Path):
    cache = FileCache(tmp_path, suffixes=(".mp4",), max_bytes=10**9)
    made: list[Path] = []
    with pytest.raises(NotWantedError):
        cache.file("aa.mp4", made.append, Asking(lambda: False))
    assert made == []
    (tmp_path / "bb.mp4").write_bytes(b"clip")
    assert cache.file("bb.mp4", made.append, Asking(lambda: False)) == tmp_path / "bb.mp4"


def test_who_leaves_the_queue_holds_nobody_up():
    turns, has_left, passed = Turns(1), threading.Event(), list[str]()

    def take(name: str, asking: Asking) -> None:
        try:
            with turns.turn(asking):
                passed.append(name)
        except NotWantedError:
            passed.append(f"{name} left")

    with turns.turn():
        leaves = Asking(lambda: not has_left.is_set())
        threads = [
            threading.Thread(target=take, args=(name, asking))
            for name, asking in (("one", leaves), ("two", Asking()))
        ]
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda n=number: len(turns._waiting) == n + 1)
        has_left.set()
        threads[0].join(10)
        assert passed == ["one left"]
    threads[1].join(10)
    assert passed == ["one left", "two"]
