"""A server says that it serves a study, keeps daily copies and sweeps; waiting blocks nobody."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import anyio
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.export_desk import LIFETIME_S, sweep_exports
from dashboard.keeping import Keeper
from dashboard.waiting import IsWanted, WaitingRoom
from pipeline.media.file_cache import sweep_clips
from pipeline.people.marks import star
from pipeline.people.served import is_served
from pipeline.people.store import MomentRef, PeopleStore, people_store
from pipeline.records import TimeSpan

NOON = datetime.now(timezone.utc).replace(hour=12)
OLD, YOUNG = "0" * 16, "1" * 16
MOMENT = MomentRef("rec1", "u1", TimeSpan(0, 900))


def test_a_server_that_serves_is_seen_until_it_ends(tmp_path: Path):
    keeper = Keeper(tmp_path)
    assert keeper.is_marked
    assert is_served(tmp_path)
    keeper.close()
    assert not is_served(tmp_path)
    assert not list((tmp_path / "people").glob("served-*"))


def test_a_day_after_work_has_its_copy_though_nobody_writes(tmp_path: Path):
    star(PeopleStore(people_store(tmp_path).path, lambda: NOON), MOMENT)
    days = [0]
    keeper = Keeper(tmp_path, now=lambda: NOON + timedelta(days=days[0]))
    assert keeper.look()
    assert not keeper.look()
    days[0] = 1
    keeper.look()
    assert len(people_store(tmp_path).backups()) in (1, 2)
    people_store(tmp_path).path.write_bytes(b"damaged " * 999)
    days[0] = 2
    assert not keeper.look()
    keeper.close()


def test_old_exports_and_halves_of_clips_are_swept_and_young_ones_stay(tmp_path: Path):
    old, young = (tmp_path / "derived" / "exports" / name for name in (OLD, YOUNG))
    clips = tmp_path / "derived" / "clips"
    for folder in (old, young, clips):
        folder.mkdir(parents=True)
    for name in ("old.partial", "young.partial", "kept.mp4"):
        (clips / name).write_bytes(b"x")
    (old / "table.zip").write_bytes(b"x")
    long_ago = NOON.timestamp() - LIFETIME_S - 60
    for path in (old, clips / "old.partial", clips / "kept.mp4"):
        os.utime(path, (long_ago, long_ago))
    for path in (young, clips / "young.partial"):
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    keeper = Keeper(tmp_path, (sweep_exports, sweep_clips), now=lambda: NOON)
    keeper.look()
    keeper.close()
    assert {path.name for path in old.parent.iterdir()} == {YOUNG}
    assert {path.name for path in clips.iterdir()} == {"young.partial", "kept.mp4"}


def test_many_who_wait_for_clips_leave_the_servers_own_threads_free():
    room, open_gate, n_waiting = WaitingRoom(), threading.Event(), threading.Semaphore(0)

    def cut(is_wanted: IsWanted) -> Response:
        n_waiting.release()
        open_gate.wait(20)
        return PlainTextResponse("clip")

    async def clip(request: Request) -> Response:
        return await room.answer(request, cut)

    def quick(request: Request) -> Response:
        return PlainTextResponse("quick")

    async def ask() -> tuple[list[str], str]:
        app = Starlette(routes=[Route("/clip", clip), Route("/quick", quick)])
        transport = httpx.ASGITransport(app)
        texts: list[str] = []
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:

            async def watch() -> None:
                texts.append((await client.get("/clip")).text)

            async with anyio.create_task_group() as tasks:
                for _ in range(60):
                    tasks.start_soon(watch)
                for _ in range(60):
                    while not n_waiting.acquire(blocking=False):
                        await anyio.sleep(0.005)
                with anyio.fail_after(10):
                    between = (await client.get("/quick")).text
                open_gate.set()
        return texts, between

    texts, between = anyio.run(ask)
    assert between == "quick"
    assert texts == ["clip"] * 60
