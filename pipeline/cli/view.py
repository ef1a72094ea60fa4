"""`mekong view`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.files.progress import Progress
from pipeline.files.terminal import put
from pipeline.stages.filter.decisions import Decisions


def view_command(folder: Path, *, quiet: bool) -> None:
    """Serve the page until Ctrl-C; the address goes to standard output."""
    from pipeline.view.review import Review
    from pipeline.view.server import Server

    progress = Progress(quiet=quiet)
    _check_writable(folder, Decisions(folder, progress.warn).path)
    progress.say(f"reading the pairs of {folder}")
    review = Review(folder, progress.warn)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Server(review) as server:
            put(server.url)
            sys.stdout.flush()
            progress.say("open this address in a browser on this machine; Ctrl-C ends")
            server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        review.finish()
        progress.say(_summary(review.progress(), review.made, folder))
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_writable(folder: Path, path: Path) -> None:
    for place in (folder, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise StoreError(f"cannot write {path}: {place} is not writable", "Copy the run folder, and view the copy.")


def _summary(progress: dict[str, int], made: int, folder: Path) -> str:
    accepted, rejected = progress["accepted"], progress["rejected"]
    lines = [
        f"{made:,} decisions made here; {accepted + rejected:,} of {progress['pairs']:,} pairs decided: "
        f"{accepted:,} accepted, {rejected:,} rejected"
    ]
    if made:
        lines.append(f"`mekong report {folder}` and the next run there write corpus and report with them")
    return "\n".join(lines)
