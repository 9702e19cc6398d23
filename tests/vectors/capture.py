"""Capture messages of the running kernel into RELEASE/SCENE.jsonl, one JSON object a line.

Run it at the top of the checkout, as root of a machine of your own, with iproute2 and pytest (the
tables of two live tests are scenes):

    python -m tests.vectors.capture links tc ...

Each scene gets a network namespace. Each record holds `what`, the `kernel`, the `command` that
made the thing, the kernel's name of the `message`, the whole message as `hex` (with struct
nlmsghdr, in the byte order of the machine) and as `json` what `to_json` gave. That is no opinion
of ours alone: `test` names the live test whose table was held against the message just then, and
`shown` is what iproute2 printed of the same thing, by which command: as `json`, or as `text` where
it read the very message (`ip monitor file`). tests/test_vectors_shown.py compares the two. A
record that has neither says why in `alone`. What the kernel or iproute2 refuses is printed and
left out.
"""

import json
import os
import platform
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netlink import Connection, Message, NetlinkError
from netlink._nlsock import CLONE_NEWNET, setns, unshare
from netlink.route import FAMILY
from tests.vectors.scenes import SCENES, Seen, Shot

HERE = Path(__file__).parent
KERNEL = platform.release().partition("-")[0]
FOLDER = HERE / ".".join(KERNEL.split(".")[:2])
SILENCE = 2.0  # seconds, after which an event does not come any more


class Missed(Exception):
    """What a shot wanted was not there."""


def run(command: str) -> str:
    """What a command prints."""
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Missed(f"{command}: {done.stderr.strip()}")
    return done.stdout


def take(nl: Connection, shot: Shot) -> Message | None:
    """Prepare, and receive what is wanted, if anything is."""
    if isinstance(shot.ask, str):
        nl.join(shot.ask)
    if callable(shot.command):
        shot.command(nl)
    else:
        for line in shot.command.splitlines():
            run(line)
    if shot.ask is None:
        return None
    answers = nl.events(timeout=SILENCE) if isinstance(shot.ask, str) else nl.dump(shot.ask)
    found = [answer for answer in answers if isinstance(answer, Message) and shot.wanted(answer)]
    if not found:
        raise Missed(f"no {shot.what} among the answers")
    return found[0]


def described(shot: Shot) -> str:
    """The command, or what a function says that it does."""
    return (shot.command.__doc__ or "") if callable(shot.command) else shot.command


def record(shot: Shot, message: Message) -> dict[str, Any]:
    held = message.to_json()
    found: dict[str, Any] = {
        "what": shot.what,
        "kernel": KERNEL,
        "command": described(shot),
        "message": message.nlmsg_name,
        "hex": whole(message).hex(),
        "json": {name: held[name] for name in shot.fields or held if name in held},
    }
    if shot.check is not None:
        shot.check(message)
        found |= {"test": shot.test} if shot.test else {}
    if shot.shown:
        shown = json.loads(run(shot.shown))
        for step in shot.inside:
            if isinstance(step, tuple):  # the item of a list that says so
                shown = next(item for item in shown if item.get(step[0]) == step[1])
            else:
                shown = shown[step]
        found["shown"] = {"by": shot.shown, "links": links_of(json.dumps(shown)), "json": shown}
    elif shot.alone:
        found["alone"] = shot.alone
    elif shot.check is None:
        by, text = told(message)
        found["shown"] = {"by": by, "links": links_of(text), "text": text}
    return found


# Whose monitor reads messages of that type; all others `ip` does.
TELLERS = {
    "bridge": ("VLAN", "MDB", "TUNNEL"),
    "tc": ("QDISC", "TCLASS", "TFILTER", "CHAIN", "ACTION"),
}


def told(message: Message) -> tuple[str, str]:
    """What iproute2 says of this very message, and the command that made it say so."""
    sort = (message.nlmsg_name or "")[len("RTM_NEW") :]
    tool = next((tool for tool, sorts in TELLERS.items() if sort in sorts), "ip")
    with tempfile.NamedTemporaryFile() as file:
        file.write(whole(message))
        file.flush()
        text = run(f"{tool} -d monitor file {file.name}")
    if not text.strip():
        raise Missed(f"{tool} monitor says nothing of it: its shot has to say `alone`")
    return f"{tool} -d monitor file", text


def links_of(text: str) -> dict[str, int]:
    """The indexes of all links that iproute2 names."""
    return {name: index for index, name in socket.if_nameindex() if named_in(name, text)}


def named_in(name: str, text: str) -> bool:
    """Whether a name stands there by itself."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text) is not None


def capture(scene: list[Shot]) -> Iterator[dict[str, Any]]:
    for shot in scene:
        try:
            with Connection(FAMILY, timeout=20) as nl:
                message = take(nl, shot)
                if message is not None:
                    yield record(shot, message)
        except Seen:
            continue
        except (Missed, NetlinkError, AssertionError, ValueError, LookupError, OSError) as error:
            print(f"{shot.what or described(shot)}: {type(error).__name__} {error}"[:600])
        finally:
            for line in shot.undo.splitlines():
                subprocess.run(shlex.split(line), capture_output=True, timeout=60)


def whole(message: Message) -> bytes:
    """A received message with its struct nlmsghdr."""
    body = bytes(message)
    envelope = struct.pack(
        "=IHHII",
        16 + len(body),
        message.nlmsg_type,
        message.nlmsg_flags,
        message.nlmsg_seq,
        message.nlmsg_pid,
    )
    return envelope + body


if __name__ == "__main__":
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    for name in sys.argv[1:]:
        setns(home, CLONE_NEWNET)
        unshare(CLONE_NEWNET)
        scene = list(SCENES[name]())
        records = [json.dumps(found, separators=(",", ":")) for found in capture(scene)]
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.jsonl").write_text("\n".join(records) + "\n")
        print(f"{len(records)} messages in {FOLDER.name}/{name}.jsonl")
